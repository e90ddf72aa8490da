import { statSync } from 'node:fs';
import path from 'node:path';
import type { OutputParser, Seen } from '../agents/adapter.ts';
import type { AgentEvent } from '../agents/events.ts';
import { cut, oneLine } from '../agents/text.ts';
import { RUN_FILES } from '../keeper/protocol.ts';
import { isRecord } from '../platform/check.ts';
import { KINDS } from '../protocol/kinds.ts';
import type { ExitRecord, Judgement } from '../store/model.ts';
import { endContent, tellsExit } from './ending.ts';
import { eventContent, textContent, type Content, type RowEvent, type ToolCall, type ToolResult } from './content.ts';
import type { Entry, Place } from './index-db.ts';
import { DENIED, eventFlags, flagsOf, OVERSIZE, PROBLEM, UNENDED } from './kinds.ts';
import { parseNote, withoutReturn } from './renderer.ts';
import type { RowKind } from './rows.ts';
import { promptFileOf, runFolderOf, type TimelineSource, type TurnSource } from './source.ts';
import { TurnTailer, type TailLine, type TailState } from './tailer.ts';

/** Where a turn's rows go. */
export interface Rows {
  append(entry: Entry): number;
  entry(seq: number): Entry;
  replace(seq: number, entry: Entry): void;
}

/** Characters of the line that says what the agent did last. */
const LAST_LINE = 200;
/** The index holds a depth in a byte; nobody sees more. */
const MAX_DEPTH = 255;

/** Where a line stands; its bytes are there only until the next one is read. */
type LinePlace = Omit<TailLine, 'bytes'>;

interface ExitNote {
  readonly line: LinePlace;
  readonly exit: Readonly<Record<string, unknown>>;
}

interface KnownTool {
  readonly seq: number;
  readonly depth: number;
}

/** Reads the files of one turn and makes its rows: the same ones in the same order, however the bytes come in. */
export class TurnReader {
  readonly #turn: TurnSource;
  readonly #folder: string;
  readonly #prompt: string;
  readonly #parser: OutputParser;
  readonly #rows: Rows;
  readonly #tailer: TurnTailer;
  /** The last call of each id. */
  readonly #tools = new Map<string, KnownTool>();
  /** Tool calls without their last result. */
  readonly #open = new Set<number>();
  /** The keeper's note of the agent's exit, held back: the turn's last row mostly says the same. */
  #exit: ExitNote | undefined;
  #begun = false;
  #noticed: string | undefined;
  #last = '';

  constructor(source: TimelineSource, turn: TurnSource, parser: OutputParser, rows: Rows) {
    this.#turn = turn;
    this.#folder = runFolderOf(source, turn);
    this.#prompt = promptFileOf(source, turn);
    this.#parser = parser;
    this.#rows = rows;
    this.#tailer = new TurnTailer(this.#folder);
  }

  get seen(): Seen {
    return this.#parser.seen;
  }

  get lastOutputAt(): number | undefined {
    return this.#tailer.lastOutputAt;
  }

  /** What the agent did last: its words, or the tool that it called. */
  get lastLine(): string {
    return oneLine(this.#last, LAST_LINE);
  }

  /** Makes rows of what has arrived. `done` when the turn is over and its rows are all there but for `end`. */
  read(over: boolean, deadline: number): TailState {
    if (!this.#begun && !this.#begin(over)) return 'waiting';
    const state = this.#tailer.read((line) => this.#line(line), { over, deadline });
    if (state === 'done') {
      for (const seq of this.#open) {
        const entry = this.#rows.entry(seq);
        this.#rows.replace(seq, { ...entry, flags: entry.flags | UNENDED | PROBLEM });
      }
      this.#open.clear();
    }
    return state;
  }

  /** The turn's last row, and before it what the keeper saw of the agent's exit if that is something else. */
  end(exit: ExitRecord, judgement: Judgement): void {
    if (this.#exit !== undefined && !tellsExit(exit, this.#exit.exit)) this.#plain('keeper', this.#exit.line, false);
    const { outcome } = judgement;
    const problem = outcome === 'failed' || outcome === 'killed' || outcome === 'unknown';
    this.#keep('turn-end', endContent(exit, judgement), exit.endedAt, problem);
  }

  close(): void {
    this.#tailer.close();
  }

  /** The first row is the prompt's; it waits for the prompt to be there, so that nobody sees it empty. */
  #begin(over: boolean): boolean {
    const modified = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    const at = modified(this.#prompt) ?? modified(path.join(this.#folder, RUN_FILES.times));
    if (at === undefined && !over) return false;
    this.#begun = true;
    this.#append('turn-start', flagsOf('turn-start', false), Math.round(at ?? 0), null);
    return true;
  }

  #line(line: TailLine): void {
    switch (line.stream) {
      case 'o':
        this.#stdout(line);
        return;
      case 'e':
        if (!isBlank(line.bytes)) this.#plain('stderr', line, false);
        return;
      case 'i':
        this.#plain('sent', line, false);
        return;
      case 'k': {
        const { level, exit } = (line.oversize ? undefined : parseNote(line.bytes.toString('utf8'))) ?? {};
        const { stream, at, offset, length, oversize } = line;
        if (isRecord(exit) && this.#exit === undefined) {
          this.#exit = { line: { stream, at, offset, length, oversize }, exit };
        } else this.#plain('keeper', line, level === 'warning' || level === 'error');
        return;
      }
    }
  }

  /** A row that shows its line as it is. */
  #plain(kind: RowKind, line: LinePlace, problem: boolean): void {
    const flags = flagsOf(kind, problem) | (line.oversize ? OVERSIZE : 0);
    this.#append(kind, flags, line.at, { offset: line.offset, length: line.length, nth: 0 });
  }

  #stdout(line: TailLine): void {
    if (line.oversize) {
      this.#plain('raw', line, false);
      return;
    }
    const text = withoutReturn(line.bytes).toString('utf8');
    const counts = new Map<AgentEvent['kind'], number>();
    for (const event of this.#parser.line(text)) {
      const nth = counts.get(event.kind) ?? 0;
      counts.set(event.kind, nth + 1);
      this.#event(event, { offset: line.offset, length: line.length, nth }, timeOf(event, line.at));
    }
  }

