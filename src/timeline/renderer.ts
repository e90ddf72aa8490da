import path from 'node:path';
import type { Before, OutputReader } from '../agents/adapter.ts';
import type { AgentEvent } from '../agents/events.ts';
import { RUN_FILES, type StreamKey } from '../keeper/protocol.ts';
import { errorText, hasCode } from '../platform/errors.ts';
import { isRecord } from '../platform/check.ts';
import { readRegularSync } from '../platform/regular-file.ts';
import { KINDS } from '../protocol/kinds.ts';
import { eventContent, eventText, textContent, toolContent, type Content, type RowEvent } from './content.ts';
import type { Entry, Place } from './index-db.ts';
import { DENIED, OVERSIZE, PROBLEM, UNENDED } from './kinds.ts';
import { LINE_HEAD, LogFile } from './log-file.ts';
import type { Row, RowKind } from './rows.ts';
import { promptFileOf, runFolderOf, turnOf, type TimelineSource } from './source.ts';

/** What `whole` gives at most, in bytes. */
export const WHOLE_BYTES = 20 * 1024 * 1024;

export type TextPart = 'text' | 'input' | 'output' | 'diff';

/** Turns whose logs are held open. */
const OPEN_TURNS = 4;

type TurnLogs = Readonly<Record<StreamKey, LogFile>>;

/**
 * Makes rows from index entries: the index says where a row's line stands, and what the row shows is read from the log
 * and parsed again. Each line is read by a parser of its own, so that a row does not depend on what was read before it.
 */
export class RowRenderer {
  readonly #source: () => TimelineSource;
  readonly #reader: OutputReader;
  readonly #before: (turn: number) => Before;
  readonly #logs = new Map<number, TurnLogs>();
  /** The line that was parsed last: rows of one line come one after the other. */
  #parsed: { readonly turn: number; readonly offset: number; readonly events: readonly AgentEvent[] } | undefined;

  /**
   * @param source what is known of the session's turns now.
   * @param before the figures to start a turn's parser with.
   */
  constructor(source: () => TimelineSource, reader: OutputReader, before: (turn: number) => Before) {
    this.#source = source;
    this.#reader = reader;
    this.#before = before;
  }

  row(seq: number, rev: number, entry: Entry): Row {
    const { turn, kind, at, depth, flags } = entry;
    const stream = streamOf(kind);
    const place = entry.place ?? entry.result;
    return {
      seq,
      rev,
      turn,
      kind,
      at,
      depth,
      problem: (flags & PROBLEM) !== 0,
      ...this.#content(kind, entry),
      ...(place !== null && { log: { stream, offset: place.offset, length: place.length } }),
    };
  }

