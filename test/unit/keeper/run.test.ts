/** What a run leaves behind when its agent comes to its end by itself. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectKeeper } from '../../../src/keeper/client.ts';
import { RUN_FILES, type KeeperNote } from '../../../src/keeper/protocol.ts';
import { isAlive } from '../../../src/platform/process-id.ts';
import { textOf } from '../../../src/words/saying.ts';
import { until } from '../support.ts';
import { prepare, started } from './support.ts';

test('a run is recorded: facts, output, exit', async (t) => {
  const { run, keeper } = await started(t, 'console.log("out"); console.error("err"); process.exitCode = 3');
  const exit = await keeper.ended;
  await keeper.closed;
  assert.equal(exit.code, 3);
  assert.equal(exit.signal, null);
  assert.equal(exit.problem, undefined);
  assert.equal(exit.stop, undefined);
  assert.deepEqual(exit.survivors, []);
  assert.deepEqual(run.exit(), exit);
  assert.equal(run.text('o'), 'out\n');
  assert.equal(run.text('e'), 'err\n');
  assert.deepEqual(
    run.facts().map(({ type }) => type),
    ['keeper.started', 'agent.started', 'run.exited'],
  );
  assert.deepEqual(run.fact('run.exited').exit, exit);
  assert.match(run.notes(), /exited with code 3/);
  const notes = run.text('k').trimEnd().split('\n');
  assert.deepEqual(
    notes.map((note) => (JSON.parse(note) as KeeperNote).exit).filter((note) => note !== undefined),
    [{ code: 3, signal: null }],
  );
  for (const name of Object.values(RUN_FILES)) {
    assert.equal(statSync(path.join(run.folder, name)).mode & 0o777, 0o600, name);
  }
  // The keeper and its socket are gone.
  await until(async () => !(await isAlive(run.fact('keeper.started').keeper)), { what: 'the keeper ends' });
  assert.equal(statSync(run.spec.socket, { throwIfNoEntry: false }), undefined);
});

test('the end by a signal is told by its name', async (t) => {
  const { keeper } = await started(t, 'process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 10000)');
  const exit = await keeper.ended;
  assert.deepEqual([exit.code, exit.signal], [null, 'SIGTERM']);
  assert.equal(exit.stop, undefined);
});

test('an agent that cannot be started is a record with a plain sentence', async (t) => {
  for (const [argv, problem] of [
    [['no-such-program'], /“no-such-program” .*was not found/],
    [['./plain.txt'], /is not executable/],
    [['true', 'x'.repeat(3 * 1024 * 1024)], /longer than the system allows/],
  ] as const) {
    const run = await prepare(t, argv);
    writeFileSync(path.join(run.spec.worktree, 'plain.txt'), 'text');
    chmodSync(path.join(run.spec.worktree, 'plain.txt'), 0o644);
    const keeper = await run.open();
    await assert.rejects(keeper.start(), problem);
    const exit = await keeper.ended;
    assert.equal(exit.startedAt, null);
    assert.match(textOf(exit.problem ?? ''), problem);
    assert.deepEqual(
      run.facts().map(({ type }) => type),
      ['keeper.started', 'run.exited'],
    );
  }
});

test('a missing prompt is told as such, and nothing runs', async (t) => {
  for (const stdin of ['prompt', 'lines'] as const) {
    const run = await prepare(t, ['sleep', '1000'], { stdin });
    rmSync(run.spec.prompt);
    const keeper = await run.open();
    await assert.rejects(keeper.start(), { code: 'no-prompt' });
    assert.deepEqual(await run.left(), []);
  }
});

test('a missing worktree is told as such', async (t) => {
  const run = await prepare(t, ['true'], { worktree: '/nowhere/at/all' });
  const keeper = await run.open();
  await assert.rejects(keeper.start(), /nowhere.* is not a folder/);
});

test('the environment is the given one, with the run and without what made the keeper run', async (t) => {
  const { run, keeper } = await started(t, 'console.log(JSON.stringify(process.env))', {
    processEnv: { ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '--no-warnings', MALLOC_ARENA_MAX: '3', MINE: 'yes' },
    run: 7,
  });
  await keeper.ended;
  const { PATH, HOME, ...env } = JSON.parse(run.text('o')) as Record<string, string>;
  assert.ok(PATH && HOME);
  assert.deepEqual(env, {
    NODE_OPTIONS: '--no-warnings',
    MALLOC_ARENA_MAX: '3',
    MINE: 'yes',
    TREELINE_SESSION: run.spec.session,
    TREELINE_RUN: '7',
    TREELINE_MARK: `${run.spec.session}/7`,
  });
});

test('what an agent is given for itself reaches it alone, and stands in no file and no other process', async (t) => {
  const agent = 'console.log(JSON.stringify(process.env)); setInterval(() => {}, 1000)';
  const run = await prepare(t, agent, { processEnv: { MINE: 'yes' } });
  const client = await run.open();
  await client.start({ env: { API_KEY: 'a-secret', MINE: 'another' } });
  await run.printed('}');
  const env = JSON.parse(run.text('o')) as Record<string, string>;
  assert.deepEqual([env['API_KEY'], env['MINE']], ['a-secret', 'another']);
  const { pid } = run.fact('keeper.started').keeper;
  assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'latin1'), /a-secret/);
  assert.doesNotMatch(readFileSync(`/proc/${pid}/cmdline`, 'latin1'), /a-secret/);
  await client.stop();
  for (const name of Object.values(RUN_FILES)) {
    if (name !== RUN_FILES.o) assert.doesNotMatch(readFileSync(path.join(run.folder, name), 'utf8'), /a-secret/, name);
  }
  assert.doesNotMatch(readFileSync(run.spec.journal, 'utf8'), /a-secret/);
});

test('variables that the keeper sets for itself do not reach an agent whose user has none', async (t) => {
  const { run, keeper } = await started(t, 'console.log(Object.keys(process.env).join())');
  await keeper.ended;
  assert.equal(run.text('o'), 'PATH,HOME,TREELINE_SESSION,TREELINE_RUN,TREELINE_MARK\n');
});

test('expected files: there, missing, outside the worktree, behind a link', async (t) => {
  const run = await prepare(t, 'require("fs").writeFileSync("report.md", "")', {
    expects: ['report.md', 'missing.md', '../run/spec.json', 'out/spec.json', '.', 'sub/dangling'],
  });
  symlinkSync(run.folder, path.join(run.spec.worktree, 'out'));
  mkdirSync(path.join(run.spec.worktree, 'sub'));
  symlinkSync('nowhere', path.join(run.spec.worktree, 'sub', 'dangling'));
  const keeper = await run.open();
  await keeper.start();
  const { expected } = await keeper.ended;
  assert.deepEqual(
    expected.map(({ present }) => present),
    [true, false, false, false, false, true],
  );
});

test('a prompt of 1 MB arrives on stdin, byte for byte, then the end', async (t) => {
  const prompt = 'prömpt\n'.repeat(130_000);
  const { run, keeper } = await started(t, ['cat'], { prompt, stdin: 'prompt' });
  assert.equal((await keeper.ended).code, 0);
  assert.equal(run.text('o'), prompt);
});

test('stdin is at its end when it is closed', async (t) => {
  const { run, keeper } = await started(t, ['cat'], { prompt: 'unseen' });
  assert.equal((await keeper.ended).code, 0);
  assert.equal(run.text('o'), '');
});

test('times.log orders the chunks of all streams and never runs ahead of the files', async (t) => {
  const script = `
    const { writeSync } = require('fs');
    let n = 0;
    const timer = setInterval(() => {
      for (let i = 0; i < 20; i++) writeSync(n % 3 === 0 ? 2 : 1, 'line ' + n++ + '\\n');
      if (n >= 2000) clearInterval(timer);
    }, 5);`;
  const { run, keeper } = await started(t, script);
  const over = keeper.ended.then(() => true);
  let looks = 0;
  do {
    // The times first: what they tell of must be on disk by then.
    const last = new Map(run.times().map(({ key, end }) => [key, end]));
    for (const [key, end] of last) assert.ok(run.bytes(key).length >= end);
    looks++;
  } while (!(await Promise.race([over, delay(5, false)])));
  assert.ok(looks > 5);
  const ends = { o: 0, e: 0, i: 0, k: 0 };
  for (const { key, end } of run.times()) {
    assert.ok(end > ends[key], 'offsets grow');
    ends[key] = end;
  }
  for (const key of ['o', 'e', 'k'] as const) assert.equal(ends[key], run.bytes(key).length);
  const numbers = (key: 'o' | 'e'): number[] => [...run.text(key).matchAll(/line (\d+)\n/g)].map((m) => Number(m[1]));
  const [out, err] = [numbers('o'), numbers('e')];
  assert.equal(out.length + err.length, 2000);
  assert.deepEqual(
    out,
    out.toSorted((a, b) => a - b),
  );
  assert.deepEqual(
    err,
    err.toSorted((a, b) => a - b),
  );
});

test('lines that come steadily are on disk while they come', async (t) => {
  const script = `setInterval(() => require('fs').writeSync(1, Date.now() + '\\n'), 4)`;
  const { run, keeper } = await started(t, script);
  await until(() => run.bytes('o').length > 3000, { what: '200 lines' });
  await keeper.stop();
});

test('requests are answered while the agent prints all the time', async (t) => {
  const script = `setInterval(() => require('fs').writeSync(1, 'a line\\n'), 2)`;
  const { run, keeper } = await started(t, script);
  await until(() => run.times().length > 10, { what: 'it is read in larger pieces' });
  let most = 0;
  for (let round = 0; round < 50; round++) {
    // How many answers come before the next piece of output is read.
    const before = run.times().length;
    let answers = 0;
    for (; run.times().length === before; answers++) await keeper.start();
    most = Math.max(most, answers);
  }
  assert.ok(most >= 4, `${most} answers between two reads`);
  await keeper.stop();
});

test('an agent that prints short lines as fast as it can does not wait for rests', async (t) => {
  const script = `for (let i = 0; i < 50_000; i++) require('fs').writeSync(1, 'x\\n')`;
  const { run, keeper } = await started(t, script);
  assert.equal((await keeper.ended).code, 0);
  assert.equal(run.bytes('o').length, 100_000);
  const at = run.times().filter(({ key }) => key === 'o');
  // A pipe holds some 200 of them: with a rest for each 200 it would be 250 rests of 96 ms.
  assert.ok(at.at(-1)!.at - at[0]!.at < 15_000);
});

test('100 MB pass through unchanged, and the keeper does not grow with them', async (t) => {
  const script = `
    const { createHash, randomBytes } = require('crypto');
    const { writeSync } = require('fs');
    const hash = createHash('sha256');
    const block = randomBytes(1 << 20);
    for (let i = 0; i < 100; i++) {
      block.writeUInt32LE(i, i * 4);
      hash.update(block);
      for (let at = 0; at < block.length; ) at += writeSync(1, block, at);
    }
    writeSync(2, hash.digest('hex'));`;
  const { run, keeper } = await started(t, script);
  const pid = run.fact('keeper.started').keeper.pid;
  let most = 0;
  const timer = setInterval(() => {
    const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    most = Math.max(most, Number(rss));
  }, 20);
  const exit = await keeper.ended.finally(() => clearInterval(timer));
  assert.equal(exit.code, 0);
  assert.equal(createHash('sha256').update(run.bytes('o')).digest('hex'), run.text('e'));
  assert.ok(most > 0 && most < 160 * 1024, `${Math.round(most / 1024)} MiB resident`);
});

test('what was printed just before the end is not lost', async (t) => {
  // More than a pipe holds, at once, by a process that does not wait for it to be read.
  const script = `process.stdout.write('x'.repeat(60000) + 'end'); process.exit(0)`;
  for (let round = 0; round < 5; round++) {
    const { run, keeper } = await started(t, script);
    await keeper.ended;
    assert.equal(run.bytes('o').length, 60003);
  }
});

test('the agent goes on, and is recorded, when the process that launched the keeper is killed', async (t) => {
  const run = await prepare(t, 'let n = 0; setInterval(() => { console.log(n); if (++n > 40) process.exit(0) }, 10)');
  const launcher = fileURLToPath(new URL('launcher.ts', import.meta.url));
  const window = spawn(process.execPath, [launcher, run.folder], { stdio: 'ignore' });
  await until(() => statSync(path.join(run.folder, RUN_FILES.o), { throwIfNoEntry: false }), { what: 'the keeper' });
  await run.printed('3\n');
  window.kill('SIGKILL');
  await new Promise((resolve) => window.once('exit', resolve));

  const later = await connectKeeper(run.spec, { timeoutMs: 5000 });
  const exit = await later.ended;
  assert.equal(exit.code, 0);
  assert.equal(run.text('o'), Array.from({ length: 41 }, (_, n) => `${n}\n`).join(''));
});
