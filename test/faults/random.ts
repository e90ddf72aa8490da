import { seeded } from '../support/seeded.mts';

/** Random numbers that can be had again: the seed is printed, and taken from TREELINE_SEED when that is set. */
export class Random {
  readonly seed: number;
  /** From 0 to below 1. */
  readonly next: () => number;

  constructor(seed = Number(process.env['TREELINE_SEED'] ?? Date.now() % 1_000_000)) {
    this.seed = seed;
    this.next = seeded(seed);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.next() * from.length)] as T;
  }
}
