import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { readerFor } from '../../../src/agents/registry.ts';
import { Recorder } from '../../../src/keeper/recorder.ts';
import { BUILD } from '../../../src/platform/build.ts';
import type { ExitRecord, StopStep } from '../../../src/store/model.ts';
import { eventContent, toolContent, type Content, eventSaid, textContent } from '../../../src/timeline/content.ts';
import { ALL_ROWS } from '../../../src/protocol/rows.ts';
import { loadSnapshot, saveSnapshot } from '../../../src/timeline/snapshot.ts';
import { quoted, say, textOf } from '../../../src/words/saying.ts';
import { formatOf, mute, recordings as captured } from '../agents/recordings.ts';
import { tempDir } from '../support.ts';
import { seeded } from '../../support/seeded.mts';
import { allRows, drain, lasting, openIndex, rebuilt, source, sqlJs, timeless, RunWriter } from './support.ts';

const captures = fileURLToPath(new URL('../../fixtures/captures', import.meta.url));

const recordings = captured.map((name) => ({
  name: `${name}.jsonl`,
  format: formatOf(name),
  stdout: readFileSync(path.join(captures, `${name}.jsonl`)),
}));
const recording = (name: string): Buffer => recordings.find((one) => one.name === name)!.stdout;
const FRESH = 'claude-latest/fresh.jsonl';

test('rows of every recording show what the parser said when it read the whole turn', async (t) => {
  assert.ok(recordings.length > 50);
  for (const { name, format, stdout } of recordings) {
    const folder = await tempDir(t);
    const turn = new RunWriter(folder);
    turn.chunk('o', stdout);
    turn.exit();
    const rows = (await rebuilt(source(folder, format, true))).slice(1, -1);

    const parser = readerFor(format).parser({});
    const expected: Content[] = [];
    const calls = new Map<string, number>();
    for (const line of stdout.toString('utf8').split('\n')) {
      for (const event of parser.line(line)) {
        if (event.kind === 'text-part' || event.kind === 'request-closed') assert.fail(event.kind);
        if (event.kind === 'tool') {
          calls.set(event.id, expected.length);
          expected.push({
            ...toolContent({
              call: event,
              result: undefined,
              resultLog: undefined,
              elapsedMs: undefined,
              over: true,
              denied: false,
            }),
          });
        } else if (event.kind === 'tool-result') {
          const at = calls.get(event.id)!;
          const known = expected[at]!.tool!;
          const now = toolContent({
            call: undefined,
            result: event,
            resultLog: undefined,
            elapsedMs: 0,
            over: true,
            denied: false,
          }).tool!;
          expected[at] = {
            ...expected[at]!,
            tool: { ...now, ...known, ...now, name: known.name, argument: known.argument },
          };
        } else {
          expected.push(eventContent(event, parser.seen.usage));
        }
      }
    }
    // How long a call took and where its result stands depend on the chunks.
    const shown = ({ text, said, tool, changes, todo, end }: Content): Content =>
      JSON.parse(
        JSON.stringify({
          text: said === undefined ? text : textContent(textOf(said)).text,
          tool: { ...tool, resultLog: null, durationMs: null },
          changes,
          todo,
          end,
        }),
      ) as Content;
    assert.deepEqual(rows.map(shown), expected.map(shown), name);
  }
});

test('the log range of every row is its line, and the whole text is what the parser said', async (t) => {
  for (const { name, format, stdout } of recordings) {
    const folder = await tempDir(t);
    const turn = new RunWriter(folder);
    turn.chunk('o', stdout);
    turn.exit();
    const index = await openIndex(source(folder, format, true));
    drain(index);
    const parser = readerFor(format).parser({});
    const texts: (string | undefined)[] = [];
    for (const line of stdout.toString('utf8').split('\n')) {
      for (const event of parser.line(line)) {
        if (event.kind === 'text-part' || event.kind === 'request-closed') assert.fail(event.kind);
        if (event.kind !== 'tool-result') texts.push(event.kind === 'tool' ? event.input : textOf(eventSaid(event)));
      }
    }
    for (const row of allRows(index).slice(1, -1)) {
      const { offset, length } = row.log!;
      const line = stdout.subarray(offset, offset + length).toString('utf8');
      assert.doesNotThrow(() => void JSON.parse(line), name);
      const whole = index.text(row.seq, row.kind === 'tool' ? 'input' : 'text');
      assert.equal(whole, texts[row.seq - 2] ?? '', `${name} row ${row.seq}`);
    }
    index.close();
  }
});

