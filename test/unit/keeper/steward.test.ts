/** What a keeper does when nobody acts for the repository: a small script stands in for who would. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { userEnv } from '../../../src/keeper/client.ts';
import { isAlive } from '../../../src/platform/process-id.ts';
import { tempDir, until } from '../support.ts';
import { ENTRY, prepare, type RunOptions, type TestRun } from './support.ts';

const WAIT = `console.log('ready'); setInterval(() => {}, 1000)`;
const entry = path.join(import.meta.dirname, 'lonely.ts');

/** Writes down its process, its environment and what it was given, each time that it is started. */
const STAND_IN = `
  const fs = require('fs');
  const given = fs.readFileSync(0, 'utf8');
  console.error('said to nobody');
  const session = fs.readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[3];
  fs.appendFileSync(process.argv[1], JSON.stringify({ pid: process.pid, session, given, env: process.env }) + '\\n');`;

interface Start {
  readonly pid: number;
  readonly session: string;
  readonly given: string;
  readonly env: NodeJS.ProcessEnv;
}

async function withStandIn(
  t: TestContext,
  options: RunOptions = {},
): Promise<{ run: TestRun; store: string; starts: () => Start[] }> {
  const store = path.join(await tempDir(t), 'store');
  mkdirSync(store);
  const told = path.join(store, 'told');
  const steward = { argv: [process.execPath, '-e', STAND_IN, told], folder: store, lease: 'lease' };
  const run = await prepare(t, WAIT, { entry, steward, ...options });
  const starts = (): Start[] =>
    existsSync(told)
      ? readFileSync(told, 'utf8')
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Start)
      : [];
  return { run, store, starts };
}

test('when none is connected, one is started, detached, with what was to be remembered, and later another', async (t) => {
  const { run, store, starts } = await withStandIn(t, { processEnv: { MINE: 'yes', NODE_OPTIONS: '--no-warnings' } });
  const keeper = await run.open();
  // Nobody is needed before there is an agent.
  await delay(700);
  assert.deepEqual(starts(), []);
  await keeper.start({ env: { AGENTS: 'own-secret' }, later: 'first-secret' });
  const [first] = await until(() => (starts().length > 0 ? starts() : undefined), { what: 'one is started' });
  assert.equal(first?.given, 'first-secret');
  assert.equal(Number(first.session), first.pid, 'it leads a session of its own');
  const { MINE, AGENTS, NODE_OPTIONS } = userEnv(first.env);
  assert.deepEqual([MINE, AGENTS, NODE_OPTIONS], ['yes', undefined, '--no-warnings']);
  assert.equal(readFileSync(path.join(store, 'steward.err'), 'utf8'), 'said to nobody\n');
  assert.equal(statSync(path.join(store, 'steward.err')).mode & 0o777, 0o600);

  await keeper.remember('second-secret');
  const all = await until(() => (starts().length > 1 ? starts() : undefined), { what: 'another is started' });
  assert.equal(all[1]?.given, 'second-secret');

  // None while one is connected, and again one when that is gone.
  const steward = await run.connect({ steward: true });
  const before = starts().length;
  await delay(1500);
  assert.ok(starts().length <= before + 1, 'the last one may just have been on its way');
  const then = starts().length;
  await delay(1500);
  assert.equal(starts().length, then);
  steward.dispose();
  await until(() => starts().length > then, { what: 'one is started when the other is gone' });

  await keeper.stop();
  for (const file of readdirSync(run.folder)) {
    assert.doesNotMatch(readFileSync(path.join(run.folder, file), 'utf8'), /secret/, file);
  }
  assert.doesNotMatch(readFileSync(run.spec.journal, 'utf8'), /secret/);
});

test('an agent that ends while none is connected has one started for what is to be done next, and only then', async (t) => {
  // The keeper as it is: it would have waited longer than this agent takes.
  const { run, starts } = await withStandIn(t, { entry: ENTRY });
  const alone = await run.open();
  await alone.start({ later: 'first-secret' });
  await alone.stop();
  const [first] = await until(() => (starts().length > 0 ? starts() : undefined), { what: 'one is started' });
  assert.equal(first?.given, 'first-secret');

  const other = await withStandIn(t, { entry: ENTRY });
  const keeper = await other.run.open();
  await keeper.start();
  await other.run.connect({ steward: true });
  await keeper.stop();
  await until(async () => !(await isAlive(other.run.fact('keeper.started').keeper)), { what: 'the keeper ends' });
  assert.deepEqual(other.starts(), []);
});

test('one that cannot be started is told in the log, and what it would have been given is bounded', async (t) => {
  const { run, store } = await withStandIn(t);
  const steward = { argv: ['/no/such/program'], folder: store, lease: '' };
  const other = await prepare(t, WAIT, { entry, steward });
  const keeper = await other.open();
  await keeper.start();
  await until(() => other.notes().includes('ENOENT'), { what: 'the note' });
  await assert.rejects(keeper.remember('x'.repeat(1024 * 1024 + 1)), { code: 'too-long' });
  assert.ok(await isAlive(other.fact('agent.started').agent));
  await keeper.stop();
  assert.equal(run.exitExists(), false);
});
