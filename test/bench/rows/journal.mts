/** One more fact with the state queryable after it, beside a bare append of the same bytes, with few and many sessions stored. */
import { appendFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Store } from '../../../src/store/store.ts';
import { selfId } from '../../../src/platform/process-id.ts';
import { quantile, timed, type Figure } from '../figure.mts';
import { writeHistory } from '../history.mts';
import { LOG } from '../place.mts';
import { row } from '../row.mts';

await row(async ({ scratch, quick }) => {
  const rounds = quick ? 200 : 2000;
  const figures: Figure[] = [];
  for (const count of quick ? [10, 1000] : [10, 1000, 10_000]) {
    const folder = path.join(scratch, `journal-${count}`);
    const ids = writeHistory(folder, count);
    const store = Store.open(folder, { role: 'window', process: await selfId() }, LOG);
    await store.ready;
    const bare = path.join(folder, 'bare.jsonl');
    const values: number[] = [];
    const baseline: number[] = [];
    for (let n = 0; n < rounds; n++) {
      const session = ids[n % ids.length] ?? '';
      const name = `The name number ${n}`;
      let line = '';
      values.push(
        await timed(() => {
          const facts = store.append({ type: 'session.renamed', session, name });
          line = `${JSON.stringify(facts[0])}\n`;
          if (store.get(session)?.name !== name) throw new Error('The state does not hold what was appended.');
        }),
      );
      baseline.push(await timed(() => appendFileSync(bare, line)));
      if (n % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
    await store.dispose();
    rmSync(folder, { recursive: true });
    const what = `journal: one more fact, ${count.toLocaleString('en')} sessions stored`;
    figures.push({ what, unit: 'ms', values: trimmed(values), baseline: trimmed(baseline), goal: { ratio: 3 } });
  }
  const [first, last] = [figures[0], figures.at(-1)];
  figures.push({
    what: 'journal: the most sessions beside the fewest',
    unit: 'ms',
    values: last?.values ?? [],
    baseline: first?.values ?? [],
    goal: { ratio: 1.3 },
  });
  return figures;
});

/** Without the slowest hundredth: a disk's own pauses. */
function trimmed(values: readonly number[]): number[] {
  const limit = quantile(values, 0.99);
  return values.filter((value) => value <= limit);
}
