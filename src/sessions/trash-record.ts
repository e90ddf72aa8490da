import path from 'node:path';
import { readIfExists, writeAtomic } from '../platform/atomic-file.ts';
import { listOf, number, oneOf, optional, parseJson, shape } from '../platform/check.ts';

const DAY = 24 * 3600 * 1000;

/** Days that are remembered: more than the setting for the trash can ask for. */
const MOST_DAYS = 4000;

/** What the user said when he was asked whether old archives may be deleted. */
export type TrashAnswer = 'delete' | 'keep';

const ANSWERS: readonly TrashAnswer[] = ['delete', 'keep'];

const read = shape({ days: listOf(number), answer: optional(oneOf(ANSWERS)) });

/**
 * On which days a repository was open, and whether its old archives may be deleted: a small file in its store. Days are counted
 * so and not by the clock alone: a clock that jumps adds one day, and a holiday none. Where the file is lost, all is kept longer.
 */
export class TrashRecord {
  readonly #file: string;
  #days: readonly number[] = [];
  #answer: TrashAnswer | undefined;

  constructor(store: string) {
    this.#file = path.join(store, 'trash.json');
  }

  get answer(): TrashAnswer | undefined {
    return this.#answer;
  }

  /** Reads what other windows wrote, and counts today. */
  async open(now: number): Promise<void> {
    await this.#load();
    const today = dayOf(now);
    if (this.#days.includes(today)) return;
    this.#days = [...this.#days, today].slice(-MOST_DAYS);
    await this.#save();
  }

  /** On how many days after the one of `at` the repository was open. */
  daysSince(at: number): number {
    return this.#days.filter((day) => day > dayOf(at)).length;
  }

  async setAnswer(answer: TrashAnswer): Promise<void> {
    await this.#load();
    this.#answer = answer;
    await this.#save();
  }

  async #load(): Promise<void> {
    const text = await readIfExists(this.#file);
    if (text === undefined) return;
    try {
      const { days, answer } = parseJson(text.toString('utf8'), read, 'trash.json');
      this.#days = days;
      this.#answer = answer;
    } catch {
      // A damaged file is one that was lost: counted from now on, and asked again.
      this.#days = [];
      this.#answer = undefined;
    }
  }

  #save(): Promise<void> {
    return writeAtomic(this.#file, JSON.stringify({ days: this.#days, answer: this.#answer }));
  }
}

function dayOf(at: number): number {
  return Math.floor(at / DAY);
}
