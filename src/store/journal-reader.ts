import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, readSync, statSync } from 'node:fs';
import { errorText, hasCode, reasonOf, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { openRegular } from '../platform/regular-file.ts';
import { MAX_LINE_BYTES, type FileLook } from './journal.ts';
import { salvage } from './journal-salvage.ts';
import { readFact, type Fact } from './facts.ts';

/** Bytes per reading: some milliseconds of work. */
const CHUNK_BYTES = 256 * 1024;

/** A line that is longer than any fact is damage; it is cut here, so that memory stays bounded. */
const CUT_BYTES = 2 * MAX_LINE_BYTES;

/** How many of the last bytes are compared before reading on, to notice a file that was rewritten in place. */
const OVERLAP_BYTES = 256;

/**
 * How many of the last fact ids are remembered. A fact comes twice when its writer was not sure of it and wrote it again,
 * so the two stand close together; of a later copy the reducer makes nothing, or the same once more.
 */
const RECENT_IDS = 1_024;

/** How much of a damaged piece is reported; the journal itself keeps all of it. */
const REPORT_BYTES = 64 * 1024;

const NEWLINE = 0x0a;
const CLOSING_BRACE = 0x7d;

/** A piece of the journal that is no fact. */
export interface Damaged {
  /** Where it stands, in bytes. */
  readonly offset: number;
  readonly length: number;
  /** Its beginning, at most 64 KiB. */
  readonly text: string;
  readonly reason: string;
}

/** A place of the journal to read on from. */
export interface Position {
  readonly offset: number;
  readonly recent: readonly string[];
  /** Facts of unknown types or versions so far. */
  readonly unknown: number;
}

/** What one look at the journal gave. */
export interface Reading {
  readonly facts: readonly Fact[];
  readonly damaged: readonly Damaged[];
  /** The file is not the one that was read so far: the facts are from its beginning, and all earlier ones are void. */
  readonly restarted: boolean;
  /** Whether there is more to read at once. */
  readonly more: boolean;
}

/** Reads a journal as it grows, each fact once, in the order of the file, whatever has happened to the file. */
export class JournalReader {
  readonly #path: string;
  #file: { readonly fd: number; readonly ino: number; readonly dev: number } | undefined;
  /** All before it is done with. An unterminated last line is read again when there is more of it. */
  #offset = 0;
  /** How much of the file has been looked at. */
  #seen = 0;
  /** The last bytes before `#offset`, and how many. */
  readonly #overlap = Buffer.alloc(OVERLAP_BYTES);
  #overlapLength = 0;
  #buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  #unknown = 0;
  #recent = new RecentIds();

  /** @param from where an earlier reader of the same file had come to. */
  constructor(journal: string, from?: Position) {
    this.#path = journal;
    if (from === undefined) return;
    this.#offset = from.offset;
    this.#unknown = from.unknown;
    for (const id of from.recent) this.#recent.add(id);
  }

  /** The place that it has come to. */
  get position(): Position {
    return { offset: this.#offset, recent: this.#recent.list(), unknown: this.#unknown };
  }

  /** Bytes that are done with. */
  get offset(): number {
    return this.#offset;
  }

  /** How many facts of types or versions that this build does not know stand in the journal: they are kept and passed over. */
  get unknown(): number {
    return this.#unknown;
  }

  /** Whether this fact was among the last that were read. */
  hasRead(id: string): boolean {
    return this.#recent.has(id);
  }

  /** Whether this file may be the one that was read so far: it has the same identity, and nothing was cut off. */
  mayBe({ ino, dev, size }: FileLook): boolean {
    if (this.#file === undefined) return this.#offset === 0;
    return ino === this.#file.ino && dev === this.#file.dev && size >= this.#offset;
  }

  /**
   * Reads the next part, at most 256 KiB or one line. A journal that does not exist is an empty one. Throws where it
   * cannot be read.
   *
   * @param options.sameFile spares the question whether the path still names the file that was read so far; for who
   * has just asked it.
   */
  read(options: { readonly sameFile?: boolean } = {}): Reading {
    try {
      return this.#read(options.sameFile === true && this.#file !== undefined);
    } catch (cause) {
      throw new TreelineError(say('journal-read', { file: this.#path, reason: reasonOf(cause) }), { cause });
    }
  }

  dispose(): void {
    if (this.#file !== undefined) closeSync(this.#file.fd);
    this.#file = undefined;
  }

  #read(sameFile: boolean): Reading {
    const facts: Fact[] = [];
    const damaged: Damaged[] = [];
    let restarted = false;
    let size = Infinity;
    if (!sameFile) {
      const look = this.#look();
      size = look.size;
      if (look.replaced || size < this.#offset) restarted = this.#restart();
    }
    let more = false;
    let buffer = this.#buffer;
    while (this.#file !== undefined && size > this.#seen) {
      const first = this.#overlapLength;
      const start = this.#offset - first;
      // Of a file, less than was asked for means that this is its end.
      const length = readSync(this.#file.fd, buffer, 0, buffer.length, start);
      if (length < first || buffer.compare(this.#overlap, 0, first, 0, first) !== 0) {
        restarted = this.#restart() || restarted;
        continue;
      }
      more = length === buffer.length;
      const done = this.#lines(buffer.subarray(0, length), first, start, !more, facts, damaged);
      if (done === first && more) {
        // A line that is longer than the buffer.
        buffer = Buffer.allocUnsafe(buffer.length * 2);
        continue;
      }
      this.#overlapLength = Math.min(done, OVERLAP_BYTES);
      buffer.copy(this.#overlap, 0, done - this.#overlapLength, done);
      this.#offset = start + done;
      this.#seen = start + length;
      break;
    }
    return { facts, damaged, restarted, more };
  }

  /** Opens what is at the path now. */
  #look(): { size: number; replaced: boolean } {
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (now !== undefined && now.ino === this.#file?.ino && now.dev === this.#file.dev) {
      return { size: now.size, replaced: false };
    }
    const replaced = this.#file !== undefined;
    this.dispose();
    if (now === undefined) return { size: 0, replaced };
    try {
      const fd = openRegular(this.#path, 'read');
      const { ino, dev, size } = fstatSync(fd);
      this.#file = { fd, ino, dev };
      return { size, replaced };
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return { size: 0, replaced };
      throw error;
    }
  }

  /** Begins anew; whether that voids anything. */
  #restart(): boolean {
    const had = this.#offset > 0;
    this.#offset = 0;
    this.#seen = 0;
    this.#overlapLength = 0;
    this.#unknown = 0;
    this.#recent = new RecentIds();
    return had;
  }

  /** Takes the lines of `bytes` from `first` on; returns up to where. `start` is the place of `bytes` in the file. */
  #lines(bytes: Buffer, first: number, start: number, atEnd: boolean, facts: Fact[], damaged: Damaged[]): number {
    let from = first;
    for (let end = bytes.indexOf(NEWLINE, from); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
      if (end > from) this.#line(bytes, from, end, start, facts, damaged);
      from = end + 1;
    }
    const rest = bytes.length - from;
    if (rest >= CUT_BYTES) {
      this.#line(bytes, from, bytes.length, start, facts, damaged);
      return bytes.length;
    }
    // A last line without its newline: a whole fact counts (a part of a JSON object never is one), else it waits.
    if (rest > 0 && atEnd && bytes[bytes.length - 1] === CLOSING_BRACE) {
      const fact = tryParse(bytes, from, bytes.length);
      if (typeof fact === 'object') {
        this.#take(fact.fact, facts);
        return bytes.length;
      }
    }
    return from;
  }

  #line(bytes: Buffer, from: number, end: number, start: number, facts: Fact[], damaged: Damaged[]): void {
    const whole = tryParse(bytes, from, end);
    if (typeof whole === 'object') {
      this.#take(whole.fact, facts);
      return;
    }
    let reason = whole;
    const broken = salvage(bytes.subarray(from, end), (a, b) => {
      const part = tryParse(bytes, from + a, from + b);
      if (typeof part === 'object') this.#take(part.fact, facts);
      else reason = part;
      return typeof part === 'object';
    });
    for (const [a, b] of broken) {
      const text = bytes.toString('utf8', from + a, from + Math.min(b, a + REPORT_BYTES));
      damaged.push({ offset: start + from + a, length: b - a, text, reason });
    }
  }

  #take(fact: Fact | 'unknown', facts: Fact[]): void {
    if (fact === 'unknown') this.#unknown++;
    else if (this.#recent.add(fact.id)) facts.push(fact);
  }
}

/** The fact in these bytes, or why there is none. */
function tryParse(bytes: Buffer, from: number, end: number): { readonly fact: Fact | 'unknown' } | string {
  const text = bytes.toString('utf8', from, end);
  // Decoding puts U+FFFD for bytes that are no UTF-8; a text may also hold one of its own.
  if (text.includes('\ufffd') && !isUtf8(bytes.subarray(from, end))) return 'It is not valid UTF-8.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'It is not valid JSON.';
  }
  try {
    return { fact: readFact(value) };
  } catch (error) {
    return errorText(error);
  }
}

/** The last ids in a ring, so that asking and adding cost the same however long the journal is. */
class RecentIds {
  readonly #ring: string[] = [];
  readonly #ids = new Set<string>();
  #next = 0;

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Whether the id is new. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#ids.delete(oldest);
    this.#ring[this.#next] = id;
    this.#ids.add(id);
    this.#next = (this.#next + 1) % RECENT_IDS;
    return true;
  }

  /** Oldest first. */
  list(): string[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }
}
