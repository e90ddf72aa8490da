import { closeSync, fstatSync, readSync, statSync } from 'node:fs';
import { hasCode } from '../platform/errors.ts';
import { openRegular } from '../platform/regular-file.ts';

/** Bytes read from a log at a time. */
const WINDOW = 256 * 1024;

/** A line above this many bytes is delivered as its start alone: an image that an agent has read comes as base64 of up to 7 MB. */
export const MAX_LINE = 8 * 1024 * 1024;

/** What is delivered of a longer line, in bytes. */
export const LINE_HEAD = 64 * 1024;

/** A window above this many bytes is given back while nothing comes. */
const SMALL_WINDOW = 8 * 1024;

const NEWLINE = 10;

/** A log became shorter, or is another file than before: what was read of it says nothing any more. */
export class LogReplaced extends Error {}

/**
 * A file that only grows, read in bounded windows. It need not exist yet: then it is empty. Reads are synchronous because
 * they run in a worker of their own, a window at a time.
 */
export class LogFile {
  readonly path: string;
  #fd: number | undefined;
  #ino = 0n;
  #size = 0;
  #window: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** The size as of the last `refresh`. */
  get size(): number {
    return this.#size;
  }

  /** Looks at the size again. Throws LogReplaced when the file shrank. */
  refresh(): number {
    if (!this.#open()) return 0;
    const { size } = fstatSync(this.#fd as number);
    if (size < this.#size) throw new LogReplaced(this.path);
    this.#size = size;
    return size;
  }

  /** Throws LogReplaced when the path leads to another file by now, or to none. */
  checkIdentity(): void {
    if (this.#fd === undefined) return;
    const now = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (now === undefined || now.ino !== this.#ino || now.size < BigInt(this.#size)) throw new LogReplaced(this.path);
  }

  /** ms since the epoch of the last write; 0 where there is no file. */
  modifiedAt(): number {
    return this.#open() ? Math.round(fstatSync(this.#fd as number).mtimeMs) : 0;
  }

  /** The bytes from `from` to `to`, or to the end of the file: a view that holds until the next read. */
  read(from: number, to: number): Buffer {
    if (from >= this.#from && to <= this.#to) return this.#window.subarray(from - this.#from, to - this.#from);
    if (!this.#open()) return Buffer.alloc(0);
    if (to - from > WINDOW) {
      const bytes = Buffer.allocUnsafe(to - from);
      return bytes.subarray(0, this.#fill(bytes, from));
    }
    this.#load(from, to);
    return this.#window.subarray(0, Math.min(to, this.#to) - from);
  }

  /**
   * The offset of the first line end between `from` and `to`, or -1.
   * @param keep an offset before `from` that is wanted soon, such as the start of the line: kept in the window where that costs little.
   */
  newline(from: number, to: number, keep: number): number {
    for (let at = from; at < to;) {
      if (at < this.#from || at >= this.#to) {
        this.#load(at - keep < WINDOW / 4 ? keep : at, to);
        if (at >= this.#to) return -1;
      }
      const found = this.#window.subarray(at - this.#from, Math.min(to, this.#to) - this.#from).indexOf(NEWLINE);
      if (found !== -1) return at + found;
      at = Math.min(to, this.#to);
    }
    return -1;
  }

  /** Gives back a large window: what comes next may take long. */
  rest(): void {
    if (this.#window.length > SMALL_WINDOW) this.#forget();
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#forget();
  }

  #forget(): void {
    this.#window = Buffer.alloc(0);
    this.#from = this.#to = 0;
  }

  /** Whether there is a file. What stands at its path and is none (a folder, say) is like no file: nobody can read it. */
  #open(): boolean {
    if (this.#fd !== undefined) return true;
    let fd: number;
    try {
      fd = openRegular(this.path, 'read');
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'ENOTREG'].some((code) => hasCode(error, code))) throw error;
      return this.#absent();
    }
    this.#fd = fd;
    this.#ino = fstatSync(fd, { bigint: true }).ino;
    return true;
  }

  #absent(): false {
    if (this.#size > 0) throw new LogReplaced(this.path);
    return false;
  }

  /** Reads a window that starts at `from` and is filled beyond `to` as far as the file is known to go. */
  #load(from: number, to: number): void {
    this.#from = this.#to = 0;
    if (!this.#open()) return;
    const wanted = Math.min(WINDOW, Math.max(to, this.#size) - from);
    if (this.#window.length < wanted) this.#window = Buffer.allocUnsafeSlow(wanted);
    const got = this.#fill(this.#window.subarray(0, wanted), from);
    this.#from = from;
    this.#to = from + got;
  }

  #fill(into: Buffer, from: number): number {
    let got = 0;
    while (got < into.length) {
      const n = readSync(this.#fd as number, into, got, into.length - got, from + got);
      if (n === 0) break;
      got += n;
    }
    return got;
  }
}
