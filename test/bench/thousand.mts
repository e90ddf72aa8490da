/** The store that two rows share: a thousand sessions with a million events, for a small repository. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { findRepository } from '../../src/git/repository.ts';
import { storeFolder } from '../../src/store/store-folder.ts';
import { selfId } from '../../src/platform/process-id.ts';
import { Store } from '../../src/store/store.ts';
import { writeHistory } from './history.mts';
import { LOG, makeRepository } from './place.mts';
import type { RowContext } from './row.mts';

export interface Thousand {
  readonly repo: string;
  /** The global storage that has it. */
  readonly storage: string;
  readonly folder: string;
  readonly sessions: readonly string[];
  readonly events: number;
  readonly bytes: number;
}

/** As in the row of the ingest. */
const LINE_BYTES = 1200;

/** Makes the store, or finds it made; what a window has added to it stays. */
export async function thousand({ scratch, quick }: RowContext): Promise<Thousand> {
  const [count, lines] = quick ? [100, 1000] : [1000, 1000];
  const place = path.join(scratch, 'thousand');
  const repo = await makeRepository(path.join(place, 'repo'), 10);
  const found = await findRepository(repo);
  if (found === undefined) throw new Error(`${repo} is no repository.`);
  const storage = path.join(place, 'store');
  const folder = storeFolder(storage, found.commonDir);
  if (!existsSync(folder)) {
    writeHistory(folder, count, { lines, bytes: LINE_BYTES });
    // The window that wrote all this has left its catalogue.
    const store = Store.open(folder, { role: 'window', process: await selfId() }, LOG);
    await store.ready;
    await store.dispose();
  }
  const sessions = readdirSync(path.join(folder, 'sessions')).sort();
  const bytes = sessions.reduce(
    (sum, id) => sum + statSync(path.join(folder, 'sessions', id, 'runs/1/stdout.log')).size,
    0,
  );
  return { repo, storage, folder, sessions, events: count * lines, bytes };
}
