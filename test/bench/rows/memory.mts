/**
 * What a window, what acts without one, and the keepers take while live agents wait for their next prompt, and what they do meanwhile;
 * and what the process without a window takes while it hears agents out. Linux only.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { countingGit, forgetCalls, gitCalls } from '../counting-git.mts';
import { median, type Figure } from '../figure.mts';
import { factsIn, whenLeads } from '../journal-facts.mts';
import { GOES_ON_ALONE, makeRepository, plainGit, type BenchAgent } from '../place.mts';
import { cpuOf, ended, privateMemory } from '../proc.mts';
import { row } from '../row.mts';
import { demoAgents } from '../../demo/setting.mjs';
import { writeTurn } from '../stream-json.mts';
import { WindowProcess } from '../window-process.mts';

/** What follows an opening or a start, such as the first snapshot of a store, is over by then: ms. */
const SETTLED = 6000;

/** Between two looks at the memory of a process that works: ms. */
const LOOK = 20;

/** It does a turn, with tool calls and streamed words, and waits for the next prompt. */
const [LIVE] = demoAgents({ speed: 20, live: true }).filter(({ id }) => id === 'demo-live') as BenchAgent[];

/** How many agents end together while no window is open, and what each prints. */
const TALKERS = 10;
const TALK = { lines: 5000, bytes: 1200 };

plainGit();
await row(async ({ scratch, quick }) => {
  if (process.platform !== 'linux') return { skipped: 'only Linux tells what a process alone takes.' };
  if (LIVE === undefined) throw new Error('There is no live demo agent.');
  const seconds = quick ? 3 : 30;
  const rounds = quick ? 1 : 2;
  const place = path.join(scratch, 'memory');
  const repo = await makeRepository(path.join(place, 'repo'), 10);
  const git = await countingGit(path.join(place, 'bin'));
  const storage = path.join(place, 'store');
  const talk = path.join(place, 'talk');
  writeTurn(talk, TALK);
  const talker = {
    id: 'talker',
    command: ['bash', '-c', 'sleep 20; exec cat "$0"', path.join(talk, 'runs/1/stdout.log')],
    format: 'claude',
  };
  const open = (where: string): Promise<WindowProcess> => WindowProcess.open(repo, where, [LIVE, talker], git.env);
  const empty = await open(path.join(place, 'empty'));
  const bare = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 1e9)'], { stdio: 'ignore' });
  let window = await open(storage);
  const keepers: number[] = [];
  const figures: Figure[] = [];
  for (const count of quick ? [1, 5] : [1, 10, 50]) {
    while (keepers.length < count) keepers.push((await window.spawn(LIVE.id)).keeper);
    await judged(window.store, count);
    await delay(SETTLED);
    await Promise.all([window.collect(), empty.collect()]);
    const what = `${count} live ${count === 1 ? 'agent' : 'agents'} at rest`;
    const memory = (name: string, values: number[], more: Partial<Figure>): void => {
      figures.push({ what: `${what}: private memory, ${name}`, unit: 'MB', values, ...more });
    };
    memory('window', [privateMemory(window.pid)], {
      baseline: [privateMemory(empty.pid)],
      note: 'a window without a session has no worker thread: that reads output',
    });
    memory('each keeper', keepers.map(privateMemory), {
      baseline: [privateMemory(bare.pid ?? 0)],
      goal: { more: 8 },
    });
    forgetCalls(git);
    const cpu: number[] = [];
    const emptyCpu: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const [one = NaN, other = NaN] = await Promise.all([window, empty].map(({ pid }) => cpuOf([pid], seconds)));
      cpu.push(one);
      emptyCpu.push(other);
    }
    figures.push(
      { what: `${what}: CPU of a core, window`, unit: '%', values: cpu, baseline: emptyCpu, goal: { most: 0.2 } },
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
    const aloneCpu: number[] = [];
    for (let round = 0; round < rounds; round++) aloneCpu.push(await cpuOf([pid], seconds));
    figures.push(
      {
        what: `${what}: CPU of a core, process without a window`,
        unit: '%',
        values: aloneCpu,
        goal: { most: 0.1 },
        note: `${rounds} times ${seconds} s, in hundredths of a second`,
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
  if (GOES_ON_ALONE) {
    const before = judgements(window.store);
    await Promise.all(Array.from({ length: TALKERS }, () => window.spawn(talker.id)));
    await window.close();
    const { by } = await whenLeads(window.store, ({ host }) => host === 'detached');
    let most = 0;
    while (judgements(window.store) < before + TALKERS) {
      most = Math.max(most, privateMemory(by.process.pid));
      await delay(LOOK);
    }
    if (most === 0) throw new Error('The agents ended before it acted.');
    figures.push({
      what: `${TALKERS} agents print ${(TALK.lines * TALK.bytes) / 1e6} MB each and end together: most private memory, process without a window`,
      unit: 'MB',
      values: [most],
      baseline: [privateMemory(bare.pid ?? 0)],
      goal: { most: 50 },
      note: `beside ${keepers.length} live agents at rest; seen every ${LOOK} ms`,
    });
    window = await open(storage);
    await ended(by.process.pid);
  }
  await window.stopAll();
  await Promise.all([window.close(), empty.close()]);
  bare.kill();
  const kept = figures.filter(({ what }) => what.includes('keeper'));
  if (kept.some(({ values }) => median(values) === 0)) throw new Error('A keeper is gone.');
  return figures;
});

function judgements(store: string): number {
  return factsIn(store).filter(({ type }) => type === 'turn.judged').length;
}

/** Resolves when so many turns are over. */
async function judged(store: string, count: number): Promise<void> {
  while (judgements(store) < count) await delay(200);
}
