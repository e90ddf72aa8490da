import type { Header, HostMessage, PageMessage, PageState } from './timeline.ts';
import type {
  Excerpt,
  LogRange,
  RequestPart,
  Row,
  RowDelta,
  RowEnd,
  RowFilter,
  RowPage,
  ToolPart,
} from '../timeline/rows.ts';
import type { Usage } from '../store/model.ts';

/** Guards for both directions of the page's channel: what does not read exactly as the protocol says is no message. */

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

function nullable<T>(is: Is<T>): Is<T | null> {
  return (value): value is T | null => value === null || is(value);
}

function array<T>(is: Is<T>, max = Number.MAX_SAFE_INTEGER): Is<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.length <= max && value.every(is);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function record<T>(is: Is<T>): Is<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> => isRecord(value) && Object.values(value).every(is);
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
    groups: array(oneOf('messages', 'thinking', 'tools', 'files', 'problems', 'system'), 6),
    query: (value): value is string => typeof value === 'string' && value.length <= 1000,
  },
  { exact: true },
);

const request = integer(0);
/** More rows than this in one answer are never needed. */
const count = integer(1, 1000);
const seq = integer(1);

/** Whether something that came from the page is a message of it: the page shows what agents wrote, so nothing is assumed. */
export const isPageMessage: Is<PageMessage> = variant<PageMessage>(
  {
    ready: { filter, count, request },
    rows: { filter, from: integer(Number.MIN_SAFE_INTEGER), count, request },
    openFile: { path: text(4096), line: optional(integer(1)) },
    openLog: { seq, part: oneOf('row', 'result') },
    openText: { seq, part: oneOf('text', 'input', 'output', 'diff') },
    openLink: {
      href: (value): value is string => text(8192)(value) && /^https?:\/\/[^\s/]/i.test(value),
    },
    command: { command: oneOf('stop', 'resume', 'send', 'diff', 'log') },
  },
  { exact: true },
);

const usage = object<Usage>({ input: number, output: number, cached: number });
const excerpt = object<Excerpt>({ text: string, bytes: number, cut: boolean });
const logRange = object<LogRange>({ stream: oneOf('o', 'e', 'i', 'k'), offset: number, length: number });

const tool = object<ToolPart>({
  name: string,
  argument: string,
  state: oneOf('running', 'ok', 'failed', 'denied'),
  file: optional(string),
  line: optional(number),
  exitCode: optional(number),
  durationMs: optional(number),
  input: optional(excerpt),
  output: optional(excerpt),
  diff: optional(excerpt),
  subagent: optional(boolean),
  resultLog: optional(logRange),
});

const end = object<RowEnd>({
  outcome: optional(oneOf('completed', 'failed', 'interrupted', 'killed', 'unknown')),
  durationMs: optional(number),
  usage: optional(usage),
  cost: optional(number),
  expected: optional(array(object<{ path: string; present: boolean }>({ path: string, present: boolean }))),
});

const asked = object<RequestPart>({
  id: string,
  about: oneOf('permission', 'question', 'plan'),
  state: oneOf('open', 'answered', 'cancelled', 'lapsed'),
  choices: array(object<RequestPart['choices'][number]>({ id: string, label: string })),
  choice: optional(string),
});

const row = object<Row>({
  seq,
  rev: number,
  turn: number,
  // A kind that this page does not know is shown as its text.
  kind: string as Is<Row['kind']>,
  at: number,
  depth: integer(0),
  text: excerpt,
  problem: boolean,
  tool: optional(tool),
  changes: optional(
    array(object<NonNullable<Row['changes']>[number]>({ path: string, change: oneOf('add', 'update', 'delete') })),
  ),
  todo: optional(
    array(object<NonNullable<Row['todo']>[number]>({ text: string, state: oneOf('open', 'doing', 'done') })),
  ),
  request: optional(asked),
  end: optional(end),
  log: optional(logRange),
});

const rows = array(row);
const page = object<RowPage>({ epoch: string, rev: number, total: integer(0), from: integer(0), rows });
const delta = object<RowDelta>({
  epoch: string,
  since: number,
  rev: number,
  total: integer(0),
  changed: rows,
  appended: rows,
  reset: boolean,
});

const header = object<Header>({
  session: string,
  name: string,
  status: oneOf(
    'queued',
    'preparing',
    'starting',
    'working',
    'stopping',
    'needs-input',
    'needs-permission',
    'idle',
    'stopped',
    'failed',
    'lost',
    'archived',
  ),
  statusLabel: string,
  evidence: string,
  evidenceAt: number,
  agent: string,
  model: optional(string),
  branch: string,
  worktree: string,
  turn: number,
  startedAt: optional(number),
  endedAt: optional(number),
  usage: optional(usage),
  cost: optional(number),
  rows: optional(integer(0)),
  retrying: boolean,
  can: object<Header['can']>({ stop: boolean, resume: boolean, send: boolean, diff: boolean }),
});

/** Whether this is a state that the page kept: the window hands it to the serializer after a reload. */
export const isPageState: Is<PageState> = object<PageState>({ session: optional(string), follow: boolean, filter });

/** Whether something that the page received is a message of the host. */
export const isHostMessage: Is<HostMessage> = variant<HostMessage>(
  {
    hello: {
      state: isPageState,
      header: nullable(header),
      strings: record(string),
      locale: string,
    },
    header: { header: nullable(header) },
    page: { request, page },
    delta: { request, delta },
    error: { message: string },
  },
  // Both come from one build; a field more does no harm here.
  { exact: false },
);
