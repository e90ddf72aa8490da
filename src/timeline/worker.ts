import { readFileSync } from 'node:fs';
import { setImmediate as immediate } from 'node:timers/promises';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import initSqlJs, { type SqlJsStatic } from 'sql.js';
import { readerFor } from '../agents/registry.ts';
import { shape, nonEmpty } from '../platform/check.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import { SessionIndex } from './session-index.ts';
import { LiveSession } from './live-session.ts';
import type { RowFilter } from './rows.ts';
import { Scheduler } from './scheduler.ts';
import type { TimelineSource } from './source.ts';
import { queryId, readToWorker, type FromWorker, type Query, type ToWorker } from './worker-protocol.ts';

/** Entry of the worker thread: reads and indexes the output of all open sessions, away from the extension host's event loop. */

/** Work on a filter's list between two looks at other messages, in ms. */
const PREPARE_MS = 10;

const port = toMainThread();

const { wasm } = shape({ wasm: nonEmpty })(workerData, 'workerData');

const sessions = new Map<string, LiveSession>();
const scheduler = new Scheduler();
/** Snapshots that are being written. */
const closing = new Set<Promise<void>>();

const post = (message: FromWorker): void => port.postMessage(message);
const log = {
  warn: (message: string) => post({ type: 'log', level: 'warn', message }),
  error: (message: string) => post({ type: 'log', level: 'error', message }),
};

function toMainThread(): MessagePort {
  if (parentPort === null) throw new Error('This file is the entry of a worker thread.');
  return parentPort;
}

function open(sql: SqlJsStatic, source: TimelineSource): void {
  const index = new SessionIndex(sql, readerFor(source.format), source, log);
  const live = new LiveSession(index, {
    wake: (job) => scheduler.wake(job),
    tell: (activity) => post({ type: 'activity', activity }),
    log,
  });
  sessions.set(source.session, live);
}

function close(session: string): void {
  const live = sessions.get(session);
  if (live === undefined) return;
  sessions.delete(session);
  scheduler.forget(live);
  const closed = live.close().finally(() => closing.delete(closed));
  closing.add(closed);
}

function find(session: string): LiveSession {
  const live = sessions.get(session);
  if (live === undefined) {
    throw new TreelineError('timeline-closed', 'This timeline is not open. Open it, then try again.');
  }
  return live;
}

async function answer(query: Query): Promise<unknown> {
  const live = find(query.session);
  switch (query.do) {
    case 'page':
    case 'delta':
      live.look();
      scheduler.favour(live);
      await prepare(live, query.filter);
      return query.do === 'page'
        ? live.index.page(query.filter, query.from, query.count)
        : live.index.delta(query.since, query.filter);
    case 'row':
      return live.index.row(query.seq);
    case 'text':
      return live.index.text(query.seq, query.part);
    case 'judge':
      return live.judge(query.turn);
  }
}

/** Brings a filter's list up to date, in slices. */
async function prepare(live: LiveSession, filter: RowFilter): Promise<void> {
  while (!live.index.prepare(filter, performance.now() + PREPARE_MS)) {
    await immediate();
    if (live.closed) throw new TreelineError('timeline-closed', 'The timeline was closed.');
  }
}

function handle(sql: SqlJsStatic, message: ToWorker): void {
  switch (message.type) {
    case 'open':
      if (sessions.has(message.source.session)) close(message.source.session);
      open(sql, message.source);
      return;
    case 'update':
      return sessions.get(message.source.session)?.update(message.source);
    case 'close':
      close(message.session);
      return;
    case 'hint':
      return sessions.get(message.session)?.hint();
    case 'query': {
      const { id, query } = message;
      answer(query).then(
        (value) => post({ type: 'answer', id, value }),
        (error: unknown) => post({ type: 'refusal', id, ...refusal(error) }),
      );
      return;
    }
    case 'stop':
      for (const session of [...sessions.keys()]) close(session);
      void Promise.all(closing).finally(() => port.close());
  }
}

function refusal(error: unknown): { code?: string; message: string } {
  return { message: errorText(error), ...(error instanceof TreelineError && { code: error.code }) };
}

/** Messages wait for the first listener: none is lost before sql.js is there. */
async function start(): Promise<void> {
  const sql = await initSqlJs({ wasmBinary: new Uint8Array(readFileSync(wasm)).buffer });
  port.on('message', (value: unknown) => {
    try {
      handle(sql, readToWorker(value));
    } catch (error) {
      const id = queryId(value);
      if (id === undefined) log.error(`A timeline cannot be opened: ${errorText(error)}`);
      else post({ type: 'refusal', id, ...refusal(error) });
    }
  });
}

// What is thrown here ends the worker, and the main thread reports it.
void start();
