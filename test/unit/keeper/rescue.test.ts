/** Turns whose keeper was killed: closed by a window, in the keeper's place. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { TURN_FILES } from '../../../src/keeper/protocol.ts';
import { endPreparation, rescue } from '../../../src/keeper/rescue.ts';
import type { LostTurn } from '../../../src/keeper/rescue.ts';

import { isAlive, processId, type ProcessId } from '../../../src/platform/process-id.ts';
import { processClock } from '../../../src/platform/process-table.ts';
import { markerEnv } from '../../../src/keeper/client.ts';
import { sessionId } from '../../../src/platform/ids.ts';
import { until } from '../support.ts';
import { prepare, started } from './support.ts';
import type { TestTurn } from './support.ts';

const WAIT = `process.on('SIGPIPE', () => {}); console.log('ready'); setInterval(() => {}, 1000)`;

async function kill(id: ProcessId): Promise<void> {
  process.kill(id.pid, 'SIGKILL');
  await until(async () => !(await isAlive(id)), { what: 'it dies' });
}

function lost(turn: TestTurn): LostTurn {
  const facts = turn.facts();
  const agent = facts.find((fact) => fact.type === 'agent.started');
  const { session, turn: number, worktree, expects, socket } = turn.spec;
  return {
    folder: turn.folder,
    session,
    turn: number,
    worktree,
    expects,
    keeper: { ...turn.fact('keeper.started').keeper, socket },
    ...(agent && { agent: { ...agent.agent, at: agent.at } }),
  };
}

test('the keeper was killed: its agent and what that started are ended, and the record says so', async (t) => {
  const agent = [
    'bash',
    '-c',
    'trap "" TERM; (setsid sleep 1000 >/dev/null 2>&1 &); echo ready; sleep 1000 & wait; wait; sleep 1000',
  ];
  const { turn } = await started(t, agent, { expects: ['a'] });
  await turn.printed('ready');
  writeFileSync(path.join(turn.spec.worktree, 'a'), '');
  const before = turn.times().length;
  const what = lost(turn);
  await kill(what.keeper!);

  const exit = await rescue(what);
  assert.deepEqual(await turn.left(), []);
  assert.match(exit.problem ?? '', /background process ended unexpectedly/);
  assert.equal(exit.startedAt, what.agent?.at);
  assert.deepEqual([exit.code, exit.signal], [null, null]);
  assert.deepEqual(exit.expected, [{ path: 'a', present: true }]);
  assert.deepEqual(turn.exit(), exit);
  assert.match(turn.notes(), /A window is closing the turn instead[^]*still running without its background process/);
  const times = turn.times();
  assert.ok(times.length > before);
  assert.deepEqual([times.at(-1)?.key, times.at(-1)?.end], ['k', turn.bytes('k').length]);
  assert.equal(statSync(turn.spec.socket, { throwIfNoEntry: false }), undefined);
});

test('both were killed', async (t) => {
  const { turn } = await started(t, WAIT);
  await turn.printed('ready');
  const what = lost(turn);
  await kill(what.keeper!);
  await kill(what.agent!);
  const exit = await rescue(what);
  assert.match(exit.problem ?? '', /how the agent ended is unknown/);
  assert.deepEqual(exit.survivors, []);
});

test('a second rescue gives the same record and writes nothing more', async (t) => {
  const { turn } = await started(t, WAIT);
  await turn.printed('ready');
  const what = lost(turn);
  await kill(what.keeper!);
  const first = await rescue(what);
  const notes = turn.notes();
  assert.deepEqual(await rescue(what), first);
  assert.equal(turn.notes(), notes);
});

test('several windows at once: one record, one of them writes', async (t) => {
  const { turn } = await started(t, WAIT);
  await turn.printed('ready');
  const what = lost(turn);
  await kill(what.keeper!);
  const [first, ...others] = await Promise.all([1, 2, 3, 4].map(() => rescue(what)));
  for (const exit of others) assert.deepEqual(exit, first);
  assert.deepEqual(turn.exit(), first);
  assert.deepEqual(await turn.left(), []);
  await until(() => turn.notes().includes('closing the turn'), { what: 'the note' });
  assert.equal(turn.notes().match(/closing the turn/g)?.length, 1);
});

test('the agent as only an earlier holder of its pid is not touched', async (t) => {
  const { turn } = await started(t, WAIT);
  await turn.printed('ready');
  const what = lost(turn);
  await kill(what.keeper!);
  await kill(what.agent!);
  // This process has the pid now, the start is another's.
  const exit = await rescue({ ...what, agent: { pid: process.pid, start: what.agent!.start, at: 1 } });
  assert.deepEqual(exit.survivors, []);
});

test('the keeper had written its record but not the fact: the record counts', async (t) => {
  const { turn, keeper } = await started(t, 'process.exit(9)');
  const exit = await keeper.ended;
  await until(async () => !(await isAlive(turn.fact('keeper.started').keeper)), { what: 'the keeper ends' });
  assert.deepEqual(await rescue(lost(turn)), exit);
});

test('the keeper died before it had started the agent', async (t) => {
  const turn = await prepare(t, WAIT);
  await turn.open();
  const what = lost(turn);
  await kill(what.keeper!);
  const exit = await rescue(what);
  assert.equal(exit.startedAt, null);
  assert.match(exit.problem ?? '', /before the agent started/);
});

test('the keeper died between the start of the agent and its fact: the marker finds the agent', async (t) => {
  const { turn } = await started(t, WAIT);
  await turn.printed('ready');
  const { agent, ...what } = lost(turn);
  assert.ok(agent);
  await kill(what.keeper!);
  const exit = await rescue(what);
  assert.equal(exit.survivors.length, 1);
  assert.deepEqual(await turn.left(), []);
});

test('a turn whose keeper lives is not rescued', async (t) => {
  const { turn, keeper } = await started(t, WAIT);
  await assert.rejects(rescue(lost(turn)), { code: 'keeper-alive' });
  await keeper.stop();
});

test('lines that the keeper could not finish are closed, and a missing folder of files is no obstacle', async (t) => {
  const { turn } = await started(t, WAIT);
  await turn.printed('ready');
  const what = lost(turn);
  await kill(what.keeper!);
  appendFileSync(path.join(turn.folder, RUN_FILES.k), '{"at":1,"te');
  appendFileSync(path.join(turn.folder, RUN_FILES.times), 'o 17000');
  rmSync(path.join(turn.folder, RUN_FILES.spec));
  await rescue(what);
  const lines = turn.notes().split('\n');
  assert.ok(lines.includes('{"at":1,"te'));
  assert.ok(JSON.parse(lines.at(-2)!));
  assert.match(readFileSync(path.join(turn.folder, RUN_FILES.times), 'utf8'), /\no 17000 torn\nk \d+ \d+\n/);
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
  assert.equal(await endPreparation({ session, turn: 1, keeper }), true);
  assert.deepEqual([await isAlive(keeper), await isAlive(git)], [false, false]);
});
