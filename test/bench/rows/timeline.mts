/** A timeline of 100,000 events opens and answers, beside one of 1,000. */
import path from 'node:path';
import { ALL_ROWS, type RowFilter } from '../../../src/protocol/rows.ts';
import { Timelines } from '../../../src/timeline/timelines.ts';
import { timed, type Figure } from '../figure.mts';
import { ASSETS, LOG } from '../place.mts';
import { row } from '../row.mts';
import { TURN, writeTurn } from '../stream-json.mts';

/** What a person's reader does, and what it may take beside the same in the small session. */
const ACTS: readonly { name: string; filter: RowFilter; from: (total: number) => number; goal?: Figure['goal'] }[] = [
  { name: 'a page in the middle', filter: ALL_ROWS, from: (total) => total >> 1, goal: { most: 50 } },
  { name: 'a filter, first time', filter: { groups: ['problems'], query: '' }, from: () => -100 },
  { name: 'the filter, its next page', filter: { groups: ['problems'], query: '' }, from: () => 0, goal: { most: 50 } },
  { name: 'a search, first time', filter: { groups: [], query: 'git log -n 7' }, from: () => -100 },
  {
    name: 'the search, its next page',
    filter: { groups: [], query: 'git log -n 7' },
    from: () => 0,
    goal: { most: 50 },
  },
];

await row(async ({ scratch, quick }) => {
  const sizes = { large: quick ? 10_000 : 100_000, small: 1000 };
  const open: Record<string, number[]> = { large: [], small: [] };
  const acts: Record<string, number[][]> = { large: ACTS.map(() => []), small: ACTS.map(() => []) };
  for (const [which, lines] of Object.entries(sizes)) {
    writeTurn(path.join(scratch, `timeline-${which}`), { lines, bytes: 600 });
    // Read once, so that there is a snapshot, as of any session that somebody has seen.
    await look(path.join(scratch, `timeline-${which}`), () => Promise.resolve());
  }
  for (let round = 0; round < (quick ? 3 : 7); round++) {
    for (const which of round % 2 === 0 ? ['large', 'small'] : ['small', 'large']) {
      const folder = path.join(scratch, `timeline-${which}`);
      const ms = await look(folder, async (timelines, total) => {
        for (const [n, { filter, from }] of ACTS.entries()) {
          acts[which]?.[n]?.push(await timed(() => timelines.page('ses_bench', filter, from(total), 100)));
        }
      });
      open[which]?.push(ms);
    }
  }
  const what = `timeline of ${sizes.large.toLocaleString('en')} lines`;
  return [
    {
      what: `${what}: opens, last page`,
      unit: 'ms',
      values: open['large'] ?? [],
      baseline: open['small'] ?? [],
      goal: { ratio: 1.5 },
      note: 'with the start of the worker; the baseline is a timeline of 1,000 lines. The page itself has a row of its own (page)',
    },
    ...ACTS.map(({ name, goal }, n): Figure => {
      const values = acts['large']?.[n] ?? [];
      return {
        what: `${what}: ${name}`,
        unit: 'ms',
        values,
        baseline: acts['small']?.[n] ?? [],
        ...(goal && { goal }),
      };
    }),
  ];
});

/** Opens a timeline in a worker of its own; returns the time to its last page. */
async function look(folder: string, work: (timelines: Timelines, total: number) => Promise<void>): Promise<number> {
  const timelines = new Timelines({ worker: ASSETS.worker, wasm: ASSETS.wasm, log: LOG });
  const start = performance.now();
  const close = timelines.open({ session: 'ses_bench', folder, format: 'claude', turns: [TURN] });
  await timelines.page('ses_bench', ALL_ROWS, -100, 100);
  const ms = performance.now() - start;
  // All is read when the turn is judged.
  await timelines.judge('ses_bench', 1);
  const { total } = await timelines.page('ses_bench', ALL_ROWS, -100, 100);
  await work(timelines, total);
  close();
  await timelines.dispose();
  return ms;
}
