import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../support.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('every bundle that keeps what it derives has the id of its build', { timeout: 60_000 }, async (t) => {
  const out = await tempDir(t);
  execFileSync(process.execPath, ['esbuild.mjs', '--production', `--out=${out}`], { cwd: root });
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  const indexer = readFileSync(path.join(out, 'indexer.cjs'), 'utf8');
  assert.match(indexer, new RegExp(`"${version.replaceAll('.', '\\.')}-[0-9a-f]{16}"`));
});