test('the same bytes give the same rows however they are cut into chunks and reads', async (t) => {
  for (const name of [FRESH, 'claude-latest/subagent.jsonl', 'codex/fresh.jsonl', 'claude-latest/parallel.jsonl']) {
    const stdout = recordings.find((one) => one.name === name)?.stdout;
    if (stdout === undefined) continue;
    const format = name.startsWith('codex') ? 'codex' : 'claude';
    const whole = await tempDir(t);
    const one = new RunWriter(whole);
    one.chunk('o', stdout);
    one.exit();
    const expected = timeless(await rebuilt(source(whole, format, true)));
    for (let seed = 1; seed <= 20; seed++) {
      const random = seeded(seed);
      const folder = await tempDir(t);
      const turn = new RunWriter(folder);
      const live = await openIndex(source(folder, format, false));
      for (let at = 0; at < stdout.length;) {
        const end = Math.min(stdout.length, at + 1 + Math.floor(random() ** 3 * 3000));
        turn.chunk('o', stdout.subarray(at, end));
        at = end;
        if (random() < 0.5) drain(live);
      }
      turn.exit();
      live.update(source(folder, format, true));
      drain(live);
      const rows = allRows(live);
      live.close();
      assert.deepEqual(lasting(await rebuilt(source(folder, format, true))), lasting(rows), `${name} seed ${seed}`);
      assert.deepEqual(timeless(rows), expected, `${name} seed ${seed}`);
    }
  }
});

test('a restart at any moment, with or without a snapshot, gives the rows of one pass', async (t) => {
  const stdout = recording(FRESH);
  const folder = await tempDir(t);
  for (const number of [1, 2]) {
    const turn = new RunWriter(folder, number, `Turn ${number}`);
    for (let at = 0; at < stdout.length; at += 700) turn.chunk('o', stdout.subarray(at, at + 700));
    turn.chunk('e', 'a warning\n\n  \nanother');
    turn.exit();
  }
  const done = source(folder, 'claude', true, true);
  const expected = lasting(await rebuilt(done));
  for (let steps = 0; steps < 40; steps++) {
    // The first turn is over; of the second one, some chunks have come.
    const partial = await tempDir(t);
    cpSync(folder, partial, { recursive: true, preserveTimestamps: true });
    const second = path.join(partial, 'runs', '2');
    const times = readFileSync(path.join(second, 'times.log'), 'utf8').split(/(?<=\n)/);
    const full = readFileSync(path.join(second, 'stdout.log'));
    writeFileSync(path.join(second, 'times.log'), times.slice(0, steps).join(''));
    truncateSync(path.join(second, 'stdout.log'), Math.min(full.length, steps * 700));
    rmSync(path.join(second, 'exit.json'));
    const before = await openIndex({ ...source(partial, 'claude', true, false) });
    drain(before);
    assert.equal(before.ingest(Infinity), 'waiting');
    await before.save();
    before.close();
    writeFileSync(path.join(second, 'times.log'), times.join(''));
    writeFileSync(path.join(second, 'stdout.log'), full);
    cpSync(path.join(folder, 'runs', '2', 'exit.json'), path.join(second, 'exit.json'));
    const after = await openIndex(source(partial, 'claude', true, true));
    assert.ok(after.page(ALL_ROWS, 0, 0).total > 0, 'the first turn comes from the snapshot');
    drain(after);
    assert.deepEqual(lasting(allRows(after)), expected, `${steps} chunks`);
    after.close();
  }
});

