import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { fillPool, poolSize, tidyPool } from '../../../src/git/pool.ts';
import { findRepository } from '../../../src/git/repository.ts';
import type { Repository } from '../../../src/git/types.ts';
import { addWorktree, listWorktrees, undoWorktree } from '../../../src/git/worktrees.ts';
import { git, tempRepo, until } from '../support.ts';
import { commitLinkAndProgram, looks } from './looks.ts';

interface Place {
  readonly repo: string;
  readonly repository: Repository;
  /** The folder of the worktrees. */
  readonly folder: string;
  readonly commit: string;
}

async function place(t: TestContext, files = 30): Promise<Place> {
  const names = Array.from({ length: files }, (_, n) => [`src/part${n % 5}/file${n}.txt`, `content ${n}\n`]);
  const repo = await tempRepo(t, { files: Object.fromEntries(names) as Record<string, string> });
  await commitLinkAndProgram(repo, 'src/part0/file0.txt');
  const repository = await findRepository(repo);
  assert.ok(repository);
  const folder = `${repo}.worktrees`;
  return { repo, repository, folder, commit: await git(repo, 'rev-parse', 'HEAD') };
}

const fill = (at: Place, folder = at.folder) => fillPool(at.repository, { folder, commit: at.commit, restMs: 0 });

const add = ({ repository, folder, commit }: Place, branch: string, base = commit) =>
  addWorktree(repository, { path: path.join(folder, branch), branch, base, warm: true });

const hidden = async ({ repo, folder }: Place): Promise<{ entries: string[]; trees: string[] }> => ({
  entries: await readdir(path.join(repo, '.git/treeline-warm')).catch(() => []),
  trees: await readdir(path.join(folder, '.treeline-warm')).catch(() => []),
});

test('a warm worktree is what a cold one is, and git knows it only once it is given out', async (t) => {
  const at = await place(t);
  const before = await git(at.repo, 'worktree', 'list', '--porcelain');
  assert.equal(await fill(at), true);
  assert.equal(await git(at.repo, 'worktree', 'list', '--porcelain'), before);
  assert.equal(await poolSize(at.repository), 1);

  const warm = await add(at, 'warm');
  const cold = await add(at, 'cold');
  assert.deepEqual([warm.warm, cold.warm], [true, undefined]);
  assert.deepEqual(await looks(warm.path), await looks(cold.path));
  assert.equal(await git(warm.path, 'symbolic-ref', 'HEAD'), 'refs/heads/warm');
  const [, first, second] = await listWorktrees(at.repository);
  assert.deepEqual(
    [first, second].map((one) => [one?.path, one?.branch, one?.head, one?.locked]).sort(),
    [cold, warm].map((one) => [one.path, path.basename(one.path), at.commit, undefined]),
  );

  await writeFile(path.join(warm.path, 'new.txt'), 'new\n');
  await git(warm.path, 'add', '--all');
  await git(warm.path, 'commit', '--quiet', '--message', 'Work');
  await git(at.repo, 'worktree', 'prune');
  await git(at.repo, 'fsck', '--strict');
  await git(at.repo, 'worktree', 'move', warm.path, `${warm.path}-moved`);
  await git(at.repo, 'worktree', 'remove', `${warm.path}-moved`);
  assert.equal(await git(at.repo, 'log', '-1', '--format=%s', 'warm'), 'Work');
});

test('a base that has moved on is what comes out', async (t) => {
  const at = await place(t);
  await fill(at);
  await git(at.repo, 'mv', 'src/part1/file1.txt', 'moved.txt');
  await unlink(path.join(at.repo, 'src/part2/file2.txt'));
  await unlink(path.join(at.repo, 'link'));
  await writeFile(path.join(at.repo, 'link'), 'a file by now\n');
  await chmod(path.join(at.repo, 'run.sh'), 0o644);
  await git(at.repo, 'add', '--all');
  await git(at.repo, 'commit', '--quiet', '--message', 'Moved on');
  const base = await git(at.repo, 'rev-parse', 'HEAD');
  const warm = await add(at, 'warm', base);
  const cold = await add(at, 'cold', base);
  assert.deepEqual([warm.warm, cold.warm], [true, undefined]);
  assert.deepEqual(await looks(warm.path), await looks(cold.path));
  const older = await add(at, 'older');
  assert.equal(await git(older.path, 'rev-parse', 'HEAD'), at.commit);
});

