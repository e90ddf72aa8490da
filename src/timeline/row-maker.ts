import type { AgentEvent } from '../agents/events.ts';
import { cut } from '../agents/text.ts';
import { KINDS } from '../protocol/kinds.ts';
import type { Usage } from '../store/model.ts';
import {
  eventContent,
  settledContent,
  textContent,
  type Content,
  type Request,
  type RequestClosed,
  type RowEvent,
  type ToolCall,
  type ToolResult,
} from './content.ts';
import { EXCERPT_CHARS } from './excerpt.ts';
import type { Entry, Place } from './index-db.ts';
import { DENIED, eventFlags, flagsOf, OVERSIZE, PROBLEM, UNENDED } from './kinds.ts';
import { messageKey } from './last-line.ts';
import type { RowKind } from '../protocol/rows.ts';
import type { LinePlace, RunRows } from './run-rows.ts';

/** Where rows go. */
export interface Rows {
  append(entry: Entry): number;
  entry(seq: number): Entry;
  replace(seq: number, entry: Entry): void;
  /** Adds lines that a row is made of beside its first one. */
  addParts(seq: number, places: readonly Place[]): void;
  dropParts(seq: number): void;
}

/** The index holds a depth in a byte; nobody sees more. */
const MAX_DEPTH = 255;
/** Characters of a message in pieces that are held on to: an excerpt of them shows as much as one of the whole. */
const HEAD_CHARS = EXCERPT_CHARS.text * 4;

interface KnownTool {
  readonly seq: number;
  readonly depth: number;
}

/** A message that comes in pieces. */
interface Message {
  readonly seq: number;
  head: string;
  bytes: number;
  last: Place & { readonly at: number };
  /** Pieces that the index does not know yet. */
  fresh: Place[];
  changed: boolean;
}

type TextPart = Extract<AgentEvent, { kind: 'text-part' }>;

/** Makes the rows of one run from its events and lines, and revises those that later ones are about. */
export class RowMaker implements RunRows {
  #turn = 0;
  readonly #rows: Rows;
  readonly #tools = new Map<string, KnownTool>();
  /** Tool calls without their last result. */
  readonly #open = new Set<number>();
  /** Rows of requests that nobody has settled, by the requests' ids. */
  readonly #requests = new Map<string, number>();
  readonly #messages = new Map<string, Message>();

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  begin(turn: number): void {
    this.#turn = turn;
  }

