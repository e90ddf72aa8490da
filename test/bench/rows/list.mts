/** The list of all sessions with their statuses, right after a fact has changed one of them. */
import path from 'node:path';
import { selfId } from '../../../src/platform/process-id.ts';
import { Store } from '../../../src/store/store.ts';
import { timed, type Figure } from '../figure.mts';
import { writeHistory } from '../history.mts';
import { LOG } from '../place.mts';
import { row } from '../row.mts';

await row(async ({ scratch }) => {
  const figures: Figure[] = [];
  for (const count of [10, 100, 1000]) {
    const folder = path.join(scratch, `list-${count}`);
    const ids = writeHistory(folder, count);
    const store = Store.open(folder, { role: 'window', process: await selfId() }, LOG);
    await store.ready;
    const values: number[] = [];
    for (let n = 0; n < 500; n++) {
      store.append({ type: 'session.renamed', session: ids[n % count] ?? '', name: `Name ${n}` });
      let working = 0;
      values.push(
        await timed(() => {
          for (const { status } of store.list()) if (status === 'working') working++;
        }),
      );
      if (working > 0 || store.list().length !== count) throw new Error('The list is not what was stored.');
    }
    await store.dispose();
    const what = `list of ${count.toLocaleString('en')} sessions`;
    figures.push({ what, unit: 'ms', values, goal: { most: 1 } });
  }
  return figures;
});
