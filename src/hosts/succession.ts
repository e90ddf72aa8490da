import { errorText } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Successor } from '../steward/context.ts';
import { detachedArgv, startDetached, storeHandover, type Handover } from './handover.ts';

export interface Heritage {
  /** The repository's store folder. */
  readonly store: string;
  /** Undefined while the user does not trust what is open. */
  readonly handover: () => Handover | undefined;
  /** Path of the bundle that acts without a window. */
  readonly program: () => Promise<string>;
  /** Whether this process acts. */
  readonly leads: () => boolean;
  readonly log: Log;
}

/** Sees to it that a repository's agents go on when the last window is closed, or dies. */
export class Succession implements Successor {
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
    const { store, handover, program } = this.#options;
    const known = handover();
    if (known !== undefined) await startDetached(await program(), store, { ...known, follows: lead });
  }

  readonly argv = async (): Promise<readonly string[]> => {
    const { store, program } = this.#options;
    return detachedArgv(await program(), store);
  };

  readonly text = (): string | undefined => {
    const known = this.#options.handover();
    // What a keeper was told by a window is better than what stands in a file.
    return known === undefined || known.withheld !== undefined ? undefined : JSON.stringify(known);
  };

  async #note(): Promise<void> {
    const { store, handover, leads, log } = this.#options;
    const now = handover();
    if (now === undefined || !leads()) return;
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
