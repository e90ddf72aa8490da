import { Emitter, type Dispose } from '../platform/emitter.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Judgement } from '../store/model.ts';
import { LiveSessions } from './live-sessions.ts';
import type { Outputs } from './outputs.ts';
import type { Activity } from '../protocol/rows.ts';
import type { TimelineSource } from './source.ts';

/** Reads output in this very thread, where nobody waits for it to answer: without a worker, and without rows. */
export class LocalOutputs implements Outputs {
  readonly #sessions: LiveSessions;
  readonly #users = new Map<string, number>();
  readonly onActivity: Outputs['onActivity'];

  constructor(log: Log) {
    const activities = new Emitter<Activity>((error) => log.error(errorText(error)));
    this.onActivity = activities.event;
    this.#sessions = new LiveSessions({
      tell: (activity) => activities.fire(activity),
      index: () => Promise.reject(new TreelineError('no-rows', 'No timeline is shown by this process. Open a window.')),
      log,
    });
  }

  follow(source: TimelineSource): Dispose {
    const { session } = source;
    const users = this.#users.get(session) ?? 0;
    this.#users.set(session, users + 1);
    if (users > 0) this.update(source);
    else this.#sessions.open(source, { rows: false, hinted: true });
    let left = false;
    return () => {
      if (!left) this.#leave(session);
      left = true;
    };
  }

  has(session: string): boolean {
    return this.#users.has(session);
  }

  update(source: TimelineSource): void {
    this.#sessions.get(source.session)?.update(source);
  }

  hint(session: string): void {
    this.#sessions.get(session)?.hint();
  }

  async judge(session: string, turn: number): Promise<Judgement> {
    const live = this.#sessions.get(session);
    if (live === undefined) throw new TreelineError('not-read', 'The output of this session is not being read.');
    return live.judge(turn);
  }

  async dispose(): Promise<void> {
    this.#users.clear();
    await this.#sessions.closeAll();
  }

  #leave(session: string): void {
    const users = (this.#users.get(session) ?? 0) - 1;
    if (users > 0) {
      this.#users.set(session, users);
      return;
    }
    this.#users.delete(session);
    this.#sessions.close(session);
  }
}
