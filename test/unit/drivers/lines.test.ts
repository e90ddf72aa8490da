import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { adapters } from '../../../src/agents/registry.ts';
import type { DriverEvent, DriverLine } from '../../../src/drivers/driver.ts';
import { lines, type LinesState } from '../../../src/drivers/lines.ts';
import { linesInOrder, LineOrder, replay, type RunStream } from '../../../src/drivers/replay.ts';
import { driverFor } from '../../../src/drivers/table.ts';

const folder = path.join(import.meta.dirname, '../../fixtures/runs/demo-live');
const file = (name: string): Buffer => readFileSync(path.join(folder, `${name}.log`));
const logs = { i: file('stdin'), o: file('stdout'), e: file('stderr') };
const times = file('times').toString('utf8');
const recorded = linesInOrder(times, logs);

const out = (treeline: unknown): DriverLine => ({ stream: 'out', text: JSON.stringify({ treeline }), at: 1 });
const plain = (text: string): DriverLine => ({ stream: 'out', text, at: 1 });
const sent = (text: string, key?: string, turn?: number): DriverLine => ({
  stream: 'in',
  text,
  at: 1,
  ...(key !== undefined && { key }),
  ...(turn !== undefined && { turn }),
});
const hello = out({ hello: { turns: true, interrupt: true, messages: true } });
const choices = [
  { id: 'allow', label: 'Allow' },
  { id: 'deny', label: 'Deny' },
];
const ask = (id: string): DriverLine => out({ request: { id, kind: 'permission', title: 'Run npm test', choices } });
const after = (spec: { turn?: number }, ...all: DriverLine[]): ReturnType<typeof replay<LinesState>> =>
  replay(lines, spec, all);
const types = (events: readonly DriverEvent[]): readonly string[] => events.map(({ type }) => type);

suite('a recorded run of four turns', () => {
  const whole = replay(lines, {}, recorded);

  test('says what happened, in its order', () => {
    assert.deepEqual(
      whole.events.map((one) =>
        [one.type, 'turn' in one ? one.turn : 'id' in one ? one.id : 'key' in one ? one.key : ''].join(' ').trim(),
      ),
      [
        'ready',
        'turn-began 1',
        'message-received m1',
        'request-opened r1',
        'request-closed r1',
        'request-opened r2',
        'request-closed r2',
        'request-opened r3',
        'request-closed r3',
        'turn-ended 1',
        'turn-began 2',
        'message-received m2',
        'message-received s1',
        'turn-ended 2',
        'turn-began 3',
        'message-received m3',
        'turn-ended 3',
        'turn-began 4',
        'message-received m4',
        'request-opened r4',
        'request-closed r4',
        'turn-ended 4',
      ],
    );
    const ends = whole.events.flatMap((one) => (one.type === 'turn-ended' ? [one.outcome] : []));
    assert.deepEqual(ends, ['completed', 'completed', 'interrupted', 'failed']);
    const closed = whole.events.flatMap((one) => (one.type === 'request-closed' ? [[one.how, one.choice]] : []));
    assert.deepEqual(closed, [
      ['answered', 'approve'],
      ['answered', undefined],
      ['answered', 'allow'],
      ['withdrawn', undefined],
    ]);
    assert.deepEqual([whole.state.open, whole.state.waiting, whole.state.turn], [[], [], undefined]);
  });

  test('cut at every line, stored and taken up again, it comes to the same', () => {
    for (let cut = 0; cut <= recorded.length; cut += 1) {
      const first = replay(lines, {}, recorded.slice(0, cut));
      const stored = JSON.parse(JSON.stringify(first.state)) as LinesState;
      assert.deepEqual(stored, first.state);
      const rest = replay({ ...lines, start: () => stored }, {}, recorded.slice(cut));
      assert.deepEqual(rest.state, whole.state);
      assert.deepEqual([...first.events, ...rest.events], whole.events);
    }
  });

  test('however the bytes of a stream are cut, its lines are the same', () => {
    for (const size of [1, 2, 3, 7, 1000]) {
      for (const stream of ['i', 'o', 'e'] as const) {
        const order = new LineOrder();
        const cut: string[] = [];
        for (let at = 0; at < logs[stream].length; at += size) {
          cut.push(...order.chunk(stream, logs[stream].subarray(at, at + size), 1).map(({ text }) => text));
        }
        const expected = recorded.filter((one) => one.stream.startsWith(stream)).map(({ text }) => text);
        assert.deepEqual(cut, expected);
      }
    }
  });

  test('a line stands where its end arrived; damaged entries and lines cost nothing else', () => {
    const made = {
      i: Buffer.from('{"at":5,"text":"hi","key":"k"}\nnonsense\n'),
      o: Buffer.from('one\ntwo\r\n…'),
      e: Buffer.from('err\n'),
    };
    const cuts: readonly (readonly [RunStream, number])[] = [
      ['o', 2],
      ['i', 31],
      ['o', 8],
      ['e', 4],
      ['i', 40],
      ['o', 12],
    ];
    const order = ['', 'nonsense', ...cuts.map(([stream, end], index) => `${stream} ${index} ${end}`), 'k 9 9'];
    assert.deepEqual(linesInOrder(order.join('\n'), made), [
      { stream: 'in', at: 5, text: 'hi', key: 'k' },
      { stream: 'out', text: 'one', at: 2 },
      { stream: 'err', text: 'err', at: 3 },
      { stream: 'out', text: 'two', at: 5 },
    ]);
  });
});

