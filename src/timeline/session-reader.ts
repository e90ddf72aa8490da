import type { Before, OutputReader } from '../agents/adapter.ts';
import type { Judgement } from '../store/model.ts';
import { LogReplaced } from './log-file.ts';
import type { Status } from '../protocol/rows.ts';
import { RunReader } from './run-reader.ts';
import { NO_ROWS, type RunRows } from './run-rows.ts';
import { exitOf, fingerprint, sumFigures, type RunSummary, type TurnSummary } from './run-summary.ts';
import { promptFileOf, runsOf, type RunSource, type TimelineSource } from './source.ts';

/** `more`: the time was up. `waiting`: all that is there was read, and a run goes on. `idle`: no run goes on. */
export type ReadState = 'more' | 'waiting' | 'idle';

/** What makes rows of a session, as it is read. */
export interface SessionRows {
  /** The rows of a run that is read from its beginning. */
  ofRun(): RunRows;
  /** All of a run was read. */
  done(summary: RunSummary): void;
  /** What was read is another by now: everything is read anew. */
  restart(): void;
}

export interface SessionReaderOptions {
  readonly rows?: SessionRows;
  /** The runs at the beginning that need not be read again. */
  readonly done?: readonly RunSummary[];
}

/**
 * Reads the runs of one session, one after the other, and says what they came to: the same, whether or not rows are made
 * meanwhile. It holds nothing of a run that is over but its summary.
 */
export class SessionReader {
  readonly #reader: OutputReader;
  #rows: SessionRows | undefined;
  #source: TimelineSource;
  #runs: readonly RunSource[];
  /** The runs that were read to their end, in order. */
  #done: RunSummary[];
  #current: RunReader | undefined;

  constructor(reader: OutputReader, source: TimelineSource, { rows, done = [] }: SessionReaderOptions = {}) {
    this.#reader = reader;
    this.#source = source;
    this.#runs = runsOf(source);
    this.#rows = rows;
    this.#done = [...done];
  }

  get source(): TimelineSource {
    return this.#source;
  }

  /** How many runs were read to their end. */
  get done(): number {
    return this.#done.length;
  }

  /** The folder of the run that goes on, or that comes next. */
  get currentFolder(): string | undefined {
    return this.#runs[this.#done.length]?.folder;
  }

  /** Takes a new list of turns; what was read stays read, unless a turn is another run's by now. */
  update(source: TimelineSource): void {
    this.#source = source;
    this.#runs = runsOf(source);
    const known = [
      ...this.#done.map(({ run }) => run),
      ...(this.#current === undefined ? [] : [this.#current.run.number]),
    ];
    if (known.some((run, i) => this.#runs[i]?.number !== run)) this.#restart();
  }

  /** Reads what has arrived, until `deadline` (a `performance.now()`). */
  read(deadline: number): ReadState {
    try {
      return this.#read(deadline);
    } catch (error) {
      if (!(error instanceof LogReplaced)) throw error;
      this.#restart();
      return 'more';
    }
  }

  /** The judgement of a turn that was read to its end, also while its run goes on. */
  judgement(turn: number): Judgement | undefined {
    return this.#ended().find(({ number }) => number === turn)?.judgement;
  }

  status(): Status {
    const ended = this.#ended();
    const reader = this.#current;
    const seen = reader?.seen ?? {};
    const number = reader?.turn ?? ended.at(-1)?.number;
    const goesOn = reader?.turn !== undefined;
    const before = goesOn ? ended.filter((turn) => turn.number !== number) : ended;
    const judgement = number === undefined ? undefined : this.judgement(number);
    const named = ended.findLast((turn) => turn.agentSession !== undefined);
    const agentSession =
      seen.agentSession !== undefined && goesOn && number !== undefined
        ? { id: seen.agentSession, turn: number }
        : named?.agentSession !== undefined
          ? { id: named.agentSession, turn: named.number }
          : undefined;
    const { usage, cost } = sumFigures(goesOn ? [...before, seen] : before);
    const lastEventAt = reader?.lastOutputAt ?? ended.findLast((one) => one.lastOutputAt !== undefined)?.lastOutputAt;
    const lastLine = reader?.lastLine || ended.at(-1)?.lastLine;
    const model = seen.model ?? ended.findLast((one) => one.model !== undefined)?.model;
    return {
      session: this.#source.session,
      retrying: seen.retrying === true,
      ...(number !== undefined && { turn: { number, ...(judgement !== undefined && { ended: judgement }) } }),
      ...(lastEventAt !== undefined && { lastEventAt }),
      ...(lastLine !== undefined && lastLine !== '' && { lastLine }),
      ...(model !== undefined && { model }),
      ...(agentSession !== undefined && { agentSession }),
      ...(usage !== undefined && { usage }),
      ...(cost !== undefined && { cost }),
    };
  }

  /** What the runs before used up in the same conversation: back to the turn that began it. */
  before(run: number): Before {
    if (this.#runs.find(({ number }) => number === run)?.turns[0]?.resumes !== true) return {};
    const earlier = this.#done.filter((one) => one.run < run).flatMap(({ turns }) => turns);
    const parts: TurnSummary[] = [];
    for (const [i, turn] of [...earlier.entries()].reverse()) {
      parts.push(turn);
      const previous = earlier[i - 1]?.agentSession;
      const other = previous !== undefined && turn.agentSession !== undefined && previous !== turn.agentSession;
      if (!turn.resumes || other) break;
    }
    const last = earlier.at(-1);
    const untold = last?.agentSession !== undefined && last.usage === undefined;
    return { ...sumFigures(parts), ...(untold && { untold }) };
  }

  /** From now on nobody wants rows. */
  dropRows(): void {
    this.#rows = undefined;
    this.#current?.dropRows();
  }

  /** Gives back what is not needed while nothing comes. */
  rest(): void {
    this.#current?.rest();
  }

  close(): void {
    this.#current?.close();
    this.#current = undefined;
  }

  #read(deadline: number): ReadState {
    for (;;) {
      const run = this.#runs[this.#done.length];
      if (run === undefined) return 'idle';
      this.#current ??= new RunReader(run, {
        reader: this.#reader,
        rows: this.#rows?.ofRun() ?? NO_ROWS,
        promptFile: (turn) => promptFileOf(this.#source, turn),
        before: this.before(run.number),
      });
      this.#current.update(run);
      const state = this.#current.read(run.over, deadline);
      if (state !== 'done') return state;
      this.#finish(this.#current);
      if (performance.now() >= deadline) return 'more';
    }
  }

  #finish(reader: RunReader): void {
    const { run } = reader;
    const print = fingerprint(run);
    reader.end(exitOf(run));
    this.close();
    const summary: RunSummary = { run: run.number, fingerprint: print, turns: reader.ended };
    this.#done.push(summary);
    this.#rows?.done(summary);
  }

  /** The turns that are over, in their order. */
  #ended(): readonly TurnSummary[] {
    return [...this.#done.flatMap(({ turns }) => turns), ...(this.#current?.ended ?? [])];
  }

  #restart(): void {
    this.close();
    this.#done = [];
    this.#rows?.restart();
  }
}
