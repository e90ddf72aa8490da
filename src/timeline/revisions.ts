/** How many updates are remembered. A reader that is further behind asks for pages again. */
const MAX_UPDATES = 65_536;

/**
 * The history of an index. Every appended row and every update of a row is a revision, and a revision tells how many rows
 * there were. None of it is stored: a loaded index begins a new history.
 */
export class Revisions {
  #rows: number;
  /** The revisions that were updates, ascending, and the row that each changed. */
  #revs: number[] = [];
  #seqs: number[] = [];
  /** Updates that are forgotten; they came before those above. */
  #forgotten = 0;
  readonly #latest = new Map<number, number>();

  constructor(rows: number) {
    this.#rows = rows;
  }

  get rev(): number {
    return this.#rows + this.#forgotten + this.#revs.length;
  }

  append(): void {
    this.#rows += 1;
  }

  update(seq: number): void {
    if (this.#revs.length >= MAX_UPDATES) {
      const half = MAX_UPDATES / 2;
      this.#revs = this.#revs.slice(half);
      this.#seqs = this.#seqs.slice(half);
      this.#forgotten += half;
      for (const [one, rev] of this.#latest) if (rev < (this.#revs[0] ?? 0)) this.#latest.delete(one);
    }
    this.#seqs.push(seq);
    this.#revs.push(this.rev + 1);
    this.#latest.set(seq, this.rev);
  }

  /** How many rows there were at a revision; undefined when that is forgotten, or yet to come. */
  rowsAt(rev: number): number | undefined {
    if (rev > this.rev || (this.#forgotten > 0 && rev < (this.#revs[0] ?? 0))) return undefined;
    return rev - this.#forgotten - firstIndex(this.#revs.length, (i) => (this.#revs[i] ?? 0) > rev);
  }

  /** The rows that were updated after a revision for which `rowsAt` knows an answer, ascending. */
  changedSince(rev: number): readonly number[] {
    const first = firstIndex(this.#revs.length, (i) => (this.#revs[i] ?? 0) > rev);
    return [...new Set(this.#seqs.slice(first))].sort((a, b) => a - b);
  }

  /** The revision that gave a row its present content. */
  of(seq: number): number {
    const update = this.#latest.get(seq);
    if (update !== undefined) return update;
    // An update that came before the row was appended saw fewer rows.
    const rowsAtUpdate = (i: number): number => (this.#revs[i] ?? 0) - this.#forgotten - (i + 1);
    return seq + this.#forgotten + firstIndex(this.#revs.length, (i) => rowsAtUpdate(i) >= seq);
  }
}

/** The first of `length` indices for which `holds` is true, when it is true for all after the first; else `length`. */
export function firstIndex(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
