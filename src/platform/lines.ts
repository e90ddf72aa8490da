/** The longest line that either end of a local socket accepts: bytes. */
export const LINE_LIMIT = 2 * 1024 * 1024;

/** Cuts a stream of bytes into lines, whatever the chunks; what a chunk leaves unfinished waits for the next. */
export class LineSplitter {
  #rest: Buffer[] = [];
  #length = 0;

  /** The lines that this chunk completes, without their line ends. Throws RangeError when a line passes LINE_LIMIT. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, end));
      lines.push(Buffer.concat(this.#rest).toString('utf8'));
      this.#rest = [];
      this.#length = 0;
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
    return lines;
  }

  #keep(part: Buffer): void {
    this.#rest.push(part);
    this.#length += part.length;
    if (this.#length > LINE_LIMIT) throw new RangeError('A line is longer than 2 MiB.');
  }
}
