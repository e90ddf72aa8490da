import { readFileSync } from 'node:fs';
import { setImmediate as immediate } from 'node:timers/promises';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import initSqlJs, { type SqlJsStatic } from 'sql.js';
import { readerFor } from '../agents/registry.ts';
import { mapOf, nonEmpty, number, shape, string } from '../platform/check.ts';
import { errorText, TreelineError, reasonOf } from '../platform/errors.ts';
import { say, type Said, type Translation } from '../words/saying.ts';
import type { LiveSession } from './live-session.ts';
import { LiveSessions } from './live-sessions.ts';
import type { RowFilter } from '../protocol/rows.ts';
import { SessionIndex } from './session-index.ts';
import { queryId, readToWorker, type FromWorker, type Query, type ToWorker } from './worker-protocol.ts';

/** Entry of the worker thread: reads and indexes the output of all open sessions, away from the extension host's event loop. */

/** Work on a filter's list between two looks at other messages, in ms. */
const PREPARE_MS = 10;

const port = toMainThread();

const { wasm, words, beatMs } = shape({ wasm: nonEmpty, words: mapOf(string), beatMs: number })(
  workerData,
  'workerData',
);
/** The language of the window: a search looks at the words that its reader sees. */
const translate: Translation = (template) => (Object.hasOwn(words, template) ? words[template] : undefined) ?? template;

const post = (message: FromWorker): void => port.postMessage(message);
const log = {
  warn: (message: string) => post({ type: 'log', level: 'warn', message }),
  error: (message: string) => post({ type: 'log', level: 'error', message }),
};

function toMainThread(): MessagePort {
  if (parentPort === null) throw new Error('This file is the entry of a worker thread.');
  return parentPort;
}

let loading: Promise<SqlJsStatic> | undefined;

/** Loaded with the first timeline that somebody looks at: what is read for its status alone needs none. */
async function sqlJs(): Promise<SqlJsStatic> {
  try {
    loading ??= initSqlJs({ wasmBinary: new Uint8Array(readFileSync(wasm)).buffer });
    return await loading;
  } catch (cause) {
    const error = new TreelineError(say('no-rows', { reason: reasonOf(cause) }), { cause });
    log.error(error.message);
    throw error;
  }
}

const sessions = new LiveSessions({
  tell: (activity) => post({ type: 'activity', activity }),
  index: async (source) => new SessionIndex(await sqlJs(), readerFor(source.format), source, log, translate),
  log,
});

function find(session: string): LiveSession {
  const live = sessions.get(session);
  if (live === undefined) {
    throw notOpen();
  }
  return live;
}

function notOpen(): TreelineError {
  return new TreelineError(say('timeline-closed'));
}

async function answer(query: Query): Promise<unknown> {
  const live = find(query.session);
  if (query.do === 'judge') return live.judge(query.turn);
  const index = await live.rows();
  switch (query.do) {
    case 'page':
    case 'delta':
      sessions.favour(live);
      await prepare(live, index, query.filter);
      return query.do === 'page'
        ? index.page(query.filter, query.from, query.count)
        : index.delta(query.since, query.filter);
    case 'row':
      return index.row(query.seq);
    case 'text':
      return index.text(query.seq, query.part);
  }
}

/** Brings a filter's list up to date, in slices; between two of them the rows may be dropped. */
async function prepare(live: LiveSession, index: SessionIndex, filter: RowFilter): Promise<void> {
  while (!index.prepare(filter, performance.now() + PREPARE_MS)) {
    await immediate();
    if (!live.holds(index)) throw notOpen();
  }
}

function handle(message: ToWorker): void {
  switch (message.type) {
    case 'open':
      sessions.open(message.source, message.use);
      return;
    case 'use':
      return sessions.get(message.session)?.use(message.use);
    case 'update':
      return sessions.get(message.source.session)?.update(message.source);
    case 'close':
      sessions.close(message.session);
      return;
    case 'hint':
      return sessions.get(message.session)?.hint();
    case 'query': {
      const { id, query } = message;
      // What waits for the agent's end has its own patience.
      const beat = query.do === 'judge' ? undefined : setInterval(() => post({ type: 'working', id }), beatMs);
      answer(query)
        .then(
          (value) => post({ type: 'answer', id, value }),
          (error: unknown) => post({ type: 'refusal', id, ...refusal(error) }),
        )
        .finally(() => clearInterval(beat))
        .catch((error: unknown) => log.error(errorText(error)));
      return;
    }
    case 'stop':
      void sessions.closeAll().finally(() => port.close());
  }
}

function refusal(error: unknown): { code?: string; said: Said } {
  return { said: reasonOf(error), ...(error instanceof TreelineError && { code: error.code }) };
}

port.on('message', (value: unknown) => {
  try {
    handle(readToWorker(value));
  } catch (error) {
    const id = queryId(value);
    if (id === undefined) log.error(`A timeline cannot be opened: ${errorText(error)}`);
    else post({ type: 'refusal', id, ...refusal(error) });
  }
});
