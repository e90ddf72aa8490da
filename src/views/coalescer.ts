/** Gathers keys that come in bursts and hands them on together: at once after a quiet time, then at most once per interval. */
export class Coalescer<K> {
  readonly #interval: number;
  readonly #flush: (keys: ReadonlySet<K>) => void;
  #waiting = new Set<K>();
  #timer: NodeJS.Timeout | undefined;
  #last = -Infinity;

  /** @param interval ms that lie at least between two calls of `flush`. */
  constructor(interval: number, flush: (keys: ReadonlySet<K>) => void) {
    this.#interval = interval;
    this.#flush = flush;
  }

  add(keys: Iterable<K>): void {
    for (const key of keys) {
      this.#waiting.add(key);
    }
    if (this.#waiting.size > 0) {
      this.#timer ??= setTimeout(() => this.#fire(), Math.max(0, this.#last + this.#interval - performance.now()));
    }
  }

  #fire(): void {
    this.#timer = undefined;
    this.#last = performance.now();
    const keys = this.#waiting;
    this.#waiting = new Set();
    this.#flush(keys);
  }

  /** Drops what waits. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
  }
}