test('a snapshot that is damaged, of something else or out of date is thrown away', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  turn.chunk('o', recording(FRESH));
  turn.exit();
  const of = source(folder, 'claude', true);
  const first = await openIndex(of);
  drain(first);
  const expected = lasting(allRows(first));
  await first.save();
  first.close();
  const file = path.join(folder, 'timeline.db');
  const good = readFileSync(file);

  const fromSnapshot = await openIndex(of);
  assert.equal(fromSnapshot.page(ALL_ROWS, 0, 0).total, expected.length, 'nothing needs reading');
  assert.deepEqual(lasting(allRows(fromSnapshot)), expected);
  assert.deepEqual(fromSnapshot.reader.judgement(1), { outcome: 'completed', ...fromSnapshot.reader.judgement(1) });
  fromSnapshot.close();

  const random = seeded(7);
  const damages: Buffer[] = [
    Buffer.alloc(0),
    Buffer.from('garbage'),
    good.subarray(0, good.length / 2),
    Buffer.alloc(9999),
  ];
  for (let i = 0; i < 20; i++) {
    const flipped = Buffer.from(good);
    flipped[Math.floor(random() * good.length)]! ^= 1 + Math.floor(random() * 255);
    damages.push(flipped);
  }
  for (const [i, damage] of damages.entries()) {
    writeFileSync(file, damage);
    const index = await openIndex(of);
    assert.equal(index.page(ALL_ROWS, 0, 0).total, 0, `damage ${i}`);
    drain(index);
    assert.deepEqual(lasting(allRows(index)), expected, `damage ${i}`);
    index.close();
  }

  writeFileSync(file, good);
  const other = await openIndex({ ...of, session: 'ses_other' });
  assert.equal(other.page(ALL_ROWS, 0, 0).total, 0);
  other.close();

  utimesSync(turn.file('o'), 1, 1);
  const touched = await openIndex(of);
  assert.equal(touched.page(ALL_ROWS, 0, 0).total, 0);
  touched.close();
});

test('a snapshot that another build derived is made anew', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder, 1, 'as it is');
  turn.chunk('o', 'words\n');
  turn.exit();
  const of = source(folder, 'text', true);
  const index = await openIndex(of);
  drain(index);
  await index.save();
  index.close();
  const file = path.join(folder, 'timeline.db');
  const mine = { build: BUILD, session: of.session, format: of.format };
  const content = loadSnapshot(file, mine)!;
  // Another build's parser took the same line for something else.
  const db = new (await sqlJs()).Database(content);
  db.run("UPDATE kinds SET name = 'raw' WHERE name = 'output'");
  const other = db.export();
  db.close();
  const kinds = async (build: string): Promise<unknown> => {
    await saveSnapshot(file, other, { ...mine, build });
    return (await rebuilt(of)).map(({ kind }) => kind);
  };
  assert.deepEqual(await kinds('0.0.9-another'), ['turn-start', 'output', 'turn-end']);
  assert.deepEqual(await kinds(BUILD), ['turn-start', 'raw', 'turn-end'], 'a snapshot of this build is used');
});

test('deleting the database of an open session changes nothing', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  turn.chunk('o', recording(FRESH));
  turn.exit();
  const of = source(folder, 'claude', true);
  const index = await openIndex(of);
  drain(index);
  await index.save();
  rmSync(path.join(folder, 'timeline.db'));
  const before = lasting(allRows(index));
  new RunWriter(folder, 2).chunk('o', recording(FRESH));
  index.update(source(folder, 'claude', true, false));
  drain(index);
  assert.deepEqual(lasting(allRows(index).slice(0, before.length)), before);
  assert.deepEqual(lasting(allRows(index)), lasting(await rebuilt(source(folder, 'claude', true, false))));
  index.close();
});

test('a log that was truncated begins a new epoch with the rows of what is there', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  turn.chunk('o', 'one\ntwo\nthree\n');
  const of = source(folder, 'text', false);
  const index = await openIndex(of);
  drain(index);
  const { epoch, total } = index.page(ALL_ROWS, 0, 10);
  assert.equal(total, 4);
  truncateSync(turn.file('o'), 4);
  truncateSync(turn.file('times'), 0);
  appendFileSync(turn.file('times'), 'o 9000 4\n');
  drain(index);
  const page = index.page(ALL_ROWS, 0, 10);
  assert.notEqual(page.epoch, epoch);
  assert.deepEqual(
    page.rows.map(({ text }) => text.text),
    ['Do it.', 'one'],
  );
  index.close();
});