  event(event: AgentEvent, place: Place, at: number, used: Usage | undefined): void {
    if (this.#messages.size > 0 && event.kind !== 'text-part' && event.kind !== 'text') this.#leave(messageKey(event));
    switch (event.kind) {
      case 'tool':
        this.#toolCall(event, place, at);
        return;
      case 'tool-result':
        this.#toolResult(event, place, at);
        return;
      case 'text-part':
        this.#textPart(event, place, at);
        return;
      case 'text':
        this.#text(event, place, at);
        return;
      case 'request':
        this.#request(event, place, at);
        return;
      case 'request-closed':
        this.#settle(event, place, at);
        return;
      case 'result':
        for (const id of event.denied ?? []) this.#deny(id);
        this.#row(event, place, at, used);
        return;
      default:
        this.#row(event, place, at, used);
        return;
    }
  }

  line(kind: RowKind, { stream, at, offset, length, oversize }: LinePlace, problem: boolean): void {
    const flags = flagsOf(kind, problem) | (oversize ? OVERSIZE : 0);
    this.#append(kind, flags, at, { stream, offset, length, nth: 0 });
  }

  own(kind: RowKind, content: Content | null, at: number, problem: boolean, place: Place | null = null): void {
    this.#append(kind, flagsOf(kind, problem), at, place, 0, content === null ? null : JSON.stringify(content));
  }

  endTurn(): void {
    for (const seq of this.#open) {
      const entry = this.#rows.entry(seq);
      this.#rows.replace(seq, { ...entry, flags: entry.flags | UNENDED | PROBLEM });
    }
    this.#open.clear();
    for (const seq of this.#requests.values()) this.#close(seq, undefined, null);
    this.#requests.clear();
    this.flush();
    this.#messages.clear();
  }

  flush(): void {
    for (const message of this.#messages.values()) this.#write(message);
  }

  #row(event: Exclude<RowEvent, ToolCall>, place: Place, at: number, used?: Usage): number {
    const kept = KINDS[event.kind].kept === true ? JSON.stringify(eventContent(event, used)) : null;
    return this.#append(event.kind, eventFlags(event), at, place, this.#depth(event), kept);
  }

  #toolCall(event: ToolCall & AgentEvent, place: Place, at: number): void {
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
    const last = { ...place, at };
    const known = this.#tools.get(event.id);
    if (known !== undefined) {
      const entry = this.#rows.entry(known.seq);
      const flags = (entry.flags & ~(PROBLEM | DENIED | UNENDED)) | marks;
      this.#rows.replace(known.seq, { ...entry, flags, last });
      if (event.done) this.#open.delete(known.seq);
      else this.#open.add(known.seq);
      return;
    }
    const flags = flagsOf('tool', false) | marks;
    this.#rows.append({ ...this.#entry('tool', flags, at), depth: this.#depth(event), last });
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

  /** A piece of a message: the first one makes the row. */
  #textPart(event: TextPart & AgentEvent, place: Place, at: number): void {
    const last = { ...place, at };
    const known = this.#messages.get(messageKey(event));
    if (known === undefined) {
      const seq = this.#append('text', flagsOf('text', false), at, place, this.#depth(event));
      const bytes = Buffer.byteLength(event.text);
      const head = cut(event.text, HEAD_CHARS);
      this.#messages.set(messageKey(event), { seq, head, bytes, last, fresh: [], changed: true });
      return;
    }
    if (known.head.length < HEAD_CHARS) known.head = cut(known.head + event.text, HEAD_CHARS);
    known.bytes += Buffer.byteLength(event.text);
    known.last = last;
    known.fresh.push(place);
    known.changed = true;
  }

  /** A whole message; the row of its pieces, if there were any, becomes its row. */
  #text(event: Extract<RowEvent, { kind: 'text' }>, place: Place, at: number): void {
    const pieces = this.#messages.size === 0 ? undefined : this.#messages.get(messageKey(event));
    if (pieces === undefined) {
      this.#row(event, place, at);
      return;
    }
    this.#messages.delete(messageKey(event));
    this.#rows.dropParts(pieces.seq);
    this.#rows.replace(pieces.seq, { ...this.#rows.entry(pieces.seq), place, last: null, kept: null });
  }

  /** Nothing more comes of a message. */
  #leave(key: string): void {
    const message = this.#messages.get(key);
    if (message !== undefined) this.#write(message);
    this.#messages.delete(key);
  }

  #write(message: Message): void {
    if (!message.changed) return;
    const { seq, head, bytes, last, fresh } = message;
    const kept = JSON.stringify(bytes > Buffer.byteLength(head) ? textContent(head, bytes) : textContent(head));
    if (fresh.length > 0) this.#rows.addParts(seq, fresh);
    this.#rows.replace(seq, { ...this.#rows.entry(seq), last, kept });
    message.fresh = [];
    message.changed = false;
  }

  #request(event: Request & AgentEvent, place: Place, at: number): void {
    const known = this.#requests.get(event.id);
    if (known === undefined) {
      this.#requests.set(event.id, this.#row(event, place, at));
      return;
    }
    const kept = JSON.stringify(eventContent(event));
    this.#rows.replace(known, { ...this.#rows.entry(known), place, kept });
  }

  #settle(event: RequestClosed, place: Place, at: number): void {
    const known = this.#requests.get(event.id);
    this.#requests.delete(event.id);
    if (known !== undefined) this.#close(known, event, { ...place, at });
  }

  #close(seq: number, how: RequestClosed | undefined, last: Entry['last']): void {
    const entry = this.#rows.entry(seq);
    const waitedMs = last === null ? undefined : Math.max(0, last.at - entry.at);
    const kept = JSON.stringify(settledContent(JSON.parse(entry.kept ?? '{}') as Content, how, waitedMs));
    this.#rows.replace(seq, { ...entry, last, kept });
  }

  #depth(event: AgentEvent): number {
    if (event.parent === undefined) return 0;
    return Math.min(MAX_DEPTH, (this.#tools.get(event.parent)?.depth ?? 0) + 1);
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
    return { turn: this.#turn, kind, flags, depth: 0, at, place: null, last: null, kept: null };
  }
}
