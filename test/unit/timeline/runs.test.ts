/** Runs that serve several turns, and rows that are made of several lines. */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { claudeReader } from '../../../src/agents/claude/output.ts';
import { STREAM_KEYS, RUN_FILES } from '../../../src/keeper/protocol.ts';
import { ALL_ROWS, type Row } from '../../../src/protocol/rows.ts';
import { SessionIndex } from '../../../src/timeline/session-index.ts';
import type { TimelineSource, TurnSource } from '../../../src/timeline/source.ts';
import { quoted, say } from '../../../src/words/saying.ts';
import { tempDir } from '../support.ts';
import { liveReader } from './live-format.ts';
import { allRows, drain, lasting, quiet, RunWriter, sqlJs, writePrompt } from './support.ts';

/** A run of a live agent, and the turns that it serves. */
class LiveRun extends RunWriter {
  readonly #session: string;
  readonly #run: number;

  constructor(session: string, run = 1, turn = 1) {
    super(session, run);
    this.#session = session;
    this.#run = run;
    if (turn !== run) rmSync(path.join(session, 'texts', `turn-${run}.md`));
    writePrompt(session, turn, `Prompt ${turn}`);
  }

  prompt(turn: number, text = `Prompt ${turn}`): void {
    writePrompt(this.#session, turn, text);
    this.sent(text, turn);
  }

  sent(text: string, turn?: number): void {
    const line = { at: this.now + 1000, key: `${this.#run}-${this.now}`, text, ...(turn !== undefined && { turn }) };
    this.chunk('i', `${JSON.stringify(line)}\n`);
  }

  says(...lines: readonly object[]): void {
    for (const line of lines) this.chunk('o', `${JSON.stringify(line)}\n`);
  }
}

function turns(folder: string, over: boolean, ...of: (readonly [number: number, run: number])[]): TimelineSource {
  return {
    session: 'ses_test',
    folder,
    format: 'live',
    turns: of.map(([number, run]) => ({ number, run, text: `turn-${number}`, over, resumes: number > 1 })),
  };
}

async function open(of: TimelineSource, reader = liveReader): Promise<SessionIndex> {
  return new SessionIndex(await sqlJs(), reader, of, quiet);
}

async function rebuilt(of: TimelineSource): Promise<readonly Row[]> {
  const index = await open(of);
  drain(index);
  const rows = allRows(index);
  index.close();
  return rows;
}

const told = (rows: readonly Row[]): unknown[] =>
  rows.map(({ turn, kind, text, tool, end }) => [turn, kind, tool?.argument ?? (text.text || (end?.outcome ?? ''))]);

/** A run of three turns: one that the output ends, one that the next one cuts short, one that the exit ends. */
function threeTurns(folder: string): void {
  const run = new LiveRun(folder);
  run.prompt(1);
  run.says({ call: 'ls' }, { did: 'ls' }, { say: 'One.' }, { end: 100 }, { say: 'And one more.' });
  run.prompt(2);
  run.says({ call: 'sleep' });
  run.sent('hurry');
  run.prompt(3);
  run.says({ say: 'Three.' }, { end: 250 });
  run.chunk('k', `${JSON.stringify({ at: 1, level: 'info', text: 'It ended.', exit: { code: 0, signal: null } })}\n`);
  run.exit();
}

test('a turn of a run that goes on begins with its line of stdin, and ends as the output says', async (t) => {
  const folder = await tempDir(t);
  threeTurns(folder);
  const of = turns(folder, true, [1, 1], [2, 1], [3, 1]);
  const index = await open(of);
  drain(index);
  const rows = allRows(index);
  assert.deepEqual(told(rows), [
    [1, 'turn-start', 'Prompt 1'],
    [1, 'tool', 'ls'],
    [1, 'text', 'One.'],
    [1, 'result', 'Done.'],
    [1, 'turn-end', 'completed'],
    [1, 'text', 'And one more.'],
    [2, 'turn-start', 'Prompt 2'],
    [2, 'tool', 'sleep'],
    [2, 'sent', 'hurry'],
    [2, 'turn-end', 'The next turn began before the agent reported the end of this one.'],
    [3, 'turn-start', 'Prompt 3'],
    [3, 'text', 'Three.'],
    [3, 'result', 'Done.'],
    [3, 'turn-end', 'completed'],
    [3, 'keeper', 'It ended.'],
  ]);
  assert.equal(rows[7]!.tool!.state, 'failed', 'a call that the next turn cut short');
  // From the line of stdin to the end that the output told.
  assert.equal(rows[4]!.end!.durationMs, 4000);
  assert.deepEqual(
    [1, 2, 3].map((turn) => [index.reader.judgement(turn)?.outcome, index.reader.judgement(turn)?.usage?.input]),
    [
      ['completed', 100],
      ['unknown', undefined],
      ['completed', 150],
    ],
  );
  assert.equal(index.reader.status().usage?.input, 250);
  assert.deepEqual(index.reader.status().turn, { number: 3, ended: index.reader.judgement(3) });
  assert.deepEqual(lasting(await rebuilt(of)), lasting(rows));
  index.close();
});

/** Calls `each` with a folder that holds the first n chunks of `whole`'s first run, and tells whether these are all. */
async function atEveryCut(
  t: TestContext,
  whole: string,
  each: (folder: string, grow: () => void, cut: number) => Promise<void>,
): Promise<void> {
  const from = path.join(whole, 'runs', '1');
  const times = readFileSync(path.join(from, RUN_FILES.times), 'utf8').split(/(?<=\n)/);
  for (let cut = 0; cut <= times.length; cut++) {
    const folder = await tempDir(t);
    const to = path.join(folder, 'runs', '1');
    cpSync(path.join(whole, 'texts'), path.join(folder, 'texts'), { recursive: true, preserveTimestamps: true });
    mkdirSync(to, { recursive: true });
    const write = (count: number): void => {
      const known = times.slice(0, count);
      for (const key of STREAM_KEYS) {
        const file = path.join(from, RUN_FILES[key]);
        if (!existsSync(file)) continue;
        const end = Number(known.findLast((line) => line.startsWith(`${key} `))?.split(' ')[2] ?? 0);
        writeFileSync(path.join(to, RUN_FILES[key]), readFileSync(file).subarray(0, end));
      }
      writeFileSync(path.join(to, RUN_FILES.times), known.join(''));
    };
    const grow = (): void => {
      write(times.length);
      copyFileSync(path.join(from, RUN_FILES.exit), path.join(to, RUN_FILES.exit));
    };
    write(cut);
    await each(folder, grow, cut);
  }
}

test('whenever a run is cut and read again, rows keep their numbers and say the same in the end', async (t) => {
  const whole = await tempDir(t);
  threeTurns(whole);
  const all: [number, number][] = [
    [1, 1],
    [2, 1],
    [3, 1],
  ];
  const expected = lasting(await rebuilt(turns(whole, true, ...all)));
  await atEveryCut(t, whole, async (folder, grow, cut) => {
    const live = await open(turns(folder, false, ...all));
    drain(live);
    const before = allRows(live);
    assert.deepEqual(lasting(await rebuilt(turns(folder, false, ...all))), lasting(before), `${cut} chunks, rebuilt`);
    await live.save();
    grow();
    live.update(turns(folder, true, ...all));
    drain(live);
    const rows = allRows(live);
    assert.deepEqual(lasting(rows), expected, `${cut} chunks, then all`);
    assert.deepEqual(
      rows.slice(0, before.length).map(({ seq, turn, kind, at }) => [seq, turn, kind, at]),
      before.map(({ seq, turn, kind, at }) => [seq, turn, kind, at]),
    );
    live.close();
    assert.deepEqual(lasting(await rebuilt(turns(folder, true, ...all))), expected, `${cut} chunks, a new index`);
  });
});

test('the end of a turn is told while its run goes on, and can be asked for', async (t) => {
  const folder = await tempDir(t);
  const run = new LiveRun(folder);
  const index = await open(turns(folder, false, [1, 1]));
  drain(index);
  assert.deepEqual(index.reader.status().turn, { number: 1 });
  run.prompt(1);
  run.says({ say: 'One.' });
  drain(index);
  assert.equal(index.reader.judgement(1), undefined);
  run.says({ end: 10 });
  drain(index);
  assert.deepEqual(index.reader.status().turn, {
    number: 1,
    ended: { outcome: 'completed', summary: quoted('Done.'), usage: { input: 10, output: 0, cached: 0 } },
  });
  const { rev } = index.page(ALL_ROWS, 0, 0);
  // The window may see the line before it knows of the turn.
  run.prompt(2);
  run.says({ say: 'Two.' });
  drain(index);
  assert.deepEqual(index.delta(rev, ALL_ROWS).appended, []);
  assert.equal(index.reader.status().turn?.number, 1);
  index.update(turns(folder, false, [1, 1], [2, 1]));
  drain(index);
  assert.deepEqual(told(index.delta(rev, ALL_ROWS).appended), [
    [2, 'turn-start', 'Prompt 2'],
    [2, 'text', 'Two.'],
  ]);
  assert.deepEqual(index.reader.status().turn, { number: 2 });
  assert.equal(index.reader.judgement(1)?.outcome, 'completed');
  index.close();
});

test('a snapshot holds runs that are over, and no turn of one that goes on', async (t) => {
  const folder = await tempDir(t);
  const first = new LiveRun(folder, 1);
  first.prompt(1);
  first.says({ end: 10 });
  first.prompt(2);
  first.says({ end: 30 });
  first.exit();
  const second = new LiveRun(folder, 2, 3);
  second.prompt(3);
  second.says({ end: 35 });
  second.prompt(4);
  const known = turns(folder, true, [1, 1], [2, 1], [3, 2], [4, 2]);
  const of = { ...known, turns: known.turns.map((turn): TurnSource => ({ ...turn, over: turn.run === 1 })) };
  const index = await open(of);
  drain(index);
  await index.save();
  const rows = allRows(index);
  index.close();
  second.says({ end: 60 });
  const again = await open(of);
  const kept = allRows(again);
  assert.deepEqual(lasting(kept), lasting(rows.filter(({ turn }) => turn < 3)), 'what comes from the snapshot');
  drain(again);
  assert.deepEqual(lasting(allRows(again)), lasting(await rebuilt(of)));
  assert.deepEqual(
    [1, 2, 3, 4].map((turn) => again.reader.judgement(turn)?.usage?.input),
    [10, 20, 5, 25],
    'shares of a total over both runs',
  );
  again.close();
});

test('a turn that never came to its run says why, before the next one or at the end', async (t) => {
  const folder = await tempDir(t);
  const run = new LiveRun(folder);
  run.prompt(1);
  run.says({ end: 1 });
  writePrompt(folder, 2, 'Prompt 2');
  run.prompt(3);
  run.says({ end: 2 });
  writePrompt(folder, 4, 'Prompt 4');
  run.exit({ code: 3 });
  const known = turns(folder, true, [1, 1], [2, 1], [3, 1], [4, 1]);
  const withdrawn = { withdrawn: say('cancelled') };
  const of = { ...known, turns: known.turns.map((turn) => (turn.number === 2 ? { ...turn, ...withdrawn } : turn)) };
  const rows = await rebuilt(of);
  assert.deepEqual(told(rows.filter(({ kind }) => kind !== 'result')), [
    [1, 'turn-start', 'Prompt 1'],
    [1, 'turn-end', 'completed'],
    [2, 'turn-start', 'Prompt 2'],
    [2, 'turn-end', 'Cancelled before it started.'],
    [3, 'turn-start', 'Prompt 3'],
    [3, 'turn-end', 'completed'],
    [4, 'turn-start', 'Prompt 4'],
    [4, 'turn-end', 'Exited with code 3 after 60 s.'],
  ]);
});

test('a turn that is given to another run makes a new timeline', async (t) => {
  const folder = await tempDir(t);
  new RunWriter(folder, 1).chunk('k', '{"at":1,"level":"info","text":"first try"}\n');
  const index = await open(turns(folder, false, [1, 1]));
  drain(index);
  const { epoch } = index.page(ALL_ROWS, 0, 0);
  new RunWriter(folder, 2).chunk('o', '{"say":"second try"}\n');
  index.update(turns(folder, false, [1, 2]));
  drain(index);
  assert.notEqual(index.page(ALL_ROWS, 0, 0).epoch, epoch);
  assert.deepEqual(told(allRows(index)), [
    [1, 'turn-start', 'Do it.'],
    [1, 'text', 'second try'],
  ]);
  index.close();
});

test('a live Claude Code: each turn has its own figures', async (t) => {
  const folder = await tempDir(t);
  const run = new LiveRun(folder);
  const stdout = readFileSync(
    path.join(import.meta.dirname, '../../fixtures/captures/claude-latest/stdin-multiturn.jsonl'),
    'utf8',
  );
  let turn = 1;
  run.prompt(turn);
  for (const line of stdout.trimEnd().split('\n')) {
    run.chunk('o', `${line}\n`);
    if (!line.includes('"type":"result"')) continue;
    turn += 1;
    run.prompt(turn);
  }
  const all = Array.from({ length: turn }, (_, i): [number, number] => [i + 1, 1]);
  const index = await open(turns(folder, false, ...all), claudeReader);
  drain(index);
  const costs = Array.from({ length: turn - 1 }, (_, i) => index.reader.judgement(i + 1)?.cost ?? NaN);
  assert.ok(costs.length > 1);
  const results = allRows(index).filter(({ kind }) => kind === 'result');
  assert.deepEqual(
    costs,
    results.map(({ end }) => end?.cost),
  );
  assert.ok(Math.abs((index.reader.status().cost ?? 0) - costs.reduce((a, b) => a + b)) < 1e-9);
  index.close();
});

test('a message in pieces is one row, which its whole text replaces in place', async (t) => {
  const folder = await tempDir(t);
  const run = new LiveRun(folder);
  const of = turns(folder, false, [1, 1]);
  const index = await open(of);
  run.says({ part: 'Grü', id: 'm' }, { part: 'ße ', id: 'm' });
  drain(index);
  const first = index.page(ALL_ROWS, 0, 9);
  assert.deepEqual(told(first.rows).slice(1), [[1, 'text', 'Grüße ']]);
  run.says({ call: 'ls' }, { part: 'an', id: 'm' }, { part: ' alle', id: 'm' });
  drain(index);
  const delta = index.delta(first.rev, ALL_ROWS);
  assert.deepEqual(told(delta.changed), [[1, 'text', 'Grüße an alle']]);
  assert.deepEqual(told(delta.appended), [[1, 'tool', 'ls']]);
  assert.equal(index.text(2, 'text'), 'Grüße an alle');
  assert.equal(index.reader.status().lastLine, 'Grüße an alle');
  assert.deepEqual(lasting(await rebuilt(of)), lasting(allRows(index)));
  run.says({ say: 'Grüße an alle.', id: 'm' }, { say: 'Bis bald.' });
  drain(index);
  const rows = allRows(index);
  assert.deepEqual(told(rows).slice(1), [
    [1, 'text', 'Grüße an alle.'],
    [1, 'tool', 'ls'],
    [1, 'text', 'Bis bald.'],
  ]);
  assert.equal(index.text(2, 'text'), 'Grüße an alle.');
  assert.equal(rows[1]!.at, first.rows[1]!.at, 'it stands where it began');
  assert.deepEqual(lasting(await rebuilt(of)), lasting(rows));
  assert.equal(index.page({ groups: [], query: 'alle' }, 0, 9).total, 1);
  index.close();
});

test('pieces without an id belong together until the agent does something else', async (t) => {
  const folder = await tempDir(t);
  const run = new LiveRun(folder);
  run.says({ part: 'one ' }, { part: 'message' }, { call: 'ls' }, { part: 'another' }, { part: ' one' });
  run.exit();
  const of = turns(folder, true, [1, 1]);
  const index = await open(of);
  drain(index);
  assert.deepEqual(told(allRows(index)).slice(1, -1), [
    [1, 'text', 'one message'],
    [1, 'tool', 'ls'],
    [1, 'text', 'another one'],
  ]);
  await index.save();
  const rows = lasting(allRows(index));
  index.close();
  const saved = await open(of);
  assert.deepEqual(lasting(allRows(saved)), rows);
  assert.deepEqual([saved.text(2, 'text'), saved.text(4, 'text')], ['one message', 'another one']);
  saved.close();
});

test('a message of 20,000 pieces is whole, and each read costs what is new', async (t) => {
  const folder = await tempDir(t);
  const run = new LiveRun(folder);
  const pieces = Array.from({ length: 20_000 }, (_, i) => `${i} `);
  const lines = pieces.map((part) => `${JSON.stringify({ part, id: 'm' })}\n`);
  const index = await open(turns(folder, false, [1, 1]));
  for (let at = 0; at < 1000; at += 1) {
    run.chunk('o', lines[at]!);
    drain(index);
  }
  run.chunk('o', lines.slice(1000).join(''));
  drain(index);
  assert.equal(index.text(2, 'text'), pieces.join(''));
  const { text } = index.row(2)!;
  assert.deepEqual([text.bytes, text.cut, text.text], [pieces.join('').length, true, pieces.join('').slice(0, 4000)]);
  index.close();
});

test('a request and its answer are one row, and one that nobody answers lapses with its turn', async (t) => {
  const folder = await tempDir(t);
  const run = new LiveRun(folder);
  const all: [number, number][] = [
    [1, 1],
    [2, 1],
  ];
  run.prompt(1);
  run.says({ ask: 'Delete it?', id: 'r1' }, { say: 'waiting' });
  const index = await open(turns(folder, false, ...all));
  drain(index);
  const asked = index.row(2)!;
  assert.deepEqual(asked.request, {
    id: 'r1',
    about: 'permission',
    state: 'open',
    choices: [
      { id: 'yes', label: 'Say yes' },
      { id: 'no', label: 'Say no' },
    ],
  });
  run.sent('{"answer":"yes","id":"r1"}');
  drain(index);
  const answered = index.row(2)!;
  assert.deepEqual([answered.request!.state, answered.request!.choice], ['answered', 'yes']);
  assert.equal(typeof answered.request!.waitedMs, 'number');
  assert.equal(answered.request!.answerLog?.stream, 'i');
  assert.deepEqual([answered.text.text, answered.at, answered.log], ['Delete it?', asked.at, asked.log]);
  assert.equal(index.text(2, 'text'), 'Delete it?');
  run.says({ ask: 'And this?', id: 'r2' }, { end: 1 });
  run.prompt(2);
  run.says({ say: 'Two.' });
  run.exit();
  index.update(turns(folder, true, ...all));
  drain(index);
  const rows = allRows(index);
  assert.deepEqual(
    rows.map(({ kind, text, request }) => [kind, text.text, request?.state]).slice(1, 4),
    [
      ['request', 'Delete it?', 'answered'],
      ['text', 'waiting', undefined],
      ['request', 'And this?', 'lapsed'],
    ],
    'the answer has no row of its own',
  );
  index.close();
  const expected = lasting(rows);
  await atEveryCut(t, folder, async (partial, grow, cut) => {
    const live = await open(turns(partial, false, ...all));
    drain(live);
    grow();
    live.update(turns(partial, true, ...all));
    drain(live);
    assert.deepEqual(lasting(allRows(live)), expected, `${cut} chunks`);
    live.close();
  });
});
