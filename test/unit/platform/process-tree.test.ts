import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { isAlive, processId, selfId } from '../../../src/platform/process-id.ts';
import type { ProcessId } from '../../../src/platform/process-id.ts';
import type { TableEntry } from '../../../src/platform/process-table.ts';
import { commandOf, processClock, startedAt } from '../../../src/platform/process-table.ts';
import { descendants, members, signalGroup, signalProcesses } from '../../../src/platform/process-tree.ts';
import { tempDir, until } from '../support.ts';

const posix = { skip: process.platform === 'win32' };

/** A process group of its own, running a bash script that ends with `echo ready` and a wait. */
async function family(t: TestContext, script: string): Promise<{ child: ChildProcess; id: ProcessId; marker: string }> {
  const mark = randomUUID();
  const child = spawn('bash', ['-c', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, MARK: mark },
  });
  const marker = `MARK=${mark}`;
  t.after(async () => signalProcesses(await descendants({ roots: [], marker }), 'SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return { child, id: (await processId(child.pid!))!, marker };
}

test('children and their children, by their parents', posix, async (t) => {
  const { id } = await family(t, '(env -i sleep 1000 & env -i sleep 1001 & wait) & echo ready; wait');
  await until(
    async () => {
      const found = await descendants({ roots: [id], marker: 'NONE=x' });
      const commands = await Promise.all(found.map(({ pid }) => commandOf(pid)));
      return found.length === 4 && commands.includes('sleep 1000') && commands.includes('sleep 1001');
    },
    { what: 'two shells and two sleeps' },
  );
});

test('a daemon by its marker, and no other process', posix, async (t) => {
  const { marker } = await family(t, '(setsid sleep 1000 >/dev/null &); echo ready; exit');
  const found = await until(
    async () => {
      const all = await descendants({ roots: [], marker });
      return all.length === 1 && all;
    },
    { what: 'only the daemon is left' },
  );
  assert.match(await commandOf(found[0]!.pid), /sleep 1000/);
  assert.deepEqual(await descendants({ roots: [], marker: marker.slice(0, -1) }), []);
  assert.deepEqual(await descendants({ roots: [], marker: `X${marker}` }), []);
});

test('a daemon that turns into another program all the time, by its marker at any moment', posix, async (t) => {
  // It goes on for as long as the folder is there.
  const folder = await tempDir(t);
  const again = '[ -e "$1" ] && exec bash -c "$0" "$0" "$1"';
  const { child, marker } = await family(
    t,
    `(setsid bash -c '${again}' '${again}' '${folder}' >/dev/null &); echo ready`,
  );
  if (child.exitCode === null) await once(child, 'exit');
  for (let looks = 0; looks < 50; looks++) assert.equal((await descendants({ roots: [], marker })).length, 1);
});

test('a root whose pid has come to another process leads nowhere', posix, async (t) => {
  const { id } = await family(t, 'sleep 1000 & echo ready; wait');
  assert.deepEqual(await descendants({ roots: [{ pid: id.pid, start: `${id.start}1` }], marker: 'NONE=x' }), []);
});

test('never this process or its ancestors', posix, async () => {
  const self = await selfId();
  const parent = (await processId(process.ppid))!;
  const found = await descendants({ roots: [self, parent], marker: 'NONE=x' });
  assert.ok(!found.some(({ pid }) => pid === self.pid || pid === parent.pid || pid <= 1));
  assert.deepEqual(await signalProcesses([self], 'SIGKILL'), []);
  assert.equal(await signalGroup({ pid: 1, start: (await processId(1))?.start ?? '' }, 'SIGTERM'), false);
});

test('signals reach only the process that is meant', posix, async (t) => {
  const { child, id } = await family(t, 'echo ready; exec sleep 1000');
  const other = { pid: id.pid, start: `${id.start}1` };
  assert.deepEqual(await signalProcesses([other], 'SIGKILL'), []);
  assert.equal(await signalGroup(other, 'SIGKILL'), false);
  assert.ok(await isAlive(id));
  const exit = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
  assert.deepEqual(await signalProcesses([id], 'SIGTERM'), [id]);
  assert.equal(await exit, 'SIGTERM');
  assert.deepEqual(await signalProcesses([id], 'SIGTERM'), []);
});

test('a group is signalled as a whole', posix, async (t) => {
  const { child, id } = await family(t, 'sleep 1000 & sleep 1000 & echo ready; wait');
  const exit = new Promise((resolve) => child.once('exit', resolve));
  assert.equal(await signalGroup(id, 'SIGKILL'), true);
  await exit;
  await until(
    async () =>
      (await descendants({ roots: [id], marker: 'NONE=x', endedGroup: { number: id.pid, at: Infinity } })).length === 0,
    {
      what: 'the group is gone',
    },
  );
});

test('the clock and the starts of processes have one scale', posix, async (t) => {
  const before = processClock();
  const { id } = await family(t, 'echo ready; exec sleep 1000');
  assert.ok(startedAt(id) >= before - 1 && startedAt(id) <= processClock());
});

test('the table: who belongs', () => {
  const entry = (pid: number, parent: number, group = 0, more: Partial<TableEntry> = {}): TableEntry => ({
    id: { pid, start: `s${pid}` },
    parent,
    group,
    startedAt: pid,
    marked: false,
    ...more,
  });
  const pids = (table: TableEntry[], family: Partial<Parameters<typeof members>[1]>, self = 999): number[] =>
    members(table, { roots: [], marker: '', ...family }, self).map(({ id }) => id.pid);
  const root = { pid: 10, start: 's10' };

  assert.deepEqual(pids([entry(10, 1), entry(11, 10), entry(12, 11), entry(13, 1)], { roots: [root] }), [10, 11, 12]);
  // A loop of parents, as pids that were reused can make it, comes to an end.
  assert.deepEqual(pids([entry(10, 11), entry(11, 10)], { roots: [root] }), [10, 11]);
  // A child that is older than its parent has got its number from an earlier one.
  assert.deepEqual(
    pids([entry(10, 1, 0, { startedAt: 50 }), entry(11, 10, 0, { startedAt: 40 })], { roots: [root] }),
    [10],
  );
  // Members of a group that a found process leads, but not of one that it merely is in.
  assert.deepEqual(pids([entry(10, 1, 10), entry(11, 1, 10), entry(12, 1, 12)], { roots: [root] }), [10, 11]);
  assert.deepEqual(pids([entry(10, 1, 5), entry(11, 1, 5)], { roots: [root] }), [10]);
  // The group of a leader that has ended: those who were there before.
  assert.deepEqual(pids([entry(11, 1, 10), entry(30, 1, 10)], { endedGroup: { number: 10, at: 20 } }), [11]);
  // Marked, wherever it stands; and its children.
  assert.deepEqual(pids([entry(20, 1, 0, { marked: true }), entry(21, 20)], {}), [20, 21]);
  // Not the asking process, its ancestors, or init, even if they are marked; but other children of its ancestors.
  const nested = [entry(1, 0), entry(20, 1, 0, { marked: true }), entry(21, 20), entry(22, 20, 0, { marked: true })];
  assert.deepEqual(pids(nested, {}, 21), [22]);
});
