/** From the command to the agent's first instruction, in the window that leads and in another one, beside a bare `git worktree add` and spawn. */
import path from 'node:path';
import { bareClock, makeRepository, plainGit, settled } from '../place.mts';
import { row } from '../row.mts';
import { WindowProcess } from '../window-process.mts';

plainGit();
await row(async ({ scratch, quick }) => {
  const files = quick ? 200 : 2000;
  const place = path.join(scratch, 'spawn-windows');
  const repo = await makeRepository(path.join(place, 'repo'), files);
  const storage = path.join(place, 'store');
  // Who opens first leads.
  const leading = await WindowProcess.open(repo, storage);
  await leading.spawnClock();
  const other = await WindowProcess.open(repo, storage);
  const times: Record<'bare' | 'leading' | 'other', number[]> = { bare: [], leading: [], other: [] };
  const work = {
    bare: () => bareClock(repo),
    leading: () => leading.spawnClock(),
    other: () => other.spawnClock(),
  };
  const orders = [
    ['bare', 'leading', 'other'],
    ['leading', 'other', 'bare'],
    ['other', 'bare', 'leading'],
  ] as const;
  for (let round = 0; round <= (quick ? 3 : 9); round++) {
    for (const which of orders[round % orders.length] ?? []) {
      await settled();
      const ms = await work[which]();
      // The first round warms up.
      if (round > 0) times[which].push(ms);
    }
    await leading.stopAll();
  }
  await other.close();
  await leading.close();
  const what = `spawn, cold, ${files.toLocaleString('en')} files`;
  const goal = { ratio: 1.25 };
  return [
    { what: `${what}: window that leads`, unit: 'ms', values: times.leading, baseline: times.bare, goal },
    { what: `${what}: another window`, unit: 'ms', values: times.other, baseline: times.bare, goal },
    { what: `${what}: another beside the one that leads`, unit: 'ms', values: times.other, baseline: times.leading },
  ];
});
