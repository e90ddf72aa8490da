/** Everything anew from the journal and the raw logs, beside a bare loop of read, split and JSON.parse over the same files. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { timelineSource } from '../../../src/sessions/timeline-source.ts';
import { selfId } from '../../../src/platform/process-id.ts';
import { catalogueFile, journalFile, timelineFile } from '../../../src/platform/paths.ts';
import { Store } from '../../../src/store/store.ts';
import { ALL_ROWS } from '../../../src/protocol/rows.ts';
import { Timelines } from '../../../src/timeline/timelines.ts';
import { readAndParse } from '../bare.mts';
import { timed } from '../figure.mts';
import { ASSETS, LOG } from '../place.mts';
import { row } from '../row.mts';
import { thousand, type Thousand } from '../thousand.mts';

await row(async (context) => {
  const stored = await thousand(context);
  const values: number[] = [];
  const usable: number[] = [];
  const baseline: number[] = [];
  for (let round = 0; round < (context.quick ? 1 : 2); round++) {
    baseline.push(await timed(() => bare(stored)));
    const { tree, all } = await rebuild(stored);
    usable.push(tree);
    values.push(all);
  }
  const speed = (times: readonly number[]): number[] => times.map((ms) => stored.events / (ms / 1000));
  const size = `${stored.sessions.length.toLocaleString('en')} sessions, ${stored.events.toLocaleString('en')} events, ${Math.round(stored.bytes / 1024 ** 2)} MB`;
  return [
    {
      what: `rebuild of ${size}`,
      unit: 'lines/s',
      values: speed(values),
      baseline: speed(baseline),
      goal: { ratioAtLeast: 0.4 },
    },
    {
      what: 'rebuild: the tree is usable after',
      unit: 'ms',
      values: usable,
      baseline: values,
      goal: { ratio: 0.1 },
      note: 'beside the time of the whole rebuild',
    },
  ];
});

function bare({ folder, sessions }: Thousand): void {
  readAndParse(journalFile(folder));
  for (const id of sessions) readAndParse(path.join(folder, 'sessions', id, 'runs/1/stdout.log'));
}

/** Every database is deleted; then the window opens, and each timeline is asked for its end. */
async function rebuild({ folder, sessions }: Thousand): Promise<{ tree: number; all: number }> {
  rmSync(catalogueFile(folder), { force: true });
  for (const id of sessions) rmSync(timelineFile(folder, id), { force: true });
  const start = performance.now();
  const store = Store.open(folder, { role: 'window', process: await selfId() }, LOG);
  await store.ready;
  if (store.list().length !== sessions.length) throw new Error('Sessions are missing after the rebuild.');
  const tree = performance.now() - start;
  const timelines = new Timelines({ worker: ASSETS.worker, wasm: ASSETS.wasm, log: LOG });
  for (const session of store.list()) {
    const close = timelines.open(timelineSource(folder, session));
    // A judgement is given when all output is read.
    await timelines.judge(session.id, 1);
    const { total } = await timelines.page(session.id, ALL_ROWS, -50, 50);
    if (total === 0) throw new Error(`The timeline of ${session.id} is empty after the rebuild.`);
    close();
  }
  const all = performance.now() - start;
  await timelines.dispose();
  await store.dispose();
  return { tree, all };
}
