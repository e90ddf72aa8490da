import path from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import { RUN_FILES } from '../keeper/protocol.ts';
import type { Dispose } from '../platform/emitter.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { watchFile } from '../platform/watch.ts';
import type { Judgement } from '../store/model.ts';
import type { Activity, Status } from '../protocol/rows.ts';
import { say } from '../words/saying.ts';
import type { Job } from './scheduler.ts';
import type { SessionIndex } from './session-index.ts';
import type { SessionReader } from './session-reader.ts';
import type { TimelineSource } from './source.ts';

/** Rest between two reads of one session, in ms; the first hint after a rest is followed at once. */
const READ_REST_MS = 8;
/** Rest between two activities, in ms, for a session that somebody looks at and for others. */
const LOOKED_AT_REST_MS = 16;
const ACTIVITY_REST_MS = 50;
/** How long whoever asks for rows first waits at most for all that are there, in ms, and a piece of the work on them. */
const FIRST_ROWS_MS = 250;
const PIECE_MS = 12;
/** How long a look lasts after a page or delta was asked for, in ms. */
const LOOK_MS = 10_000;
/** When a read that failed is tried again, in ms. */
const RETRY_MS = 1000;

/** What an open session is wanted for. */
export interface Use {
  /** Somebody asks for its rows; without, it is read for what it comes to alone. */
  readonly rows: boolean;
  /** Whoever follows it hints at all that is recorded, so that its files need not be watched. */
  readonly hinted: boolean;
}

interface Waiter {
  readonly turn: number;
  readonly resolve: (judgement: Judgement) => void;
  readonly reject: (error: Error) => void;
}

export interface LiveSessionOptions {
  readonly wake: (job: Job) => void;
  readonly tell: (activity: Activity) => void;
  /** Makes what holds its rows. */
  readonly index: (source: TimelineSource) => Promise<SessionIndex>;
  readonly log: Pick<Log, 'warn' | 'error'>;
}

/** An open session: read when there is something to read, and told of. Its rows are made only while somebody asks for them. */
export class LiveSession implements Job {
  readonly #options: LiveSessionOptions;
  #reader: SessionReader;
  #use: Use = { rows: false, hinted: true };
  #index: SessionIndex | undefined;
  #opening: Promise<SessionIndex> | undefined;
  /** What was told of, while the index reads from the beginning once more. */
  #before: Status | undefined;
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

  constructor(reader: SessionReader, use: Use, options: LiveSessionOptions) {
    this.#reader = reader;
    this.#options = options;
    this.use(use);
  }

  /** What it is wanted for now. */
  use(use: Use): void {
    this.#use = use;
    if (!use.rows) this.#dropRows();
    // Why there are none, whoever asks for them hears.
    else this.rows().catch(() => undefined);
    this.#options.wake(this);
  }

  update(source: TimelineSource): void {
    this.#reader.update(source);
    this.#options.wake(this);
  }

  /** There may be something new to read. Where the folder is watched, too, a hint only comes sooner. */
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

