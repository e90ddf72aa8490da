import assert from 'node:assert/strict';
import test from 'node:test';
import { excerpt, plain } from '../../../src/timeline/excerpt.ts';

test('a text that fits is whole', () => {
  assert.deepEqual(excerpt('a\tb\nc', 10), { text: 'a\tb\nc', bytes: 5, cut: false });
  assert.deepEqual(excerpt('é', 1), { text: 'é', bytes: 2, cut: false });
});

test('a cut never splits a code point, and tells the size of the whole', () => {
  assert.deepEqual(excerpt('a😀b', 2), { text: 'a', bytes: 6, cut: true });
  assert.deepEqual(excerpt('a😀b', 3), { text: 'a😀', bytes: 6, cut: true });
  assert.deepEqual(excerpt('head', 10, 1000), { text: 'head', bytes: 1000, cut: true });
});

test('terminal escapes and control characters do not show', () => {
  assert.equal(plain('\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b]8;;http://a\x1b\\link\x00\x08\x9b'), 'red xlink');
  assert.equal(plain('10%\r20%\r\ndone'), '10%\n20%\ndone');
  assert.equal(excerpt(`${'x'.repeat(39)}\x1b[31mred`, 10).text, 'x'.repeat(10));
  assert.equal(plain('torn \x1b[3'), 'torn ');
  assert.equal(plain('\x9b1;31mred\x9b0m \x9b2Kx\x9b'), 'red x');
  assert.equal(plain('torn \x9b3'), 'torn ');
  assert.equal(excerpt(`${'x'.repeat(38)}\x9b31mred`, 10).text, 'x'.repeat(10));
});
