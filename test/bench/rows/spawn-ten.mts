/** Ten spawns at once: until the last agent's first instruction, beside ten bare ones at once. */
import path from 'node:path';
import { bareClock, makeRepository, openWindow, plainGit, spawnClock, stopAll } from '../place.mts';
import { row } from '../row.mts';

plainGit();
await row(async ({ scratch, quick }) => {
  const files = quick ? 1000 : 20_000;
  const place = path.join(scratch, 'spawn-ten');
  const repo = await makeRepository(path.join(place, 'repo'), files);
  const window = await openWindow(repo, path.join(place, 'store'));
  const ten = async (one: () => Promise<number>): Promise<number> =>
    Math.max(...(await Promise.all(Array.from({ length: 10 }, one))));
  const bare = (): Promise<number> => ten(() => bareClock(repo));
  const own = (): Promise<number> => ten(() => spawnClock(window));
  const values: number[] = [];
  const baseline: number[] = [];
  for (const order of quick ? ['bare own'] : ['bare own', 'own bare', 'bare own']) {
    for (const which of order.split(' ')) {
      if (which === 'bare') baseline.push(await bare());
      else values.push(await own());
      await stopAll(window);
    }
  }
  await window.treeline.dispose();
  const what = `ten spawns at once, ${files.toLocaleString('en')} files`;
  return [{ what, unit: 'ms', values, baseline, goal: { ratio: 1 } }];
});
