import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayName } from '../../../src/sessions/display-name.ts';

test('the first line that says something, without Markdown marks', () => {
  assert.equal(displayName('\n\n  Fix the login  \nmore'), 'Fix the login');
  assert.equal(displayName('```\n---\n# Heading *x*\n'), 'Heading *x*');
  assert.equal(displayName('> - [ ] 1. do it'), 'do it');
  assert.equal(displayName('#123 is broken'), '#123 is broken');
  assert.equal(displayName('~~~ts\r\nconst a = 1;'), 'const a = 1;');
  assert.equal(displayName('🚀'), '🚀');
});

test('a prompt that says nothing', () => {
  for (const prompt of ['', '\n \n', '---\n***', '\u202e\u200b']) assert.equal(displayName(prompt), 'Untitled');
});

test('control characters and bidi overrides are gone', () => {
  assert.equal(displayName('a\u0000b\u001b[31mc\u202ed\u2066e\tf'), 'ab[31mcde f');
});

test('cut at 80 graphemes, never inside one', () => {
  const family = '👩‍👩‍👧‍👦';
  const long = displayName(family.repeat(200));
  assert.equal(long, `${family.repeat(79)}…`);
  assert.equal(displayName(family.repeat(80)), family.repeat(80));
  assert.equal(displayName('x'.repeat(81)), `${'x'.repeat(79)}…`);
  assert.equal(displayName('e\u0301'.repeat(81)), `${'e\u0301'.repeat(79)}…`);
});

test('a line of a megabyte is cut like any other', () => {
  assert.equal(displayName('word '.repeat(200_000)).length, 80);
});