test('two turns, messages, notes and stderr are one timeline, with words at both ends of a turn', async (t) => {
  const folder = await tempDir(t);
  const first = new RunWriter(folder, 1, 'Write a report');
  first.chunk('k', '{"at":5,"level":"info","text":"The agent is process 7."}\n');
  first.chunk('o', 'working\n');
  first.chunk('e', '\x1b[31mred\x1b[0m and \x07bell\n');
  first.chunk('i', '{"at":6,"text":"and a poem"}\n');
  first.chunk('k', '{"at":7,"level":"error","text":"It will not stop."}\n');
  first.exit({
    code: null,
    signal: 'SIGTERM',
    endedAt: 61_000,
    stop: {
      requestedAt: 56_000,
      steps: [
        { signal: 'SIGINT', at: 1 },
        { signal: 'SIGTERM', at: 2 },
      ],
    },
  });
  const second = new RunWriter(folder, 2, 'Go on');
  second.chunk('o', 'done');
  second.exit({ expected: [{ path: 'report.md', present: false }] });
  const rows = await rebuilt(source(folder, 'text', true, true));
  assert.deepEqual(
    rows.map(({ seq, turn, kind, text, problem }) => [seq, turn, kind, text.text, problem]),
    [
      [1, 1, 'turn-start', 'Write a report', false],
      [2, 1, 'keeper', 'The agent is process 7.', false],
      [3, 1, 'output', 'working', false],
      [4, 1, 'stderr', 'red and bell', false],
      [5, 1, 'sent', 'and a poem', false],
      [6, 1, 'keeper', 'It will not stop.', true],
      [
        7,
        1,
        'turn-end',
        'Stopped (SIGINT, SIGTERM): ended by SIGTERM 5.0 s later, after 60 s in all.',
        rows[6]!.problem,
      ],
      [8, 2, 'turn-start', 'Go on', false],
      [9, 2, 'output', 'done', false],
      [10, 2, 'turn-end', 'Exited with code 0 after 60 s. Expected but missing: report.md.', false],
    ],
  );
  assert.deepEqual(rows[9]!.end?.expected, [{ path: 'report.md', present: false }]);
});

test('how the agent’s process ended is told once, and by its keeper where the end of the turn does not say it', async (t) => {
  const stopped = (...signals: StopStep['signal'][]): Partial<ExitRecord> => ({
    stop: { requestedAt: 60_000, steps: signals.map((signal) => ({ signal, at: 60_000 })) },
  });
  const keeperRows = async (
    [code, signal]: readonly [number | null, string | null],
    exit: Partial<ExitRecord>,
  ): Promise<unknown> => {
    const folder = await tempDir(t);
    const turn = new RunWriter(folder);
    const recorder = new Recorder(turn.folder);
    recorder.note(say('agent-running', { pid: 7 }));
    recorder.chunk('o', Buffer.from('done\n'));
    recorder.exited(code, signal);
    recorder.note(say('stopping-survivors', { processes: ['7 (sleep)'] }), 'warning');
    recorder.close();
    const live = await openIndex(source(folder, 'text', false));
    drain(live);
    turn.exit(exit);
    live.update(source(folder, 'text', true));
    drain(live);
    const rows = allRows(live);
    live.close();
    assert.deepEqual(lasting(rows), lasting(await rebuilt(source(folder, 'text', true))));
    assert.equal(rows.at(-1)?.kind, 'turn-end');
    return rows.filter(({ kind }) => kind === 'keeper').map(({ text }) => text.text);
  };
  const others = ['The agent is running (process 7).', 'Stopping processes left running: 7 (sleep).'];
  assert.deepEqual(await keeperRows([0, null], { code: 0 }), others);
  assert.deepEqual(await keeperRows([null, 'SIGSEGV'], { code: null, signal: 'SIGSEGV' }), others);
  assert.deepEqual(await keeperRows([3, null], { code: 3, ...stopped('SIGINT') }), others);
  assert.deepEqual(await keeperRows([3, null], { code: 3, ...stopped() }), [
    ...others,
    'The agent exited with code 3.',
  ]);
  // The keeper died before it could write the record.
  const unseen = { code: null, problem: say('end-unknown') };
  assert.deepEqual(await keeperRows([null, 'SIGKILL'], unseen), [...others, 'The agent was ended by SIGKILL.']);
});

