import { errorText } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Turn } from '../store/model.ts';

/** After a failure that must not be the last word: ms. */
export const RETRY_INTERVAL = 2000;

/** A later look at what did not work, and what is told of it: a full disk, most likely. */
export class Retry {
  readonly #log: Log;
  readonly #session: string;
  readonly #look: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** What did not work, told once; over when the turn is another. */
  #trouble: { readonly what: string; readonly turn: Turn | undefined } | undefined;

  constructor(log: Log, session: string, look: () => void) {
    this.#log = log;
    this.#session = session;
    this.#look = look;
  }

  /** Whether a look is still to come. */
  get isPending(): boolean {
    return this.#timer !== undefined;
  }

  /** Looks again in `ms`, if not before. */
  after(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, ms).unref();
  }

  /** Something did not work that has to. It is tried again until it does, and told once. */
  failed(thrown: unknown, turn: Turn | undefined): void {
    const what = errorText(thrown);
    if (this.#trouble?.what !== what) {
      this.#log.error(`${this.#session} could not go on, which is tried again: ${what}`);
    }
    this.#trouble = { what, turn };
    this.after(RETRY_INTERVAL);
  }

  /** To be told which turn it is now: what did not work is over when that is another. */
  note(turn: Turn | undefined): void {
    if (this.#trouble === undefined || this.#trouble.turn === turn) return;
    this.#trouble = undefined;
    this.#log.info(`${this.#session} goes on.`);
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }
}
