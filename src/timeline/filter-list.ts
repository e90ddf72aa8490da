import { firstIndex, type Revisions } from './revisions.ts';

/** What a filter is applied to. */
export interface Filtered {
  readonly count: number;
  readonly revisions: Revisions;
  matches(seq: number): boolean;
}

/** Rows looked at between two looks at the clock. */
const ROWS_PER_LOOK = 16;

/** The rows that one filter lets through, kept up to date by looking at what is new and what changed. */
export class FilterList {
  readonly #of: Filtered;
  #seqs: Uint32Array = new Uint32Array(256);
  #length = 0;
  /** Rows looked at. */
  #through = 0;
  /** The revision up to which those rows are known. */
  #rev: number;
  /** The revision since which rows were only added at the end. */
  #stableSince: number;
  /** Of the rows looked at by a wider list, only these need a look; `next` is the first that has not had one. */
  #candidates: { readonly seqs: readonly number[]; next: number } | undefined;

  /** @param wider a list that holds all rows that this one can. */
  constructor(of: Filtered, wider?: FilterList) {
    this.#of = of;
    this.#rev = wider === undefined ? of.revisions.rev : wider.#rev;
    this.#stableSince = of.revisions.rev;
    if (wider !== undefined && wider.#candidates === undefined) {
      this.#candidates = { seqs: wider.slice(0, wider.#length), next: 0 };
      // What changes from here on is looked at again, whether a candidate or not.
      this.#through = wider.#through;
    }
  }

  get length(): number {
    return this.#length;
  }

  get stableSince(): number {
    return this.#stableSince;
  }

  /** Catches up with the index; false when the time was up first. */
  advance(deadline: number): boolean {
    const { revisions, count } = this.#of;
    if (revisions.rowsAt(this.#rev) === undefined) {
      this.#length = this.#through = 0;
      this.#candidates = undefined;
      this.#stableSince = revisions.rev;
    } else {
      for (const seq of revisions.changedSince(this.#rev)) if (seq <= this.#through) this.#look(seq);
    }
    this.#rev = revisions.rev;
    if (this.#candidates !== undefined && !this.#lookAtCandidates(this.#candidates, deadline)) return false;
    while (this.#through < count) {
      this.#through += 1;
      if (this.#of.matches(this.#through)) this.#insert(this.#length, this.#through);
      if (this.#through % ROWS_PER_LOOK === 0 && performance.now() >= deadline) break;
    }
    return this.#through === count;
  }

  #lookAtCandidates(candidates: { readonly seqs: readonly number[]; next: number }, deadline: number): boolean {
    const { seqs } = candidates;
    while (candidates.next < seqs.length) {
      this.#look(seqs[candidates.next] ?? 0);
      candidates.next += 1;
      if (candidates.next % ROWS_PER_LOOK === 0 && performance.now() >= deadline) return false;
    }
    this.#candidates = undefined;
    return true;
  }

  slice(from: number, to: number): number[] {
    return Array.from(this.#seqs.subarray(0, this.#length).subarray(from, to));
  }

  has(seq: number): boolean {
    return this.#seqs[this.place(seq)] === seq && this.place(seq) < this.#length;
  }

  /** How many rows of the list come before row `seq`. */
  place(seq: number): number {
    return firstIndex(this.#length, (i) => (this.#seqs[i] ?? 0) >= seq);
  }

  /** Looks at a changed row again. */
  #look(seq: number): void {
    const place = this.place(seq);
    const was = place < this.#length && this.#seqs[place] === seq;
    const is = this.#of.matches(seq);
    if (was === is) return;
    this.#stableSince = this.#of.revisions.rev;
    if (is) {
      this.#insert(place, seq);
    } else {
      this.#seqs.copyWithin(place, place + 1, this.#length);
      this.#length -= 1;
    }
  }

  #insert(place: number, seq: number): void {
    if (this.#length === this.#seqs.length) {
      const larger = new Uint32Array(this.#length * 2);
      larger.set(this.#seqs);
      this.#seqs = larger;
    }
    this.#seqs.copyWithin(place + 1, place, this.#length);
    this.#seqs[place] = seq;
    this.#length += 1;
  }
}
