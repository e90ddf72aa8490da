/** Which repositories a window has open, by its folders. */
import assert from 'node:assert/strict';
import { mkdir, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { DEFAULT_SETTINGS } from '../../../src/sessions/settings.ts';
import { Treeline } from '../../../src/hosts/treeline.ts';
import { git, tempDir, tempRepo } from '../support.ts';
import { ASSETS, LOG, customAgents, judged, reached } from './support.ts';

suite('folders', { timeout: 60_000 }, () => {
  test('two repositories are two, each with its own sessions, in the order of the folders', async (t) => {
    const [one, two] = [await tempRepo(t), await tempRepo(t)];
    const treeline = await opened(t);
    await treeline.setFolders([one, two]);
    assert.deepEqual(roots(treeline), [one, two]);
    const [first, second] = treeline.repositories;
    await Promise.all([first!.ready, second!.ready]);
    const { id } = await second!.spawn({ agent: 'scripted', prompt: 'print done' });
    await reached(second!, id, judged);
    assert.deepEqual(
      [first, second].map((sessions) => sessions!.list().map((session) => session.id)),
      [[], [id]],
    );
    assert.equal(treeline.of(id), second);
    assert.notEqual(first!.store, second!.store);
  });

  test('one repository by way of its worktree, a folder in it and a link to it is one', async (t) => {
    const repo = await tempRepo(t, { files: { 'src/a.txt': 'a\n' } });
    const worktree = join(dirname(repo), 'other');
    await git(repo, 'worktree', 'add', '--quiet', '-b', 'other', worktree);
    const link = join(await tempDir(t), 'link');
    await symlink(repo, link);
    const treeline = await opened(t);
    await treeline.setFolders([worktree, repo, join(repo, 'src'), link]);
    assert.equal(treeline.repositories.length, 1);
    const [before] = treeline.repositories;
    await before!.ready;
    const { id } = await before!.spawn({ agent: 'scripted', prompt: 'print done' });
    await reached(before!, id, judged);
    // It stays open by whichever folder is left.
    await treeline.setFolders([repo]);
    assert.equal(treeline.repositories[0], before);
    await treeline.setFolders([]);
    assert.equal(treeline.repositories.length, 0);
    await treeline.setFolders([worktree]);
    await treeline.repositories[0]!.ready;
    assert.equal(treeline.repositories[0]!.get(id)?.id, id, 'by another folder, its sessions are there again');
  });

  test('a folder becomes a repository by git init, and ceases to be one, while others stay as they are', async (t) => {
    const repo = await tempRepo(t);
    const folder = join(await tempDir(t), 'new');
    await mkdir(folder);
    const treeline = await opened(t);
    let told = 0;
    t.after(treeline.onDidChange(({ repositories }) => void (told += Number(repositories))));
    await treeline.setFolders([repo, folder]);
    assert.deepEqual(roots(treeline), [repo]);
    const [stays] = treeline.repositories;
    await git(folder, 'init', '--quiet', '--initial-branch=main');
    await treeline.setFolders([repo, folder]);
    assert.deepEqual(roots(treeline), [repo, folder]);
    assert.equal(treeline.repositories[0], stays);
    await treeline.repositories[1]!.ready;
    // Without a commit there is nothing to start from.
    await assert.rejects(treeline.repositories[1]!.spawn({ agent: 'scripted', prompt: 'print done' }), /commit/);
    await treeline.setFolders([repo]);
    assert.deepEqual(roots(treeline), [repo]);
    assert.equal(told, 3);
    // Asked to look once more, it finds the same and makes no view draw itself anew.
    await treeline.setFolders([repo]);
    assert.equal(told, 3);
  });

  test('what looks like a known repository and is none any more, by what git says, is not opened', async (t) => {
    const repo = await tempRepo(t);
    const treeline = await opened(t);
    await treeline.setFolders([repo]);
    const [sessions] = treeline.repositories;
    await sessions!.ready;
    const { id } = await sessions!.spawn({ agent: 'scripted', prompt: 'print done' });
    await reached(sessions!, id, judged);
    await treeline.setFolders([]);
    const [head, hidden] = [join(repo, '.git/HEAD'), join(repo, '.git/hidden')];
    await rename(head, hidden);
    await treeline.setFolders([repo]);
    assert.deepEqual(roots(treeline), []);
    await rename(hidden, head);
    await treeline.setFolders([repo]);
    await treeline.repositories[0]!.ready;
    assert.equal(treeline.repositories[0]!.get(id)?.id, id);
  });
});

async function opened(t: TestContext): Promise<Treeline> {
  const settings = { ...DEFAULT_SETTINGS, customAgents: customAgents(), warmWorktrees: 0 };
  const globalStorage = await tempDir(t);
  const treeline = new Treeline({
    globalStorage,
    settings: () => settings,
    log: LOG,
    version: '0.1.0',
    assets: ASSETS,
  });
  t.after(() => treeline.dispose());
  return treeline;
}

const roots = (treeline: Treeline): readonly string[] => treeline.repositories.map(({ repository }) => repository.root);
