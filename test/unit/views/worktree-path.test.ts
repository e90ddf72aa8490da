import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { resolveInWorktree } from '../../../src/views/worktree-path.ts';
import { tempDir } from '../support.ts';

describe('a path that an agent names', () => {
  it('is told apart: inside, outside, and not there', async (t) => {
    const root = await tempDir(t);
    const worktree = path.join(root, 'worktree');
    await mkdir(path.join(worktree, 'src'), { recursive: true });
    await writeFile(path.join(worktree, 'src/a.ts'), '');
    await writeFile(path.join(worktree, '..dots'), '');
    await writeFile(path.join(root, 'secret'), '');
    await symlink(root, path.join(worktree, 'link'));
    const file = path.join(worktree, 'src/a.ts');
    assert.deepEqual(await resolveInWorktree(worktree, 'src/a.ts'), { path: file, outside: false });
    assert.deepEqual(await resolveInWorktree(worktree, file), { path: file, outside: false });
    assert.equal((await resolveInWorktree(worktree, '..dots'))?.outside, false);
    assert.equal((await resolveInWorktree(worktree, '../secret'))?.outside, true);
    assert.deepEqual(await resolveInWorktree(worktree, 'link/secret'), {
      path: path.join(root, 'secret'),
      outside: true,
    });
    assert.equal((await resolveInWorktree(worktree, '/no/such/place'))?.outside, true);
    assert.equal(await resolveInWorktree(worktree, 'src/none.ts'), undefined);
    assert.equal(await resolveInWorktree(worktree, 'src/a.ts/x'), undefined);
  });
});
