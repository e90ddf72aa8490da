import { LINE_HEAD, MAX_LINE, type LogFile } from './log-file.ts';

/** A line of a log: `length` bytes (without its line end) from `offset`. */
export interface ScannedLine {
  readonly offset: number;
  readonly length: number;
  /** The line, or its first 64 KiB when it is `oversize`: a view that holds until the next line is asked for. */
  readonly bytes: Buffer;
  readonly oversize: boolean;
}

/**
 * Cuts a growing log into lines. Its whole state is two offsets: a line is read when its end is known, so that no part of
 * an unfinished one is held in memory and no character is ever cut.
 */
export class LineScanner {
  readonly #file: LogFile;
  #lineStart = 0;
  #scanned = 0;

  constructor(file: LogFile) {
    this.#file = file;
  }

  /** How far the log was looked through. */
  get position(): number {
    return this.#scanned;
  }

  /** Whether bytes were seen after the last line end. */
  get unfinished(): boolean {
    return this.#scanned > this.#lineStart;
  }

  /**
   * The next line that ends before `to`; undefined when there is none.
   * @param budget bytes to look through at most in this call.
   */
  next(to: number, budget = Infinity): ScannedLine | undefined {
    const until = Math.min(to, this.#scanned + budget);
    if (this.#scanned >= until) return undefined;
    const end = this.#file.newline(this.#scanned, until, this.#lineStart);
    this.#scanned = end === -1 ? until : end + 1;
    return end === -1 ? undefined : this.#line(end);
  }

  /** What stands after the last line end, as a line: for when no more can come. */
  rest(): ScannedLine | undefined {
    return this.unfinished ? this.#line(this.#scanned) : undefined;
  }

  #line(end: number): ScannedLine {
    const offset = this.#lineStart;
    const length = end - offset;
    this.#lineStart = this.#scanned;
    const oversize = length > MAX_LINE;
    return { offset, length, oversize, bytes: this.#file.read(offset, oversize ? offset + LINE_HEAD : end) };
  }
}