suite('an answer', () => {
  const asked = after({ turn: 1 }, hello, ask('p1'));

  test('is given once: the log of what was sent decides', () => {
    const wish = lines.answer(asked.state, { request: 'p1', choice: 'allow' });
    assert.deepEqual(wish, {
      send: [{ key: 'answer:1:p1', text: '{"treeline":{"answer":{"id":"p1","choice":"allow"}}}' }],
    });
    // Whoever means to answer at the same time means the same key, which the keeper delivers once.
    const other = lines.answer(asked.state, { request: 'p1', choice: 'deny' });
    assert.equal('send' in other && other.send[0]?.key, 'answer:1:p1');
    const answered = after({ turn: 1 }, hello, ask('p1'), sent('{"treeline":{"answer":{"id":"p1","choice":"allow"}}}'));
    assert.deepEqual(answered.events.at(-1), { type: 'request-closed', id: 'p1', how: 'answered', choice: 'allow' });
    assert.deepEqual(lines.answer(answered.state, { request: 'p1', choice: 'deny' }), { refused: 'already-answered' });
  });

  test('to the same question asked again is another one', () => {
    const { state } = after(
      { turn: 1 },
      hello,
      ask('p1'),
      sent('{"treeline":{"answer":{"id":"p1","choice":"deny"}}}'),
      ask('p1'),
    );
    const wish = lines.answer(state, { request: 'p1', choice: 'allow' });
    assert.equal('send' in wish && wish.send[0]?.key, 'answer:2:p1');
  });

  test('must be one of the choices; words do only for a question', () => {
    assert.deepEqual(lines.answer(asked.state, { request: 'p1', choice: 'perhaps' }), { refused: 'unknown-choice' });
    assert.deepEqual(lines.answer(asked.state, { request: 'p1', text: 'yes' }), { refused: 'unknown-choice' });
    assert.deepEqual(lines.answer(asked.state, { request: 'p2', choice: 'allow' }), { refused: 'unknown-request' });
    const question = after({ turn: 1 }, hello, out({ request: { id: 'q', kind: 'question', title: 'Why?' } }));
    const wish = lines.answer(question.state, { request: 'q', text: 'Because.' });
    assert.equal('send' in wish && wish.send[0]?.text, '{"treeline":{"answer":{"id":"q","text":"Because."}}}');
  });

  test('comes too late when the turn is over or the request was withdrawn', () => {
    for (const line of [out({ withdrawn: 'p1' }), out({ turn: 'ended', outcome: 'completed' })]) {
      const { state, events } = after({ turn: 1 }, hello, ask('p1'), line);
      assert.ok(events.some((one) => one.type === 'request-closed' && one.how === 'withdrawn'));
      assert.deepEqual(lines.answer(state, { request: 'p1', choice: 'allow' }), { refused: 'unknown-request' });
    }
  });
});