  /** The whole text of a part of a row, as far as `WHOLE_BYTES`; empty where the row has no such part. */
  whole(entry: Entry, part: TextPart): string {
    const { kind } = entry;
    if (kind === 'tool') {
      const { call, result } = this.#tool(entry);
      if (part === 'input') return bounded(call?.input ?? '');
      if (part === 'output') return bounded(result?.output ?? '');
      return part === 'diff' ? bounded(result?.diff ?? call?.diff ?? '') : '';
    }
    if (part !== 'text') return '';
    if (kind === 'turn-start') return bounded(this.#prompt(entry.turn));
    if (entry.place === null || (entry.flags & OVERSIZE) !== 0 || streamOf(kind) !== 'o') {
      return entry.place === null
        ? this.#content(kind, entry).text.text
        : bounded(this.#lineText(kind, entry, WHOLE_BYTES + 1));
    }
    const event = this.#event(entry.turn, kind, entry.place) as RowEvent | undefined;
    const text = event === undefined ? '' : eventText(event);
    // A kept row may rest on more than its line; then what was kept of it is all there is.
    const kept = entry.kept === null ? '' : this.#content(kind, entry).text.text;
    return bounded(text.startsWith(kept) || text.length > kept.length ? text : kept);
  }

  /**
   * Whether the row may show `word` (lower-case letters and digits of ASCII): false only when its raw line has nothing of
   * the kind, which is found out much faster than what the row shows.
   */
  mayShow(entry: Entry, word: string): boolean {
    const { kind } = entry;
    if (KINDS[kind].verbatim !== true || entry.place === null || (entry.flags & OVERSIZE) !== 0) return true;
    const { offset, length } = entry.place;
    return this.#bytes(entry.turn, streamOf(kind), offset, length).toString('latin1').toLowerCase().includes(word);
  }

  /** Closes the logs; they are opened again when needed. */
  close(): void {
    for (const logs of this.#logs.values()) closeAll(logs);
    this.#logs.clear();
    this.#parsed = undefined;
  }

  #content(kind: RowKind, entry: Entry): Content {
    // Written by this code into a database that is checked as a whole when it is loaded.
    if (entry.kept !== null) return JSON.parse(entry.kept) as Content;
    if (kind === 'tool') return toolContent(this.#tool(entry));
    if (kind === 'turn-start') return textContent(this.#prompt(entry.turn));
    if (entry.place === null) return textContent('');
    if ((entry.flags & OVERSIZE) !== 0) return textContent(this.#lineText(kind, entry, LINE_HEAD), entry.place.length);
    if (streamOf(kind) !== 'o') return textContent(this.#lineText(kind, entry, entry.place.length));
    const event = this.#event(entry.turn, kind, entry.place);
    return event === undefined || event.kind === 'tool' || event.kind === 'tool-result'
      ? textContent('')
      : eventContent(event);
  }

  #tool(entry: Entry) {
    const call =
      entry.place === null
        ? undefined
        : this.#events(entry.turn, entry.place).filter((one) => one.kind === 'tool')[entry.place.nth];
    const results =
      entry.result === null ? [] : this.#events(entry.turn, entry.result).filter((one) => one.kind === 'tool-result');
    const nth = results[entry.result?.nth ?? 0];
    // By its call's id: a parser that has seen the whole turn may find fewer results in the line than one that has not.
    const result = call === undefined || nth?.id === call.id ? nth : results.findLast((one) => one.id === call.id);
    return {
      call,
      result,
      resultLog:
        entry.result === null
          ? undefined
          : { stream: 'o' as const, offset: entry.result.offset, length: entry.result.length },
      elapsedMs: entry.result === null || entry.place === null ? undefined : Math.max(0, entry.result.at - entry.at),
      over: (entry.flags & UNENDED) !== 0,
      denied: (entry.flags & DENIED) !== 0,
    };
  }

  #event(turn: number, kind: RowKind, place: Place): AgentEvent | undefined {
    return this.#events(turn, place).filter((event) => event.kind === kind)[place.nth];
  }

  #events(turn: number, place: Place): readonly AgentEvent[] {
    if (this.#parsed?.turn !== turn || this.#parsed.offset !== place.offset) {
      const line = withoutReturn(this.#bytes(turn, 'o', place.offset, place.length)).toString('utf8');
      const events = this.#reader.parser(this.#before(turn)).line(line);
      this.#parsed = { turn, offset: place.offset, events };
    }
    return this.#parsed.events;
  }

  /** The text of a line that no parser reads. */
  #lineText(kind: RowKind, entry: Entry, max: number): string {
    const { offset, length } = entry.place as Place;
    const text = withoutReturn(this.#bytes(entry.turn, streamOf(kind), offset, Math.min(length, max))).toString('utf8');
    return kind === 'sent' || kind === 'keeper' ? noteText(text) : text;
  }

  #bytes(turn: number, stream: StreamKey, offset: number, length: number): Buffer {
    return this.#turnLogs(turn)[stream].read(offset, offset + length);
  }

  #turnLogs(turn: number): TurnLogs {
    const found = this.#logs.get(turn);
    if (found !== undefined) return found;
    const [oldest] = this.#logs;
    if (oldest !== undefined && this.#logs.size >= OPEN_TURNS) {
      closeAll(oldest[1]);
      this.#logs.delete(oldest[0]);
    }
    const source = this.#source();
    const folder = runFolderOf(source, turnOf(source, turn));
    const open = (key: StreamKey): LogFile => {
      const log = new LogFile(path.join(folder, RUN_FILES[key]));
      // Knowing its size, it reads ahead: what follows a row in the log is mostly wanted next.
      log.refresh();
      return log;
    };
    const logs: TurnLogs = { o: open('o'), e: open('e'), i: open('i'), k: open('k') };
    this.#logs.set(turn, logs);
    return logs;
  }

  #prompt(turn: number): string {
    try {
      const source = this.#source();
      return readRegularSync(promptFileOf(source, turnOf(source, turn))).toString('utf8');
    } catch (error) {
      // One file that cannot be read is no reason to show nothing of the rest.
      return hasCode(error, 'ENOENT') ? '' : `[The prompt cannot be read: ${errorText(error)}]`;
    }
  }
}

/** The log that rows of a kind stand in. */
function streamOf(kind: RowKind): StreamKey {
  return kind === 'stderr' ? 'e' : kind === 'sent' ? 'i' : kind === 'keeper' ? 'k' : 'o';
}

/** The text of a line of stdin.log or keeper.log; a line of another form as it is. */
function noteText(line: string): string {
  const note = parseNote(line);
  return typeof note?.['text'] === 'string' ? note['text'] : line;
}

export function parseNote(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A line without the carriage return of a Windows line end. */
export function withoutReturn(line: Buffer): Buffer {
  return line[line.length - 1] === 13 ? line.subarray(0, -1) : line;
}

function bounded(text: string): string {
  if (text.length * 3 <= WHOLE_BYTES) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= WHOLE_BYTES) return text;
  const head = bytes
    .subarray(0, WHOLE_BYTES)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
  return `${head}\n\n[Truncated: the text has ${bytes.length} bytes; the first ${WHOLE_BYTES} are shown. The log has all of it.]\n`;
}

function closeAll(logs: TurnLogs): void {
  for (const log of Object.values(logs)) log.close();
}
