import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readerFor } from '../../../src/agents/registry.ts';
import { Recorder } from '../../../src/keeper/recorder.ts';
import { ALL_ROWS, type Activity } from '../../../src/protocol/rows.ts';
import { LiveSession } from '../../../src/timeline/live-session.ts';
import { SessionReader } from '../../../src/timeline/session-reader.ts';
import { Timelines, type TimelinesOptions } from '../../../src/timeline/timelines.ts';
import { tempDir, until } from '../support.ts';
import { lasting, quiet, rebuilt, source, RunWriter, WASM } from './support.ts';

const WORKER = new URL('../../../src/timeline/worker.ts', import.meta.url);

function timelines(t: TestContext, { worker = WORKER, wasm = WASM, ...more }: Partial<TimelinesOptions> = {}) {
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  const log = { debug: say, info: say, warn: say, error: say };
  const all = new Timelines({ worker, wasm, log, ...more });
  t.after(() => all.dispose());
  const activities: Activity[] = [];
  const waiting = new Set<() => void>();
  all.onActivity((activity) => {
    activities.push(activity);
    for (const look of [...waiting]) look();
  });
  /** The first activity, of those that came and those that come, for which `holds` is true. */
  const activity = (holds: (activity: Activity) => boolean): Promise<Activity> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = activities.find(holds);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { all, said, activities, activity };
}

test('a live session tells of its output, and is judged when it is over', async (t) => {
  const folder = await tempDir(t);
  const { all, activity, said } = timelines(t);
  const turn = new RunWriter(folder);
  const close = all.open(source(folder, 'text', false));
  await activity(({ rows }) => rows === 1);
  turn.chunk('o', 'one\ntwo\n');
  const two = await activity(({ rows }) => rows === 3);
  assert.deepEqual([two.lastLine, two.lastEventAt, two.retrying], ['two', 2000, false]);
  const delta = await all.delta('ses_test', 1, ALL_ROWS);
  assert.deepEqual(
    delta.appended.map(({ text }) => text.text),
    ['one', 'two'],
  );
  assert.equal((await all.row('ses_test', 3))?.text.text, 'two');
  assert.equal(await all.row('ses_test', 9), undefined);
  assert.equal(await all.text('ses_test', 2, 'text'), 'one');
  await assert.rejects(all.text('ses_test', 9, 'text'), { code: 'no-row' });
  await assert.rejects(all.judge('ses_test', 1), { code: 'turn-not-over' });

  turn.chunk('o', 'three');
  turn.exit();
  all.update(source(folder, 'text', true));
  const judgement = await all.judge('ses_test', 1);
  assert.equal(judgement.outcome, 'completed');
  assert.equal((await all.page('ses_test', ALL_ROWS, -1, 1)).rows[0]?.kind, 'turn-end');
  await until(() => existsSync(path.join(folder, 'timeline.db')), { what: 'a snapshot of the idle session' });
  close();
  await assert.rejects(all.page('ses_test', ALL_ROWS, 0, 1), { code: 'timeline-closed' });
  assert.deepEqual(said, []);
});

test('what a turn came to is told before its judgement, for who closes the session with that', async (t) => {
  const { all, activities } = timelines(t);
  for (let trial = 0; trial < 10; trial++) {
    const folder = await tempDir(t);
    const turn = new RunWriter(folder);
    const close = all.open(source(folder, 'text', false));
    await until(() => activities.some(({ rows = 0 }) => rows > 0), { what: 'a first activity' });
    // Soon after the first activity, so that the next one would have to rest.
    turn.chunk('o', 'the last words\n');
    turn.exit();
    all.update(source(folder, 'text', true));
    await all.judge('ses_test', 1);
    close();
    assert.equal(activities.at(-1)?.lastLine, 'the last words');
    activities.length = 0;
  }
});

test('a session is open until the last of its users closes it', async (t) => {
  const folder = await tempDir(t);
  new RunWriter(folder).chunk('o', 'x\n');
  const { all } = timelines(t);
  const of = source(folder, 'text', false);
  const [first, second] = [all.open(of), all.open(of)];
  first();
  first();
  assert.equal((await all.page('ses_test', ALL_ROWS, 0, 0)).total >= 0, true);
  second();
  await assert.rejects(all.page('ses_test', ALL_ROWS, 0, 1), { code: 'timeline-closed' });
});

