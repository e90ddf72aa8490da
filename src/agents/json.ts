import { isRecord } from '../platform/check.ts';
import type { AgentEvent } from './events.ts';

/** A JSON object of an agent's output: nothing is known of its fields. */
export type Json = Readonly<Record<string, unknown>>;

export const EMPTY: Json = Object.freeze({});

/**
 * The events of a line that should be a JSON object: one `raw` event for anything else, and for what `read` does not know
 * (undefined); none for an empty line.
 */
export function readJsonLine(
  line: string,
  read: (message: Json) => readonly AgentEvent[] | undefined,
): readonly AgentEvent[] {
  // Some Windows programs begin with a byte-order mark, which is not JSON.
  const message = parseObject(line.startsWith('\ufeff') ? line.slice(1) : line);
  if (!message && line.trim() === '') return [];
  try {
    return (message && read(message)) ?? [{ kind: 'raw', text: line }];
  } catch (error) {
    // The diff that is made of a text of some hundred megabytes can be longer than a string may be.
    if (error instanceof RangeError) return [{ kind: 'raw', text: line }];
    throw error;
  }
}

/** The JSON object that a line holds, or undefined when it holds anything else. */
export function parseObject(line: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function object(value: unknown): Json {
  return isRecord(value) ? value : EMPTY;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** The first of a few values that is a text with something in it. */
export function text(first: unknown, second?: unknown, third?: unknown, fourth?: unknown): string | undefined {
  // Spelt out: it is asked many times for every line.
  if (isText(first)) return first;
  if (isText(second)) return second;
  if (isText(third)) return third;
  return isText(fourth) ? fourth : undefined;
}

/** The same for any number of values. */
export function firstText(values: readonly unknown[]): string | undefined {
  return values.find(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A number of tokens or dollars: never negative, 0 when it is not there. */
export function amount(value: unknown): number {
  return Math.max(0, finite(value) ?? 0);
}

/** `value` as JSON text; undefined where there is none, as for a value nested deeper than the stack reaches. */
export function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
