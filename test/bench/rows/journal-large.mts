/** A journal of 100,000 facts: opened with and without its catalogue, and followed, beside a bare JSON.parse of the same lines. */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { catalogueFile, journalFile } from '../../../src/platform/paths.ts';
import { selfId } from '../../../src/platform/process-id.ts';
import type { Writer } from '../../../src/store/facts.ts';
import { Journal } from '../../../src/store/journal.ts';
import { Store } from '../../../src/store/store.ts';
import { readAndParse } from '../bare.mts';
import { timed, type Figure } from '../figure.mts';
import { FACTS_EACH, writeHistory } from '../history.mts';
import { LOG } from '../place.mts';
import { row } from '../row.mts';

/** How many facts somebody else writes before they are read. */
const BURST = 1000;

await row(async ({ scratch, quick }) => {
  const facts = quick ? 10_000 : 100_000;
  const rounds = quick ? 3 : 9;
  const folder = path.join(scratch, 'journal-large');
  const journal = journalFile(folder);
  const ids = writeHistory(folder, facts / FACTS_EACH);
  const by: Writer = { role: 'window', process: await selfId() };
  const open = async (): Promise<Store> => {
    const store = Store.open(folder, by, LOG);
    await store.ready;
    return store;
  };
  // The first leaves a catalogue.
  await (await open()).dispose();
  const bare: number[] = [];
  const replayed: number[] = [];
  const opened: number[] = [];
  const caughtUp: number[] = [];
  const bareBurst: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(await timed(() => readAndParse(journal)));
    let store: Store | undefined;
    opened.push(await timed(async () => (store = await open())));
    await store?.dispose();
    rmSync(catalogueFile(folder));
    replayed.push(await timed(async () => (store = await open())));

    const from = statSync(journal).size;
    const other = new Journal(journal, by);
    const renames = Array.from({ length: BURST }, (_, n) => ({
      type: 'session.renamed' as const,
      session: ids[n % ids.length] ?? '',
      name: `The name number ${round}-${n}`,
    }));
    for (const rename of renames) other.append(rename);
    other.dispose();
    caughtUp.push(await timed(() => store?.refresh()));
    await store?.dispose();
    const burst = path.join(folder, 'burst.jsonl');
    writeFileSync(burst, readFileSync(journal).subarray(from));
    bareBurst.push(await timed(() => readAndParse(burst)));
  }
  const what = `journal of ${facts.toLocaleString('en')} facts`;
  const figures: Figure[] = [
    { what: `${what}: opens from its catalogue`, unit: 'ms', values: opened, baseline: bare, goal: { ratio: 1 } },
    { what: `${what}: opens without one`, unit: 'ms', values: replayed, baseline: bare, goal: { ratio: 5 } },
    { what: `${what}: ${BURST} of another process`, unit: 'ms', values: caughtUp, baseline: bareBurst },
  ];
  rmSync(folder, { recursive: true });
  return figures;
});
