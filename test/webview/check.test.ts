import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHostMessage, isPageMessage } from '../../src/protocol/check.ts';
import { generatedRows } from './generated.ts';
import { story } from './story.ts';

const filter = { groups: ['tools'], query: 'x' };

test('what the page may say, and nothing else', () => {
  const good = [
    { type: 'ready', filter, count: 200, request: 1 },
    { type: 'rows', filter, from: -100, count: 100, request: 2 },
    { type: 'openFile', path: 'src/a.ts', line: 3 },
    { type: 'openFile', path: 'src/a.ts' },
    { type: 'openLog', seq: 1, part: 'result' },
    { type: 'openText', seq: 1, part: 'diff' },
    { type: 'openLink', href: 'https://example.org' },
    { type: 'command', command: 'stop' },
    { type: 'ping' },
    { type: 'place', session: 'ses_1', place: { expanded: [] } },
    { type: 'place', session: 'ses_1', place: { anchor: { seq: 3, y: -1.5 }, expanded: [1, 2] } },
  ];
  for (const message of good) assert.ok(isPageMessage(message), JSON.stringify(message));
  const bad = [
    null,
    'ready',
    [],
    {},
    { type: 'toString' },
    { type: '__proto__' },
    { type: 'ready', filter, count: 0, request: 1 },
    { type: 'ready', filter, count: 100_000, request: 1 },
    { type: 'ready', filter: { groups: ['all'], query: '' }, count: 1, request: 1 },
    { type: 'ready', filter: { groups: [], query: 'x'.repeat(1001) }, count: 1, request: 1 },
    { type: 'rows', filter, from: 0.5, count: 1, request: 1 },
    { type: 'rows', filter, from: Number.NaN, count: 1, request: 1 },
    { type: 'openFile', path: '' },
    { type: 'openFile', path: 'a\0b' },
    { type: 'openFile', path: 'a', line: -1 },
    { type: 'openFile', path: 'a', more: true },
    { type: 'openLog', seq: '1', part: 'row' },
    { type: 'openText', seq: 1, part: 'everything' },
    { type: 'openLink', href: 'command:workbench.action.quit' },
    { type: 'openLink', href: 'javascript:alert(1)' },
    { type: 'command', command: 'spawn' },
    { type: 'ping', at: 1 },
    { type: 'place', session: 'ses_1', place: { expanded: ['1'] } },
    { type: 'place', session: 'ses_1', place: { anchor: { seq: 3, y: Infinity }, expanded: [] } },
    { type: 'place', session: 'ses_1', place: { expanded: Array.from({ length: 501 }, () => 1) } },
    Object.create({ type: 'command', command: 'stop' }),
  ];
  for (const message of bad) assert.ok(!isPageMessage(message), JSON.stringify(message));
});

test('what the host says is known by its type, and may hold words that this page does not know', () => {
  const page = { epoch: 'a', rev: 1, total: 40, from: 0, rows: [...story(), ...generatedRows(10)] };
  assert.ok(isHostMessage({ type: 'page', request: 1, page }));
  assert.ok(isHostMessage({ type: 'header', header: null }));
  assert.ok(isHostMessage({ type: 'header', header: { status: 'dreaming' } }));
  for (const other of [null, 'hello', [], {}, { type: 1 }, { type: 'toString' }, { type: 'vscode' }]) {
    assert.ok(!isHostMessage(other), JSON.stringify(other));
  }
});
