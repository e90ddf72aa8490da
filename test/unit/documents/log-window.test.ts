import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import {
  WHOLE_LIMIT,
  WINDOW_SIZE,
  earlier,
  later,
  positionOf,
  readWindow,
  sizeOf,
  windowAt,
} from '../../../src/documents/log-window.ts';
import { tempDir } from '../support.ts';

const LARGE = 10 * WHOLE_LIMIT;

describe('the window on a log', () => {
  it('is the whole of a small one', () => {
    assert.deepEqual(windowAt('end', WHOLE_LIMIT), { from: 0, to: WHOLE_LIMIT });
    assert.deepEqual(windowAt(5, 100), { from: 0, to: 100 });
  });

  it('stands at the end of a large one, and keeps its start while it grows', () => {
    const first = windowAt('end', LARGE);
    assert.deepEqual(first, { from: LARGE - WINDOW_SIZE, to: LARGE });
    const grown = windowAt('end', LARGE + 1000, first);
    assert.deepEqual(grown, { from: first.from, to: LARGE + 1000 });
    const jumped = windowAt('end', first.from + WHOLE_LIMIT + 1, grown);
    assert.equal(jumped.to - jumped.from, WINDOW_SIZE);
    // A file that was replaced by a smaller one has no place in common with the old window.
    assert.deepEqual(windowAt('end', LARGE - 10, first), { from: LARGE - 10 - WINDOW_SIZE, to: LARGE - 10 });
  });

  it('moves earlier and later without leaving a gap, up to both ends', () => {
    let window = windowAt('end', LARGE);
    for (let moves = 0; window.from > 0; moves += 1) {
      assert.ok(moves < 30);
      const next = windowAt(earlier(window), LARGE);
      assert.ok(next.to >= window.from && next.from < window.from);
      window = next;
    }
    for (let moves = 0; window.to < LARGE; moves += 1) {
      assert.ok(moves < 30);
      const next = windowAt(later(window, LARGE), LARGE);
      assert.ok(next.from <= window.to && next.to > window.to);
      window = next;
    }
    assert.equal(later(window, LARGE), 'end');
  });

  it('begins with a whole line, also in a file of 200 MB that is mostly a hole', async (t) => {
    const file = path.join(await tempDir(t), 'stdout.log');
    await writeFile(file, 'start\n');
    await truncate(file, 200 * 1024 * 1024);
    await writeFile(file, 'x'.repeat(5) + '\n', { flag: 'a' });
    const tail = Array.from({ length: WINDOW_SIZE / 8 }, (_, index) => String(index).padStart(7, '0')).join('\n');
    await writeFile(file, `${tail}\nend\n`, { flag: 'a' });
    const { text, window, size } = await readWindow(file, 'end');
    assert.match(text, /^\d{7}\n/);
    assert.ok(text.endsWith('\nend\n'));
    assert.equal(window.to, size);
    assert.equal(Buffer.byteLength(text), window.to - window.from);
    const again = await readWindow(file, 'end', window);
    assert.equal(again.text, text);
  });

  it('shows damaged bytes and NULs as signs, and cuts no character', async (t) => {
    const file = path.join(await tempDir(t), 'stdout.log');
    await writeFile(file, Buffer.from([0x61, 0, 0xff, 0x0a]));
    assert.equal((await readWindow(file, 'end')).text, 'a\u2400\ufffd\n');
    await writeFile(file, '€'.repeat(WHOLE_LIMIT / 2));
    const { text } = await readWindow(file, 'end');
    assert.ok(!text.includes('\ufffd'));
    assert.match(text, /^€+$/);
  });

  it('is empty for a file that is not there yet', async (t) => {
    const file = path.join(await tempDir(t), 'none.log');
    assert.deepEqual(await readWindow(file, 'end'), { text: '', window: { from: 0, to: 0 }, size: 0 });
    assert.deepEqual(await sizeOf(file), { size: 0, mtime: 0 });
    assert.deepEqual(await positionOf(file, 0, 5), { line: 0, character: 0 });
  });

  it('finds the line of a byte as the editor counts lines', async (t) => {
    const file = path.join(await tempDir(t), 'stdout.log');
    const text = 'é\nb\r\nc\rd\nlast';
    await writeFile(file, text);
    const at = (part: string): number => Buffer.byteLength(text.slice(0, text.indexOf(part)));
    assert.deepEqual(await positionOf(file, 0, at('last')), { line: 4, character: 0 });
    assert.deepEqual(await positionOf(file, 0, at('st')), { line: 4, character: 2 });
    assert.deepEqual(await positionOf(file, at('b'), at('d')), { line: 2, character: 0 });
  });
});
