/** Runs whose keeper was killed: closed by a window, in the keeper's place. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { connectKeeper, markerEnv } from '../../../src/keeper/client.ts';
import { RUN_FILES } from '../../../src/keeper/protocol.ts';
import { endPreparation, rescue } from '../../../src/keeper/rescue.ts';
import type { LostRun } from '../../../src/keeper/rescue.ts';
import { sessionId } from '../../../src/platform/ids.ts';
import { isAlive, processId, type ProcessId } from '../../../src/platform/process-id.ts';
import { processClock } from '../../../src/platform/process-table.ts';
import { signalGroup, signalProcesses } from '../../../src/platform/process-tree.ts';
import { textOf } from '../../../src/words/saying.ts';
import { until } from '../support.ts';
import { prepare, started } from './support.ts';
import type { TestRun } from './support.ts';

const WAIT = `process.on('SIGPIPE', () => {}); console.log('ready'); setInterval(() => {}, 1000)`;

async function kill(id: ProcessId): Promise<void> {
  process.kill(id.pid, 'SIGKILL');
  await until(async () => !(await isAlive(id)), { what: 'it dies' });
}

function lost(run: TestRun): LostRun {
  const facts = run.facts();
  const agent = facts.find((fact) => fact.type === 'agent.started');
  const { session, run: number, worktree, expects, socket } = run.spec;
  return {
    folder: run.folder,
    session,
    run: number,
    worktree,
    expects,
    keeper: { ...run.fact('keeper.started').keeper, socket },
    ...(agent && { agent: { ...agent.agent, at: agent.at } }),
  };
}

test('the keeper was killed: its agent and what that started are ended, and the record says so', async (t) => {
  const agent = [
    'bash',
    '-c',
    'trap "" TERM; (setsid sleep 1000 >/dev/null 2>&1 &); echo ready; sleep 1000 & wait; wait; sleep 1000',
  ];
  const { run } = await started(t, agent, { expects: ['a'] });
  await run.printed('ready');
  writeFileSync(path.join(run.spec.worktree, 'a'), '');
  const before = run.times().length;
  const what = lost(run);
  await kill(what.keeper!);

  const exit = await rescue(what);
  assert.deepEqual(await run.left(), []);
  assert.match(textOf(exit.problem ?? ''), /background process ended unexpectedly/);
  assert.equal(exit.startedAt, what.agent?.at);
  assert.deepEqual([exit.code, exit.signal], [null, null]);
  assert.deepEqual(exit.expected, [{ path: 'a', present: true }]);
  assert.deepEqual(run.exit(), exit);
  assert.match(run.notes(), /Treeline is closing the turn instead[^]*still running without its background process/);
  const times = run.times();
  assert.ok(times.length > before);
  assert.deepEqual([times.at(-1)?.key, times.at(-1)?.end], ['k', run.bytes('k').length]);
  assert.equal(statSync(run.spec.socket, { throwIfNoEntry: false }), undefined);
});

test('both were killed', async (t) => {
  const { run } = await started(t, WAIT);
  await run.printed('ready');
  const what = lost(run);
  await kill(what.keeper!);
  await kill(what.agent!);
  const exit = await rescue(what);
  assert.match(textOf(exit.problem ?? ''), /how the agent ended is unknown/);
  assert.deepEqual(exit.survivors, []);
});

test('a second rescue gives the same record and writes nothing more', async (t) => {
  const { run } = await started(t, WAIT);
  await run.printed('ready');
  const what = lost(run);
  await kill(what.keeper!);
  const first = await rescue(what);
  const notes = run.notes();
  assert.deepEqual(await rescue(what), first);
  assert.equal(run.notes(), notes);
});

test('several windows at once: one record, one of them writes', async (t) => {
  const { run } = await started(t, WAIT);
  await run.printed('ready');
  const what = lost(run);
  await kill(what.keeper!);
  const [first, ...others] = await Promise.all([1, 2, 3, 4].map(() => rescue(what)));
  for (const exit of others) assert.deepEqual(exit, first);
  assert.deepEqual(run.exit(), first);
  assert.deepEqual(await run.left(), []);
  await until(() => run.notes().includes('closing the turn'), { what: 'the note' });
  assert.equal(run.notes().match(/closing the turn/g)?.length, 1);
});

test('the agent as only an earlier holder of its pid is not touched', async (t) => {
  const { run } = await started(t, WAIT);
  await run.printed('ready');
  const what = lost(run);
  await kill(what.keeper!);
  await kill(what.agent!);
  // This process has the pid now, the start is another's.
  const exit = await rescue({ ...what, agent: { pid: process.pid, start: what.agent!.start, at: 1 } });
  assert.deepEqual(exit.survivors, []);
});

test('the keeper had written its record but not the fact: the record counts', async (t) => {
  const { run, keeper } = await started(t, 'process.exit(9)');
  const exit = await keeper.ended;
  await until(async () => !(await isAlive(run.fact('keeper.started').keeper)), { what: 'the keeper ends' });
  assert.deepEqual(await rescue(lost(run)), exit);
});

test('the keeper died before it had started the agent', async (t) => {
  const run = await prepare(t, WAIT);
  await run.open();
  const what = lost(run);
  await kill(what.keeper!);
  const exit = await rescue(what);
  assert.equal(exit.startedAt, null);
  assert.match(textOf(exit.problem ?? ''), /before the agent started/);
});

test('the keeper died between the start of the agent and its fact: the marker finds the agent', async (t) => {
  const { run } = await started(t, WAIT);
  await run.printed('ready');
  const { agent, ...what } = lost(run);
  assert.ok(agent);
  await kill(what.keeper!);
  const exit = await rescue(what);
  assert.equal(exit.survivors.length, 1);
  assert.deepEqual(await run.left(), []);
});

test('a run whose keeper lives is not rescued', async (t) => {
  const { run, keeper } = await started(t, WAIT);
  await assert.rejects(rescue(lost(run)), { code: 'keeper-alive' });
  await keeper.stop();
});

test('a run of another machine is not rescued, and nothing of it is touched, whatever has its numbers here', async (t) => {
  const { run, keeper } = await started(t, WAIT);
  await run.printed('ready');
  const what = lost(run);
  // The same numbers as on this machine, as if they were those of the other.
  const there = {
    ...what,
    keeper: { ...what.keeper!, host: 'elsewhere' },
    agent: { ...what.agent!, host: 'elsewhere' },
  };
  await assert.rejects(rescue(there), { code: 'elsewhere', message: /started on elsewhere/ });
  const { keeper: _, ...agentOnly } = there;
  await assert.rejects(rescue(agentOnly), { code: 'elsewhere' });
  await assert.rejects(connectKeeper(run.spec, { timeoutMs: 1000, keeper: there.keeper }), { code: 'elsewhere' });
  assert.equal(await endPreparation({ session: sessionId(), run: 1, keeper: there.keeper }), false);
  assert.equal(await signalGroup(there.agent, 'SIGKILL'), false);
  assert.deepEqual(await signalProcesses([there.agent, there.keeper], 'SIGKILL'), []);
  assert.ok(await isAlive(what.agent!));
  assert.equal(run.exitExists(), false);
  await keeper.stop();
});

test('lines that the keeper could not finish are closed, and a missing folder of files is no obstacle', async (t) => {
  const { run } = await started(t, WAIT);
  await run.printed('ready');
  const what = lost(run);
  await kill(what.keeper!);
  appendFileSync(path.join(run.folder, RUN_FILES.k), '{"at":1,"te');
  appendFileSync(path.join(run.folder, RUN_FILES.times), 'o 17000');
  rmSync(path.join(run.folder, RUN_FILES.spec));
  await rescue(what);
  const lines = run.text('k').split('\n');
  assert.ok(lines.includes('{"at":1,"te'));
  assert.ok(JSON.parse(lines.at(-2)!));
  assert.match(readFileSync(path.join(run.folder, RUN_FILES.times), 'utf8'), /\no 17000 torn\nk \d+ \d+\n/);
});

test('a git that makes the worktree since before the keeper started is ended with it', async (t) => {
  const session = sessionId();
  const start = async (): Promise<ProcessId> => {
    const env = { ...process.env, ...markerEnv(session, 1) };
    const child = spawn('sleep', ['1000'], { env, detached: true, stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    return (await processId(child.pid ?? 0))!;
  };
  const git = await start();
  const began = processClock();
  await until(() => processClock() > began + 1, { what: 'a later start' });
  const keeper = await start();
  assert.equal(await endPreparation({ session, run: 1, keeper }), true);
  assert.deepEqual([await isAlive(keeper), await isAlive(git)], [false, false]);
});
