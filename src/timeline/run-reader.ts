import { statSync } from 'node:fs';
import path from 'node:path';
import type { Before, OutputParser, OutputReader, Seen } from '../agents/adapter.ts';
import type { AgentEvent } from '../agents/events.ts';
import { parseObject } from '../agents/json.ts';
import { RUN_FILES } from '../keeper/protocol.ts';
import { isRecord } from '../platform/check.ts';
import type { ExitRecord } from '../store/model.ts';
import { say } from '../words/saying.ts';
import { saidContent } from './content.ts';
import { endContent, innerEndContent, tellsExit } from './ending.ts';
import type { Place } from './index-db.ts';
import { LastLine } from './last-line.ts';
import { withoutReturn } from './renderer.ts';
import { NO_ROWS, type LinePlace, type RunRows } from './run-rows.ts';
import { figuresOf, judge, sumFigures, unseenExit, type TurnSummary } from './run-summary.ts';
import type { RunSource, TurnSource } from './source.ts';
import { RunTailer, type TailLine, type TailState } from './tailer.ts';

interface ExitNote {
  readonly line: LinePlace;
  readonly exit: Readonly<Record<string, unknown>>;
}

export interface RunReaderOptions {
  readonly reader: OutputReader;
  readonly rows: RunRows;
  /** The file of a turn's prompt. */
  readonly promptFile: (turn: TurnSource) => string;
  /** What was used up in the same conversation before this run. */
  readonly before: Before;
}

/** A turn that has begun. */
interface Turn {
  readonly source: TurnSource;
  begunAt: number;
  /** Its prompt came as a line of stdin: its run may outlast it, and the output tells its end. */
  fed: boolean;
  summary?: TurnSummary;
}

/**
 * Reads the files of one run, and says what its turns came to, whether or not rows are made of it: the same ones in the same
 * order, however the bytes come in. A run serves its first turn from its start, and another from the line of stdin.log on that
 * bears the turn's number.
 */
export class RunReader {
  readonly #options: RunReaderOptions;
  #rows: RunRows;
  readonly #last = new LastLine();
  readonly #tailer: RunTailer;
  #run: RunSource;
  #parser: OutputParser;
  #over = false;
  /** The keeper's note of the agent's exit, held back: the run's last row mostly says the same. */
  #exit: ExitNote | undefined;
  readonly #turns: Turn[] = [];
  #noticed: string | undefined;

  constructor(run: RunSource, options: RunReaderOptions) {
    this.#run = run;
    this.#options = options;
    this.#rows = options.rows;
    this.#parser = options.reader.parser(options.before);
    this.#tailer = new RunTailer(run.folder);
  }

  get run(): RunSource {
    return this.#run;
  }

  /** Takes what is known of the run now. */
  update(run: RunSource): void {
    this.#run = run;
  }

  /** What the lines of the last turn amount to. */
  get seen(): Seen {
    return this.#parser.seen;
  }

  get lastOutputAt(): number | undefined {
    return this.#tailer.lastOutputAt;
  }

  /** What the agent did last in this run. */
  get lastLine(): string {
    return this.#last.text;
  }

  /** The number of the last turn that has begun. */
  get turn(): number | undefined {
    return this.#turns.at(-1)?.source.number;
  }

  /** The turns that are over, in their order. */
  get ended(): readonly TurnSummary[] {
    return this.#turns.flatMap(({ summary }) => summary ?? []);
  }

  /** Reads what has arrived. `done` when the run is over and all of it was read: then comes `end`. */
  read(over: boolean, deadline: number): TailState {
    this.#over = over;
    if (this.#turns.length === 0 && !this.#beginFirst()) return 'waiting';
    try {
      return this.#tailer.read((line) => this.#line(line), { over, deadline });
    } finally {
      this.#rows.flush();
    }
  }

  /** The run's last rows: the end of the turn that it ended, and before it what the keeper saw if that is something else. */
  end(exit: ExitRecord): void {
    const turn = this.#turns.at(-1);
    const ends = turn !== undefined && turn.summary === undefined;
    if (this.#exit !== undefined && !(ends && tellsExit(exit, this.#exit.exit))) {
      this.#rows.line('keeper', this.#exit.line, false);
    }
    if (turn !== undefined) this.#leave(turn, exit.endedAt, exit);
    this.#passOver(Infinity, exit);
  }

  /** From now on nobody wants rows of it. */
  dropRows(): void {
    this.#rows = NO_ROWS;
  }

  /** Gives back what is not needed while nothing comes. */
  rest(): void {
    this.#tailer.rest();
  }

  close(): void {
    this.#tailer.close();
  }

  /** The first row is the prompt's; it waits for the prompt to be there, so that nobody sees it empty. */
  #beginFirst(): boolean {
    const turn = this.#run.turns.find(({ withdrawn }) => withdrawn === undefined) ?? this.#run.turns[0];
    if (turn === undefined) return false;
    const at = modified(this.#options.promptFile(turn)) ?? modified(path.join(this.#run.folder, RUN_FILES.times));
    if (at === undefined && !this.#over) return false;
    this.#begin(turn, at ?? 0, false);
    return true;
  }

  #begin(source: TurnSource, at: number, fed: boolean): Turn {
    const turn: Turn = { source, begunAt: at, fed };
    this.#turns.push(turn);
    this.#rows.begin(source.number);
    this.#rows.own('turn-start', null, at, false);
    return turn;
  }

  /** Goes on to another turn of the run. */
  #goOn(from: Turn, to: TurnSource, at: number): void {
    this.#leave(from, at, undefined);
    this.#passOver(to.number, undefined);
    const { reader, before } = this.#options;
    if (this.#parser.nextTurn === undefined) this.#parser = reader.parser(sumFigures([before, ...this.ended]));
    else this.#parser.nextTurn();
    this.#begin(to, at, true);
  }

  /** Nothing more comes of a turn. */
  #leave(turn: Turn, at: number, exit: ExitRecord | undefined): void {
    this.#rows.endTurn();
    this.#last.endTurn();
    if (turn.summary === undefined) this.#endTurn(turn, this.seen, at, exit);
    // What it used after its end is its own.
    else turn.summary = { ...turn.summary, ...figuresOf(this.seen) };
  }

