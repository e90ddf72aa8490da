import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, chown, lstat, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { emptyFolder, removeTree } from '../../../src/platform/remove-tree.ts';
import { mountAt, noMounts } from '../mounts.ts';
import { tempDir } from '../support.ts';

const run = promisify(execFile);

test('deletes everything below a folder, and nothing that links lead to', async (t) => {
  const dir = await tempDir(t);
  const tree = path.join(dir, 'tree');
  await mkdir(path.join(tree, 'a/b'), { recursive: true });
  await mkdir(path.join(dir, 'elsewhere'));
  await writeFile(path.join(dir, 'elsewhere/kept.txt'), 'kept');
  await symlink(path.join(dir, 'elsewhere'), path.join(tree, 'a/link'));
  await writeFile(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0x62, 0xff])]), 'a name that is no text');
  for (let n = 0; n < 10; n++) await writeFile(path.join(tree, `a/b/${n}.txt`), '');
  await removeTree(tree);
  assert.equal(existsSync(tree), false);
  assert.ok(existsSync(path.join(dir, 'elsewhere/kept.txt')));
  await removeTree(tree);
  await writeFile(tree, 'a file');
  await removeTree(tree);
  assert.equal(existsSync(tree), false);
  for (const target of ['elsewhere', 'nowhere']) {
    await symlink(path.join(dir, target), tree);
    await removeTree(tree);
    await assert.rejects(lstat(tree), { code: 'ENOENT' });
  }
  assert.ok(existsSync(path.join(dir, 'elsewhere/kept.txt')));
});

test('deletes read-only folders for a user who is bound by permissions', async (t) => {
  const dir = await tempDir(t);
  const tree = path.join(dir, 'tree');
  await mkdir(path.join(tree, 'cache/deep'), { recursive: true });
  await writeFile(path.join(tree, 'cache/deep/file'), '', { mode: 0o400 });
  await chmod(path.join(tree, 'cache/deep'), 0o500);
  await chmod(path.join(tree, 'cache'), 0o000);
  if (process.getuid?.() === 0) {
    // Root may do anything: tried as nobody, once the code is loaded.
    const nobody = 65534;
    for (const each of [dir, tree, 'tree/cache', 'tree/cache/deep', 'tree/cache/deep/file']) {
      await chown(path.resolve(dir, each), nobody, nobody);
    }
    const source = new URL('../../../src/platform/remove-tree.ts', import.meta.url).href;
    const code = `process.setgid(${nobody}); process.setuid(${nobody}); await removeTree(process.argv[1]);`;
    const script = `import { removeTree } from ${JSON.stringify(source)};\n${code}`;
    await run(process.execPath, ['--input-type=module', '-e', script, tree]);
  } else {
    await removeTree(tree);
  }
  assert.equal(existsSync(tree), false);
});

for (const [kind, isBind] of [
  ['another file system', false],
  ['a folder of the same one', true],
] as const) {
  test(`deletes nothing where ${kind} is mounted inside, and names the mount`, { skip: noMounts }, async (t) => {
    const dir = await tempDir(t);
    const tree = path.join(dir, 'tree');
    // A name that mountinfo writes with escapes.
    const mount = path.join(tree, 'a', 'data \\ of\tothers\n🌲');
    await mkdir(mount, { recursive: true });
    await mkdir(path.join(dir, 'others'));
    await writeFile(path.join(tree, 'first.txt'), 'kept');
    const { unmount } = mountAt(t, mount, isBind ? path.join(dir, 'others') : undefined);
    await writeFile(path.join(mount, 'theirs.txt'), 'kept');
    const refused = [() => removeTree(tree), () => emptyFolder(tree), () => removeTree(mount)];
    for (const act of refused) {
      await assert.rejects(act, ({ code, message }: Error & { code?: string }) => {
        assert.equal(code, 'mounted');
        return message.includes(mount) && message.includes('Unmount it, then try again');
      });
    }
    assert.equal(await readFile(path.join(tree, 'first.txt'), 'utf8'), 'kept');
    assert.equal(await readFile(path.join(mount, 'theirs.txt'), 'utf8'), 'kept');
    unmount();
    await removeTree(tree);
    assert.equal(existsSync(tree), false);
    assert.equal(existsSync(path.join(dir, 'others/theirs.txt')), isBind);
  });
}

test(
  'a mounted file counts, a namesake beside the folder and a link to a mount do not',
  { skip: noMounts },
  async (t) => {
    const dir = await tempDir(t);
    const tree = path.join(dir, 'tree');
    for (const name of ['tree', 'tree-2', 'others']) await mkdir(path.join(dir, name));
    await writeFile(path.join(dir, 'others/one.txt'), 'kept');
    await writeFile(path.join(tree, 'one.txt'), '');
    const { unmount } = mountAt(t, path.join(tree, 'one.txt'), path.join(dir, 'others/one.txt'));
    await assert.rejects(removeTree(tree), { code: 'mounted' });
    unmount();
    mountAt(t, path.join(dir, 'tree-2'));
    await writeFile(path.join(dir, 'tree-2/kept.txt'), 'kept');
    await symlink(path.join(dir, 'tree-2'), path.join(tree, 'link'));
    await symlink(path.join(dir, 'tree-2'), path.join(dir, 'link'));
    await removeTree(tree);
    await removeTree(path.join(dir, 'link'));
    assert.equal(await readFile(path.join(dir, 'tree-2/kept.txt'), 'utf8'), 'kept');
  },
);
