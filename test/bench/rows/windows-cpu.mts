/** What three windows on 20 live sessions use together, beside one window on them. Linux only. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeRepository, plainGit, type BenchAgent } from '../place.mts';
import { cpuOf } from '../proc.mts';
import { row } from '../row.mts';
import { WindowProcess } from '../window-process.mts';

/** What follows an opening is over by then: ms. */
const SETTLED = 5000;

/** 10 lines a second. */
const TALKER: BenchAgent = {
  id: 'talker',
  command: [process.execPath, path.join(import.meta.dirname, '../printer.mjs'), '10'],
  format: 'claude',
};

plainGit();
await row(async ({ scratch, quick }) => {
  if (process.platform !== 'linux') return { skipped: 'only Linux tells what another process uses.' };
  const sessions = quick ? 5 : 20;
  const seconds = quick ? 3 : 10;
  const place = path.join(scratch, 'windows-cpu');
  const repo = await makeRepository(path.join(place, 'repo'), 10);
  const open = (): Promise<WindowProcess> => WindowProcess.open(repo, path.join(place, 'store'), [TALKER]);
  const leading = await open();
  await Promise.all(Array.from({ length: sessions }, () => leading.spawn('talker')));
  await delay(SETTLED);
  const one: number[] = [];
  const three: number[] = [];
  const others: number[] = [];
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    one.push(await cpuOf([leading.pid], seconds));
    const more = await Promise.all([open(), open()]);
    await delay(SETTLED);
    const pids = more.map(({ pid }) => pid);
    const [all, rest] = await Promise.all([cpuOf([leading.pid, ...pids], seconds), cpuOf(pids, seconds)]);
    three.push(all);
    others.push(rest / 2);
    await Promise.all(more.map((window) => window.close()));
    await delay(1000);
  }
  await leading.stopAll();
  await leading.close();
  const what = `${sessions} agents × 10 lines/s: CPU of a core`;
  return [
    { what: `${what}, three windows`, unit: '%', values: three, baseline: one, goal: { ratio: 1.2 } },
    { what: `${what}, each window that does not lead`, unit: '%', values: others, baseline: one },
  ];
});
