import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { installShim } from '../../../src/hosts/shim.ts';
import { programsFolder } from '../../../src/hosts/programs.ts';
import { tempDir } from '../support.ts';

const run = promisify(execFile);

test('the command runs the newest copy, whatever its version, with its arguments as they are', async (t) => {
  const folder = path.join(await tempDir(t), "it's here");
  const storage = path.join(folder, 'storage');
  const file = path.join(folder, 'bin', 'treeline');
  const { line } = await installShim(storage, { file, env: { PATH: '/bin' } });
  assert.equal(line, `export PATH="${path.dirname(file)}:$PATH"`);
  await assert.rejects(run(file, ['list']), /not installed any more/);
  for (const [n, build] of ['0.1.0-b', '0.1.0-a', '0.0.9'].entries()) {
    const copy = path.join(programsFolder(storage), build);
    mkdirSync(copy, { recursive: true });
    writeFileSync(
      path.join(copy, 'treeline.cjs'),
      `console.log(JSON.stringify(['${build}', ...process.argv.slice(2)]))`,
    );
    utimesSync(copy, 1000 + n, 1000 + n);
  }
  const args = ['spawn', 'a "b" $(c) `d`', "e'f", ''];
  const { stdout } = await run(file, args);
  assert.deepEqual(JSON.parse(stdout), ['0.0.9', ...args]);
  assert.doesNotMatch(readFileSync(file, 'utf8'), /0\.\d\.\d/);
  // Again, with its folder on the PATH.
  assert.deepEqual(await installShim(storage, { file, env: { PATH: `/bin:${path.dirname(file)}` } }), { file });
});

test('another program of that name is left alone', async (t) => {
  const file = path.join(await tempDir(t), 'treeline');
  writeFileSync(file, '#!/bin/sh\necho mine\n');
  await assert.rejects(installShim('/storage', { file }), { code: 'shim-taken' });
  assert.equal(readFileSync(file, 'utf8'), '#!/bin/sh\necho mine\n');
});
