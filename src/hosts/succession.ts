import { errorText } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { startDetached, storeHandover, type Handover } from './handover.ts';

export interface Heritage {
  /** The repository's store folder. */
  readonly store: string;
  readonly handover: () => Handover;
  /** Path of the bundle that acts without a window. */
  readonly program: () => Promise<string>;
  readonly trusted: () => boolean;
  /** Whether this window acts. */
  readonly leads: () => boolean;
  readonly log: Log;
}

/** Sees to it that a repository's agents go on when the last window is closed, or dies. */
export class Succession {
  readonly #options: Heritage;
  #noted: string | undefined;
  /** One after the other. */
  #noting: Promise<void> = Promise.resolve();

  constructor(options: Heritage) {
    this.#options = options;
  }

  /** Writes down what whoever comes next needs to know, if this window acts and it has changed. */
  note(): Promise<void> {
    this.#noting = this.#noting.then(() => this.#note());
    return this.#noting;
  }

  /** Starts a process that acts as soon as the lead, whose fact has this id, is given up. It gets what no file holds, too. */
  async begin(lead: string): Promise<void> {
    const { store, handover, program, trusted } = this.#options;
    if (!trusted()) return;
    await startDetached(await program(), store, { ...handover(), follows: lead });
  }

  async #note(): Promise<void> {
    const { store, handover, trusted, leads, log } = this.#options;
    if (!leads() || !trusted()) return;
    const now = handover();
    const text = JSON.stringify(now);
    if (text === this.#noted) return;
    try {
      await storeHandover(store, now);
      this.#noted = text;
    } catch (error) {
      log.warn(`The settings could not be written for when no window is open: ${errorText(error)}`);
    }
  }
}
