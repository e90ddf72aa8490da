import path from 'node:path';
import { RUN_FILES } from '../keeper/protocol.ts';
import type { Dispose } from '../platform/emitter.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { watchFile } from '../platform/watch.ts';
import type { Judgement } from '../store/model.ts';
import type { SessionIndex } from './session-index.ts';
import type { Activity } from './rows.ts';
import type { Job } from './scheduler.ts';
import type { TimelineSource } from './source.ts';

/** Rest between two reads of one session, in ms; the first hint after a rest is followed at once. */
const READ_REST_MS = 8;
/** Rest between two activities, in ms, for a session that somebody looks at and for others. */
const LOOKED_AT_REST_MS = 16;
const ACTIVITY_REST_MS = 50;
/** How long a look lasts after a page or delta was asked for, in ms. */
const LOOK_MS = 10_000;
/** When a read that failed is tried again, in ms. */
const RETRY_MS = 1000;

interface Waiter {
  readonly turn: number;
  readonly resolve: (judgement: Judgement) => void;
  readonly reject: (error: Error) => void;
}

export interface LiveSessionOptions {
  readonly wake: (job: Job) => void;
  readonly tell: (activity: Activity) => void;
  readonly log: Pick<Log, 'warn' | 'error'>;
}

/** An open session in the worker: reads when there is something to read, and tells what it came to. */
export class LiveSession implements Job {
  readonly index: SessionIndex;
  readonly #options: LiveSessionOptions;
  #watched: { readonly folder: string; readonly stop: Dispose } | undefined;
  #waiters: Waiter[] = [];
  #readAt = -Infinity;
  #readTimer: NodeJS.Timeout | undefined;
  #toldAt = -Infinity;
  #told = '';
  #tellTimer: NodeJS.Timeout | undefined;
  #lookedAt = -Infinity;
  #problem = '';
  #closed = false;

  constructor(index: SessionIndex, options: LiveSessionOptions) {
    this.index = index;
    this.#options = options;
    options.wake(this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  update(source: TimelineSource): void {
    this.index.update(source);
    this.#options.wake(this);
  }

  /** There may be something new to read. The folder is watched too: a hint only comes sooner. */
  hint(): void {
    if (this.#readTimer !== undefined) return;
    const rest = this.#readAt + READ_REST_MS - performance.now();
    if (rest <= 0) this.#options.wake(this);
    else this.#wakeIn(rest);
  }

  /** Somebody looks at the session now: it is told of sooner. */
  look(): void {
    this.#lookedAt = performance.now();
  }

  run(deadline: number): boolean {
    if (this.#closed) return false;
    // Watched before it is read, so that nothing comes unseen in between.
    this.#watch(this.index.currentFolder);
    try {
      const state = this.index.ingest(deadline);
      this.#problem = '';
      this.#answerWaiters();
      this.#tell();
      if (state === 'idle') this.#rest();
      return state === 'more' || this.index.currentFolder !== this.#watched?.folder;
    } catch (error) {
      this.#fail(error);
      return false;
    } finally {
      this.#readAt = performance.now();
    }
  }

  /** The judgement of a turn that is over, when it is read to its end. */
  judge(turn: number): Promise<Judgement> {
    const known = this.index.judgement(turn);
    if (known !== undefined) {
      this.#tellNow();
      return Promise.resolve(known);
    }
    const asked = this.index.source.turns.find(({ number }) => number === turn);
    if (asked?.over !== true && asked?.ended !== true) {
      throw new TreelineError('turn-not-over', `Turn ${turn} has not ended yet.`);
    }
    return new Promise((resolve, reject) => this.#waiters.push({ turn, resolve, reject }));
  }

  /** Saves what is worth it, and frees the session. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watch(undefined);
    clearTimeout(this.#readTimer);
    clearTimeout(this.#tellTimer);
    for (const { reject } of this.#waiters) reject(new TreelineError('timeline-closed', 'The timeline was closed.'));
    this.#waiters = [];
    const saved = this.#save();
    this.index.close();
    await saved;
  }

  #watch(folder: string | undefined): void {
    if (folder === this.#watched?.folder) return;
    this.#watched?.stop();
    this.#watched =
      folder === undefined
        ? undefined
        : { folder, stop: watchFile(path.join(folder, RUN_FILES.times), () => this.hint()) };
  }

  #wakeIn(ms: number): void {
    this.#readTimer = setTimeout(() => {
      this.#readTimer = undefined;
      this.#options.wake(this);
    }, ms);
  }

  #tell(): void {
    if (this.#tellTimer !== undefined) return;
    const now = performance.now();
    const rest = now - this.#lookedAt < LOOK_MS ? LOOKED_AT_REST_MS : ACTIVITY_REST_MS;
    const wait = this.#toldAt + rest - now;
    if (wait > 0) {
      this.#tellTimer = setTimeout(() => {
        this.#tellTimer = undefined;
        this.#tell();
      }, wait);
      return;
    }
    this.#tellNow();
  }

  #tellNow(): void {
    clearTimeout(this.#tellTimer);
    this.#tellTimer = undefined;
    const activity = this.index.activity();
    const text = JSON.stringify(activity);
    if (text === this.#told) return;
    this.#told = text;
    this.#toldAt = performance.now();
    this.#options.tell(activity);
  }

  #answerWaiters(): void {
    this.#waiters = this.#waiters.filter(({ turn, resolve }) => {
      const judgement = this.index.judgement(turn);
      if (judgement === undefined) return true;
      // Before the answer: with it the session may be closed, and what the turn came to would never be told.
      this.#tellNow();
      resolve(judgement);
      return false;
    });
  }

  #rest(): void {
    this.index.rest();
    void this.#save();
  }

  #save(): Promise<void> {
    // A snapshot spares work and holds nothing of its own: without one, the session is read again.
    return this.index
      .save()
      .catch((error: unknown) => this.#options.log.warn(`A timeline could not be saved: ${errorText(error)}`));
  }

  /** Tried again: what cannot be read now (a file system that went away) may be there later. */
  #fail(error: unknown): void {
    const problem = errorText(error);
    if (problem !== this.#problem) {
      this.#options.log.error(`The output of session ${this.index.source.session} cannot be read: ${problem}`);
      this.#problem = problem;
    }
    if (this.#readTimer === undefined) this.#wakeIn(RETRY_MS);
  }
}
