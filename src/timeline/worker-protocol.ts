import {
  boolean,
  isRecord,
  listOf,
  natural,
  nonEmpty,
  number,
  oneOf,
  positive,
  record,
  shape,
  string,
  type Read,
} from '../platform/check.ts';
import { ROW_GROUPS, TEXT_PARTS, type TextPart } from '../protocol/names.ts';
import type { Judgement } from '../store/model.ts';
import type { Said } from '../words/saying.ts';
import type { Use } from './live-session.ts';
import type { Activity, Row, RowDelta, RowFilter, RowPage } from '../protocol/rows.ts';
import { readSource, type TimelineSource } from './source.ts';

/** What can be asked of the worker, and what it answers. All are about a session that is open. */
export interface Queries {
  page: {
    readonly ask: { readonly filter: RowFilter; readonly from: number; readonly count: number };
    readonly answer: RowPage;
  };
  delta: { readonly ask: { readonly since: number; readonly filter: RowFilter }; readonly answer: RowDelta };
  row: { readonly ask: { readonly seq: number }; readonly answer: Row | undefined };
  text: { readonly ask: { readonly seq: number; readonly part: TextPart }; readonly answer: string };
  judge: { readonly ask: { readonly turn: number }; readonly answer: Judgement };
}

export type QueryName = keyof Queries;

/** A query by its name. */
export type Query = { [Q in QueryName]: { readonly do: Q; readonly session: string } & Queries[Q]['ask'] }[QueryName];

/** Main thread to worker. */
export type ToWorker =
  | { readonly type: 'open'; readonly source: TimelineSource; readonly use: Use }
  /** What the session is wanted for by now. */
  | { readonly type: 'use'; readonly session: string; readonly use: Use }
  | { readonly type: 'update'; readonly source: TimelineSource }
  /** Saves what is worth it and frees the session. */
  | { readonly type: 'close'; readonly session: string }
  /** There may be something new to read. */
  | { readonly type: 'hint'; readonly session: string }
  | { readonly type: 'query'; readonly id: number; readonly query: Query }
  /** Saves what is worth it, and ends the worker. */
  | { readonly type: 'stop' };

/** Worker to main thread. */
export type FromWorker =
  | { readonly type: 'activity'; readonly activity: Activity }
  /** A sign of life: the query takes a while. */
  | { readonly type: 'working'; readonly id: number }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  /** `code` of a TreelineError; absent for a defect. */
  | { readonly type: 'refusal'; readonly id: number; readonly code?: string; readonly said: Said }
  | { readonly type: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly message: string };

const use: Read<Use> = shape({ rows: boolean, hinted: boolean });

const filter: Read<RowFilter> = shape({ groups: listOf(oneOf(ROW_GROUPS)), query: string });

const queries: { readonly [Q in QueryName]: Read<Queries[Q]['ask']> } = {
  page: shape({ filter, from: number, count: natural }),
  delta: shape({ since: natural, filter }),
  row: shape({ seq: natural }),
  text: shape({ seq: natural, part: oneOf(TEXT_PARTS) }),
  judge: shape({ turn: positive }),
};

const queryName = oneOf(Object.keys(queries) as QueryName[]);

const readQuery: Read<Query> = (value, what) => {
  const name = queryName(record(value, what)['do'], `${what}.do`);
  const { session } = shape({ session: nonEmpty })(value, what);
  return { do: name, session, ...queries[name](value, what) } as Query;
};

/** The number of a query, also of one that cannot be read otherwise: each gets its answer, or a refusal. */
export function queryId(value: unknown): number | undefined {
  const { type, id } = isRecord(value) ? value : {};
  return type === 'query' && Number.isSafeInteger(id) ? (id as number) : undefined;
}

/** Reads a message to the worker. Throws TreelineError `invalid`. */
export function readToWorker(value: unknown): ToWorker {
  const message = record(value, 'message');
  const type = oneOf(['open', 'use', 'update', 'close', 'hint', 'query', 'stop'])(message['type'], 'message.type');
  switch (type) {
    case 'open':
      return { type, source: readSource(message['source'], 'source'), use: use(message['use'], 'use') };
    case 'use':
      return { type, session: nonEmpty(message['session'], 'session'), use: use(message['use'], 'use') };
    case 'update':
      return { type, source: readSource(message['source'], 'source') };
    case 'close':
    case 'hint':
      return { type, session: nonEmpty(message['session'], 'session') };
    case 'query':
      return { type, id: positive(message['id'], 'id'), query: readQuery(message['query'], 'query') };
    case 'stop':
      return { type };
  }
}