  /** Its rows, for who has asked for them. */
  rows(): Promise<SessionIndex> {
    if (!this.#use.rows) throw closed();
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Whether these are its rows now: those that were dropped are freed. */
  holds(index: SessionIndex): boolean {
    return this.#index === index;
  }

  run(deadline: number): boolean {
    // What makes the rows reads all there is, too.
    if (this.#closed || this.#isOpening) return false;
    // Watched before it is read, so that nothing comes unseen in between.
    this.#watch();
    try {
      const state = this.#index?.ingest(deadline) ?? this.#reader.read(deadline);
      this.#problem = '';
      if (state !== 'more') this.#before = undefined;
      this.#answerWaiters();
      this.#tell();
      if (state === 'idle') this.#rest();
      if (state === 'waiting') this.#reader.rest();
      return state === 'more' || !this.#isWatched;
    } catch (error) {
      this.#fail(error);
      return false;
    } finally {
      this.#readAt = performance.now();
    }
  }

  /** The judgement of a turn that is over, when it is read to its end. */
  judge(turn: number): Promise<Judgement> {
    const known = this.#judgement(turn);
    if (known !== undefined) {
      this.#tellNow();
      return Promise.resolve(known);
    }
    const asked = this.#reader.source.turns.find(({ number }) => number === turn);
    if (asked?.over !== true && asked?.ended !== true) {
      throw new TreelineError('turn-not-over', `Turn ${turn} has not ended yet.`);
    }
    return new Promise((resolve, reject) => this.#waiters.push({ turn, resolve, reject }));
  }

  /** Saves what is worth it, and frees the session. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watched?.stop();
    clearTimeout(this.#readTimer);
    clearTimeout(this.#tellTimer);
    for (const { reject } of this.#waiters) reject(closed());
    this.#waiters = [];
    const saved = this.#save();
    this.#reader.close();
    this.#index?.close();
    this.#index = undefined;
    await saved;
  }

  #open(): Promise<SessionIndex> {
    const opening = this.#makeRows();
    opening.catch(() => {
      if (this.#opening !== opening) return;
      // Without rows it is read all the same; whoever asks for them next has them tried again.
      this.#opening = undefined;
      this.#options.wake(this);
    });
    return opening;
  }

  async #makeRows(): Promise<SessionIndex> {
    const index = await this.#options.index(this.#reader.source);
    if (this.#closed || !this.#use.rows || this.#index !== undefined) {
      index.close();
      if (this.#closed || this.#index === undefined) throw closed();
      return this.#index;
    }
    index.update(this.#reader.source);
    if (this.#told !== '') this.#before ??= this.#reader.status();
    this.#reader.close();
    this.#reader = index.reader;
    this.#index = index;
    const until = performance.now() + FIRST_ROWS_MS;
    while (this.run(performance.now() + PIECE_MS) && performance.now() < until) await immediate();
    this.#options.wake(this);
    if (this.#index !== index) throw closed();
    return index;
  }

  #dropRows(): void {
    void this.#save();
    if (this.#index !== undefined) this.#reader = this.#index.leaveReader();
    this.#index = undefined;
    this.#opening = undefined;
  }

  /** Its rows are asked for, and not yet there. */
  get #isOpening(): boolean {
    return this.#opening !== undefined && this.#index === undefined;
  }

  get #isWatched(): boolean {
    return this.#use.hinted || this.#reader.currentFolder === this.#watched?.folder;
  }

  #watch(): void {
    const folder = this.#use.hinted ? undefined : this.#reader.currentFolder;
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
    const activity = { ...(this.#before ?? this.#reader.status()), ...this.#index?.count };
    const text = JSON.stringify(activity);
    if (text === this.#told) return;
    this.#told = text;
    this.#toldAt = performance.now();
    this.#options.tell(activity);
  }

  /** Who asks for rows, too, is to find them there with the answer, where they can be made. */
  #judgement(turn: number): Judgement | undefined {
    return this.#isOpening ? undefined : this.#reader.judgement(turn);
  }

  #answerWaiters(): void {
    this.#waiters = this.#waiters.filter(({ turn, resolve }) => {
      const judgement = this.#judgement(turn);
      if (judgement === undefined) return true;
      // Before the answer: with it the session may be closed, and what the turn came to would never be told.
      this.#tellNow();
      resolve(judgement);
      return false;
    });
  }

  #rest(): void {
    this.#index?.rest();
    void this.#save();
  }

  async #save(): Promise<void> {
    try {
      await this.#index?.save();
    } catch (error) {
      // A snapshot spares work and holds nothing of its own: without one, the session is read again.
      this.#options.log.warn(`A timeline could not be saved: ${errorText(error)}`);
    }
  }

  /** Tried again: what cannot be read now (a file system that went away) may be there later. */
  #fail(error: unknown): void {
    const problem = errorText(error);
    if (problem !== this.#problem) {
      this.#options.log.error(`The output of session ${this.#reader.source.session} cannot be read: ${problem}`);
      this.#problem = problem;
    }
    if (this.#readTimer === undefined) this.#wakeIn(RETRY_MS);
  }
}

function closed(): TreelineError {
  return new TreelineError(say('timeline-closed'));
}
