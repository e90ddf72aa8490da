import path from 'node:path';
import { reasonOf, TreelineError } from '../platform/errors.ts';
import { say, type Saying } from '../words/saying.ts';
import { startDetachedProcess } from '../platform/detached-process.ts';
import { MESSAGE_LIMIT } from './protocol.ts';
import type { StewardProgram } from './protocol.ts';
import { MARK } from './spec.ts';

/** How long a keeper does without a steward before it starts one, and how long that one may take to come: ms. */
const WITHOUT = 5000;
const AGAIN = 30_000;

/** What a steward says that nobody hears. */
const ERRORS = 'steward.err';

/**
 * Starts the program that acts for the repository, when nobody who does has been connected for some seconds, or at the end of the
 * run: everything else was killed, say. The program decides by itself whether it is needed, for other keepers may be quicker.
 */
export class StewardStarter {
  readonly #program: StewardProgram | undefined;
  readonly #note: (said: Saying) => void;
  #remembered = '';
  #began = false;
  #connected = false;
  #timer: NodeJS.Timeout | undefined;
  #startedAt = -Infinity;

  /** @param note told what could not be done. */
  constructor(program: StewardProgram | undefined, note: (said: Saying) => void) {
    this.#program = program;
    this.#note = note;
  }

  /** What the program is to be given. Held in memory only: it may hold secrets. */
  remember(text: string): void {
    if (Buffer.byteLength(text) > MESSAGE_LIMIT) {
      throw new TreelineError(say('too-long.settings'));
    }
    this.#remembered = text;
  }

  /** From now on somebody is needed: the agent runs. */
  begin(): void {
    if (this.#began) return;
    this.#began = true;
    this.#wait();
  }

  /** Whether a steward is connected. */
  set connected(is: boolean) {
    this.#connected = is;
    this.#wait();
  }

  /**
   * The run is over, and with it this process. Where nobody acts, somebody is started at once for what comes next: a queue must not
   * stand still because its agents were quicker than the wait. Resolves when that has what it needs.
   */
  async end(): Promise<void> {
    const isMissing = this.#began && !this.#connected;
    this.#began = false;
    clearTimeout(this.#timer);
    if (this.#program === undefined || !isMissing) return;
    await this.#start(this.#program).catch((error: unknown) => this.#failed(error));
  }

  #wait(): void {
    clearTimeout(this.#timer);
    if (this.#program === undefined || !this.#began || this.#connected) return;
    const program = this.#program;
    const ms = Math.max(WITHOUT, this.#startedAt + AGAIN - performance.now());
    this.#timer = setTimeout(() => {
      this.#startedAt = performance.now();
      this.#start(program).catch((error: unknown) => this.#failed(error));
      this.#wait();
    }, ms).unref();
  }

  async #start({ argv: [command = '', ...args], folder }: StewardProgram): Promise<void> {
    await startDetachedProcess([command, ...args], {
      // The keeper's own, from which the program can tell the user's. It is no part of the run, and not to end with it.
      env: { ...process.env, [MARK]: undefined },
      output: path.join(folder, ERRORS),
      stdin: this.#remembered,
    });
  }

  #failed(error: unknown): void {
    this.#note(say('nobody-acts', { reason: reasonOf(error) }));
  }
}
