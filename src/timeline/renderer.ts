import path from 'node:path';
import type { Before, OutputReader } from '../agents/adapter.ts';
import type { AgentEvent } from '../agents/events.ts';
import { parseObject } from '../agents/json.ts';
import { RUN_FILES, type StreamKey } from '../keeper/protocol.ts';
import { hasCode, reasonOf } from '../platform/errors.ts';
import { readRegularSync } from '../platform/regular-file.ts';
import { KINDS } from '../protocol/kinds.ts';
import type { TextPart } from '../protocol/names.ts';
import { isSaying, say, textOf, type Said, type Translation } from '../words/saying.ts';
import {
  eventContent,
  eventSaid,
  saidContent,
  textContent,
  toolContent,
  type Content,
  type RowEvent,
  type ToolCall,
} from './content.ts';
import type { Entry, Place } from './index-db.ts';
import { DENIED, OVERSIZE, PROBLEM, UNENDED } from './kinds.ts';
import { LINE_HEAD, LogFile } from './log-file.ts';
import type { FoldedKind, LogRange, Row, RowKind } from '../protocol/rows.ts';
import { promptFileOf, runFolderOf, turnOf, type TimelineSource } from './source.ts';

/** What `whole` gives at most, in bytes. */
export const WHOLE_BYTES = 20 * 1024 * 1024;

/** Runs whose logs are held open. */
const OPEN_RUNS = 4;

type RunLogs = Readonly<Record<StreamKey, LogFile>>;

/**
 * Makes rows from index entries: the index says where a row's line stands, and what the row shows is read from the log
 * and parsed again. Each line is read by a parser of its own, so that a row does not depend on what was read before it.
 */
export class RowRenderer {
  readonly #source: () => TimelineSource;
  readonly #reader: OutputReader;
  readonly #before: (run: number) => Before;
  readonly #translate: Translation;
  readonly #logs = new Map<number, RunLogs>();
  /** The line that was parsed last: rows of one line come one after the other. */
  #parsed: { readonly run: number; readonly place: Place; readonly events: readonly AgentEvent[] } | undefined;

  /**
   * @param source what is known of the session's turns now.
   * @param before the figures to start a run's parser with.
   * @param translate the language of whoever reads: the index holds codes, and a row has the words of its reader.
   */
  constructor(
    source: () => TimelineSource,
    reader: OutputReader,
    before: (run: number) => Before,
    translate: Translation,
  ) {
    this.#source = source;
    this.#reader = reader;
    this.#before = before;
    this.#translate = translate;
  }

  row(seq: number, rev: number, entry: Entry): Row {
    const { turn, kind, at, depth, flags } = entry;
    const place = entry.place ?? entry.last;
    return {
      seq,
      rev,
      turn,
      kind,
      at,
      depth,
      problem: (flags & PROBLEM) !== 0,
      ...this.#shown(entry),
      ...(place !== null && { log: rangeOf(place) }),
    };
  }

  /**
   * The whole text of a part of a row, as far as `WHOLE_BYTES`; empty where the row has no such part.
   * @param parts the lines that the row is made of beside its first one.
   */
  whole(entry: Entry, part: TextPart, parts: () => readonly Place[]): string {
    const { kind, place } = entry;
    if (kind === 'tool') {
      const { call, result } = this.#tool(entry);
      if (part === 'input') return this.#bounded(call?.input ?? '');
      if (part === 'output') return this.#bounded(result?.output ?? '');
      return part === 'diff' ? this.#bounded(result?.diff ?? call?.diff ?? '') : '';
    }
    if (kind === 'request' && part === 'request') return this.#bounded(this.#input(entry));
    if (part !== 'text') return '';
    if (kind === 'turn-start') return this.#bounded(this.#prompt(entry.turn));
    if (place === null) return this.#shown(entry).text.text;
    if (isVerbatim(entry)) return this.#bounded(this.#words(this.#lineSaid(kind, entry, WHOLE_BYTES + 1)));
    const kept = entry.kept === null ? '' : this.#shown(entry).text.text;
    if (kind === 'text' && entry.kept !== null) return this.#bounded(this.#message(entry.turn, [place, ...parts()]));
    const event = this.#event(entry.turn, kind, place) as RowEvent | undefined;
    const text = event === undefined ? '' : this.#words(eventSaid(event));
    // A kept row may rest on more than its line; then what was kept of it is all there is.
    return this.#bounded(text.startsWith(kept) || text.length > kept.length ? text : kept);
  }

