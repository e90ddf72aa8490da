export interface LimitedOptions {
  /** Ends the waiting for a place; what runs is not touched. `run` rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which a task that still runs hands its place on, so that one that hangs holds nobody up. */
  readonly longest?: number;
}

/** Runs at most `limit` tasks at a time, in the order asked for. */
export class Limiter {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async run<T>(task: () => Promise<T>, { signal, longest }: LimitedOptions = {}): Promise<T> {
    signal?.throwIfAborted();
    // Whoever ends hands its place over, so that nobody can slip in between.
    if (this.#running >= this.#limit) await this.#place(signal);
    else this.#running += 1;
    let held = true;
    const leave = (): void => {
      if (held) this.#handOver();
      held = false;
    };
    const timer = longest === undefined ? undefined : setTimeout(leave, longest);
    try {
      return await task();
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  #place(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
    });
  }

  #handOver(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
