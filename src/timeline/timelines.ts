import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Emitter, type Dispose } from '../platform/emitter.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { TextPart } from '../protocol/names.ts';
import type { Judgement } from '../store/model.ts';
import { say, textOf } from '../words/saying.ts';
import type { Use } from './live-session.ts';
import type { Outputs } from './outputs.ts';
import type { Activity, Row, RowDelta, RowFilter, RowPage } from '../protocol/rows.ts';
import type { TimelineSource } from './source.ts';
import type { FromWorker, Queries, Query, QueryName, ToWorker } from './worker-protocol.ts';

export type { TimelineSource } from './source.ts';

export interface TimelinesOptions {
  /** The worker's file: a bundle, or its TypeScript source where node runs that. */
  readonly worker: string | URL;
  /** Path of sql-wasm.wasm. */
  readonly wasm: string;
  readonly log: Log;
  /** The templates of sayings in the language of whoever reads, by the English ones; absent: English. */
  readonly words?: Readonly<Record<string, string>>;
  /** How long the worker may give no sign of life while it is asked something, in ms; absent: as the product has it. */
  readonly silenceMs?: number;
}

/** How long the worker may give no sign of life, in ms. How long an answer takes depends on the output and on the machine. */
const SILENCE_MS = 30_000;
/** How many signs of life it gives in that time. */
const BEATS = 5;
/** A judgement waits for all of the turn's output to be read, in ms. */
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
  /** How many want its rows, and how many follow it. */
  readers: number;
  followers: number;
}

type Role = 'readers' | 'followers';

interface Pending {
  readonly query: Query;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  tries: number;
}

/**
 * The timelines of all open sessions, read in a worker thread, and indexed there while somebody looks at them. The worker starts with the first session, and
 * is started again when it crashes: then its sessions are opened anew and unanswered queries are put once more.
 */
export class Timelines implements Outputs {
  readonly #options: TimelinesOptions;
  readonly #sessions = new Map<string, OpenSession>();
  readonly #pending = new Map<number, Pending>();
  readonly #activities: Emitter<Activity>;
  readonly onActivity: Outputs['onActivity'];
  #worker: Worker | undefined;
  #startedAt = 0;
  #crashes = 0;
  #restart: NodeJS.Timeout | undefined;
  #lastId = 0;
  #disposed = false;
  readonly #silenceMs: number;

  constructor(options: TimelinesOptions) {
    this.#options = options;
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
    this.#activities = new Emitter((error) => options.log.error(errorText(error)));
    this.onActivity = this.#activities.event;
  }

  /** Makes a session's rows until the result is called; several may have the same one open. */
  open(source: TimelineSource): Dispose {
    return this.#join(source, 'readers');
  }

  follow(source: TimelineSource): Dispose {
    return this.#join(source, 'followers');
  }

  has(session: string): boolean {
    return this.#sessions.has(session);
  }

  update(source: TimelineSource): void {
    const known = this.#sessions.get(source.session);
    if (known === undefined || isDeepStrictEqual(known.source, source)) return;
    known.source = source;
    this.#post({ type: 'update', source });
  }

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

  judge(session: string, turn: number): Promise<Judgement> {
    return this.#ask('judge', session, { turn });
  }

  /** Saves what is worth it and ends the worker. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    clearTimeout(this.#restart);
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

  #join(source: TimelineSource, role: Role): Dispose {
    if (this.#disposed) return () => undefined;
    const { session } = source;
    const known = this.#sessions.get(session);
    if (known === undefined) {
      const one: OpenSession = { source, readers: 0, followers: 0 };
      one[role] = 1;
      this.#sessions.set(session, one);
      if (this.#worker === undefined) this.#start();
      else this.#post({ type: 'open', source, use: useOf(one) });
    } else {
      this.#count(session, role, 1);
      this.update(source);
    }
    let left = false;
    return () => {
      if (!left) this.#count(session, role, -1);
      left = true;
    };
  }

  #count(session: string, role: Role, by: number): void {
    const known = this.#sessions.get(session);
    if (known === undefined) return;
    const before = useOf(known);
    known[role] += by;
    if (known.readers + known.followers === 0) {
      this.#sessions.delete(session);
      this.#post({ type: 'close', session });
    } else if (!isDeepStrictEqual(useOf(known), before)) {
      this.#post({ type: 'use', session, use: useOf(known) });
    }
  }

  #ask<Q extends QueryName>(name: Q, session: string, ask: Queries[Q]['ask']): Promise<Queries[Q]['answer']> {
    if (this.#disposed || !this.#sessions.has(session)) return Promise.reject(closed());
    const id = (this.#lastId += 1);
    const query = { do: name, session, ...ask } as Query;
    return new Promise<unknown>((resolve, reject) => {
      const late = (): void => this.#settle(id)?.reject(new TreelineError(say('timeline-slow')));
      const timer = setTimeout(late, name === 'judge' ? JUDGE_MS : this.#silenceMs);
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
    const { worker: file, wasm, log, words = {} } = this.#options;
    const beatMs = this.#silenceMs / BEATS;
    // No flags of this process: the extension host is started with some that a worker refuses.
    const worker = new Worker(file, { workerData: { wasm, words, beatMs }, execArgv: [] });
    this.#worker = worker;
    this.#startedAt = performance.now();
    worker.on('message', (message: FromWorker) => this.#take(message));
    worker.on('error', (error) => log.error(`The timeline worker crashed: ${errorText(error)}`));
    worker.on('exit', () => this.#ended(worker));
    for (const one of this.#sessions.values()) this.#post({ type: 'open', source: one.source, use: useOf(one) });
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
        this.#settle(id)?.reject(new TreelineError(say('timeline-crashed')));
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
      case 'working':
        this.#pending.get(message.id)?.timer.refresh();
        return;
      case 'answer':
        this.#settle(message.id)?.resolve(message.value);
        return;
      case 'refusal': {
        const { code, said } = message;
        this.#settle(message.id)?.reject(code === undefined ? new Error(textOf(said)) : new TreelineError(code, said));
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

function useOf({ readers, followers }: OpenSession): Use {
  return { rows: readers > 0, hinted: followers > 0 };
}

function closed(): TreelineError {
  return new TreelineError(say('timeline-closed'));
}
