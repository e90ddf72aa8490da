import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { refuseUnremovable } from '../../../src/platform/removable.ts';
import { tempDir } from '../support.ts';

const root = process.getuid?.() === 0;
const NOBODY = 65534;
const source = new URL('../../../src/platform/removable.ts', import.meta.url).href;

/** What another user is told; empty when nothing is in the way. */
async function asNobody(tree: string): Promise<string> {
  const code = `import { refuseUnremovable } from ${JSON.stringify(source)};
    process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY});
    await refuseUnremovable(process.argv[1]).catch(({ code, message }) => console.log(code + ': ' + message));`;
  const args = ['--input-type=module', '-e', code, tree];
  return (await promisify(execFile)(process.execPath, args)).stdout.trim();
}

/** A tree of nobody's, with `names` in it: those that end with / are folders. */
async function tree(t: TestContext, ...names: string[]): Promise<string> {
  const dir = await tempDir(t);
  const top = path.join(dir, 'tree');
  await mkdir(top);
  for (const name of names) {
    if (name.endsWith('/')) await mkdir(path.join(top, name));
    else await writeFile(path.join(top, name), '');
  }
  execFileSync('chown', ['-R', String(NOBODY), dir]);
  return top;
}

test(
  'what is ours, read-only and closed folders included, can be deleted, and stays as it is',
  { skip: !root && 'it takes root' },
  async (t) => {
    const top = await tree(t, 'a/', 'a/b/', 'a/b/file', 'empty/', 'readonly');
    await chmod(path.join(top, 'a/b'), 0o500);
    await chmod(path.join(top, 'a'), 0);
    await chmod(path.join(top, 'readonly'), 0o400);
    // Somebody else's file, and his empty folder, can be deleted by who owns the folder they are in.
    for (const name of ['readonly', 'empty']) await chown(path.join(top, name), 0, 0);
    assert.equal(await asNobody(top), '');
    assert.equal((await stat(path.join(top, 'a'))).mode & 0o777, 0);
    assert.equal((await stat(path.join(top, 'a/b'))).mode & 0o777, 0o500);
    await refuseUnremovable(path.join(top, 'nowhere'));
  },
);

test('a folder of somebody else’s is named with its owner', { skip: !root && 'it takes root' }, async (t) => {
  const top = await tree(t, 'kept', 'a/', 'a/cache/', 'a/cache/file');
  await chown(path.join(top, 'a/cache'), 0, 0);
  const said = `not-deletable: ${top} cannot be deleted because of ${path.join(top, 'a/cache')}, which root owns. Run sudo chown -R ${NOBODY} "${top}", then try again.`;
  assert.equal(await asNobody(top), said);
  await chmod(path.join(top, 'a/cache'), 0o700);
  assert.equal(await asNobody(top), said);
  await chmod(path.join(top, 'a/cache'), 0o777);
  assert.equal(await asNobody(top), '');
  await chmod(path.join(top, 'a/cache'), 0o1777);
  await chown(path.join(top, 'a/cache/file'), 4711, 4711);
  assert.match(await asNobody(top), /cache\/file, which the user with the ID 4711 owns\./);
});

test('a file that the system protects is named', { skip: !root && 'it takes root' }, async (t) => {
  const top = await tree(t, 'a/', 'a/file');
  const protect = (sign: string): void => void execFileSync('chattr', [`${sign}i`, path.join(top, 'a/file')]);
  try {
    protect('+');
  } catch {
    t.skip('this file system has no immutable files');
    return;
  }
  try {
    await assert.rejects(refuseUnremovable(top), {
      code: 'not-deletable',
      message: /a\/file, which the system protects\. Run sudo chattr -R -i "\/.*tree"/,
    });
  } finally {
    protect('-');
  }
  await refuseUnremovable(top);
});
