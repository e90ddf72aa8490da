/** A disk that is full for a while: the agent waits, and nothing is lost. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../../../src/platform/process-id.ts';
import { tempDir, until } from '../support.ts';
import { started } from './support.ts';

/** A file system of 1 MiB, or undefined (and a word why) where none can be mounted. */
async function smallDisk(t: TestContext): Promise<string | undefined> {
  const folder = await tempDir(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder], { stdio: 'ignore' });
  } catch {
    t.skip('a tmpfs cannot be mounted here (it takes root on Linux)');
    return undefined;
  }
  t.after(() => execFileSync('umount', ['-l', folder]));
  return folder;
}

/** 3 MB in lines that are all different, then an exit. */
const AGENT = `for (let i = 0; i < 30000; i++) require('fs').writeSync(1, String(i).padStart(99, '.') + '\\n'); console.error('all said')`;
const ALL = Array.from({ length: 30_000 }, (_, i) => `${String(i).padStart(99, '.')}\n`).join('');

test('output: held back while the disk is full, complete when there is space', async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return;
  const { run, keeper } = await started(t, AGENT, { home: disk });
  await until(() => statfsSync(disk).bavail === 0, { what: 'the disk is full' });
  await delay(700);
  const { agent } = run.fact('agent.started');
  assert.ok(await isAlive(agent), 'the agent waits');
  await assert.rejects(keeper.send({ key: 'hello', text: 'hello' }), { code: 'disk' });

  execFileSync('mount', ['-o', 'remount,size=16m', disk]);
  const exit = await keeper.ended;
  assert.equal(exit.code, 0);
  assert.equal(run.text('o'), ALL);
  assert.equal(run.text('e'), 'all said\n');
  assert.match(
    run.notes(),
    /Could not write the agent's output \(ENOSPC\)\. The agent is paused until there is space\.[^]*being written again/,
  );
  const ends = { o: 0, e: 0, i: 0, k: 0 };
  for (const { key, end } of run.times()) ends[key] = end;
  for (const key of ['o', 'e', 'k'] as const) assert.equal(ends[key], run.bytes(key).length);
});

test('a stop works while the disk is full, and is answered when its record is written', async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return;
  const { run, keeper } = await started(t, `${AGENT}; setInterval(() => {}, 1000)`, { home: disk });
  await until(() => statfsSync(disk).bavail === 0, { what: 'the disk is full' });
  const { agent } = run.fact('agent.started');
  const stop = keeper.stop();
  await until(async () => !(await isAlive(agent)), { what: 'the agent ends' });
  execFileSync('mount', ['-o', 'remount,size=16m', disk]);
  const exit = await stop;
  assert.equal(exit.signal, 'SIGINT');
  assert.ok(ALL.startsWith(run.text('o')), 'what was printed before the end is there, in order');
  assert.deepEqual(run.exit(), exit);
});

test('facts: written when the journal has space again', async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return;
  const agent = `require('readline').createInterface({ input: process.stdin }).on('line', (l) => l === 'go' && process.exit(0))`;
  const { run, keeper } = await started(t, agent, {
    stdin: 'lines',
    prompt: 'p',
    journal: path.join(disk, 'journal.jsonl'),
  });
  const filler = path.join(disk, 'filler');
  try {
    writeFileSync(filler, Buffer.alloc(2 << 20));
  } catch {
    // Full, as it should be. What is left of the journal's page is filled by the journal itself.
  }
  writeFileSync(run.spec.journal, `${' '.repeat(4096 - 1)}\n`);
  await keeper.send({ key: 'go', text: 'go' });
  await until(() => run.exitExists(), { what: 'the exit record, which stands elsewhere' });
  await delay(300);
  assert.throws(() => run.fact('run.exited'));
  rmSync(filler);
  const exit = await keeper.ended;
  assert.deepEqual(run.fact('run.exited').exit, exit);
});
