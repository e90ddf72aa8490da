import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkTarget } from '../../webview/links.ts';
import { beginning, line, readable } from '../../webview/text.ts';
import { Words } from '../../webview/words.ts';

test('colours go, control characters show as signs, and what reorders a line is named', () => {
  assert.equal(readable('\u001b[31mred\u001b[0m \u001b]0;title\u0007x\r\ny'), 'red x\ny');
  assert.equal(readable('\u009b1;31mred\u009b0m'), 'red');
  assert.equal(readable('a\u0000b\u0008c\u007f'), 'a␀b␈c␡');
  assert.equal(readable('\u202egnp.exe'), '‹U+202E›gnp.exe');
  assert.equal(readable('tab\tline\nשלום'), 'tab\tline\nשלום');
});

test('one line, cut', () => {
  assert.equal(line('  a\n\tb  ', 10), 'a b');
  assert.equal(line('x'.repeat(1_000_000), 5), 'xxxx…');
});

test('a long text is folded, a slightly longer one is not', () => {
  assert.deepEqual(beginning('1\n2\n3', 3, 100), { text: '1\n2\n3', cut: false });
  assert.deepEqual(beginning('1\n2\n3\n4', 3, 100), { text: '1\n2\n3\n4', cut: false });
  assert.deepEqual(beginning('1\n2\n3\n4\n5\n6', 3, 100), { text: '1\n2\n3', cut: true });
  assert.deepEqual(beginning('x'.repeat(300), 3, 100), { text: 'x'.repeat(100), cut: true });
});

test('links lead to the web or to a file, and nowhere else', () => {
  assert.deepEqual(linkTarget('https://example.org/a?b#c'), { type: 'openLink', href: 'https://example.org/a?b#c' });
  assert.deepEqual(linkTarget('src/a.ts'), { type: 'openFile', path: 'src/a.ts' });
  assert.deepEqual(linkTarget('src/a.ts#L12'), { type: 'openFile', path: 'src/a.ts', line: 12 });
  assert.deepEqual(linkTarget('src/a.ts#L12-L20'), { type: 'openFile', path: 'src/a.ts', line: 12 });
  assert.deepEqual(linkTarget('/repo/a%20b.ts:7:3'), { type: 'openFile', path: '/repo/a b.ts', line: 7 });
  assert.deepEqual(linkTarget('file:///repo/a.ts:7'), { type: 'openFile', path: '/repo/a.ts', line: 7 });
  assert.deepEqual(linkTarget('C:\\a.ts'), { type: 'openFile', path: 'C:\\a.ts' });
  for (const href of [
    'javascript:alert(1)',
    'data:text/html,x',
    'vscode://x/y',
    'command:a.b',
    '#top',
    '//evil.example/x',
    '',
    'http://',
  ]) {
    assert.equal(linkTarget(href), undefined, href);
  }
});

test('speaks the language of the host, and English where it says nothing', () => {
  const words = new Words({ 'header.turn': 'Zug {0}', 'live.new.other': '{0} neue Ereignisse' }, 'de');
  assert.equal(words.say('header.turn', 3), 'Zug 3');
  assert.equal(words.say('header.stop'), 'Stop');
  assert.equal(words.count('live.new', 1200), '1.200 neue Ereignisse');
  assert.equal(new Words({}, 'no such locale').count('live.new', 1), '1 new event');
  assert.equal(words.elapsed(3_723_000), '1:02:03');
});

test('a cut never halves a character', () => {
  for (let length = 2; length < 12; length += 1) {
    for (const text of [
      '😀😀😀😀😀😀😀😀😀',
      'a😀😀😀😀😀😀😀😀',
      `${'\u001b[1m'.repeat(20)}😀${'\u001b[1m'.repeat(20)}`,
    ]) {
      assert.ok(line(text, length).isWellFormed(), `line ${length}`);
      assert.ok(line(text, length).length <= length);
      assert.ok(beginning(text.repeat(40), 3, length).text.isWellFormed(), `beginning ${length}`);
    }
  }
});