test('a turn without an exit record says so, and one that was withdrawn says why', async (t) => {
  const folder = await tempDir(t);
  new RunWriter(folder, 1).chunk('o', 'cut short');
  const of = source(folder, 'text', true, true);
  const [first, second] = of.turns;
  const rows = await rebuilt({ ...of, turns: [first!, { ...second!, withdrawn: quoted('It was cancelled.') }] });
  assert.deepEqual(
    rows.map(({ turn, kind, text }) => [turn, kind, text.text]),
    [
      [1, 'turn-start', 'Do it.'],
      [1, 'output', 'cut short'],
      [1, 'turn-end', 'How this turn ended is unknown.'],
      [2, 'turn-start', ''],
      [2, 'turn-end', 'It was cancelled.'],
    ],
  );
});

test('an agent that answers under another id is noticed', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  turn.chunk('o', recording(FRESH));
  const of = source(folder, 'claude', false);
  const index = await openIndex({ ...of, turns: [{ ...of.turns[0]!, resumes: true, agentSession: 'asked-for' }] });
  drain(index);
  const rows = allRows(index);
  const notice = rows.find(({ kind }) => kind === 'notice')!;
  assert.equal(rows[notice.seq - 2]!.kind, 'session');
  assert.match(notice.text.text, /asked-for.*fa068484-cee6-4021-b256-ec7c7dd5afd3/);
  assert.deepEqual(index.reader.status().agentSession, { id: 'fa068484-cee6-4021-b256-ec7c7dd5afd3', turn: 1 });
  index.close();
});

test('a tool call is one row: running, then with its result; cut short by the end of the turn it failed', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  const item = { id: 'item_1', type: 'command_execution', command: 'ls', aggregated_output: '', status: 'in_progress' };
  const line = (type: string, change: object): string => `${JSON.stringify({ type, item: { ...item, ...change } })}\n`;
  const index = await openIndex(source(folder, 'codex', false));
  turn.chunk('o', line('item.started', {}));
  drain(index);
  const { rev } = index.page(ALL_ROWS, 0, 9);
  assert.equal(index.row(2)!.tool!.state, 'running');
  turn.chunk('o', line('item.completed', { aggregated_output: 'a\nb\n', exit_code: 3, status: 'failed' }));
  turn.chunk('o', line('item.started', { id: 'item_2' }));
  drain(index);
  const delta = index.delta(rev, ALL_ROWS);
  assert.deepEqual(
    delta.changed.map(({ seq, tool, problem }) => [seq, tool!.state, tool!.exitCode, tool!.output!.text, problem]),
    [[2, 'failed', 3, 'a\nb\n', true]],
  );
  assert.equal(delta.changed[0]!.tool!.durationMs, 1000);
  assert.deepEqual(
    delta.appended.map(({ seq, tool }) => [seq, tool!.state]),
    [[3, 'running']],
  );
  turn.exit();
  index.update(source(folder, 'codex', true));
  drain(index);
  assert.equal(index.row(3)!.tool!.state, 'failed');
  assert.ok(index.row(3)!.rev > delta.rev);
  // It counts as a problem, as any call that failed does.
  assert.equal(index.row(3)!.problem, true);
  const problems = index.page({ groups: ['problems'], query: '' }, 0, 9).rows;
  assert.deepEqual(
    problems.map(({ kind }) => kind),
    ['tool', 'tool', 'turn-end'],
  );
  index.close();
});

test('a retry says which one of how many it is', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  turn.chunk('o', '{"type":"error","message":"Reconnecting... 2/5 (timeout)"}\n');
  turn.chunk('o', '{"type":"error","message":"Reconnecting... waiting for network"}\n');
  turn.exit();
  const rows = (await rebuilt(source(folder, 'codex', true))).filter(({ kind }) => kind === 'retry');
  assert.deepEqual(
    rows.map(({ text }) => text.text),
    ['timeout (attempt 2 of 5)', 'waiting for network'],
  );
});