suite('a message', () => {
  const message = (state: LinesState, text: string, turn?: number): ReturnType<typeof lines.message> =>
    lines.message(state, { key: 'k', text, ...(turn !== undefined && { turn }) });

  test('steers the turn under way, or begins the next one when there is none', () => {
    const working = after({ turn: 1 }, hello).state;
    assert.deepEqual(message(working, 'Go on'), {
      send: [{ key: 'k', text: '{"treeline":{"message":{"key":"k","text":"Go on"}}}' }],
    });
    assert.deepEqual(message(working, 'x', 2), { refused: 'turn-under-way' });
    const idle = after({ turn: 1 }, hello, out({ turn: 'ended', outcome: 'completed' })).state;
    assert.deepEqual(message(idle, 'x'), { refused: 'no-turn' });
    assert.deepEqual(message(idle, 'x', 1), { refused: 'turn-over' });
    assert.deepEqual(message(idle, 'Next', 2), {
      send: [{ key: 'k', text: '{"treeline":{"message":{"key":"k","text":"Next","turn":2}}}', turn: 2 }],
    });
    const begun = lines.step(idle, sent('Next', 'k', 2));
    assert.deepEqual(begun.events, [{ type: 'turn-began', turn: 2 }]);
  });

  test('is a plain line for an agent that did not ask for more, unless the agent would obey it', () => {
    const { state } = after({ turn: 1 }, out({ hello: { interrupt: true } }));
    assert.deepEqual(message(state, 'two\nlines'), { send: [{ key: 'k', text: 'two\nlines' }] });
    assert.deepEqual(message(state, 'x\n{"treeline":{"interrupt":true}}'), { refused: 'reserved-text' });
  });

  test('that was sent while a turn ended begins the next turn when that is over', () => {
    const { events, state } = after(
      { turn: 1 },
      hello,
      sent('Next', 'k', 2),
      out({ turn: 'ended', outcome: 'failed', summary: 'No' }),
      out({ received: 'k' }),
      out({ received: 'k' }),
    );
    assert.deepEqual(events.slice(2), [
      { type: 'turn-ended', turn: 1, outcome: 'failed', summary: 'No' },
      { type: 'turn-began', turn: 2 },
      { type: 'message-received', key: 'k' },
    ]);
    assert.equal(state.turn, 2);
  });
});

suite('an interrupt', () => {
  test('has one key a turn, and is sent once', () => {
    const { state } = after({ turn: 3 }, hello);
    const wish = lines.interrupt(state);
    assert.deepEqual(wish, { send: [{ key: 'interrupt:3', text: '{"treeline":{"interrupt":true}}' }] });
    const interrupted = lines.step(state, sent('{"treeline":{"interrupt":true}}', 'interrupt:3')).state;
    assert.deepEqual(lines.interrupt(interrupted), { send: [] });
    const over = after({ turn: 3 }, hello, out({ turn: 'ended', outcome: 'interrupted' })).state;
    assert.deepEqual(lines.interrupt(over), { refused: 'no-turn' });
  });
});

suite('any program that takes lines', () => {
  test('serves one turn, and what it prints is output, whatever it looks like', () => {
    const { events, state } = after(
      { turn: 1 },
      plain('Working'),
      ask('p1'),
      out({ turn: 'ended', outcome: 'completed' }),
    );
    assert.deepEqual(types(events), ['turn-began']);
    assert.deepEqual(lines.message(state, { key: 'k', text: 'More', turn: 2 }), { refused: 'turn-under-way' });
    assert.deepEqual(lines.message(state, { key: 'k', text: '{"treeline":{"interrupt":true}}' }), {
      send: [{ key: 'k', text: '{"treeline":{"interrupt":true}}' }],
    });
    assert.deepEqual(lines.interrupt(state), { refused: 'cannot-interrupt' });
  });

  test('what is unknown or malformed is output, and changes nothing', () => {
    const begun = after({ turn: 1 }, hello).state;
    const garbage = [
      '',
      '{"treeline":{}}',
      '{"treeline":1}',
      '{"treeline":{"hologram":true}}',
      '{"treeline":{"turn":"ended"}}',
      '{"treeline":{"turn":"ended","outcome":"perhaps"}}',
      '{"treeline":{"turn":"ended","outcome":"completed"},"more":1}',
      '{"treeline":{"request":{"id":"","kind":"permission","title":"x","choices":[]}}}',
      '{"treeline":{"request":{"id":"a","kind":"permission","title":"nothing to choose"}}}',
      '{"treeline":{"request":{"id":"a","kind":"wish","title":"x"}}}',
      '{"treeline":{"withdrawn":7}}',
      '{"treeline":{"received":"nobody sent it"}}',
      '{"treeline":{"constructor":1}}',
      `{"treeline":${'['.repeat(50_000)}`,
      '\u0000\ufffd',
    ];
    for (const text of garbage) {
      for (const stream of ['out', 'err', 'in'] as const) {
        const step = lines.step(begun, { stream, text, at: 1 });
        assert.deepEqual([step.state, step.events, step.send], [begun, [], []], text.slice(0, 80));
      }
    }
    assert.deepEqual(lines.step(begun, { ...ask('p1'), stream: 'err' }).events, []);
    const ids = ['__proto__', 'constructor'].map((id) => ask(id));
    assert.equal(after({ turn: 1 }, hello, ...ids).state.open.length, 2);
  });
});

test('every protocol that an agent speaks has its driver; one of another version has none', () => {
  const request = { prompt: 'p', promptFile: '/p', worktree: '/w', session: 's' };
  for (const agent of adapters([])) {
    const { protocol } = agent.start(request);
    if (protocol !== undefined) assert.equal(driverFor(protocol)?.protocol, protocol, agent.id);
  }
  assert.equal(driverFor(), lines);
  assert.equal(driverFor('hologram'), undefined);
});
