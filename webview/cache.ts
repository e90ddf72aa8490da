import type { Row, RowDelta, RowPage } from '../src/protocol/timeline.ts';

/** Rows are asked for, kept and forgotten in chunks of this many. */
export const CHUNK = 100;
/** How many chunks are kept: 2,000 rows. */
const KEPT = 20;

interface Chunk {
  /** The revision at which its rows are true. */
  rev: number;
  readonly rows: (Row | undefined)[];
}

/** What became of something the host sent. `moved`: rows stand elsewhere now, so that all has to be asked for again. */
export type Applied = 'done' | 'moved';

/**
 * The rows of one filtered timeline that the page holds, by position. It knows of every chunk at which revision it is
 * true, so that it does not matter whether an answer or a delta comes first.
 */
export class RowCache {
  readonly #chunks = new Map<number, Chunk>();
  readonly #positions = new Map<number, number>();
  #epoch: string | undefined;
  #total = 0;
  /** The revision of `total`, the newest seen. */
  #newest = -1;
  /** What is known through deltas; chunks below it are out of date. */
  #synced = -1;

  /** Nothing came yet. */
  get isEmpty(): boolean {
    return this.#epoch === undefined;
  }

  get total(): number {
    return this.#total;
  }

  at(position: number): Row | undefined {
    return this.#chunks.get(Math.floor(position / CHUNK))?.rows[position % CHUNK];
  }

  positionOf(seq: number): number | undefined {
    return this.#positions.get(seq);
  }

  put(page: RowPage): Applied {
    if (this.#epoch !== undefined && page.epoch !== this.#epoch) {
      return 'moved';
    }
    const first = this.#epoch === undefined;
    this.#epoch = page.epoch;
    this.#setTotal(page.rev, page.total);
    if (first) {
      this.#synced = page.rev;
    }
    const fresh = new Set<number>();
    for (const [index, row] of page.rows.entries()) {
      const position = page.from + index;
      const number = Math.floor(position / CHUNK);
      let chunk = this.#chunks.get(number);
      if (chunk === undefined) {
        chunk = { rev: page.rev, rows: [] };
        this.#chunks.set(number, chunk);
        fresh.add(number);
      }
      if (this.#set(position, row) === 'moved') {
        return 'moved';
      }
    }
    for (let number = Math.floor(page.from / CHUNK); number * CHUNK < page.from + page.rows.length; number += 1) {
      const chunk = this.#chunks.get(number);
      const start = Math.max(0, number * CHUNK);
      const whole = page.from <= start && page.from + page.rows.length >= Math.min(start + CHUNK, page.total);
      if (chunk !== undefined && !fresh.has(number)) {
        chunk.rev = whole ? Math.max(chunk.rev, page.rev) : Math.min(chunk.rev, page.rev);
      }
    }
    return 'done';
  }

  apply(delta: RowDelta): Applied {
    if (delta.epoch !== this.#epoch || delta.reset || delta.since > Math.max(this.#newest, this.#synced)) {
      return 'moved';
    }
    for (const chunk of this.#chunks.values()) {
      if (chunk.rev >= delta.since) {
        chunk.rev = Math.max(chunk.rev, delta.rev);
      }
    }
    this.#synced = Math.max(this.#synced, delta.rev);
    this.#setTotal(delta.rev, delta.total);
    for (const row of delta.changed) {
      const position = this.#positions.get(row.seq);
      if (position !== undefined) {
        this.#set(position, row);
      }
    }
    for (const [index, row] of delta.appended.entries()) {
      const position = delta.total - delta.appended.length + index;
      const number = Math.floor(position / CHUNK);
      if (position % CHUNK === 0 && !this.#chunks.has(number)) {
        this.#chunks.set(number, { rev: delta.rev, rows: [] });
      }
      // A chunk that is not held is asked for when it comes into view.
      if (this.#chunks.has(number) && this.#set(position, row) === 'moved') {
        return 'moved';
      }
    }
    return 'done';
  }

  /** The chunks between two positions that are not held whole and up to date. */
  missing(from: number, to: number): number[] {
    const numbers: number[] = [];
    const last = Math.floor((Math.min(to, this.#total) - 1) / CHUNK);
    for (let number = Math.floor(Math.max(0, from) / CHUNK); number <= last; number += 1) {
      const chunk = this.#chunks.get(number);
      const wanted = Math.min(CHUNK, this.#total - number * CHUNK);
      if (chunk === undefined || chunk.rev < this.#synced || !isFilled(chunk.rows, wanted)) {
        numbers.push(number);
      }
    }
    return numbers;
  }

  /** Forgets what is farthest from `position` beyond the number of rows to keep. */
  trim(position: number): void {
    if (this.#chunks.size <= KEPT) {
      return;
    }
    const middle = position / CHUNK;
    const far = [...this.#chunks.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const number of far.slice(0, this.#chunks.size - KEPT)) {
      for (const row of this.#chunks.get(number)?.rows ?? []) {
        if (row !== undefined) {
          this.#positions.delete(row.seq);
        }
      }
      this.#chunks.delete(number);
    }
  }

  #setTotal(rev: number, total: number): void {
    if (rev >= this.#newest) {
      this.#newest = rev;
      this.#total = total;
    }
  }

  #set(position: number, row: Row): Applied {
    const rows = this.#chunks.get(Math.floor(position / CHUNK))?.rows;
    const held = rows?.[position % CHUNK];
    if (held !== undefined && held.seq !== row.seq) {
      return 'moved';
    }
    if (rows !== undefined && (held === undefined || held.rev <= row.rev)) {
      rows[position % CHUNK] = row;
      this.#positions.set(row.seq, position);
    }
    return 'done';
  }
}

function isFilled(rows: readonly (Row | undefined)[], wanted: number): boolean {
  for (let index = 0; index < wanted; index += 1) {
    if (rows[index] === undefined) {
      return false;
    }
  }
  return true;
}
