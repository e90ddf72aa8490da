import assert from 'node:assert/strict';
import { appendFileSync, renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { LINE_HEAD, LogReplaced, MAX_LINE } from '../../../src/timeline/log-file.ts';
import { RunTailer, type TailState } from '../../../src/timeline/tailer.ts';
import { tempDir } from '../support.ts';
import { RunWriter } from './support.ts';

interface Read {
  readonly state: TailState;
  readonly lines: readonly (readonly [stream: string, text: string, at: number, offset: number])[];
}

function read(tailer: RunTailer, over = false): Read {
  const lines: (readonly [string, string, number, number])[] = [];
  const state = tailer.read(
    ({ stream, bytes, at, offset }) => lines.push([stream, bytes.toString('utf8'), at, offset]) > 0,
    { over, deadline: Infinity },
  );
  return { state, lines };
}

test('lines come in the order of times.log, across streams', async (t) => {
  const turn = new RunWriter(await tempDir(t));
  turn.chunk('o', 'one\ntwo\n');
  turn.chunk('e', 'careful\n');
  turn.chunk('k', 'note\n');
  turn.chunk('i', 'sent\n');
  turn.chunk('o', 'three\n');
  const tailer = new RunTailer(turn.folder);
  t.after(() => tailer.close());
  assert.deepEqual(read(tailer), {
    state: 'waiting',
    lines: [
      ['o', 'one', 2000, 0],
      ['o', 'two', 2000, 4],
      ['e', 'careful', 3000, 0],
      ['k', 'note', 4000, 0],
      ['i', 'sent', 5000, 0],
      ['o', 'three', 6000, 8],
    ],
  });
  assert.deepEqual(read(tailer, true), { state: 'done', lines: [] });
});

test('a line arrives with the chunk that completes it, and its last one with the end of the turn', async (t) => {
  const turn = new RunWriter(await tempDir(t));
  const tailer = new RunTailer(turn.folder);
  t.after(() => tailer.close());
  assert.deepEqual(read(tailer), { state: 'waiting', lines: [] });
  turn.chunk('o', 'ha');
  assert.deepEqual(read(tailer).lines, []);
  turn.chunk('o', 'lf\nre');
  assert.deepEqual(read(tailer).lines, [['o', 'half', 3000, 0]]);
  turn.chunk('o', 'st');
  assert.deepEqual(read(tailer).lines, []);
  assert.deepEqual(read(tailer, true), { state: 'done', lines: [['o', 'rest', 4000, 5]] });
});

test('bytes that times.log does not tell of come last, with the time of the file', async (t) => {
  const turn = new RunWriter(await tempDir(t));
  turn.chunk('o', 'told\nto');
  turn.bytes('o', 'rn\nlost');
  turn.chunk('e', 'error\n');
  utimesSync(turn.file('o'), 99, 99);
  const tailer = new RunTailer(turn.folder);
  t.after(() => tailer.close());
  assert.deepEqual(read(tailer).lines, [
    ['o', 'told', 2000, 0],
    ['e', 'error', 3000, 0],
  ]);
  assert.deepEqual(read(tailer, true).lines, [
    ['o', 'torn', 99_000, 5],
    ['o', 'lost', 99_000, 10],
  ]);
  assert.equal(tailer.lastOutputAt, 99_000);
});

test('a torn or damaged line of times.log is passed over', async (t) => {
  const turn = new RunWriter(await tempDir(t));
  turn.chunk('o', 'one\n');
  appendFileSync(turn.file('times'), 'nonsense\n\0\0\0\no x y\n');
  turn.chunk('o', 'two\n');
  turn.bytes('o', 'three\n');
  appendFileSync(turn.file('times'), 'o 17');
  const tailer = new RunTailer(turn.folder);
  t.after(() => tailer.close());
  assert.deepEqual(
    read(tailer).lines.map(([, text]) => text),
    ['one', 'two'],
  );
  // The torn line is completed later.
  appendFileSync(turn.file('times'), '00 14\n');
  assert.deepEqual(read(tailer).lines, [['o', 'three', 1700, 8]]);
});

test('a time that is ahead of its bytes waits for them, and at the end for nothing', async (t) => {
  const turn = new RunWriter(await tempDir(t));
  turn.chunk('o', 'one\n');
  turn.time('o', 100);
  turn.chunk('e', 'after\n');
  const tailer = new RunTailer(turn.folder);
  t.after(() => tailer.close());
  assert.deepEqual(read(tailer).lines, [['o', 'one', 2000, 0]]);
  turn.bytes('o', 'two\npart');
  assert.deepEqual(read(tailer).lines, [['o', 'two', 3000, 4]]);
  assert.deepEqual(read(tailer, true), {
    state: 'done',
    lines: [
      ['e', 'after', 4000, 0],
      ['o', 'part', 3000, 8],
    ],
  });
});

test('a line that cannot be taken yet comes again, and nothing after it before', async (t) => {
  const run = new RunWriter(await tempDir(t));
  run.chunk('o', 'one\ntwo\nthree\n');
  const tailer = new RunTailer(run.folder);
  t.after(() => tailer.close());
  const taken: string[] = [];
  let refuse = true;
  const take = ({ bytes }: { bytes: Buffer }): boolean => {
    const text = bytes.toString('utf8');
    if (text === 'two' && refuse) return false;
    return taken.push(text) > 0;
  };
  const go = (over: boolean): TailState => tailer.read(take, { over, deadline: Infinity });
  assert.deepEqual([go(false), go(false), taken], ['waiting', 'waiting', ['one']]);
  run.chunk('o', 'four\n');
  refuse = false;
  assert.deepEqual([go(false), taken], ['waiting', ['one', 'two', 'three', 'four']]);
});

test('a missing folder is an empty run', async (t) => {
  const tailer = new RunTailer(`${await tempDir(t)}/none`);
  assert.deepEqual(read(tailer), { state: 'waiting', lines: [] });
  assert.deepEqual(read(tailer, true), { state: 'done', lines: [] });
});

test('a file that shrank or was replaced is reported', async (t) => {
  const turn = new RunWriter(await tempDir(t));
  turn.chunk('o', 'one\ntwo\n');
  const shrunk = new RunTailer(turn.folder);
  t.after(() => shrunk.close());
  read(shrunk);
  truncateSync(turn.file('o'), 3);
  assert.throws(() => read(shrunk), LogReplaced);

  const replaced = new RunTailer(turn.folder);
  t.after(() => replaced.close());
  read(replaced);
  writeFileSync(`${turn.file('o')}.new`, 'another, and longer\n');
  renameSync(`${turn.file('o')}.new`, turn.file('o'));
  t.mock.method(performance, 'now', () => Number.MAX_SAFE_INTEGER);
  assert.throws(() => read(replaced), LogReplaced);
});

test('a character that is cut between chunks at any byte is whole', async (t) => {
  const text = Buffer.from('aé€😀z\n');
  for (let cut = 1; cut < text.length; cut++) {
    const turn = new RunWriter(await tempDir(t));
    const tailer = new RunTailer(turn.folder);
    turn.chunk('o', text.subarray(0, cut));
    const first = read(tailer).lines;
    turn.chunk('o', text.subarray(cut));
    assert.deepEqual([...first, ...read(tailer).lines], [['o', 'aé€😀z', 3000, 0]], `cut at ${cut}`);
    tailer.close();
  }
});

test('a line of 100 MB gives its head and its length, in steps', async (t) => {
  const turn = new RunWriter(await tempDir(t));
  const size = 100 * 1024 * 1024;
  turn.chunk('o', Buffer.alloc(size, 'x'));
  turn.chunk('o', '\nshort\n');
  const tailer = new RunTailer(turn.folder);
  t.after(() => tailer.close());
  const before = process.memoryUsage().arrayBuffers;
  const lines: [number, number, boolean][] = [];
  let steps = 0;
  while (
    tailer.read(({ length, bytes, oversize }) => lines.push([length, bytes.length, oversize]) > 0, {
      over: true,
      deadline: 0,
    }) === 'more'
  ) {
    steps += 1;
  }
  assert.deepEqual(lines, [
    [size, LINE_HEAD, true],
    [5, 5, false],
  ]);
  assert.ok(steps > 50, `${steps} steps`);
  assert.ok(process.memoryUsage().arrayBuffers - before < MAX_LINE);
});