  #event(event: AgentEvent, place: Place, at: number): void {
    switch (event.kind) {
      case 'tool':
        this.#toolCall(event, place, at);
        return;
      case 'tool-result':
        this.#toolResult(event, place, at);
        return;
      case 'result':
        for (const id of event.denied ?? []) this.#deny(id);
        this.#row(event, place, at);
        return;
      case 'session':
        this.#row(event, place, at);
        this.#compareIds(event.agentSession, place, at);
        return;
      case 'text':
      case 'output':
        // A piece, so that the whole is not held on to.
        if (event.text !== '') this.#last = cut(event.text, LAST_LINE * 4);
        this.#row(event, place, at);
        return;
      default:
        this.#row(event, place, at);
        return;
    }
  }

  #row(event: Exclude<RowEvent, ToolCall>, place: Place, at: number): void {
    const kept = KINDS[event.kind].kept === true ? JSON.stringify(eventContent(event, this.seen.usage)) : null;
    this.#append(event.kind, eventFlags(event), at, place, this.#depth(event), kept);
  }

  #toolCall(event: ToolCall & AgentEvent, place: Place, at: number): void {
    this.#last = event.argument === '' ? event.name : `${event.name}: ${event.argument}`;
    const known = this.#tools.get(event.id);
    // Told again while it runs, it is the same call; after its end, another one took its id.
    if (known !== undefined && this.#open.has(known.seq)) {
      this.#rows.replace(known.seq, { ...this.#rows.entry(known.seq), place });
      return;
    }
    const depth = this.#depth(event);
    const seq = this.#append('tool', eventFlags(event), at, place, depth);
    this.#open.add(seq);
    if (event.id !== '') this.#tools.set(event.id, { seq, depth });
  }

  #toolResult(event: ToolResult & AgentEvent, place: Place, at: number): void {
    const problem = event.done && (!event.ok || event.denied === true);
    const marks = (problem ? PROBLEM : 0) | (event.denied === true ? DENIED : 0);
    const result = { ...place, at };
    const known = this.#tools.get(event.id);
    if (known !== undefined) {
      const entry = this.#rows.entry(known.seq);
      this.#rows.replace(known.seq, { ...entry, flags: (entry.flags & ~(PROBLEM | DENIED)) | marks, result });
      if (event.done) this.#open.delete(known.seq);
      return;
    }
    const flags = flagsOf('tool', false) | marks;
    this.#rows.append({ ...this.#entry('tool', flags, at), depth: this.#depth(event), result });
  }

  /** A call was refused, as is said only later; one that succeeded was not. */
  #deny(id: string): void {
    const known = this.#tools.get(id);
    if (known === undefined) return;
    const entry = this.#rows.entry(known.seq);
    const failed = (entry.flags & PROBLEM) !== 0 || this.#open.has(known.seq);
    if (!failed || (entry.flags & DENIED) !== 0) return;
    this.#open.delete(known.seq);
    this.#rows.replace(known.seq, { ...entry, flags: entry.flags | PROBLEM | DENIED });
  }

  /** The id that the agent gives wins; that it is another one must not go unseen. */
  #compareIds(id: string, place: Place, at: number): void {
    const { agentSession: asked, resumes } = this.#turn;
    if (asked === undefined || id === asked || id === this.#noticed) return;
    this.#noticed = id;
    const what = resumes ? `was asked to resume session ${asked}` : `was given the session id ${asked}`;
    const text = `The agent ${what} and answers as ${id}, which the next turn will resume.`;
    this.#keep('notice', textContent(text), at, false, place);
  }

  #depth(event: AgentEvent): number {
    if (event.parent === undefined) return 0;
    return Math.min(MAX_DEPTH, (this.#tools.get(event.parent)?.depth ?? 0) + 1);
  }

  #keep(kind: RowKind, content: Content, at: number, problem: boolean, place: Place | null = null): void {
    this.#append(kind, flagsOf(kind, problem), at, place, 0, JSON.stringify(content));
  }

  #append(
    kind: RowKind,
    flags: number,
    at: number,
    place: Place | null,
    depth = 0,
    kept: string | null = null,
  ): number {
    return this.#rows.append({ ...this.#entry(kind, flags, at), depth, place, kept });
  }

  #entry(kind: RowKind, flags: number, at: number): Entry {
    return {
      turn: this.#turn.number,
      kind,
      flags,
      depth: 0,
      at,
      place: null,
      result: null,
      kept: null,
    };
  }
}

/** When it happened; what the agent says counts only if it is a time. */
function timeOf(event: AgentEvent, arrival: number): number {
  const at = Math.round(event.at ?? arrival);
  return Number.isSafeInteger(at) && at >= 0 ? at : arrival;
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 32 || byte === 9 || byte === 13);
}
