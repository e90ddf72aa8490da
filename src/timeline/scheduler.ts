/** Something that works in slices. */
export interface Job {
  /** Works until `deadline` (a `performance.now()`); true when there is more to do. */
  run(deadline: number): boolean;
}

/** Length of a slice, in ms: what a query waits for at most, but for a single long line. */
const SLICE_MS = 12;

/** Runs jobs in turn, one slice each, and lets messages in between. Every other slice is the favourite's when it has work. */
export class Scheduler {
  /** In the order of their turns. */
  readonly #waiting = new Set<Job>();
  #favourite: Job | undefined;
  #favouredLast = false;
  #next: NodeJS.Immediate | undefined;

  /** The job that somebody looks at. */
  favour(job: Job): void {
    this.#favourite = job;
  }

  wake(job: Job): void {
    this.#waiting.add(job);
    this.#next ??= setImmediate(() => this.#slice());
  }

  forget(job: Job): void {
    this.#waiting.delete(job);
    if (this.#favourite === job) this.#favourite = undefined;
  }

  #slice(): void {
    this.#next = undefined;
    const job = this.#pick();
    if (job === undefined) return;
    this.#waiting.delete(job);
    const more = job.run(performance.now() + SLICE_MS);
    if (more) this.#waiting.add(job);
    if (this.#waiting.size > 0) this.#next ??= setImmediate(() => this.#slice());
  }

  #pick(): Job | undefined {
    const favourite = this.#favourite;
    if (favourite !== undefined && !this.#favouredLast && this.#waiting.has(favourite)) {
      this.#favouredLast = true;
      return favourite;
    }
    this.#favouredLast = false;
    const [first] = this.#waiting;
    return first;
  }
}
