import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRange, readResume, readSpawn, readStartOptions } from '../../../src/commands/api-arguments.ts';

const refused = { name: 'TreelineError', code: 'invalid', message: /^[a-z.]+ must be .*, but it is .*\.$/ };

test('a range of events is whole numbers, and the last hundred where nothing is said', () => {
  assert.deepEqual(readRange(undefined), { from: -100, count: 100 });
  assert.deepEqual(readRange({}), { from: -100, count: 100 });
  assert.deepEqual(readRange({ from: 7 }), { from: 7, count: 100 });
  assert.deepEqual(readRange({ from: -5, count: 1e9 }), { from: -5, count: 1000 });
  assert.deepEqual(readRange({ count: 0 }), { from: -100, count: 1 });
  for (const strange of [NaN, Infinity, -Infinity, 1.5, {}, null, '1', [], () => 1]) {
    assert.throws(() => readRange({ from: strange }), refused);
    assert.throws(() => readRange({ count: strange }), refused);
  }
  assert.throws(() => readRange({ count: -1 }), refused);
  for (const strange of [null, 7, 'all', []]) {
    assert.throws(() => readRange(strange), refused);
  }
});

test('a start is followed by a function and cancelled by a signal, or by nothing', () => {
  const { signal } = new AbortController();
  const progress = (): void => undefined;
  assert.deepEqual(readStartOptions(undefined), {});
  assert.deepEqual(readStartOptions({ signal, progress }), { signal, progress });
  for (const strange of [null, {}, 'abort', { aborted: false }]) {
    assert.throws(() => readStartOptions({ signal: strange }), refused);
    assert.throws(() => readStartOptions({ progress: strange }), refused);
  }
  for (const strange of [null, 1, 'x', []]) {
    assert.throws(() => readStartOptions(strange), refused);
  }
});

test('a request is read field by field', () => {
  assert.deepEqual(readSpawn({ agent: 'claude', prompt: 'x', more: 1 }, 'spawn'), { agent: 'claude', prompt: 'x' });
  assert.throws(() => readSpawn(null, 'spawn'), refused);
  assert.throws(() => readSpawn({ agent: 'claude', prompt: 'x', expects: [1] }, 'spawn'), {
    code: 'invalid',
    message: /^spawn\.expects\[0\]/,
  });
  assert.throws(() => readResume({ prompt: '' }, 'resume'), refused);
});
