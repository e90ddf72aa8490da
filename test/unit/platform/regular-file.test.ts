import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openRegular, readRegular, readRegularSync } from '../../../src/platform/regular-file.ts';
import { tempDir } from '../support.ts';

const APPEND = { appendWithMode: 0o600 };

test('a plain file is read, also through a link, and appended to; a new one is the user’s alone', async (t) => {
  const folder = await tempDir(t);
  const file = path.join(folder, 'file');
  for (const word of ['one ', 'two']) {
    const fd = openRegular(file, APPEND);
    writeSync(fd, word);
    closeSync(fd);
  }
  assert.equal(readFileSync(file, 'utf8'), 'one two');
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
  symlinkSync(file, path.join(folder, 'link'));
  assert.equal(readRegularSync(path.join(folder, 'link')).toString(), 'one two');
  assert.equal((await readRegular(file)).toString(), 'one two');
});

test('what is missing says so', async (t) => {
  const file = path.join(await tempDir(t), 'missing');
  assert.throws(() => openRegular(file, 'read'), { code: 'ENOENT' });
  await assert.rejects(readRegular(file), { code: 'ENOENT' });
});

test('a folder, a pipe and a device are refused at once', { skip: process.platform === 'win32' }, async (t) => {
  const folder = await tempDir(t);
  const at = (name: string): string => path.join(folder, name);
  mkdirSync(at('folder'));
  execFileSync('mkfifo', [at('pipe')]);
  writeFileSync(at('file'), '');
  for (const file of [at('folder'), at('pipe'), '/dev/null']) {
    assert.throws(() => openRegular(file, 'read'), { code: 'ENOTREG' }, file);
    assert.throws(() => readRegularSync(file), { code: 'ENOTREG' }, file);
    await assert.rejects(readRegular(file), { code: 'ENOTREG' }, file);
    assert.throws(() => openRegular(file, APPEND), /ENOTREG|EISDIR/, file);
  }
});
