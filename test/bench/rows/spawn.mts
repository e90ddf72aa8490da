/** From the command to the agent's first instruction, cold and with a warm worktree, beside a bare `git worktree add` and spawn. */
import path from 'node:path';
import type { Figure } from '../figure.mts';
import { bareClock, makeRepository, openWindow, plainGit, settled, spawnClock, stopAll, untilWarm } from '../place.mts';
import { row } from '../row.mts';

plainGit();
await row(async ({ scratch, quick }) => [
  ...(await oneByOne(path.join(scratch, 'spawn-small'), quick ? 200 : 2000, quick ? 3 : 9)),
  ...(await oneByOne(path.join(scratch, 'spawn-large'), quick ? 1000 : 20_000, quick ? 2 : 5)),
]);

async function oneByOne(place: string, files: number, rounds: number): Promise<Figure[]> {
  const cold = await makeRepository(path.join(place, 'cold/repo'), files);
  // A repository of its own: the pool would serve the cold spawns too.
  const warm = await makeRepository(path.join(place, 'warm/repo'), files);
  const coldWindow = await openWindow(cold, path.join(place, 'cold/store'));
  const warmWindow = await openWindow(warm, path.join(place, 'warm/store'));
  warmWindow.settings.warmWorktrees = 1;
  await spawnClock(warmWindow);
  const bare: number[] = [];
  const own: { cold: number[]; warm: number[] } = { cold: [], warm: [] };
  for (let round = 0; round <= rounds; round++) {
    const one = { bare: 0, cold: 0, warm: 0 };
    const work = [
      async () => (one.bare = await bareClock(cold)),
      async () => (one.cold = await spawnClock(coldWindow)),
      async () => (one.warm = await spawnClock(warmWindow)),
    ];
    // Each is first as often as the others: caches and the file system's state favour the later ones.
    for (let n = 0; n < work.length; n++) {
      // Nothing is made in the background while something is measured.
      await untilWarm(warmWindow);
      await settled();
      await work[(n + round) % work.length]?.();
    }
    await Promise.all([stopAll(coldWindow), stopAll(warmWindow)]);
    // The first round warms up.
    if (round === 0) continue;
    bare.push(one.bare);
    own.cold.push(one.cold);
    own.warm.push(one.warm);
  }
  await coldWindow.treeline.dispose();
  await warmWindow.treeline.dispose();
  const name = `${files.toLocaleString('en')} files`;
  return [
    { what: `spawn, cold, ${name}`, unit: 'ms', values: own.cold, baseline: bare, goal: { ratio: 1.25 } },
    {
      what: `spawn, warm, ${name}`,
      unit: 'ms',
      values: own.warm,
      baseline: bare,
      ...(files === 20_000 && { goal: { ratio: 0.15 } }),
    },
  ];
}
