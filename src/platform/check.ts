import { TreelineError } from './errors.ts';

/**
 * Reads a value that comes from outside (a journal line, a settings entry, a message of the webview or a socket) as a `T`.
 * Throws TreelineError `invalid` that names the place (`what`, such as `spec.json: argv[2]`) and never shows the value,
 * which may be a secret.
 */
export type Read<T> = (value: unknown, what: string) => T;

/** What a reader gives. */
export type Output<R> = R extends Read<infer T> ? T : never;

/** Marks a field of a `shape` that may be absent. */
interface OptionalRead<T> extends Read<T | undefined> {
  readonly optional: true;
}

type Fields = Readonly<Record<string, Read<unknown>>>;
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends OptionalRead<unknown> ? K : never }[keyof F];
type Shape<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Output<F[K]>;
} & {
  readonly [K in OptionalKeys<F>]?: F[K] extends OptionalRead<infer T> ? T : never;
};

/** Refuses a value: throws TreelineError `invalid`. */
export function invalid(what: string, expected: string, value: unknown): never {
  throw new TreelineError('invalid', `${what} must be ${expected}, but it is ${kindOf(value)}.`);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value} of another form`;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON object whose fields are not known yet. */
export const record: Read<Readonly<Record<string, unknown>>> = (value, what) =>
  isRecord(value) ? value : invalid(what, 'an object', value);

export const string: Read<string> = (value, what) =>
  typeof value === 'string' ? value : invalid(what, 'a text', value);

export const nonEmpty: Read<string> = (value, what) =>
  typeof value === 'string' && value !== '' ? value : invalid(what, 'a text that is not empty', value);

export const boolean: Read<boolean> = (value, what) =>
  typeof value === 'boolean' ? value : invalid(what, 'true or false', value);

/** A finite number. */
export const number: Read<number> = (value, what) =>
  Number.isFinite(value) ? (value as number) : invalid(what, 'a number', value);

/** A whole number from 1 on, such as a turn or a pid. */
export const positive: Read<number> = (value, what) =>
  Number.isSafeInteger(value) && (value as number) > 0
    ? (value as number)
    : invalid(what, 'a whole number above 0', value);

/** A whole number from 0 on, such as an offset or a count. */
export const natural: Read<number> = (value, what) =>
  Number.isSafeInteger(value) && (value as number) >= 0
    ? (value as number)
    : invalid(what, 'a whole number, not negative', value);

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): Read<T> {
  return (value, what) =>
    (words as readonly unknown[]).includes(value) ? (value as T) : invalid(what, `one of ${words.join(', ')}`, value);
}

export function nullable<T>(read: Read<T>): Read<T | null> {
  return (value, what) => (value === null ? null : read(value, what));
}

/** A field of a `shape` that may be absent. */
export function optional<T>(read: Read<T>): OptionalRead<T> {
  return Object.assign((value: unknown, what: string) => (value === undefined ? undefined : read(value, what)), {
    optional: true as const,
  });
}

export function listOf<T>(read: Read<T>): Read<readonly T[]> {
  return (value, what) =>
    Array.isArray(value) ? value.map((item, i) => read(item, `${what}[${i}]`)) : invalid(what, 'a list', value);
}

/** A JSON object whose values are all of one kind, such as an environment. */
export function mapOf<T>(read: Read<T>): Read<Readonly<Record<string, T>>> {
  return (value, what) => {
    // fromEntries defines own properties, so that a key `__proto__` is a key like any other.
    return Object.fromEntries(
      Object.entries(record(value, what)).map(([key, item]) => [key, read(item, `${what}.${key}`)]),
    );
  };
}

/** A JSON object with these fields; others are left out of the result. */
export function shape<F extends Fields>(fields: F): Read<Shape<F>> {
  const entries = Object.entries(fields);
  return (value, what) => {
    const from = record(value, what);
    const result: Record<string, unknown> = {};
    for (const [key, read] of entries) {
      // Own fields alone: a name such as `constructor` must not be found on the prototype.
      const field = read(Object.hasOwn(from, key) ? from[key] : undefined, `${what}.${key}`);
      if (field !== undefined) result[key] = field;
    }
    return result as Shape<F>;
  };
}

/** Parses JSON text and reads it. A syntax error is TreelineError `invalid` as well. */
export function parseJson<T>(text: string, read: Read<T>, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TreelineError('invalid', `${what} is not valid JSON.`, { cause });
  }
  return read(value, what);
}