test('a live agent of plain text: its questions and the ends of its turns have rows, its greetings none', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  const recorded = path.join(captures, '../runs/demo-live');
  for (const name of readdirSync(recorded)) copyFileSync(path.join(recorded, name), path.join(turn.folder, name));
  turn.exit();
  const turns = [1, 2, 3, 4].map((number) => ({ number, run: 1, text: 'turn-1', over: true, resumes: false }));
  const of = { ...source(folder, 'text'), turns };
  const rows = await rebuilt(of);
  assert.deepEqual(
    rows.flatMap(({ kind, text }) => (kind === 'request' || kind === 'result' ? [text.text] : [])),
    [
      'Write one file',
      'Which colour?',
      'Run git commit',
      'Done: I wrote demo/live-1.md and committed it.',
      'Done: I wrote demo/live-2.md.',
      'Interrupted.',
      'Look at the network',
      'I was asked to fail.',
    ],
  );
  assert.ok(!rows.some(({ text }) => text.text.includes('treeline"')));
  const prompts = rows.filter(({ kind }) => kind === 'prompt');
  assert.deepEqual(
    prompts.map(({ text }) => text.text),
    ['That is enough'],
    'what it was sent while it worked',
  );
  const requests = rows.flatMap(({ request }) => (request === undefined ? [] : [request]));
  assert.deepEqual(
    requests.map(({ about, state, input, choice, answer }) => [about, state, input?.text, choice, answer?.text]),
    [
      ['plan', 'answered', '1. Write a file\n2. Say so', 'approve', undefined],
      ['question', 'answered', undefined, undefined, 'Grün'],
      ['permission', 'answered', 'git add -- demo/live-1.md\ngit commit -m "Demo: turn 1"', 'allow', undefined],
      ['permission', 'cancelled', undefined, undefined, undefined],
    ],
    'what each is about, and what it was answered with',
  );
  const index = await openIndex(of);
  drain(index);
  const plan = rows.find(({ request }) => request?.about === 'plan')!;
  assert.equal(index.text(plan.seq, 'request'), '1. Write a file\n2. Say so');
  assert.equal(index.text(plan.seq, 'text'), 'Write one file');
  assert.equal(index.text(prompts[0]!.seq, 'text'), 'That is enough');
  index.close();
});

test('output in a format that this version cannot read: one row says so, between those of the turn', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  turn.chunk('o', '{"event":1}\n{"event":2}\n');
  turn.exit();
  const rows = await rebuilt(source(folder, 'hologram', true));
  assert.deepEqual(
    rows.map(({ kind }) => kind),
    ['turn-start', 'notice', 'turn-end'],
  );
  assert.match(rows[1]!.text.text, /cannot read output in the format “hologram”/);
});

test('a turn that was killed leaves its tokens to the total of the next, which says so', async (t) => {
  const folder = await tempDir(t);
  const begun = '{"type":"thread.started","thread_id":"01a1fb15-c1c5-7861-9019-ca32b28a6fdb"}\n';
  for (const [i, input] of [100, undefined, 300].entries()) {
    const turn = new RunWriter(folder, i + 1);
    turn.chunk('o', begun);
    if (input === undefined) turn.exit({ code: null, signal: 'SIGKILL' });
    else {
      turn.chunk('o', `{"type":"turn.completed","usage":{"input_tokens":${input},"output_tokens":1}}\n`);
      turn.exit();
    }
  }
  const index = await openIndex(source(folder, 'codex', true, true, true));
  drain(index);
  assert.equal(index.reader.judgement(3)?.usage?.input, 200);
  assert.equal(index.reader.status().usage?.input, 300);
  const notices = allRows(index).filter(({ kind }) => kind === 'notice');
  assert.deepEqual(
    notices.map(({ turn }) => turn),
    [3],
  );
  index.close();
});

test('a refusal that only the end of the turn tells of revises the row of its call', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  const lines = mute(recording('claude-latest/deny-default.jsonl').toString('utf8').trimEnd().split('\n'));
  const index = await openIndex(source(folder, 'claude', false));
  const states = (): unknown =>
    allRows(index).flatMap(({ tool, problem }) => (tool === undefined ? [] : [[tool.name, tool.state, problem]]));
  turn.chunk('o', `${lines.slice(0, -1).join('\n')}\n`);
  drain(index);
  assert.deepEqual(states(), [
    ['Write', 'denied', true],
    ['Bash', 'failed', true],
  ]);
  const { rev } = index.page(ALL_ROWS, 0, 1);
  turn.chunk('o', `${lines.at(-1)}\n`);
  drain(index);
  const delta = index.delta(rev, ALL_ROWS);
  assert.deepEqual(
    delta.changed.map(({ tool }) => [tool!.name, tool!.state, tool!.output!.text.slice(0, 8)]),
    [['Bash', 'denied', 'touch in']],
  );
  assert.deepEqual(
    delta.appended.map(({ kind }) => kind),
    ['result'],
  );
  turn.exit();
  index.update(source(folder, 'claude', true));
  drain(index);
  assert.deepEqual(lasting(allRows(index)), lasting(await rebuilt(source(folder, 'claude', true))));
  index.close();
});

