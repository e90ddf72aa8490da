import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Emitter, type Dispose } from '../platform/emitter.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { TextPart } from '../protocol/names.ts';
import type { Judgement } from '../store/model.ts';
import type { Activity, Row, RowDelta, RowFilter, RowPage } from './rows.ts';
import type { TimelineSource } from './source.ts';
import type { FromWorker, Queries, Query, QueryName, ToWorker } from './worker-protocol.ts';

export type { TimelineSource } from './source.ts';

export interface TimelinesOptions {
  /** The worker's file: a bundle, or its TypeScript source where node runs that. */
  readonly worker: string | URL;
  /** Path of sql-wasm.wasm. */
  readonly wasm: string;
  readonly log: Log;
  /** The worker ends when no session has been open for so long, in ms; absent: it stays. */
  readonly endAfter?: number;
}

/** How long a query may take, in ms. A judgement waits for all of the turn's output to be read. */
const QUERY_MS = 60_000;
const JUDGE_MS = 600_000;
/** How long the worker may take to save and end, in ms: a host that closes has little time, and a snapshot can be made anew. */
const STOP_MS = 1000;
/** How often a query is put to a worker that crashes. */
const TRIES = 2;
/** Pause before the worker is started again, in ms: the first time, and at most, as it doubles with every crash. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 10_000;
/** A worker that lived this long, in ms, is no part of a row of crashes. */
const STABLE_MS = 60_000;

interface OpenSession {
  source: TimelineSource;
  users: number;
}

interface Pending {
  readonly query: Query;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  tries: number;
}

/**
 * The timelines of all open sessions, read and indexed in a worker thread. The worker starts with the first session, and
 * is started again when it crashes: then its sessions are opened anew and unanswered queries are put once more.
 */
export class Timelines {
  readonly #options: TimelinesOptions;
  readonly #sessions = new Map<string, OpenSession>();
  readonly #pending = new Map<number, Pending>();
  readonly #activities: Emitter<Activity>;
  /** What the output of an open session came to: always all that is known, at most some 60 times a second. */
  readonly onActivity: (listener: (activity: Activity) => void) => Dispose;
  #worker: Worker | undefined;
  #startedAt = 0;
  #crashes = 0;
  #restart: NodeJS.Timeout | undefined;
  #rest: NodeJS.Timeout | undefined;
  #lastId = 0;
  #disposed = false;

  constructor(options: TimelinesOptions) {
    this.#options = options;
    this.#activities = new Emitter((error) => options.log.error(errorText(error)));
    this.onActivity = this.#activities.event;
  }

