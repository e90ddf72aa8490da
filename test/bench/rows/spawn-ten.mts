/** Ten spawns at once: until the last agent's first instruction, beside ten bare ones at once. */
import path from 'node:path';
import { bareClock, makeRepository, openWindow, plainGit, settled, spawnClock, stopAll, untilWarm } from '../place.mts';
import { DEFAULT_SETTINGS } from '../../../src/sessions/settings.ts';
import { row } from '../row.mts';

plainGit();
await row(async ({ scratch, quick }) => {
  const files = quick ? 1000 : 20_000;
  const place = path.join(scratch, 'spawn-ten');
  const cold = await makeRepository(path.join(place, 'cold/repo'), files);
  const warm = await makeRepository(path.join(place, 'warm/repo'), files);
  const coldWindow = await openWindow(cold, path.join(place, 'cold/store'));
  const warmWindow = await openWindow(warm, path.join(place, 'warm/store'));
  const { warmWorktrees } = DEFAULT_SETTINGS;
  warmWindow.settings.warmWorktrees = warmWorktrees;
  const ten = async (one: () => Promise<number>): Promise<number> =>
    Math.max(...(await Promise.all(Array.from({ length: 10 }, one))));
  const times: Record<'bare' | 'cold' | 'warm', number[]> = { bare: [], cold: [], warm: [] };
  const work = {
    bare: () => ten(() => bareClock(cold)),
    cold: () => ten(() => spawnClock(coldWindow)),
    warm: () => ten(() => spawnClock(warmWindow)),
  };
  await work.warm();
  await stopAll(warmWindow);
  for (const order of quick ? ['bare cold warm'] : ['bare cold warm', 'warm bare cold', 'cold warm bare']) {
    for (const which of order.split(' ') as (keyof typeof work)[]) {
      // Nothing is made in the background while something is measured.
      await untilWarm(warmWindow, warmWorktrees);
      await settled();
      times[which].push(await work[which]());
    }
    await Promise.all([stopAll(coldWindow), stopAll(warmWindow)]);
  }
  await coldWindow.treeline.dispose();
  await warmWindow.treeline.dispose();
  const what = `ten spawns at once, ${files.toLocaleString('en')} files`;
  const goal = { ratio: 1 };
  return [
    {
      what,
      unit: 'ms',
      values: times.warm,
      baseline: times.bare,
      goal,
      note: `as installed: ${warmWorktrees} worktrees are kept ready after a burst`,
    },
    { what: `${what}, all cold`, unit: 'ms', values: times.cold, baseline: times.bare, goal },
  ];
});
