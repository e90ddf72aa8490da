/** What a window, what acts without one, and the keepers take while sessions rest, and what they do meanwhile. Linux only. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { countingGit, forgetCalls, gitCalls } from '../counting-git.mts';
import { median, type Figure } from '../figure.mts';
import { whenLeads } from '../journal-facts.mts';
import { GOES_ON_ALONE, makeRepository, plainGit, type BenchAgent } from '../place.mts';
import { cpuOf, ended, privateMemory } from '../proc.mts';
import { row } from '../row.mts';
import { WindowProcess } from '../window-process.mts';

/** What follows an opening or a start, such as the first snapshot of a store, is over by then: ms. */
const SETTLED = 6000;

const WAITS: BenchAgent = { id: 'waits', command: ['sleep', '1000'] };

plainGit();
await row(async ({ scratch, quick }) => {
  if (process.platform !== 'linux') return { skipped: 'only Linux tells what a process alone takes.' };
  const seconds = quick ? 3 : 30;
  const place = path.join(scratch, 'memory');
  const repo = await makeRepository(path.join(place, 'repo'), 10);
  const git = await countingGit(path.join(place, 'bin'));
  const storage = path.join(place, 'store');
  const open = (where: string): Promise<WindowProcess> => WindowProcess.open(repo, where, [WAITS], git.env);
  const empty = await open(path.join(place, 'empty'));
  const bare = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 1e9)'], { stdio: 'ignore' });
  let window = await open(storage);
  const keepers: number[] = [];
  const figures: Figure[] = [];
  for (const count of quick ? [1, 5] : [1, 10, 50]) {
    while (keepers.length < count) keepers.push((await window.spawn('waits')).keeper);
    await delay(SETTLED);
    await Promise.all([window.collect(), empty.collect()]);
    const what = `${count} ${count === 1 ? 'session' : 'sessions'} at rest`;
    const memory = (name: string, values: number[], more: Partial<Figure>): void => {
      figures.push({ what: `${what}: private memory, ${name}`, unit: 'MB', values, ...more });
    };
    memory('window', [privateMemory(window.pid)], {
      baseline: [privateMemory(empty.pid)],
      note: 'a window without a session has no worker thread: that reads output, and takes most of the difference',
    });
    memory('each keeper', keepers.map(privateMemory), {
      baseline: [privateMemory(bare.pid ?? 0)],
      goal: { more: 8 },
    });
    forgetCalls(git);
    const [cpu, emptyCpu] = await Promise.all([window, empty].map(({ pid }) => cpuOf([pid], seconds)));
    if (cpu === undefined || emptyCpu === undefined) throw new Error('A window is missing.');
    figures.push(
      { what: `${what}: CPU of a core, window`, unit: '%', values: [cpu], baseline: [emptyCpu], goal: { most: 0.2 } },
      { what: `${what}: git processes, window`, unit: 'count', values: [gitCalls(git)], goal: { most: 0 } },
    );
    if (!GOES_ON_ALONE) continue;
    await window.close();
    const { by } = await whenLeads(window.store, ({ host }) => host === 'detached');
    const { pid } = by.process;
    await delay(SETTLED);
    memory('process without a window', [privateMemory(pid)], {
      baseline: [privateMemory(bare.pid ?? 0)],
      goal: { most: 50 },
    });
    forgetCalls(git);
    const aloneCpu = await cpuOf([pid], seconds);
    figures.push(
      {
        what: `${what}: CPU of a core, process without a window`,
        unit: '%',
        values: [aloneCpu],
        goal: { most: 0.1 },
        note: `over ${seconds} s, in hundredths of a second`,
      },
      {
        what: `${what}: git processes, process without a window`,
        unit: 'count',
        values: [gitCalls(git)],
        goal: { most: 0 },
      },
    );
    window = await open(storage);
    await ended(pid);
  }
  await window.stopAll();
  await Promise.all([window.close(), empty.close()]);
  bare.kill();
  const kept = figures.filter(({ what }) => what.includes('keeper'));
  if (kept.some(({ values }) => median(values) === 0)) throw new Error('A keeper is gone.');
  return figures;
});