  /**
   * Whether the row may show `word` (lower-case letters and digits of ASCII): false only when its raw line has nothing of
   * the kind, which is found out much faster than what the row shows.
   */
  mayShow(entry: Entry, word: string): boolean {
    const { turn, kind, place, kept, flags } = entry;
    if (KINDS[kind].verbatim !== true || place === null || kept !== null || (flags & OVERSIZE) !== 0) return true;
    return this.#bytes(turn, place, place.length).toString('latin1').toLowerCase().includes(word);
  }

  /** Closes the logs; they are opened again when needed. */
  close(): void {
    for (const logs of this.#logs.values()) closeAll(logs);
    this.#logs.clear();
    this.#parsed = undefined;
  }

  /** What is said by a code, in words. */
  #shown(entry: Entry): Content {
    const { said, ...content } = this.#content(entry);
    return said === undefined ? content : { ...content, ...textContent(this.#words(said)) };
  }

  #words(said: Said): string {
    return textOf(said, this.#translate);
  }

  #content(entry: Entry): Content {
    const { turn, kind, place, kept, flags } = entry;
    if (kept !== null) return keptContent(entry, kept);
    if (kind === 'tool') return toolContent(this.#tool(entry));
    if (kind === 'turn-start') return textContent(this.#prompt(turn));
    if (place === null) return textContent('');
    if ((flags & OVERSIZE) !== 0) return textContent(this.#words(this.#lineSaid(kind, entry, LINE_HEAD)), place.length);
    if (isVerbatim(entry)) return saidContent(this.#lineSaid(kind, entry, place.length));
    const event = this.#event(turn, kind, place) as Exclude<RowEvent, ToolCall> | undefined;
    return event === undefined ? textContent('') : eventContent(event);
  }

  #tool({ turn, place, last, at, flags }: Entry) {
    const call = place === null ? undefined : this.#events(turn, place).filter((one) => one.kind === 'tool')[place.nth];
    const results = last === null ? [] : this.#events(turn, last).filter((one) => one.kind === 'tool-result');
    const nth = results[last?.nth ?? 0];
    // By its call's id: a parser that has seen the whole turn may find fewer results in the line than one that has not.
    const result = call === undefined || nth?.id === call.id ? nth : results.findLast((one) => one.id === call.id);
    return {
      call,
      result,
      resultLog: last === null ? undefined : rangeOf(last),
      elapsedMs: last === null || place === null ? undefined : Math.max(0, last.at - at),
      over: (flags & UNENDED) !== 0,
      denied: (flags & DENIED) !== 0,
    };
  }

  /** What exactly a request is about. */
  #input({ turn, kind, place }: Entry): string {
    const event = place === null ? undefined : this.#event(turn, kind, place);
    return event?.kind === 'request' ? (event.detail ?? '') : '';
  }

  /** A message in pieces. */
  #message(turn: number, places: readonly Place[]): string {
    const pieces: string[] = [];
    let length = 0;
    for (const place of places) {
      const event = this.#event(turn, 'text-part', place);
      if (event?.kind !== 'text-part') continue;
      pieces.push(event.text);
      length += event.text.length;
      if (length > WHOLE_BYTES) break;
    }
    return pieces.join('');
  }

  #bounded(text: string): string {
    if (text.length * 3 <= WHOLE_BYTES) return text;
    const bytes = Buffer.from(text);
    if (bytes.length <= WHOLE_BYTES) return text;
    const head = bytes
      .subarray(0, WHOLE_BYTES)
      .toString('utf8')
      .replace(/\ufffd+$/, '');
    return `${head}\n\n${this.#words(say('truncated', { bytes: bytes.length, shown: WHOLE_BYTES }))}\n`;
  }

  #event(turn: number, kind: RowKind | FoldedKind, place: Place): AgentEvent | undefined {
    // Only a live agent asks, and is told anything; its greeting stands in another line.
    const events = this.#events(turn, place, kind === 'request' || place.stream === 'i');
    return events.filter((event) => event.kind === kind)[place.nth];
  }