test('what the end of a turn calls refused is denied if it has no result, and not if it succeeded', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  const call = (id: string): object => ({ type: 'tool_use', id, name: 'Bash', input: { command: id } });
  const messages = [
    { type: 'assistant', message: { content: [call('ran'), call('never')] } },
    { type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 'ran', content: 'ok' }] } },
    {
      type: 'result',
      subtype: 'success',
      permission_denials: ['ran', 'never', 'unknown'].map((id) => ({ tool_name: 'Bash', tool_use_id: id })),
    },
  ];
  turn.chunk('o', messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  turn.exit();
  const rows = await rebuilt(source(folder, 'claude', true));
  assert.deepEqual(
    rows.flatMap(({ tool }) => (tool === undefined ? [] : [[tool.argument, tool.state]])),
    [
      ['ran', 'ok'],
      ['never', 'denied'],
    ],
  );
});

test('hostile lines make rows, and no row is larger than its excerpts', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  const text = {
    type: 'assistant',
    session_id: 's',
    message: { content: [{ type: 'text', text: '😀'.repeat(5000) }] },
  };
  turn.chunk('o', Buffer.concat([Buffer.from([0xff, 0xfe, 0x80]), Buffer.from('\n')]));
  turn.chunk('o', `${deep}\n`);
  turn.chunk('o', `{"__proto__":{"polluted":true},"type":"constructor"}\n`);
  turn.chunk('o', `${JSON.stringify(text)}\n`);
  turn.chunk('o', `{"type":"assistant","message":{"content":"${'a'.repeat(9 * 1024 * 1024)}"}}\n`);
  turn.chunk('o', '{"type":"assistant"}\r\n\0\0\0\n');
  turn.exit();
  const of = source(folder, 'claude', true);
  const index = await openIndex(of);
  drain(index);
  const rows = allRows(index);
  assert.deepEqual(rows.map(({ kind }) => kind).slice(0, 6), ['turn-start', 'raw', 'raw', 'raw', 'text', 'raw']);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  const emoji = rows[4]!.text;
  assert.deepEqual([emoji.text, emoji.bytes, emoji.cut], ['😀'.repeat(2000), 20_000, true]);
  const huge = rows[5]!;
  assert.deepEqual([huge.text.text.length, huge.text.bytes, huge.text.cut], [4000, huge.log!.length, true]);
  assert.equal(index.text(huge.seq, 'text').length, huge.log!.length);
  assert.equal(index.text(5, 'text'), '😀'.repeat(5000));
  for (const row of rows) assert.ok(JSON.stringify(row).length < 20_000);
  index.close();
});

test(
  'a million short lines are numbered without a gap, and a page from the middle has the right ones',
  { timeout: 120_000 },
  async (t) => {
    const folder = await tempDir(t);
    const turn = new RunWriter(folder);
    const count = 1_000_000;
    for (let part = 0; part < 10; part++) {
      turn.chunk('o', Array.from({ length: count / 10 }, (_, i) => `${part * (count / 10) + i}\n`).join(''));
    }
    const index = await openIndex(source(folder, 'text', false));
    drain(index);
    const { total, rows } = index.page(ALL_ROWS, -1, 1);
    assert.equal(total, count + 1);
    assert.deepEqual([rows[0]!.seq, rows[0]!.text.text], [count + 1, String(count - 1)]);
    const middle = index.page(ALL_ROWS, 500_000, 100);
    assert.deepEqual(
      middle.rows.map(({ text }) => Number(text.text)),
      Array.from({ length: 100 }, (_, i) => 499_999 + i),
    );
    index.close();
  },
);

