/** What `git worktree add` leaves when it is killed while it registers a worktree. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { halfMadeRegistrations, removeHalfMade } from '../../../src/git/half-made.ts';
import { findRepository } from '../../../src/git/repository.ts';
import type { Repository } from '../../../src/git/types.ts';
import { undoWorktree } from '../../../src/git/worktrees.ts';
import { git, gitEnv, tempRepo } from '../support.ts';

interface Place {
  readonly repo: string;
  readonly repository: Repository;
  readonly commit: string;
  /** The worktree in the making. */
  readonly folder: string;
  readonly worktrees: string;
}

async function place(t: TestContext): Promise<Place> {
  const names = Array.from({ length: 300 }, (_, n) => [`part${n % 5}/file${n}.txt`, `content ${n}\n`]);
  const repo = await tempRepo(t, { files: Object.fromEntries(names) as Record<string, string> });
  const repository = await findRepository(repo);
  assert.ok(repository);
  const commit = await git(repo, 'rev-parse', 'HEAD');
  return { repo, repository, commit, folder: `${repo}.worktrees/topic`, worktrees: path.join(repo, '.git/worktrees') };
}

/** As far as git had come, in its order. */
const STAGES: readonly (readonly string[])[] = [
  [],
  ['locked'],
  ['locked', 'gitdir'],
  ['locked', 'gitdir', 'empty .git'],
  ['locked', 'gitdir', '.git'],
  ['locked', 'gitdir', '.git', 'HEAD'],
  ['locked', 'gitdir', '.git', 'HEAD', 'empty commondir'],
];

async function leave({ folder, worktrees }: Place, stage: readonly string[], name = 'topic'): Promise<string> {
  const registration = path.join(worktrees, name);
  await mkdir(registration, { recursive: true });
  await mkdir(folder, { recursive: true });
  const contents: Record<string, [file: string, text: string]> = {
    locked: [path.join(registration, 'locked'), 'initializing'],
    gitdir: [path.join(registration, 'gitdir'), `${folder}/.git\n`],
    '.git': [path.join(folder, '.git'), `gitdir: ${registration}\n`],
    'empty .git': [path.join(folder, '.git'), ''],
    HEAD: [path.join(registration, 'HEAD'), `${'0'.repeat(40)}\n`],
    'empty commondir': [path.join(registration, 'commondir'), ''],
  };
  for (const each of stage) await writeFile(...contents[each]!);
  return registration;
}

async function assertNothingLeft({ repo, folder, worktrees }: Place): Promise<void> {
  assert.deepEqual(await readdir(worktrees).catch(() => []), []);
  assert.deepEqual(await readdir(path.dirname(folder)).catch(() => []), []);
  assert.equal((await git(repo, 'worktree', 'list')).split('\n').length, 1);
  assert.equal(await git(repo, 'branch', '--list', 'topic'), '');
}

for (const stage of STAGES) {
  test(`killed after ${stage.at(-1) ?? 'the folder'}: the undo removes it, and git works`, async (t) => {
    const at = await place(t);
    await git(at.repo, 'branch', 'topic');
    await leave(at, stage, stage.length % 2 === 0 ? 'topic' : 'topic1');
    await undoWorktree(at.repository, { path: at.folder, branch: 'topic', commit: at.commit });
    await assertNothingLeft(at);
  });
}

test('the examination finds it once git can no longer be at work, and removes it only while it is incomplete', async (t) => {
  const at = await place(t);
  const registration = await leave(at, ['locked']);
  await git(at.repo, 'worktree', 'add', '--quiet', '--lock', '-b', 'other', `${at.repo}.worktrees/other`);
  const touch = async (when: number): Promise<void> => {
    const time = new Date(when);
    for (const name of await readdir(at.worktrees)) await utimes(path.join(at.worktrees, name), time, time);
  };
  // A machine that is busy took its time until here.
  await touch(Date.now() + 60_000);
  assert.deepEqual(await halfMadeRegistrations(at.repository), []);
  await touch(Date.now() - 60_000);
  assert.deepEqual(await halfMadeRegistrations(at.repository), [registration]);
  await removeHalfMade(path.join(at.worktrees, 'other'));
  await removeHalfMade(registration);
  assert.deepEqual(await readdir(at.worktrees), ['other']);
});

test('another worktree whose name begins the same is left alone', async (t) => {
  const at = await place(t);
  await leave(at, ['locked', 'gitdir'], 'topic2');
  await writeFile(path.join(at.worktrees, 'topic2/gitdir'), '/somewhere/else/topic/.git\n');
  await leave(at, ['locked'], 'topic-2');
  await undoWorktree(at.repository, { path: at.folder, branch: 'topic', commit: at.commit });
  assert.deepEqual((await readdir(at.worktrees)).sort(), ['topic-2', 'topic2']);
});

test('git killed for real at random instants: the undo leaves nothing', async (t) => {
  const at = await place(t);
  for (let round = 0; round < 30; round++) {
    const child = spawn('git', ['worktree', 'add', '--quiet', '-b', 'topic', at.folder], {
      cwd: at.repo,
      env: gitEnv(),
      detached: true,
      stdio: 'ignore',
    });
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 25));
    process.kill(-child.pid!, 'SIGKILL');
    await once(child, 'exit');
    await undoWorktree(at.repository, { path: at.folder, branch: 'topic', commit: at.commit });
    await assertNothingLeft(at);
  }
});
