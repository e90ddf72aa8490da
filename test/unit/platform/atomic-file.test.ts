import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { readIfExists, writeAtomic } from '../../../src/platform/atomic-file.ts';
import { tempDir } from '../support.ts';

describe('an atomic write', () => {
  it('makes a file, and replaces one, for the user alone', async (t) => {
    const dir = await tempDir(t);
    const file = path.join(dir, 'a.json');
    await writeAtomic(file, 'one');
    await writeAtomic(file, Buffer.from('two'));
    assert.equal(readFileSync(file, 'utf8'), 'two');
    assert.deepEqual(readdirSync(dir), ['a.json']);
    if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('leaves nothing behind when it fails', async (t) => {
    const dir = await tempDir(t);
    const target = path.join(dir, 'a folder');
    mkdirSync(path.join(target, 'with something'), { recursive: true });
    await assert.rejects(writeAtomic(target, 'x'));
    assert.deepEqual(readdirSync(dir), ['a folder']);
    await assert.rejects(writeAtomic(path.join(dir, 'none', 'a'), 'x'), { code: 'ENOENT' });
    assert.deepEqual(readdirSync(dir), ['a folder']);
  });

  it('is seen whole or not at all, by many writers and readers at once', async (t) => {
    const dir = await tempDir(t);
    const file = path.join(dir, 'a');
    const content = (i: number): string => String(i).repeat(20_000);
    await writeAtomic(file, content(0));
    const writes = Array.from({ length: 10 }, (_, i) => writeAtomic(file, content(i)));
    const reads = Array.from({ length: 50 }, async () => {
      const text = (await readIfExists(file))?.toString() ?? '';
      assert.ok(/^(.)\1*$/.test(text) && text.length === 20_000);
    });
    await Promise.all([...writes, ...reads]);
    assert.deepEqual(readdirSync(dir), ['a']);
  });
});

describe('reading a file that may not be there', () => {
  it('tells nothing from empty, and other failures from both', async (t) => {
    const dir = await tempDir(t);
    assert.equal(await readIfExists(path.join(dir, 'a')), undefined);
    writeFileSync(path.join(dir, 'a'), '');
    assert.equal((await readIfExists(path.join(dir, 'a')))?.length, 0);
    await assert.rejects(readIfExists(dir));
  });
});
