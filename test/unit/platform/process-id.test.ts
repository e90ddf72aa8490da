import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import {
  isAlive,
  isAliveNow,
  isSame,
  processId,
  processIdSync,
  readProcStat,
  selfId,
} from '../../../src/platform/process-id.ts';
import { tempDir, until } from '../support.ts';

test('this process has an identity that stays the same', async () => {
  const self = await selfId();
  assert.equal(self.pid, process.pid);
  assert.ok(isSame(self, (await processId(process.pid))!));
  assert.ok(await isAlive(self));
  assert.ok(isAliveNow(self));
});

test('another start is another process', async () => {
  const self = await selfId();
  const other = { ...self, start: `${self.start}0` };
  assert.equal(await isAlive(other), false);
  assert.equal(isAliveNow(other), false);
  assert.equal(isSame(self, other), false);
});

test('no process, no identity', async () => {
  for (const pid of [0, -1, 2 ** 22 + 1, NaN, 1.5]) assert.equal(await processId(pid), undefined);
});

test(
  'a name with blanks, parentheses and digits does not mislead',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const dir = await tempDir(t);
    const program = path.join(dir, ') S 1 2 (x)');
    copyFileSync('/bin/sleep', program);
    const child = spawn(program, ['1000']);
    t.after(() => child.kill('SIGKILL'));
    await new Promise((resolve) => child.once('spawn', resolve));
    const stat = await until(() => readProcStat(child.pid!), { what: 'its stat' });
    assert.equal(stat.parent, process.pid);
    assert.equal(stat.zombie, false);
    assert.ok(stat.ticks > readProcStat(process.pid)!.ticks - 1);
  },
);

test('a zombie counts as gone', { skip: process.platform !== 'linux' }, async (t) => {
  // The shell becomes a sleep, before its child ends, and a sleep never asks for the child that it inherits.
  const parent = spawn('bash', ['-c', 'sleep 0.5 & echo $!; exec sleep 1000'], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => parent.kill('SIGKILL'));
  const text = await new Promise<string>((resolve) =>
    parent.stdout.once('data', (data: Buffer) => resolve(data.toString())),
  );
  const pid = Number(text);
  const stat = await until(() => [readProcStat(pid)].find((one) => one?.zombie), { what: 'the zombie' });
  assert.equal(processIdSync(pid), undefined);
  assert.equal(await isAlive(stat.id), false);
});
