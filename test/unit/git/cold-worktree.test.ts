import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { findRepository } from '../../../src/git/repository.ts';
import type { Repository } from '../../../src/git/types.ts';
import { addWorktree, listWorktrees } from '../../../src/git/worktrees.ts';
import { git, tempRepo } from '../support.ts';
import { commitLinkAndProgram, looks } from './looks.ts';

interface Place {
  readonly repo: string;
  readonly repository: Repository;
  readonly commit: string;
}

async function place(t: TestContext): Promise<Place> {
  const repo = await tempRepo(t, {
    files: { 'src/a.txt': 'a\n', 'deep/b.txt': 'b\n', '.gitattributes': '*.txt text\n' },
  });
  await commitLinkAndProgram(repo, 'deep/b.txt');
  const repository = await findRepository(repo);
  assert.ok(repository);
  return { repo, repository, commit: await git(repo, 'rev-parse', 'HEAD') };
}

const folderOf = ({ repo }: Place, name: string): string => path.join(`${repo}.worktrees`, name);

const add = (at: Place, name: string) =>
  addWorktree(at.repository, { path: folderOf(at, name), branch: name, base: at.commit });

/** As a person would make it. */
async function byGit(at: Place, name: string): Promise<string> {
  await git(at.repo, 'worktree', 'add', '--quiet', '-b', name, folderOf(at, name), at.commit);
  return folderOf(at, name);
}

const registrationOf = ({ repository }: Place, name: string): string =>
  path.join(repository.commonDir, 'worktrees', name);

test('a worktree is what `git worktree add -b` makes, down to its registration', async (t) => {
  const at = await place(t);
  const theirs = await byGit(at, 'theirs');
  const { path: ours } = await add(at, 'ours');
  assert.deepEqual(await looks(ours), await looks(theirs));
  for (const name of ['commondir', 'gitdir', 'HEAD']) {
    const read = async (one: string): Promise<string> => readFile(path.join(registrationOf(at, one), name), 'utf8');
    assert.equal((await read('ours')).replaceAll('ours', 'theirs'), await read('theirs'), name);
  }
  // ORIG_HEAD, where HEAD was before, is of use only once it was somewhere.
  const names = async (one: string): Promise<string[]> =>
    (await readdir(registrationOf(at, one))).filter((name) => name !== 'ORIG_HEAD').sort();
  assert.deepEqual(await names('ours'), await names('theirs'));
  assert.equal(await git(ours, 'rev-parse', 'HEAD@{0}', '@{upstream}').catch(() => 'none'), 'none');
  assert.equal(await git(ours, 'rev-parse', 'HEAD@{0}'), at.commit);
  assert.deepEqual(
    (await listWorktrees(at.repository))
      .slice(1)
      .map(({ branch, head, locked, prunable }) => [branch, head, locked, prunable]),
    ['ours', 'theirs'].map((branch) => [branch, at.commit, undefined, undefined]),
  );
  await git(ours, 'mv', 'run.sh', 'go.sh');
  await git(ours, 'commit', '--quiet', '--message', 'Work');
  await git(ours, 'reset', '--quiet', '--hard', 'HEAD@{1}');
  assert.equal(await git(ours, 'status', '--porcelain'), '');
  await git(at.repo, 'fsck', '--strict');
  await git(at.repo, 'worktree', 'prune');
  await git(at.repo, 'worktree', 'remove', ours);
});

test('a repository that has become sparse gets sparse worktrees', async (t) => {
  const at = await place(t);
  await add(at, 'before');
  await git(at.repo, 'sparse-checkout', 'set', 'deep');
  const theirs = await byGit(at, 'theirs');
  const { path: ours } = await add(at, 'ours');
  assert.deepEqual(await looks(ours), await looks(theirs));
  assert.ok(!(await readdir(ours)).includes('src'));
});

test('a hook that came since the last one runs, once, as git runs it', async (t) => {
  const at = await place(t);
  await add(at, 'before');
  const log = path.join(at.repo, '../hook.log');
  const hook = path.join(at.repo, '.git/hooks/post-checkout');
  await mkdir(path.dirname(hook), { recursive: true });
  await writeFile(hook, `#!/bin/sh\necho "$(basename "$PWD") $(git symbolic-ref HEAD) $@" >> '${log}'\n`, {
    mode: 0o755,
  });
  await add(at, 'ours');
  await byGit(at, 'theirs');
  const [ours = '', theirs = '', ...more] = (await readFile(log, 'utf8')).trim().split('\n');
  assert.equal(ours.replaceAll('ours', 'theirs'), theirs);
  assert.deepEqual(more, []);
});

test('where a worktree was deleted that git still knows, git is asked, and refuses', async (t) => {
  const at = await place(t);
  await byGit(at, 'gone');
  await rm(folderOf(at, 'gone'), { recursive: true });
  const before = await git(at.repo, 'worktree', 'list', '--porcelain');
  const again = addWorktree(at.repository, { path: folderOf(at, 'gone'), branch: 'again', base: at.commit });
  await assert.rejects(again, /already registered/);
  assert.equal(await git(at.repo, 'worktree', 'list', '--porcelain'), before);
  assert.equal(await git(at.repo, 'branch', '--list', 'again'), '');
});

test('what is to run beside git is told when git is at work, and not before there is a branch', async (t) => {
  const at = await place(t);
  let begun: Promise<string> | undefined;
  await addWorktree(at.repository, {
    path: folderOf(at, 'ours'),
    branch: 'ours',
    base: at.commit,
    onBegun: () => {
      begun = git(at.repo, 'rev-parse', 'ours');
    },
  });
  assert.equal(await begun, at.commit);
  const refused = { path: folderOf(at, 'again'), branch: 'ours', base: at.commit };
  await assert.rejects(
    addWorktree(at.repository, { ...refused, onBegun: () => assert.fail('git was never at work') }),
    {
      code: 'branch-exists',
    },
  );
});
