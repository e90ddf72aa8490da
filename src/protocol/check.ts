import { ROW_GROUPS, TEXT_PARTS } from './names.ts';
import type { HostMessage, PageMessage, PageState, Place, RowFilter } from './timeline.ts';

/** Guards of the page's channel: what the page says must read exactly as the protocol says. */

/** So many open rows are remembered. */
export const MOST_EXPANDED = 500;

type Is<T> = (value: unknown) => value is T;
type Shape<T> = { readonly [K in keyof T]-?: Is<T[K]> };

const string: Is<string> = (value) => typeof value === 'string';
const boolean: Is<boolean> = (value) => typeof value === 'boolean';
const number: Is<number> = (value): value is number => typeof value === 'number' && Number.isFinite(value);

function integer(min: number, max = Number.MAX_SAFE_INTEGER): Is<number> {
  return (value): value is number => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

/** A non-empty string of at most `max` UTF-16 units that holds no NUL. */
function text(max: number): Is<string> {
  return (value): value is string =>
    typeof value === 'string' && value !== '' && value.length <= max && !value.includes('\0');
}

function oneOf<const T extends readonly (string | null)[]>(...words: T): Is<T[number]> {
  return (value): value is T[number] => words.some((word) => word === value);
}

function optional<T>(is: Is<T>): Is<T | undefined> {
  return (value): value is T | undefined => value === undefined || is(value);
}

function array<T>(is: Is<T>, max = Number.MAX_SAFE_INTEGER): Is<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.length <= max && value.every(is);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every field of the shape, own fields only; with `exact`, nothing else. */
function object<T>(shape: Shape<T>, { exact = false } = {}): Is<T> {
  const fields = Object.entries<Is<unknown>>(shape);
  return (value): value is T =>
    isRecord(value) &&
    fields.every(([name, is]) => is(Object.hasOwn(value, name) ? value[name] : undefined)) &&
    (!exact || Object.keys(value).every((name) => Object.hasOwn(shape, name)));
}

function variant<T extends { readonly type: string }>(
  shapes: { readonly [K in T['type']]: Shape<Omit<Extract<T, { type: K }>, 'type'>> },
  options: { exact: boolean },
): Is<T> {
  const checks = new Map(
    Object.entries<Shape<object>>(shapes).map(([type, shape]) => [
      type,
      object({ ...shape, type: oneOf(type) } as Shape<T>, options),
    ]),
  );
  return (value): value is T =>
    isRecord(value) && typeof value['type'] === 'string' && checks.get(value['type'])?.(value) === true;
}

const filter = object<RowFilter>(
  {
    groups: array(oneOf(...ROW_GROUPS), ROW_GROUPS.length),
    query: (value): value is string => typeof value === 'string' && value.length <= 1000,
  },
  { exact: true },
);

const place = object<Place>({
  anchor: optional(object<NonNullable<Place['anchor']>>({ seq: integer(1), y: number }, { exact: true })),
  expanded: array(integer(1), MOST_EXPANDED),
});

const request = integer(0);
/** More rows than this in one answer are never needed. */
const count = integer(1, 1000);
const seq = integer(1);

/** Whether something that came from the page is a message of it: the page shows what agents wrote, so nothing is assumed. */
export const isPageMessage: Is<PageMessage> = variant<PageMessage>(
  {
    ready: { filter, count, request },
    rows: { filter, from: integer(Number.MIN_SAFE_INTEGER), count, request },
    ping: {},
    place: { session: text(100), place },
    openFile: { path: text(4096), line: optional(integer(1)) },
    openLog: { seq, part: oneOf('row', 'result') },
    openText: { seq, part: oneOf(...TEXT_PARTS) },
    openLink: {
      href: (value): value is string => text(8192)(value) && /^https?:\/\/[^\s/]/i.test(value),
    },
    command: { command: oneOf('stop', 'resume', 'send', 'diff', 'log') },
  },
  { exact: true },
);

/** Whether this is a state that was kept of a page: it comes back from the editor's own storage. */
export const isPageState: Is<PageState> = object<PageState>({
  session: optional(string),
  follow: boolean,
  filter,
  place: optional(place),
});

const HOST_MESSAGES: { readonly [K in HostMessage['type']]: true } = {
  hello: true,
  header: true,
  page: true,
  delta: true,
  error: true,
  pong: true,
};

/**
 * Whether something that the page received is a message of the host. Both come from one build, so that the types say what is in
 * it, and a word that this page does not know is shown as it is.
 */
export const isHostMessage: Is<HostMessage> = (value): value is HostMessage =>
  isRecord(value) && typeof value['type'] === 'string' && Object.hasOwn(HOST_MESSAGES, value['type']);
