import assert from 'node:assert/strict';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Repository } from '../../../src/git/types.ts';
import { freeWorktreePath, worktreeFolder, worktreeLeaf } from '../../../src/git/worktree-path.ts';
import { DEFAULT_SETTINGS } from '../../../src/sessions/settings.ts';
import { tempDir } from '../support.ts';

function repository(commonDir: string, name: string): Repository {
  return { commonDir, root: path.dirname(commonDir), name, bare: false };
}

test('the default folder lies beside the repository, whichever worktree it was found through', () => {
  const folder = (commonDir: string, name: string) =>
    worktreeFolder(DEFAULT_SETTINGS.worktreeFolder, repository(commonDir, name));
  assert.equal(folder('/x/thing/.git', 'thing'), '/x/thing.worktrees');
  assert.equal(folder('/x/thing.git', 'thing'), '/x/thing.worktrees');
  assert.equal(folder('/x/super/.git/modules/lib', 'lib'), '/x/lib.worktrees');
});

test('a setting that gives no absolute path is named', () => {
  const found = repository('/x/thing/.git', 'thing');
  for (const bad of ['', 'relative', '${nothing}/x', '/a/${constructor}']) {
    assert.throws(() => worktreeFolder(bad, found), { code: 'bad-worktree-folder' }, bad);
  }
  assert.equal(worktreeFolder('/w/../v/${repositoryName}/', found), '/v/thing');
});

test('a leaf fits every file system', () => {
  assert.equal(worktreeLeaf('treeline/fix-it-7f3k'), 'fix-it-7f3k');
  assert.equal(worktreeLeaf('a/b/c'), 'a-b-c');
  assert.equal(worktreeLeaf('$(touch f)/"x"'), 'touch-f-x');
  assert.equal(worktreeLeaf('CON'), 'worktree-CON');
  assert.equal(worktreeLeaf('nul.txt'), 'worktree-nul.txt');
  assert.equal(worktreeLeaf('🚀'), 'worktree');
  assert.equal(worktreeLeaf('x'.repeat(59) + '-y'), 'x'.repeat(59));
});

test('a path is free on disk and in git, and outside the repository', async (t) => {
  const dir = await tempDir(t);
  const root = path.join(dir, 'thing');
  await mkdir(path.join(root, '.git'), { recursive: true });
  const found = repository(path.join(root, '.git'), 'thing');
  const linked = path.join(dir, 'linked');
  const worktrees = [root, linked, path.join(dir, 'new', 'x-2')].map((where, n) => ({
    path: where,
    main: n === 0,
    bare: false,
  }));
  const free = (folder: string, branch = 'x') => freeWorktreePath(found, worktrees, folder, branch);
  const folder = path.join(dir, 'new');
  assert.equal(await free(folder), path.join(folder, 'x'));
  await mkdir(folder);
  await symlink('/nowhere', path.join(folder, 'x'));
  assert.equal(await free(folder), path.join(folder, 'x-3'));
  await symlink(folder, path.join(dir, 'link'));
  assert.equal(await free(path.join(dir, 'link'), 'y'), path.join(folder, 'y'));
  for (const inside of [root, path.join(root, 'sub'), path.join(root, '.git', 'w'), path.join(linked, 'w')]) {
    await assert.rejects(free(inside), { code: 'bad-worktree-folder' }, inside);
  }
  assert.equal(await free(path.join(dir, 'thing.worktrees')), path.join(dir, 'thing.worktrees', 'x'));
  await writeFile(path.join(dir, 'file'), '');
  await assert.rejects(free(path.join(dir, 'file', 'w')), { code: 'path-unwritable' });
});

test('a folder without the right to write', { skip: process.getuid?.() === 0 }, async (t) => {
  const dir = await tempDir(t);
  await mkdir(path.join(dir, 'locked'));
  await chmod(path.join(dir, 'locked'), 0o555);
  const found = repository('/nowhere/.git', 'nowhere');
  await assert.rejects(freeWorktreePath(found, [], path.join(dir, 'locked', 'w'), 'x'), { code: 'path-unwritable' });
});
