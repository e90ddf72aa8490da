/**
 * The soak: many agents print for minutes while windows, keepers and agents are killed, turns stopped and resumed; then an
 * independent check. `npm run soak [-- --agents 24 --minutes 10]`; TREELINE_SEED repeats a run's random choices.
 */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { DEFAULT_SETTINGS } from '../../src/sessions/settings.ts';
import { timelineSource } from '../../src/sessions/timeline-source.ts';
import { isOpen, lastTurn } from '../../src/store/lifecycle.ts';
import type { Session } from '../../src/store/model.ts';
import { ALL_ROWS, type Row } from '../../src/protocol/rows.ts';
import { Random } from '../faults/random.ts';
import { keepers, marked } from '../faults/truth.ts';
import { customAgents, openWindow, type Place } from '../unit/sessions/support.ts';
import { WindowProcess } from '../unit/sessions/window-process.ts';
import { git } from '../unit/support.ts';
import { differences } from './check.mts';

const { values } = parseArgs({
  options: { agents: { type: 'string', default: '24' }, minutes: { type: 'string', default: '10' } },
});
const agents = Number(values.agents);
const minutes = Number(values.minutes);
const random = new Random();
const scratch = await realpath(await mkdtemp(path.join(os.tmpdir(), 'treeline-soak-')));
console.log(`${agents} agents for ${minutes} minutes; TREELINE_SEED=${random.seed}; in ${scratch}`);

const place = await makePlace();
/** Lives all the time: its memory is to stay flat. The other one is killed again and again. */
const steady = await WindowProcess.open(place);
let other = await WindowProcess.open(place);
const counts: Record<string, number> = {};
const memory: number[] = [];

await Promise.all(Array.from({ length: agents }, (_, n) => window(n).spawn(request())));
const end = Date.now() + minutes * 60_000;
for (let nextReport = Date.now(); Date.now() < end;) {
  await disturb();
  if (Date.now() >= nextReport) {
    nextReport += 30_000;
    memory.push(residentMiB(steady.pid));
    console.log(`${Math.round((end - Date.now()) / 1000)} s left; ${memory.at(-1)} MiB; ${JSON.stringify(counts)}`);
  }
  await sleep(random.between(50, 800));
}

console.log('stopping everything');
const ids = (await steady.list()).map(({ id }) => id);
await Promise.all(ids.map((id) => steady.stop(id)));
await steady.kill();
await other.kill();

console.log('checking');
const { treeline, sessions } = await openWindow(place);
await settled();
const found = await differences(sessions.store, { sessions: sessions.list(), rows });
await treeline.dispose();
const orphans = marked(ids).length + keepers(place.storage).length;
const [first = 0, ...later] = memory.slice(Math.floor(memory.length / 4));
const last = later.at(-1) ?? first;
console.log(`memory of the steady window, MiB every 30 s: ${memory.join(' ')}`);
console.log(
  `${ids.length} sessions; ${found.length} differences; ${orphans} orphans; memory ${(last / first).toFixed(2)} x`,
);
for (const difference of found) {
  console.log(`  ${difference}`);
}
const good = found.length === 0 && orphans === 0;
if (good) {
  await rm(scratch, { recursive: true, force: true, maxRetries: 10 });
}
process.exit(good ? 0 : 1);

async function makePlace(): Promise<Place> {
  const repo = path.join(scratch, 'repo');
  await mkdir(repo);
  await git(repo, 'init', '--quiet', '--initial-branch=main');
  await writeFile(path.join(repo, 'README.md'), '# Soak\n');
  await git(repo, 'add', '.');
  await git(repo, 'commit', '--quiet', '--message', 'First commit');
  const grace = { interrupt: 300, terminate: 300 };
  const settings = { ...DEFAULT_SETTINGS, customAgents: customAgents(), maxConcurrent: agents, grace };
  return { repo, storage: path.join(scratch, 'storage'), settings };
}

/** A turn that prints numbered lines, with pauses, longer than the soak or for a random while. */
function request(): { agent: string; prompt: string } {
  const bursts = random.between(20, 2000);
  const program = Array.from({ length: bursts }, (_, n) => `print line ${n + 1}\nsleep ${n % 10 === 0 ? 500 : 20}`);
  return { agent: 'scripted', prompt: program.join('\n') };
}

function window(n = random.between(0, 1)): WindowProcess {
  return n % 2 === 0 ? steady : other;
}

/** Does one thing that goes wrong, or that a user does. What it breaks may refuse; that is no difference. */
async function disturb(): Promise<void> {
  const all = await steady.list();
  const running = all.filter((session) => isRunning(session));
  const resting = all.filter((session) => !isRunning(session));
  const one = running.length > 0 ? random.pick(running) : undefined;
  const run = one?.runs.at(-1);
  const what = random.pick(['stop', 'resume', 'resume', 'resume', 'keeper', 'agent', 'window', 'reload'] as const);
  counts[what] = (counts[what] ?? 0) + 1;
  switch (what) {
    case 'stop':
      return one && refusable(window().stop(one.id));
    case 'resume':
      return resting.length > 0 ? refusable(window().resume(random.pick(resting).id, request())) : undefined;
    case 'keeper': {
      kill(run?.keeper?.process.pid);
      return;
    }
    case 'agent': {
      kill(run?.agent?.process.pid);
      return;
    }
    case 'window':
      // In the middle of something.
      void (one && refusable(other.stop(one.id)));
      await sleep(random.between(0, 100));
      await other.kill();
      other = await WindowProcess.open(place);
      return undefined;
    case 'reload': {
      const resting_ = resting.length > 0 ? random.pick(resting) : undefined;
      void (resting_ && refusable(other.resume(resting_.id, request())));
      await sleep(random.between(0, 500));
      await other.kill();
      other = await WindowProcess.open(place);
    }
  }
}

function isRunning(session: Session): boolean {
  const turn = lastTurn(session);
  return turn !== undefined && isOpen(turn);
}

async function refusable(action: Promise<unknown>): Promise<void> {
  await action.catch((error: unknown) => {
    const key = `refused: ${error instanceof Error ? error.message : String(error)}`;
    counts[key] = (counts[key] ?? 0) + 1;
  });
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) {
      process.kill(pid, 'SIGKILL');
    }
  } catch {
    // It has just ended.
  }
}

function residentMiB(pid: number): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1024);
}

/** Until every turn that ran is over and judged, or a minute has gone. */
async function settled(): Promise<void> {
  const until = Date.now() + 60_000;
  const open = (): boolean => sessions.list().some((session) => isRunning(session));
  while (open() && Date.now() < until) {
    await sleep(100);
  }
}

async function rows(session: Session): Promise<readonly Row[]> {
  const close = treeline.timelines.open(timelineSource(sessions.store, session));
  try {
    const ran = session.turns.findLast((turn) => turn.exit !== undefined);
    if (ran !== undefined) {
      await treeline.timelines.judge(session.id, ran.number); // Reads the output to its end.
    }
    const all: Row[] = [];
    for (;;) {
      const page = await treeline.timelines.page(session.id, ALL_ROWS, all.length, 1000);
      all.push(...page.rows);
      if (page.rows.length === 0) {
        return all;
      }
    }
  } finally {
    close();
  }
}
