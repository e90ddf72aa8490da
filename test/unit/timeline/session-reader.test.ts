import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readerFor } from '../../../src/agents/registry.ts';
import { LiveSession } from '../../../src/timeline/live-session.ts';
import type { Activity, Status } from '../../../src/protocol/rows.ts';
import { SessionIndex } from '../../../src/timeline/session-index.ts';
import { SessionReader } from '../../../src/timeline/session-reader.ts';
import { ALL_ROWS } from '../../../src/protocol/rows.ts';
import type { TimelineSource } from '../../../src/timeline/source.ts';
import { formatOf, recordings } from '../agents/recordings.ts';
import { seeded } from '../../support/seeded.mts';
import { tempDir } from '../support.ts';
import { allRows, drain, lasting, openIndex, quiet, rebuilt, source, sqlJs, RunWriter } from './support.ts';

const captures = fileURLToPath(new URL('../../fixtures/captures', import.meta.url));

const stdoutOf = (name: string): Buffer => readFileSync(path.join(captures, `${name}.jsonl`));

function openReader(of: TimelineSource): SessionReader {
  return new SessionReader(readerFor(of.format), of);
}

function readAll(reader: SessionReader): void {
  while (reader.read(Infinity) === 'more');
}

test('without rows, every recording comes to the same, at each step of it', async (t) => {
  assert.ok(recordings.length > 50);
  for (const [seed, name] of recordings.entries()) {
    const format = formatOf(name);
    const stdout = stdoutOf(name);
    const random = seeded(seed);
    const folder = await tempDir(t);
    const turn = new RunWriter(folder);
    const of = source(folder, format, false);
    const [index, reader] = [await openIndex(of), openReader(of)];
    const step = (): Status => {
      drain(index);
      readAll(reader);
      assert.deepEqual(reader.status(), index.reader.status(), name);
      return reader.status();
    };
    for (let at = 0; at < stdout.length;) {
      const end = Math.min(stdout.length, at + 1 + Math.floor(random() * stdout.length * 0.4));
      turn.chunk('o', stdout.subarray(at, end));
      at = end;
      step();
    }
    turn.chunk('e', 'something went wrong\n');
    turn.exit();
    index.update(source(folder, format, true));
    reader.update(source(folder, format, true));
    const { turn: last } = step();
    assert.deepEqual(last?.ended, reader.judgement(1), name);
    assert.ok(last?.ended !== undefined, name);
    index.close();
    reader.close();
  }
});

test('without rows, the turns of one run and of several come to the same', async (t) => {
  const folder = await tempDir(t);
  const of = source(folder, 'codex', true, true, true);
  for (const run of [1, 2, 3]) {
    const turn = new RunWriter(folder, run);
    turn.chunk('o', stdoutOf(recordings.find((name) => formatOf(name) === 'codex')!));
    turn.exit();
  }
  const [index, reader] = [await openIndex(of), openReader(of)];
  drain(index);
  readAll(reader);
  assert.deepEqual(reader.status(), index.reader.status());
  for (const turn of [1, 2, 3]) assert.deepEqual(reader.judgement(turn), index.reader.judgement(turn));
  index.close();
});

/** A session as the worker holds it, whose work is done when the test says so. */
async function liveSession(t: TestContext, of: TimelineSource) {
  const told: Activity[] = [];
  const woken = { is: false };
  const sql = await sqlJs();
  const live = new LiveSession(
    openReader(of),
    { rows: false, hinted: true },
    {
      wake: () => (woken.is = true),
      tell: (activity) => told.push(activity),
      index: (source) => Promise.resolve(new SessionIndex(sql, readerFor(source.format), source, quiet)),
      log: { ...quiet, error: (message) => assert.fail(message) },
    },
  );
  t.after(() => live.close());
  /** Works until there is nothing to do; undefined where nothing woke it. */
  const work = (): boolean => {
    const had = woken.is;
    while (woken.is) woken.is = live.run(Infinity);
    return had;
  };
  return { live, told, work };
}

test('rows are made only while somebody asks for them, and what is told does not go back meanwhile', async (t) => {
  const folder = await tempDir(t);
  const of = source(folder, 'text', false);
  const turn = new RunWriter(folder);
  const { live, told, work } = await liveSession(t, of);
  turn.chunk('o', 'one\n');
  work();
  assert.deepEqual(
    told.map(({ lastLine, rows }) => [lastLine, rows]),
    [['one', undefined]],
  );
  assert.throws(() => live.rows(), { code: 'timeline-closed' });

  live.use({ rows: true, hinted: true });
  const index = await live.rows();
  work();
  assert.equal(allRows(index).length, 2);
  for (const { lastLine } of told) assert.equal(lastLine, 'one');

  live.use({ rows: false, hinted: true });
  assert.throws(() => live.rows(), { code: 'timeline-closed' });
  turn.chunk('o', 'two\n');
  live.hint();
  await new Promise((resolve) => setTimeout(resolve, 100));
  work();
  turn.exit();
  live.update(source(folder, 'text', true));
  work();
  assert.deepEqual((await live.judge(1)).outcome, 'completed');
  assert.deepEqual([told.at(-1)?.lastLine, told.at(-1)?.rows], ['two', undefined]);

  live.use({ rows: true, hinted: true });
  const again = await live.rows();
  const judged = live.judge(1);
  work();
  await judged;
  assert.equal(again.page(ALL_ROWS, 0, 0).total, 4, 'who asks for rows finds them with the judgement');
  assert.deepEqual(lasting(allRows(again)), lasting(await rebuilt(source(folder, 'text', true))));
});

test('a session that is followed and says nothing is left alone', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  const { live, work } = await liveSession(t, source(folder, 'text', false));
  turn.chunk('o', 'one\n');
  work();
  turn.chunk('o', 'two\n');
  // Whatever watched its files would have seen that by now.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(work(), false);
  live.hint();
  assert.equal(work(), true);
});
