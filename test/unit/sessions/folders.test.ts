/** Which repositories a window has open, by its folders. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { DEFAULT_SETTINGS } from '../../../src/sessions/settings.ts';
import { Treeline } from '../../../src/hosts/treeline.ts';
import { git, tempDir, tempRepo } from '../support.ts';
import { ASSETS, BOUND, LOG, customAgents, judged, reached } from './support.ts';

suite('folders', () => {
  test('two repositories are two, each with its own sessions, in the order of the folders', BOUND, async (t) => {
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

  test('one repository by way of its worktree, a folder in it and a link to it is one', BOUND, async (t) => {
    const repo = await tempRepo(t, { files: { 'src/a.txt': 'a\n' } });
    const worktree = path.join(path.dirname(repo), 'other');
    await git(repo, 'worktree', 'add', '--quiet', '-b', 'other', worktree);
    const link = path.join(await tempDir(t), 'link');
    await symlink(repo, link);
    const treeline = await opened(t);
    await treeline.setFolders([worktree, repo, path.join(repo, 'src'), link]);
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

  test(
    'a folder becomes a repository by git init, and ceases to be one, while others stay as they are',
    BOUND,
    async (t) => {
      const repo = await tempRepo(t);
      const folder = path.join(await tempDir(t), 'new');
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
    },
  );

  test('what looks like a known repository and is none any more, by what git says, is not opened', BOUND, async (t) => {
    const repo = await tempRepo(t);
    const treeline = await opened(t);
    await treeline.setFolders([repo]);
    const [sessions] = treeline.repositories;
    await sessions!.ready;
    const { id } = await sessions!.spawn({ agent: 'scripted', prompt: 'print done' });
    await reached(sessions!, id, judged);
    await treeline.setFolders([]);
    const [head, hidden] = [path.join(repo, '.git/HEAD'), path.join(repo, '.git/hidden')];
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

suite('a repository that was moved', () => {
  test('keeps its sessions: one at work can be stopped and resumed, an archived one comes back', BOUND, async (t) => {
    const repo = await tempRepo(t, { files: { 'a.txt': 'a\n' } });
    const treeline = await opened(t);
    await treeline.setFolders([repo]);
    const [before] = treeline.repositories;
    await before!.ready;
    const working = await before!.spawn({ agent: 'scripted', prompt: 'print go\nwait' });
    const done = await before!.spawn({ agent: 'scripted', prompt: 'write draft.txt draft' });
    await reached(before!, done.id, judged);
    await before!.archive(done.id);
    await treeline.setFolders([]);

    const moved = `${repo}2`;
    await rename(repo, moved);
    await git(moved, 'worktree', 'repair');
    await treeline.setFolders([moved]);
    const [after] = treeline.repositories;
    await after!.ready;
    assert.deepEqual(new Set(after!.list().map(({ id }) => id)), new Set([working.id, done.id]));
    await after!.stop(working.id);
    assert.equal((await reached(after!, working.id, judged)).status, 'stopped');
    assert.deepEqual(
      (await after!.examine()).filter(({ kind }) => kind.startsWith('branch') || kind.startsWith('worktree')),
      [],
    );
    const { worktree } = (await after!.unarchive(done.id)).session;
    assert.equal(await readFile(path.join(worktree, 'draft.txt'), 'utf8'), 'draft\n');
    assert.equal(await git(worktree, 'status', '--porcelain'), '?? draft.txt');
    assert.equal(await git(worktree, 'symbolic-ref', '--short', 'HEAD'), done.branch);
    await after!.resume(working.id, { prompt: 'write more.txt more' });
    await reached(after!, working.id, (session) => session.turns.length === 2 && judged(session));
    assert.equal(await readFile(path.join(working.worktree, 'more.txt'), 'utf8'), 'more\n');
  });

  test('and its copy are two', BOUND, async (t) => {
    const repo = await tempRepo(t);
    const treeline = await opened(t);
    await treeline.setFolders([repo]);
    await treeline.repositories[0]!.ready;
    const { id } = await treeline.repositories[0]!.spawn({ agent: 'scripted', prompt: 'print done' });
    await reached(treeline.repositories[0]!, id, judged);
    await cp(repo, `${repo}-copy`, { recursive: true });
    await treeline.setFolders([`${repo}-copy`, repo]);
    await Promise.all(treeline.repositories.map(({ ready }) => ready));
    assert.deepEqual(
      treeline.repositories.map((sessions) => sessions.list().map((session) => session.id)),
      [[], [id]],
    );
  });

  test('is not written to before it has a session', BOUND, async (t) => {
    const repo = await tempRepo(t);
    const treeline = await opened(t);
    await treeline.setFolders([repo]);
    await treeline.repositories[0]!.ready;
    assert.equal(existsSync(path.join(repo, '.git/treeline')), false);
  });
});

test('a session starts from the worktree that is open, also after another one was closed', BOUND, async (t) => {
  const repo = await tempRepo(t);
  const worktree = path.join(path.dirname(repo), 'other');
  await git(repo, 'worktree', 'add', '--quiet', '-b', 'other', worktree);
  await git(worktree, 'commit', '--quiet', '--allow-empty', '--message', 'Ahead');
  const treeline = await opened(t);
  await treeline.setFolders([repo, worktree]);
  let told = 0;
  t.after(treeline.onDidChange(({ repositories }) => void (told += Number(repositories))));
  await treeline.setFolders([worktree, repo]);
  assert.deepEqual([roots(treeline), told], [[repo], 0]);
  await treeline.setFolders([worktree]);
  assert.deepEqual([roots(treeline), told], [[worktree], 1]);
  const [sessions] = treeline.repositories;
  await sessions!.ready;
  const { id, base } = await sessions!.spawn({ agent: 'scripted', prompt: 'print done' });
  await reached(sessions!, id, judged);
  assert.deepEqual(base.commit, await git(worktree, 'rev-parse', 'HEAD'));
});