  /** Follows a session until the result is called; several may follow the same one. */
  open(source: TimelineSource): Dispose {
    if (this.#disposed) return () => undefined;
    clearTimeout(this.#rest);
    const known = this.#sessions.get(source.session);
    if (known === undefined) {
      this.#sessions.set(source.session, { source, users: 1 });
      if (this.#worker === undefined) this.#start();
      else this.#post({ type: 'open', source });
    } else {
      known.users += 1;
      this.update(source);
    }
    let closed = false;
    return () => {
      if (!closed) this.#leave(source.session);
      closed = true;
    };
  }

  /** Whether the session is open. */
  has(session: string): boolean {
    return this.#sessions.has(session);
  }

  /** Tells of turns that came or ended; the source is the whole of what is known now. Ignored for a session that is not open. */
  update(source: TimelineSource): void {
    const known = this.#sessions.get(source.session);
    if (known === undefined || isDeepStrictEqual(known.source, source)) return;
    known.source = source;
    this.#post({ type: 'update', source });
  }

  /** There may be something new to read, as whoever hears from the keeper knows before the file system tells. */
  hint(session: string): void {
    if (this.#sessions.has(session)) this.#post({ type: 'hint', session });
  }

  /** @param from the first row of the filtered timeline, from 0; negative: counted from the end. */
  page(session: string, filter: RowFilter, from: number, count: number): Promise<RowPage> {
    return this.#ask('page', session, { filter, from, count });
  }

  /** What changed after revision `since`. */
  delta(session: string, since: number, filter: RowFilter): Promise<RowDelta> {
    return this.#ask('delta', session, { since, filter });
  }

  /** undefined when there is no such row. */
  row(session: string, seq: number): Promise<Row | undefined> {
    return this.#ask('row', session, { seq });
  }

  /** The whole text of a part of a row, read from the log: at most 20 MB, with a word at the end where it is cut. */
  text(session: string, seq: number, part: TextPart): Promise<string> {
    return this.#ask('text', session, { seq, part });
  }

  /** What the agent's adapter makes of a turn that is over, after reading its output to the end. */
  judge(session: string, turn: number): Promise<Judgement> {
    return this.#ask('judge', session, { turn });
  }

  /** Saves what is worth it and ends the worker. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    clearTimeout(this.#restart);
    clearTimeout(this.#rest);
    this.#sessions.clear();
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(closed());
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    this.#post({ type: 'stop' });
    const timer = setTimeout(() => void worker.terminate(), STOP_MS);
    await ended;
    clearTimeout(timer);
  }

  #leave(session: string): void {
    const known = this.#sessions.get(session);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.#sessions.delete(session);
    this.#post({ type: 'close', session });
    const { endAfter } = this.#options;
    if (this.#sessions.size > 0 || endAfter === undefined) return;
    this.#rest = setTimeout(() => {
      this.#post({ type: 'stop' });
      // Its end is expected: the next session has another one.
      this.#worker = undefined;
    }, endAfter).unref();
  }

  #ask<Q extends QueryName>(name: Q, session: string, ask: Queries[Q]['ask']): Promise<Queries[Q]['answer']> {
    if (this.#disposed || !this.#sessions.has(session)) return Promise.reject(closed());
    const id = (this.#lastId += 1);
    const query = { do: name, session, ...ask } as Query;
    return new Promise<unknown>((resolve, reject) => {
      const late = (): void =>
        this.#settle(id)?.reject(
          new TreelineError('timeline-slow', 'The timeline is not responding. Open it again, or reload the window.'),
        );
      const timer = setTimeout(late, name === 'judge' ? JUDGE_MS : QUERY_MS);
      this.#pending.set(id, { query, resolve, reject, timer, tries: 1 });
      try {
        this.#post({ type: 'query', id, query });
      } catch (error) {
        // What no message can carry, such as a function, is no question.
        this.#settle(id)?.reject(
          new TreelineError('invalid', `The timeline cannot be asked this: ${errorText(error)}`),
        );
      }
    }) as Promise<Queries[Q]['answer']>;
  }

  /** While no worker runs, nothing is lost: a new one is told everything. */
  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #start(): void {
    clearTimeout(this.#restart);
    this.#restart = undefined;
    const { worker: file, wasm, log } = this.#options;
    // No flags of this process: the extension host is started with some that a worker refuses.
    const worker = new Worker(file, { workerData: { wasm }, execArgv: [] });
    this.#worker = worker;
    this.#startedAt = performance.now();
    worker.on('message', (message: FromWorker) => this.#take(message));
    worker.on('error', (error) => log.error(`The timeline worker crashed: ${errorText(error)}`));
    worker.on('exit', () => this.#ended(worker));
    for (const { source } of this.#sessions.values()) this.#post({ type: 'open', source });
    for (const [id, { query }] of this.#pending) this.#post({ type: 'query', id, query });
  }

  #ended(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    if (this.#disposed) return;
    this.#crashes = performance.now() - this.#startedAt > STABLE_MS ? 1 : this.#crashes + 1;
    for (const [id, pending] of [...this.#pending]) {
      pending.tries += 1;
      if (pending.tries > TRIES) {
        const words = 'The timeline could not be read because its worker crashed. See the log for details.';
        this.#settle(id)?.reject(new TreelineError('timeline-crashed', words));
      }
    }
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#crashes - 1));
    this.#options.log.error(`The timeline worker ended unexpectedly; it is started again in ${pause} ms.`);
    this.#restart = setTimeout(() => this.#start(), pause);
  }

  #take(message: FromWorker): void {
    switch (message.type) {
      case 'activity':
        if (this.#sessions.has(message.activity.session)) this.#activities.fire(message.activity);
        return;
      case 'answer':
        this.#settle(message.id)?.resolve(message.value);
        return;
      case 'refusal': {
        const { code, message: words } = message;
        this.#settle(message.id)?.reject(code === undefined ? new Error(words) : new TreelineError(code, words));
        return;
      }
      case 'log':
        this.#options.log[message.level](message.message);
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(pending?.timer);
    return pending;
  }
}

function closed(): TreelineError {
  return new TreelineError('timeline-closed', 'This timeline is not open. Open it, then try again.');
}
