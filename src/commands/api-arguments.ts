import { boolean, invalid, listOf, natural, nonEmpty, optional, shape, type Read } from '../platform/check.ts';

/** Other extensions are programs of others: what they hand in is checked like any other data from outside. */

const integer: Read<number> = (value, what) =>
  Number.isSafeInteger(value) ? (value as number) : invalid(what, 'a whole number', value);

const signal: Read<AbortSignal> = (value, what) =>
  value instanceof AbortSignal ? value : invalid(what, 'an AbortSignal', value);

const progress: Read<(step: string) => void> = (value, what) =>
  typeof value === 'function' ? (value as (step: string) => void) : invalid(what, 'a function', value);

export const readSpawn = shape({
  agent: nonEmpty,
  prompt: nonEmpty,
  base: optional(nonEmpty),
  name: optional(nonEmpty),
  expects: optional(listOf(nonEmpty)),
  repository: optional(nonEmpty),
});

export const readResume = shape({ prompt: nonEmpty, fresh: optional(boolean) });

const startOptions = shape({ signal: optional(signal), progress: optional(progress) });

/** How a spawn or a resume is followed and cancelled; nothing is needed. */
export const readStartOptions = (value: unknown) => startOptions(value === undefined ? {} : value, 'options');

const range = shape({ from: optional(integer), count: optional(natural) });

const MOST_EVENTS = 1000;
const EVENTS = 100;

/** Which events are wanted: the last ones, where nothing is said. */
export function readRange(value: unknown): { readonly from: number; readonly count: number } {
  const { from = -EVENTS, count = EVENTS } = range(value === undefined ? {} : value, 'options');
  return { from, count: Math.min(MOST_EVENTS, Math.max(1, count)) };
}