const spoilt: Record<string, (at: Place, tree: string) => Promise<unknown>> = {
  'a changed file': (_, tree) => writeFile(path.join(tree, 'src/part0/file0.txt'), 'changed 0\n'),
  'a deleted file': (_, tree) => unlink(path.join(tree, 'run.sh')),
  'a new file': (_, tree) => writeFile(path.join(tree, 'left.txt'), ''),
  'a new ignored file': async ({ repo }, tree) => {
    await writeFile(path.join(repo, '.git/info/exclude'), '*.log\n');
    await writeFile(path.join(tree, 'left.log'), '');
  },
  'other line ends': ({ repo }) => git(repo, 'config', 'core.autocrlf', 'true'),
  'other attributes': ({ repo }) => writeFile(path.join(repo, '.git/info/attributes'), '*.txt eol=crlf\n'),
  'a sparse checkout': ({ repo }) => git(repo, 'sparse-checkout', 'set', 'src/part0'),
  'no files at all': (_, tree) => rename(tree, `${tree}-gone`),
  'no note': async ({ repo }) => {
    const [id = ''] = await readdir(path.join(repo, '.git/treeline-warm'));
    await unlink(path.join(repo, '.git/treeline-warm', id, 'treeline-note.json'));
  },
};

for (const [what, spoil] of Object.entries(spoilt)) {
  test(`one that waited and has ${what} is thrown away, and git makes another`, async (t) => {
    const at = await place(t);
    await fill(at);
    const { trees } = await hidden(at);
    await spoil(at, path.join(at.folder, '.treeline-warm', trees[0] ?? ''));
    const made = await add(at, 'topic');
    assert.equal(made.warm, undefined);
    assert.deepEqual(await looks(made.path), await looks((await add(at, 'beside')).path));
    assert.equal(await git(made.path, 'status', '--porcelain', '--ignored'), '');
    assert.equal(await poolSize(at.repository), 0);
  });
}

test('the post-checkout hook runs once, when and where a cold worktree runs it', async (t) => {
  const at = await place(t);
  const log = path.join(at.folder, '../hook.log');
  const hook = path.join(at.repo, '.git/hooks/post-checkout');
  await writeFile(hook, `#!/bin/sh\necho "$(basename "$PWD") $(git symbolic-ref HEAD) $@" >> '${log}'\nexit 3\n`);
  await chmod(hook, 0o755);
  await fill(at);
  assert.equal(await readFile(log, 'utf8').catch(() => ''), '');
  const warm = await add(at, 'one');
  assert.equal(warm.warm, true);
  assert.match(warm.warning ?? '', /post-checkout hook failed \(exit 3\)/);
  const cold = await add(at, 'one-more');
  assert.equal(cold.warm, undefined);
  const [first, second, ...more] = (await readFile(log, 'utf8')).trim().split('\n');
  assert.equal(second, first?.replace(/one /g, 'one-more ').replace(/\/one /, '/one-more '));
  assert.match(first ?? '', /^one refs\/heads\/one 0+ [0-9a-f]+ 1$/);
  assert.deepEqual(more, []);
});

test('a repository in another form has no pool', async (t) => {
  const at = await place(t);
  await git(at.repo, 'config', 'extensions.worktreeConfig', 'true');
  assert.equal(await fill(at), false);
  assert.deepEqual(await hidden(at), { entries: [], trees: [] });
});

test('a branch that is there already costs no warm worktree', async (t) => {
  const at = await place(t);
  await fill(at);
  await git(at.repo, 'branch', 'topic');
  await assert.rejects(add(at, 'topic'), { code: 'branch-exists' });
  assert.equal(await poolSize(at.repository), 1);
  assert.equal((await add(at, 'other')).warm, true);
});

test('what was given out is undone like any other', async (t) => {
  const at = await place(t);
  await fill(at);
  const { path: folder } = await add(at, 'topic');
  assert.deepEqual(await undoWorktree(at.repository, { path: folder, branch: 'topic', commit: at.commit }), {
    branchDeleted: true,
  });
  assert.equal((await listWorktrees(at.repository)).length, 1);
  assert.deepEqual(await readdir(path.join(at.repo, '.git/worktrees')).catch(() => []), []);
});

