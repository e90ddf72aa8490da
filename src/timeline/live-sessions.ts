import { readerFor } from '../agents/registry.ts';
import { LiveSession, type LiveSessionOptions, type Use } from './live-session.ts';
import { Scheduler } from './scheduler.ts';
import { SessionReader } from './session-reader.ts';
import type { TimelineSource } from './source.ts';

/** All sessions that are read in one thread, a slice each at a time. */
export class LiveSessions {
  readonly #options: Omit<LiveSessionOptions, 'wake'>;
  readonly #sessions = new Map<string, LiveSession>();
  readonly #scheduler = new Scheduler();
  /** Snapshots that are being written. */
  readonly #closing = new Set<Promise<void>>();

  constructor(options: Omit<LiveSessionOptions, 'wake'>) {
    this.#options = options;
  }

  get(session: string): LiveSession | undefined {
    return this.#sessions.get(session);
  }

  open(source: TimelineSource, use: Use): void {
    this.close(source.session);
    const reader = new SessionReader(readerFor(source.format), source);
    const wake: LiveSessionOptions['wake'] = (job) => this.#scheduler.wake(job);
    this.#sessions.set(source.session, new LiveSession(reader, use, { ...this.#options, wake }));
  }

  /** The session that somebody looks at. */
  favour(live: LiveSession): void {
    live.look();
    this.#scheduler.favour(live);
  }

  close(session: string): void {
    const live = this.#sessions.get(session);
    if (live === undefined) return;
    this.#sessions.delete(session);
    this.#scheduler.forget(live);
    const closed = live.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  /** Resolves when all that was worth it is saved. */
  async closeAll(): Promise<void> {
    for (const session of [...this.#sessions.keys()]) this.close(session);
    await Promise.all(this.#closing);
  }
}
