/** What a keeper costs beside a node that only waits, and whether its start hides behind the making of the worktree. Linux only. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { journalFile } from '../../../src/platform/paths.ts';
import type { Fact } from '../../../src/store/facts.ts';
import { makeRepository, openWindow, plainGit, when, type Window } from '../place.mts';
import { row } from '../row.mts';

/** Clock ticks in a second: what Linux tells user space on every machine. */
const TICKS = 100;

plainGit();
await row(async ({ scratch, quick }) => {
  if (process.platform !== 'linux') return [];
  const place = path.join(scratch, 'keeper');
  const repo = await makeRepository(path.join(place, 'repo'), quick ? 200 : 2000);
  const printer = path.join(import.meta.dirname, '../printer.mjs');
  const window = await openWindow(repo, path.join(place, 'store'), [
    { id: 'waits', command: ['sleep', '1000'] },
    { id: 'printer', command: [process.execPath, printer, '1000', '100'], format: 'claude' },
  ]);
  const rounds = quick ? 2 : 5;
  const memory: number[] = [];
  const bareMemory: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const bare = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 1e9)'], { stdio: 'ignore' });
    const { pid, end } = await keeperOf(window, 'waits');
    await delay(2000);
    memory.push(privateMemory(pid));
    bareMemory.push(privateMemory(bare.pid ?? 0));
    bare.kill();
    await end();
  }
  const seconds = quick ? 3 : 10;
  const cpu: number[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    const { pid, end } = await keeperOf(window, 'printer');
    await delay(1000);
    const before = cpuTicks(pid);
    await delay(seconds * 1000);
    cpu.push(((cpuTicks(pid) - before) / TICKS / seconds) * 100);
    await end();
  }
  const hidden: number[] = [];
  for (let round = 0; round < rounds; round++) hidden.push(await keeperAfterWorktree(window));
  await window.treeline.dispose();
  return [
    { what: 'keeper: private memory', unit: 'MB', values: memory, baseline: bareMemory, goal: { more: 8 } },
    { what: 'keeper: CPU of a core at 1,000 lines/s', unit: '%', values: cpu, goal: { most: 1 } },
    {
      what: 'keeper: ready after its worktree by',
      unit: 'ms',
      values: hidden,
      goal: { most: 0 },
      note: 'below zero: the keeper was ready first, so that its start costs a spawn nothing; a repository of 2,000 files',
    },
  ];
});

async function keeperOf({ sessions }: Window, agent: string): Promise<{ pid: number; end: () => Promise<unknown> }> {
  const { id } = await sessions.spawn({ agent, prompt: 'Go on.' });
  const { runs } = await when(sessions, id, (session) => session.runs[0]?.agent !== undefined);
  return { pid: runs[0]?.keeper?.process.pid ?? 0, end: () => sessions.stop(id) };
}

/** MB that no other process shares. */
function privateMemory(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return (
    [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].reduce((sum, [, kb]) => sum + Number(kb), 0) / 1024
  );
}

/** Ticks of all threads that ran, in user space and in the kernel: fields 14 and 15 of proc(5). */
function cpuTicks(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** ms from the fact that the worktree is ready to the keeper's own that it is. */
async function keeperAfterWorktree({ sessions }: Window): Promise<number> {
  const { id } = await sessions.spawn({ agent: 'waits', prompt: 'Go on.' });
  const facts = readFileSync(journalFile(sessions.store), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Fact)
    .filter((fact) => 'session' in fact && fact.session === id);
  await sessions.stop(id);
  const at = (type: Fact['type']): number => facts.find((fact) => fact.type === type)?.at ?? NaN;
  return at('keeper.started') - at('worktree.ready');
}
