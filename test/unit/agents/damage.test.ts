/** Lines as no CLI should print them: cut, altered, nested without end, hostile. A reader never throws and loses no line. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readerFor } from '../../../src/agents/registry.ts';
import { FORMATS } from '../../../src/agents/table.ts';
import { seeded } from '../../support/seeded.mts';
import { isSaying, textOf } from '../../../src/words/saying.ts';
import { formatOf, only, read, readLines, recordings, stdout } from './recordings.ts';

const seed = Number(process.env['TREELINE_SEED'] ?? Date.now() % 1_000_000);

function random(from: number): (below: number) => number {
  const next = seeded(from);
  return (below) => Math.floor(next() * below);
}

suite('every recording', () => {
  for (const recording of recordings) {
    test(`${recording} has no unknown line`, () => {
      assert.deepEqual(only(read(recording).events, 'raw'), []);
    });
  }
});

const VALUES: readonly unknown[] = [
  null,
  0,
  -1,
  1e308,
  true,
  '',
  'x',
  [],
  {},
  [[]],
  [null],
  { type: 'text' },
  '\u0000',
  Object.fromEntries([['__proto__', { type: 'x' }]]),
  'constructor',
  ['constructor'],
  { constructor: 1, toString: 'x', hasOwnProperty: null },
];

/** The same JSON with one value somewhere in it replaced by another of any kind. */
function altered(value: unknown, below: (n: number) => number): unknown {
  if (typeof value !== 'object' || value === null || below(4) === 0) return VALUES[below(VALUES.length)];
  const keys = Object.keys(value);
  if (keys.length === 0) return VALUES[below(VALUES.length)];
  const at = keys[below(keys.length)]!;
  const change = (key: string, one: unknown): unknown => (key === at ? altered(one, below) : one);
  return Array.isArray(value)
    ? value.map((one, index) => change(String(index), one))
    : Object.fromEntries(Object.entries(value).map(([key, one]) => [key, change(key, one)]));
}

suite(`damaged lines (TREELINE_SEED=${seed})`, () => {
  const below = random(seed);
  const pick = <T>(of: readonly T[]): T => of[below(of.length)]!;

  test('bytes: cut, flipped, doubled, glued together', () => {
    for (let round = 0; round < 3000; round += 1) {
      const recording = pick(recordings);
      const lines = stdout(recording);
      if (lines.length === 0) continue;
      const bytes = Buffer.from(pick(lines));
      const at = below(bytes.length);
      const kind = below(4);
      if (kind === 0) bytes[at]! ^= 1 << below(8);
      const line =
        kind === 1
          ? bytes.subarray(0, at).toString()
          : kind === 2
            ? `${bytes.toString()}${bytes.toString()}`
            : bytes.toString();
      const { events } = readLines(formatOf(recording), kind === 3 ? [line, line] : [line]);
      if (kind === 1 && at > 0) assert.deepEqual(events, [{ kind: 'raw', text: line }]);
    }
  });

  test('values: any field of any line replaced by anything', () => {
    for (let round = 0; round < 4000; round += 1) {
      const recording = pick(recordings);
      const lines = stdout(recording).map((line) =>
        below(3) === 0 ? JSON.stringify(altered(JSON.parse(line), below)) : line,
      );
      const { events, seen } = readLines(formatOf(recording), lines);
      for (const event of events) {
        // What the next room relies on.
        if (event.kind === 'tool') assert.equal(typeof event.argument, 'string');
        if (event.kind === 'tool-result') assert.equal(typeof event.output, 'string');
        if ('text' in event) assert.ok(typeof event.text === 'string' || isSaying(event.text));
      }
      const exit = { startedAt: 1, endedAt: 2, code: below(3), signal: null, survivors: [], expected: [] };
      const summary = textOf(readerFor(formatOf(recording)).judge(seen, exit, pick([...lines, ''])).summary);
      assert.ok(summary.length > 0 && summary.length <= 500 && !/\p{Cc}/u.test(summary), JSON.stringify(summary));
    }
  });
});

suite('hostile lines', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

  for (const format of FORMATS.filter((one) => one !== 'text')) {
    test(`${format}: 100,000 levels deep, in any place`, () => {
      const lines = [
        deep,
        `{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t","name":"Bash","input":{"command":"ls","x":${deep}}}]}}`,
        `{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":${deep}}]},"tool_use_result":${deep}}`,
        `{"type":"item.completed","item":{"id":"i","type":"mcp_tool_call","arguments":{"q":"x","y":${deep}},"result":${deep}}}`,
        `{"type":${deep}}`,
      ];
      const { events } = readLines(format, lines);
      assert.ok(events.length >= lines.length - 1);
    });
  }

  test('a call whose input is too deep for JSON text still has its row', () => {
    const { events } = readLines('claude', [
      `{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t","name":"Bash","input":{"command":"ls","x":${deep}}}]}}`,
    ]);
    assert.equal(only(events, 'tool')[0]?.argument, 'ls');
  });

  test('__proto__ and other names of the prototype are fields like any other', () => {
    const { events } = readLines('claude', [
      '{"__proto__":{"type":"result","subtype":"success"},"type":"constructor"}',
      '{"type":"toString"}',
      '{"type":"system","subtype":"__proto__"}',
      '{"type":"assistant","message":{"content":[{"type":"tool_use","id":"__proto__","name":"constructor","input":{"__proto__":{"command":"x"}}}]}}',
    ]);
    assert.deepEqual(
      events.map((event) => event.kind),
      ['raw', 'raw', 'raw', 'tool'],
    );
    assert.equal(({} as Record<string, unknown>)['command'], undefined);
  });

  test('one line of 100 MB is read whole', () => {
    const text = 'A'.repeat(100 * 1024 * 1024);
    const { events } = readLines('claude', [
      `{"type":"assistant","message":{"content":[{"type":"text","text":"${text}"}]}}`,
    ]);
    assert.equal(only(events, 'text')[0]?.text.length, text.length);
  });

  test('half a million fields, blocks and questions', () => {
    const many = Array.from({ length: 500_000 }, (_, index) => index);
    const fields = JSON.stringify(Object.fromEntries(many.map((index) => [`k${index}`, index])));
    const { events } = readLines('claude', [
      `{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t","name":"x","input":${fields}}]}}`,
      `{"type":"assistant","message":{"content":${JSON.stringify(many.map(() => ({ type: 'text', text: 'x' })))}}}`,
    ]);
    assert.equal(events.length, 500_001);
    const codex = readLines('codex', [
      `{"type":"item.completed","item":{"id":"i","type":"collab_tool_call","receiver_thread_ids":${JSON.stringify(many)}}}`,
    ]);
    assert.equal(codex.events.length, 2);
  });
});