  #endTurn(turn: Turn, seen: Seen, at: number, exit: ExitRecord | undefined): void {
    const { source, begunAt } = turn;
    const { lastOutputAt, lastLine } = this;
    this.#rows.endTurn();
    this.#last.endTurn();
    const judgement = judge(this.#options.reader, seen, exit, this.#run.folder);
    const { outcome } = judgement;
    const content = exit === undefined ? innerEndContent(judgement, at - begunAt) : endContent(exit, judgement);
    this.#rows.own('turn-end', content, at, outcome === 'failed' || outcome === 'killed' || outcome === 'unknown');
    turn.summary = {
      number: source.number,
      resumes: source.resumes,
      judgement,
      lastLine,
      ...(seen.agentSession !== undefined && { agentSession: seen.agentSession }),
      ...(seen.model !== undefined && { model: seen.model }),
      ...(lastOutputAt !== undefined && { lastOutputAt }),
      ...figuresOf(seen),
    };
  }

  /** The turns before number `before` that the run was to serve and that never came to it. */
  #passOver(before: number, exit: ExitRecord | undefined): void {
    const from = this.#turns.at(-1)?.source.number ?? 0;
    for (const turn of this.#run.turns) {
      if (turn.number <= from || turn.number >= before) continue;
      const { withdrawn } = turn;
      const end = withdrawn === undefined ? exit : unseenExit(withdrawn, this.#run.folder);
      const at = modified(this.#options.promptFile(turn)) ?? end?.endedAt ?? 0;
      this.#endTurn(this.#begin(turn, at, false), {}, end?.endedAt ?? at, end);
    }
  }

  /** @returns whether the line could be taken. */
  #line(line: TailLine): boolean {
    switch (line.stream) {
      case 'o':
        this.#stdout(line);
        return true;
      case 'e':
        if (!isBlank(line.bytes)) this.#rows.line('stderr', line, false);
        return true;
      case 'i':
        return this.#stdin(line);
      case 'k': {
        const { level, exit } = noteOf(line) ?? {};
        const { stream, at, offset, length, oversize } = line;
        if (isRecord(exit) && this.#exit === undefined) {
          this.#exit = { line: { stream, at, offset, length, oversize }, exit };
        } else {
          this.#rows.line('keeper', line, level === 'warning' || level === 'error');
        }
        return true;
      }
    }
  }

  /** A line of stdin that bears a turn's number is its prompt. It waits for the turn to be known. */
  #stdin(line: TailLine): boolean {
    const { turn: number, text } = noteOf(line) ?? {};
    const current = this.#turns.at(-1);
    if (current !== undefined && typeof number === 'number') {
      if (number === current.source.number && !current.fed) {
        current.fed = true;
        current.begunAt = line.at;
        return true;
      }
      const next = this.#run.turns.find((turn) => turn.number === number);
      if (number > current.source.number && next !== undefined) {
        this.#goOn(current, next, line.at);
        return true;
      }
      if (number > current.source.number && !this.#over) return false;
    }
    const events = typeof text === 'string' ? this.#parser.sent?.(text) : undefined;
    if (events === undefined) this.#rows.line('sent', line, false);
    else this.#events(events, line);
    return true;
  }

  #stdout(line: TailLine): void {
    if (line.oversize) this.#rows.line('raw', line, false);
    else this.#events(this.#parser.line(withoutReturn(line.bytes).toString('utf8')), line);
  }

  #events(events: readonly AgentEvent[], { stream, offset, length, at: arrival }: LinePlace): void {
    const counts = new Map<AgentEvent['kind'], number>();
    for (const event of events) {
      const nth = counts.get(event.kind) ?? 0;
      counts.set(event.kind, nth + 1);
      const place = { stream, offset, length, nth };
      const at = timeOf(event, arrival);
      this.#last.note(event);
      this.#rows.event(event, place, at, this.seen.usage);
      if (event.kind === 'session') this.#compareIds(event.agentSession, place, at);
      const turn = this.#turns.at(-1);
      if (event.kind === 'result' && turn?.fed === true && turn.summary === undefined) {
        this.#endTurn(turn, this.seen, arrival, undefined);
      }
    }
  }

  /** The id that the agent gives wins; that it is another one must not go unseen. */
  #compareIds(id: string, place: Place, at: number): void {
    const { agentSession: asked, resumes } = this.#turns.at(-1)?.source ?? {};
    if (asked === undefined || id === asked || id === this.#noticed) return;
    this.#noticed = id;
    const said = say(resumes === true ? 'other-session.resumed' : 'other-session', { asked, given: id });
    this.#rows.own('notice', saidContent(said), at, false, place);
  }
}

function modified(file: string): number | undefined {
  const at = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return at === undefined ? undefined : Math.round(at);
}

function noteOf(line: TailLine): Readonly<Record<string, unknown>> | undefined {
  return line.oversize ? undefined : parseObject(line.bytes.toString('utf8'));
}

/** When it happened; what the agent says counts only if it is a time. */
function timeOf(event: AgentEvent, arrival: number): number {
  const at = Math.round(event.at ?? arrival);
  return Number.isSafeInteger(at) && at >= 0 ? at : arrival;
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 32 || byte === 9 || byte === 13);
}