test('what real processes print, byte by byte, arrives whole', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  const recorder = new Recorder(turn.folder);
  const { all, activity } = timelines(t);
  all.open(source(folder, 'text', false));
  const script = `const text = Buffer.from('grüße 😀 €\\n'.repeat(20) + 'last');
    (async () => { for (const byte of text) { process.stdout.write(Buffer.of(byte)); process.stderr.write('e\\n');
    await new Promise((next) => setImmediate(next)); } })();`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', (data: Buffer) => recorder.chunk('o', data));
  child.stderr.on('data', (data: Buffer) => recorder.chunk('e', data));
  await new Promise((resolve) => child.once('close', resolve));
  recorder.close();
  const of = source(folder, 'text', true);
  turn.exit();
  all.update(of);
  await all.judge('ses_test', 1);
  const { rev = 0 } = await activity(({ lastLine, rows = 0 }) => lastLine === 'last' && rows > 200);
  assert.ok(rev > 0);
  const { rows, total } = await all.page('ses_test', ALL_ROWS, 0, 1000);
  assert.equal(rows.length, total);
  assert.deepEqual(lasting(rows), lasting(await rebuilt(of)));
  const output = rows.filter(({ kind }) => kind === 'output').map(({ text }) => text.text);
  assert.deepEqual(output, [...Array<string>(20).fill('grüße 😀 €'), 'last']);
});

test('a question that cannot be read is refused at once', async (t) => {
  const folder = await tempDir(t);
  const { all } = timelines(t);
  new RunWriter(folder).exit();
  const close = all.open(source(folder, 'text', true));
  t.after(close);
  const invalid = { name: 'TreelineError', code: 'invalid' };
  for (const from of [NaN, Infinity, -Infinity, {}, null, 'x', () => 0] as number[]) {
    await assert.rejects(all.page('ses_test', ALL_ROWS, from, 1), invalid, String(from));
  }
  for (const count of [NaN, -1, 1.5, undefined, Symbol.iterator] as number[]) {
    await assert.rejects(all.page('ses_test', ALL_ROWS, 0, count), invalid, String(count));
  }
  await assert.rejects(all.delta('ses_test', -1, ALL_ROWS), invalid);
  await assert.rejects(all.row('ses_test', 0.5), invalid);
  await assert.rejects(all.text('ses_test', 1, 'all' as 'text'), invalid);
  assert.equal((await all.page('ses_test', ALL_ROWS, 0, 1)).total, 2, 'what can be read is answered');
});

test('a question that takes long is answered, as long as the worker gives a sign of life', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  turn.chunk('o', Array.from({ length: 200_000 }, (_, n) => `line ${n}\n`).join(''));
  turn.exit();
  const { all, activity } = timelines(t, { silenceMs: 1000 });
  all.open(source(folder, 'text', true));
  await activity(({ rows = 0 }) => rows > 200_000);
  const before = performance.now();
  const { total } = await all.page('ses_test', { groups: [], query: '199999' }, 0, 10);
  t.diagnostic(`answered after ${Math.round(performance.now() - before)} ms`);
  assert.equal(total, 1);
});

test('a question is refused when the rows are dropped while it is answered, and the session is followed on', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  turn.chunk('o', Array.from({ length: 50_000 }, (_, n) => `line ${n}\n`).join(''));
  const { all, activity } = timelines(t);
  all.follow(source(folder, 'text', false));
  const close = all.open(source(folder, 'text', false));
  await activity(({ rows = 0 }) => rows > 50_000);
  const page = assert.rejects(all.page('ses_test', { groups: [], query: '49999' }, 0, 10), { code: 'timeline-closed' });
  close();
  await page;
  turn.chunk('o', 'after\n');
  all.hint('ses_test');
  await activity(({ lastLine }) => lastLine === 'after');
});

test('a worker that crashes is started again, and no question is lost', async (t) => {
  const folder = await tempDir(t);
  const wasm = path.join(folder, 'sql.wasm');
  copyFileSync(WASM, wasm);
  const { all, activity, said } = timelines(t, { worker: new URL('crashing-worker.ts', import.meta.url), wasm });
  const turn = new RunWriter(folder);
  turn.chunk('o', 'before\n');
  all.open(source(folder, 'text', false));
  const { epoch } = await activity(({ rows }) => rows === 2);
  for (let round = 0; round < 3; round++) {
    writeFileSync(`${wasm}.crash`, '');
    const answers: Promise<unknown>[] = [];
    await until(
      () => {
        answers.push(all.page('ses_test', ALL_ROWS, 0, 1));
        return !existsSync(`${wasm}.crash`);
      },
      { what: 'the crash' },
    );
    await Promise.all(answers);
  }
  turn.chunk('o', 'after\n');
  const after = await activity(({ rows }) => rows === 3);
  assert.equal(after.lastLine, 'after');
  assert.notEqual(after.epoch, epoch);
  assert.ok(said.some((message) => message.includes('started again')));
});

