/** A session's index made in this process, as the worker makes it. */
import { readFileSync } from 'node:fs';
import initSqlJs from 'sql.js';
import { readerFor } from '../../src/agents/registry.ts';
import { SessionIndex } from '../../src/timeline/session-index.ts';
import { ASSETS, LOG } from './place.mts';
import { TURN } from './stream-json.mts';

const sql = await initSqlJs({ wasmBinary: new Uint8Array(readFileSync(ASSETS.wasm)).buffer });

/** How long the worker reads before it looks at its messages: ms. */
const SLICE = 15;

export function ingest(folder: string): SessionIndex {
  const source = { session: 'ses_bench', folder, format: 'claude', turns: [TURN] };
  const index = new SessionIndex(sql, readerFor('claude'), source, LOG);
  while (index.ingest(performance.now() + SLICE) === 'more');
  return index;
}