test('of eight that want one at once, each gets a worktree, and no more are warm than there were', async (t) => {
  const at = await place(t);
  for (let n = 0; n < 3; n++) await fill(at);
  const made = await Promise.all(Array.from({ length: 8 }, (_, n) => add(at, `topic-${n}`)));
  assert.equal(made.filter(({ warm }) => warm).length, 3);
  for (const { path: folder } of made) assert.equal(await git(folder, 'status', '--porcelain', '--ignored'), '');
  assert.equal((await listWorktrees(at.repository)).length, 9);
});

test('two processes that race for one: one has it', async (t) => {
  const at = await place(t);
  for (let round = 0; round < 5; round++) {
    await fill(at);
    const racers = [0, 1].map((n) =>
      fork(path.join(import.meta.dirname, 'pool-racer.ts'), [at.repo, at.folder, `race-${round}-${n}`, at.commit]),
    );
    await Promise.all(racers.map((racer) => once(racer, 'message')));
    for (const racer of racers) racer.send('go');
    const won = await Promise.all(racers.map(async (racer) => ((await once(racer, 'message')) as [boolean])[0]));
    assert.equal(won.filter(Boolean).length, 1, String(won));
    for (const n of [0, 1]) {
      const folder = path.join(at.folder, `race-${round}-${n}`);
      assert.equal(await git(folder, 'status', '--porcelain', '--ignored'), '');
      assert.equal(await git(folder, 'symbolic-ref', '--short', 'HEAD'), `race-${round}-${n}`);
    }
  }
});

test('kill -9 of a window that fills the pool or takes from it leaves nothing that git or the next window stumbles over', async (t) => {
  const at = await place(t, 400);
  for (let round = 0; round < 12; round++) {
    const what = round % 2 === 0 ? 'fill' : 'take';
    if (what === 'take') await fill(at);
    const branch = `killed-${round}`;
    const victim = spawn(
      process.execPath,
      [path.join(import.meta.dirname, 'pool-victim.ts'), what, at.repo, at.folder, branch, at.commit],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(victim.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, round * 4));
    victim.kill('SIGKILL');
    await once(victim, 'exit');
    // git goes on without the window: it is not our process that was killed.
    await until(async () => !(await stat(path.join(at.repo, '.git/index.lock')).catch(() => undefined)), {
      what: 'git',
    });
    await git(at.repo, 'worktree', 'list');
    await undoWorktree(at.repository, { path: path.join(at.folder, branch), branch, commit: at.commit });
    const made = await add(at, `next-${round}`);
    assert.equal(await git(made.path, 'status', '--porcelain', '--ignored'), '', `round ${round}`);
    assert.equal(await git(at.repo, 'branch', '--list', branch), '');
  }
  // After a while, what they left is removed.
  const old = new Date(Date.now() - 3_600_000);
  const { entries, trees } = await hidden(at);
  for (const name of entries) await utimes(path.join(at.repo, '.git/treeline-warm', name), old, old);
  for (const name of trees) await utimes(path.join(at.folder, '.treeline-warm', name), old, old);
  await tidyPool(at.repository, at.folder, 0);
  assert.deepEqual(await hidden(at), { entries: [], trees: [] });
  assert.equal((await listWorktrees(at.repository)).length, 1 + 12);
});

test('tidying removes what is too much, and nothing of a window that is at work or of another repository', async (t) => {
  const at = await place(t);
  for (let n = 0; n < 3; n++) await fill(at);
  await mkdir(path.join(at.repo, '.git/treeline-warm/making-0123456789ab'));
  const other = await place(t);
  await fill(other, at.folder);
  assert.equal(await tidyPool(at.repository, at.folder, 1), true);
  assert.equal(await poolSize(at.repository), 2);
  assert.equal((await hidden(at)).trees.length, 2);
  assert.equal((await add(other, 'theirs')).warm, true);
  assert.equal((await add(at, 'ours')).warm, true);
  assert.equal(await tidyPool(at.repository, at.folder, 1), false);
});
