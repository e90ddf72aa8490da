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
    Object.create({ type: 'command', command: 'stop' }),
  ];
  for (const message of bad) assert.ok(!isPageMessage(message), JSON.stringify(message));
});

test('what the host may say', () => {
  const page = { epoch: 'a', rev: 1, total: 40, from: 0, rows: [...story(), ...generatedRows(10)] };
  assert.ok(isHostMessage({ type: 'page', request: 1, page }));
  assert.ok(isHostMessage({ type: 'header', header: null }));
  assert.ok(!isHostMessage({ type: 'page', request: 1, page: { ...page, rows: [{}] } }));
  assert.ok(!isHostMessage({ type: 'page', request: 1, page: { ...page, total: -1 } }));
  assert.ok(!isHostMessage({ type: 'header' }));
});