test('results that share a line find their calls, also beside one that is no row', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  const call = (id: string, name: string, input: object): string =>
    `${JSON.stringify({ type: 'assistant', session_id: 's', message: { content: [{ type: 'tool_use', id, name, input }] } })}\n`;
  const result = (id: string, content: string): object => ({ type: 'tool_result', tool_use_id: id, content });
  turn.chunk('o', call('a', 'TaskCreate', { subject: 'Test it' }));
  turn.chunk('o', call('b', 'Bash', { command: 'ls' }));
  turn.chunk('o', call('c', 'Bash', { command: 'pwd' }));
  const content = [result('a', 'created'), result('b', 'a file'), result('c', '/work')];
  turn.chunk('o', `${JSON.stringify({ type: 'user', session_id: 's', message: { content } })}\n`);
  const rows = await rebuilt(source(folder, 'claude', false));
  assert.deepEqual(
    rows.map(({ kind, tool, todo }) => [kind, tool?.argument, tool?.output?.text, todo?.[0]?.text]),
    [
      ['turn-start', undefined, undefined, undefined],
      ['tool', 'ls', 'a file', undefined],
      ['tool', 'pwd', '/work', undefined],
      ['todo', undefined, undefined, 'Test it'],
    ],
  );
});

test('a call that takes the id of one that is done has a row of its own', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  const message = (type: string, ...content: object[]): string =>
    `${JSON.stringify({ type, session_id: 's', message: { content } })}\n`;
  const call = (command: string, id = 'a'): string =>
    message('assistant', { type: 'tool_use', id, name: 'Bash', input: { command } });
  const result = (content: string, id = 'a'): object => ({ type: 'tool_result', tool_use_id: id, content });
  const index = await openIndex(source(folder, 'claude', false));
  const shown = (): unknown =>
    allRows(index).flatMap(({ tool }) =>
      tool === undefined ? [] : [[tool.argument, tool.state, tool.output?.text ?? null]],
    );
  turn.chunk('o', call('ls'));
  turn.chunk('o', message('user', result('a file')));
  turn.chunk('o', call('pwd'));
  drain(index);
  assert.deepEqual(shown(), [
    ['ls', 'ok', 'a file'],
    ['pwd', 'running', null],
  ]);
  turn.chunk('o', call('date', 'b'));
  turn.chunk('o', message('user', result('/work'), result('noon', 'b')));
  turn.chunk('o', call('ls again'));
  turn.chunk('o', message('user', result('two files')));
  drain(index);
  assert.deepEqual(shown(), [
    ['ls', 'ok', 'a file'],
    ['pwd', 'ok', '/work'],
    ['date', 'ok', 'noon'],
    ['ls again', 'ok', 'two files'],
  ]);
  turn.exit();
  index.update(source(folder, 'claude', true));
  drain(index);
  assert.deepEqual(lasting(allRows(index)), lasting(await rebuilt(source(folder, 'claude', true))));
  index.close();
});

test('totals of a conversation become shares of its turns, and the activity sums them up', async (t) => {
  const folder = await tempDir(t);
  for (const [i, input] of [100, 250, 300].entries()) {
    const turn = new RunWriter(folder, i + 1);
    turn.chunk('o', '{"type":"thread.started","thread_id":"01a1fb15-c1c5-7861-9019-ca32b28a6fdb"}\n');
    turn.chunk('o', `{"type":"turn.completed","usage":{"input_tokens":${input},"output_tokens":1}}\n`);
    turn.exit();
  }
  const of = source(folder, 'codex', true, true, true);
  const index = await openIndex(of);
  drain(index);
  assert.deepEqual(
    [1, 2, 3].map((turn) => index.reader.judgement(turn)?.usage?.input),
    [100, 150, 50],
  );
  assert.equal(index.reader.status().usage?.input, 300);
  index.close();
  // A turn that begins a new conversation has no share of the old one.
  const fresh = await openIndex({ ...of, turns: of.turns.map((turn) => ({ ...turn, resumes: turn.number === 3 })) });
  drain(fresh);
  assert.deepEqual(
    [1, 2, 3].map((turn) => fresh.reader.judgement(turn)?.usage?.input),
    [100, 250, 50],
  );
  fresh.close();
});