test('where no rows can be made, questions about them are refused, and agents are followed all the same', async (t) => {
  const folder = await tempDir(t);
  const { all, said, activity } = timelines(t, { wasm: path.join(folder, 'none.wasm') });
  all.open(source(folder, 'text', false));
  await assert.rejects(all.page('ses_test', ALL_ROWS, 0, 1), { name: 'TreelineError', code: 'no-rows' });
  new RunWriter(path.join(folder, 'followed')).chunk('o', 'one\n');
  all.follow({ ...source(path.join(folder, 'followed'), 'text', false), session: 'followed' });
  assert.equal(
    (await activity(({ session, lastLine }) => session === 'followed' && lastLine !== undefined)).lastLine,
    'one',
  );
  assert.ok(said.some((message) => message.includes('none.wasm')));

  // The same of one that is looked at, too.
  const both = source(path.join(folder, 'both'), 'text', false);
  const turn = new RunWriter(both.folder);
  all.open({ ...both, session: 'both' });
  all.follow({ ...both, session: 'both' });
  await assert.rejects(all.page('both', ALL_ROWS, 0, 1), { code: 'no-rows' });
  turn.chunk('o', 'two\n');
  turn.exit();
  all.update({ ...source(both.folder, 'text', true), session: 'both' });
  assert.equal((await all.judge('both', 1)).outcome, 'completed');
  await activity(({ session, lastLine }) => session === 'both' && lastLine === 'two');
});

test('disposing answers what is open and ends the worker', async (t) => {
  const folder = await tempDir(t);
  const { all } = timelines(t);
  all.open(source(folder, 'text', false));
  const page = assert.rejects(all.page('ses_test', ALL_ROWS, 0, 1), { code: 'timeline-closed' });
  await all.dispose();
  await page;
  await all.dispose();
});

test('each printed line is told of by itself, also while 20 others print', { timeout: 60_000 }, async (t) => {
  const base = await tempDir(t);
  const { all } = timelines(t);
  const seen = new Set<number>();
  const others = Array.from({ length: 20 }, (_, i) => new RunWriter(path.join(base, `other${i}`)));
  for (const [i, other] of others.entries()) {
    all.open({ ...source(path.dirname(path.dirname(other.folder)), 'text', false), session: `other${i}` });
  }
  const turn = new RunWriter(path.join(base, 'mine'));
  all.open({ ...source(path.join(base, 'mine'), 'text', false), session: 'mine' });
  all.onActivity(({ session, rows }) => {
    if (session === 'mine') seen.add(rows ?? 0);
  });
  await all.page('mine', ALL_ROWS, 0, 1);
  // Printed by another process, so that its work is not in the way of what is measured.
  const noise = spawn(process.execPath, [
    fileURLToPath(new URL('noise.ts', import.meta.url)),
    ...others.map(({ folder }) => folder),
  ]);
  t.after(() => noise.kill());
  await until(() => existsSync(others[19]!.file('o')), { what: 'noise' });
  for (let line = 0; line < 60; line++) {
    turn.chunk('o', `line ${line}\n`);
    await until(() => seen.has(line + 2), { what: `line ${line}` });
  }
  noise.kill();
  assert.ok((await readFile(others[0]!.file('times'), 'utf8')).length > 0);
  rmSync(path.join(base, 'mine', 'runs'), { recursive: true });
});

test('a hint wakes a session of which the file system tells nothing', async (t) => {
  const folder = await tempDir(t);
  new RunWriter(folder).chunk('o', 'one\n');
  let woken = Promise.withResolvers<undefined>();
  const reader = new SessionReader(readerFor('text'), source(folder, 'text', false));
  const live = new LiveSession(
    reader,
    { rows: false, hinted: true },
    {
      wake: () => woken.resolve(undefined),
      tell: () => undefined,
      index: () => assert.fail('nobody asks for rows'),
      log: { ...quiet, error: (message: string) => assert.fail(message) },
    },
  );
  t.after(() => live.close());
  await woken.promise;
  live.run(Infinity);
  woken = Promise.withResolvers();
  live.hint();
  await woken.promise;
});