  #events(turn: number, place: Place, live = false): readonly AgentEvent[] {
    const { run } = turnOf(this.#source(), turn);
    const { stream, offset, length } = place;
    const known = live ? undefined : this.#parsed;
    if (known?.run === run && known.place.stream === stream && known.place.offset === offset) return known.events;
    const line = withoutReturn(this.#bytes(turn, place, length)).toString('utf8');
    const parser = this.#reader.parser({ ...this.#before(run), live });
    const events = stream === 'i' ? (parser.sent?.(this.#words(noteSaid(line))) ?? []) : parser.line(line);
    if (!live) this.#parsed = { run, place, events };
    return events;
  }

  /** What a line says that no parser reads. */
  #lineSaid(kind: RowKind, entry: Entry, max: number): Said {
    const place = entry.place as Place;
    const text = withoutReturn(this.#bytes(entry.turn, place, Math.min(place.length, max))).toString('utf8');
    return kind === 'sent' || kind === 'keeper' ? noteSaid(text) : text;
  }

  #bytes(turn: number, { stream, offset }: Place, length: number): Buffer {
    return this.#runLogs(turn)[stream].read(offset, offset + length);
  }

  /** The logs of the run that served a turn. */
  #runLogs(turn: number): RunLogs {
    const source = this.#source();
    const { run } = turnOf(source, turn);
    const found = this.#logs.get(run);
    if (found !== undefined) return found;
    const [oldest] = this.#logs;
    if (oldest !== undefined && this.#logs.size >= OPEN_RUNS) {
      closeAll(oldest[1]);
      this.#logs.delete(oldest[0]);
    }
    const folder = runFolderOf(source, turnOf(source, turn));
    const open = (key: StreamKey): LogFile => {
      const log = new LogFile(path.join(folder, RUN_FILES[key]));
      // Knowing its size, it reads ahead: what follows a row in the log is mostly wanted next.
      log.refresh();
      return log;
    };
    const logs: RunLogs = { o: open('o'), e: open('e'), i: open('i'), k: open('k') };
    this.#logs.set(run, logs);
    return logs;
  }

  #prompt(turn: number): string {
    try {
      const source = this.#source();
      return readRegularSync(promptFileOf(source, turnOf(source, turn))).toString('utf8');
    } catch (error) {
      // One file that cannot be read is no reason to show nothing of the rest.
      return hasCode(error, 'ENOENT') ? '' : this.#words(say('prompt-unreadable', { reason: reasonOf(error) }));
    }
  }
}

/** What the index keeps of a row. */
function keptContent({ last }: Entry, kept: string): Content {
  // Written by this code into a database that is checked as a whole when it is loaded.
  const content = JSON.parse(kept) as Content;
  if (content.request === undefined || last === null) return content;
  return { ...content, request: { ...content.request, answerLog: rangeOf(last) } };
}

/** Whether a row shows its line as it is. */
function isVerbatim({ kind, flags }: Entry): boolean {
  return kind === 'stderr' || kind === 'sent' || kind === 'keeper' || (flags & OVERSIZE) !== 0;
}

function rangeOf({ stream, offset, length }: Place): LogRange {
  return { stream, offset, length };
}

/** What a line of stdin.log or keeper.log says; a line of another form as it is. */
function noteSaid(line: string): Said {
  const { text, said } = parseObject(line) ?? {};
  if (isSaying(said)) return said;
  return typeof text === 'string' ? text : line;
}

/** A line without the carriage return of a Windows line end. */
export function withoutReturn(line: Buffer): Buffer {
  return line[line.length - 1] === 13 ? line.subarray(0, -1) : line;
}

function closeAll(logs: RunLogs): void {
  for (const log of Object.values(logs)) log.close();
}
