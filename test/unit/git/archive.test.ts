import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  countFilesNotInGit,
  moveBack,
  moveToTrash,
  planArchive,
  planRestore,
  purgeArchive,
  type Archive,
  type WorktreeMove,
} from '../../../src/git/archive.ts';
import { findRepository } from '../../../src/git/repository.ts';
import type { Repository } from '../../../src/git/types.ts';
import { textOf } from '../../../src/words/saying.ts';
import { mountAt, noMounts } from '../mounts.ts';
import { git, tempDir, tempRepo } from '../support.ts';
import { treePrint } from './tree-print.ts';

interface Scene {
  readonly repo: string;
  readonly repository: Repository;
  readonly worktree: string;
  readonly trash: string;
}

async function scene(t: TestContext, leaf = 'topic'): Promise<Scene> {
  const repo = await tempRepo(t, {
    files: {
      'README.md': '# Test\n',
      '.gitignore': '.env\nnode_modules/\n',
      'src/a.txt': 'one\n',
      'run.sh': '#!/bin/sh\n',
    },
  });
  const worktree = path.join(path.dirname(repo), 'repo.worktrees', leaf);
  await git(repo, 'worktree', 'add', '--quiet', '-b', 'topic', worktree);
  return { repo, repository: (await findRepository(repo))!, worktree, trash: path.join(await tempDir(t), 'trash') };
}

/** Everything that git does not hold, of every kind that there is. */
async function makeUnheldWork(worktree: string): Promise<void> {
  const at = (...names: string[]): string => path.join(worktree, ...names);
  await writeFile(at('README.md'), 'changed, not staged\n');
  await writeFile(at('src/a.txt'), 'staged\n');
  await git(worktree, 'add', 'src/a.txt');
  await writeFile(at('src/a.txt'), 'staged, and changed again\n');
  await writeFile(at('.env'), 'SECRET=1\n', { mode: 0o600 });
  await mkdir(at('node_modules/.bin'), { recursive: true });
  await writeFile(at('node_modules/tool.js'), '#!/usr/bin/env node\n', { mode: 0o755 });
  await symlink('../tool.js', at('node_modules/.bin/tool'));
  await symlink('/nowhere/at all', at('broken link'));
  await mkdir(at('empty folder 🌲'));
  await writeFile(at('naïve 🌲 "quoted"\nnewline'), 'untracked');
  await writeFile(
    Buffer.concat([Buffer.from(`${worktree}/`), Buffer.from([0x62, 0xff, 0xfe])]),
    'a name that is no text',
  );
  await mkdir(at('read-only'));
  await writeFile(at('read-only/kept'), 'x', { mode: 0o400 });
  await chmod(at('read-only'), 0o555);
  await chmod(at('run.sh'), 0o755);
  await rm(at('.gitignore'));
}

async function archive({ repository, worktree, trash }: Scene, name = 'ses_1'): Promise<Archive> {
  const made = await planArchive(repository, worktree, { trash, name });
  await moveToTrash(repository, { worktree, archive: made });
  return made;
}

async function restore(
  { repository }: Scene,
  move: WorktreeMove,
  original = move.worktree,
): Promise<string | undefined> {
  const note = await moveBack(repository, await planRestore(repository, move, original));
  return note && textOf(note);
}

/** What the worktree's git says of it, and its own folder: but for the time of the folder that was moved. */
async function state(scene: Scene): Promise<unknown> {
  const admin = path.join(scene.repo, '.git/worktrees', path.basename(scene.worktree));
  return {
    files: await treePrint(scene.worktree),
    registration: await treePrint(admin),
    list: await git(scene.repo, 'worktree', 'list', '--porcelain'),
  };
}

test('an archive comes back byte for byte: changed, staged, untracked, ignored, modes, links, empty folders, odd names', async (t) => {
  const s = await scene(t);
  await makeUnheldWork(s.worktree);
  // Asked first: git writes its index anew when it looks.
  const status = await git(s.worktree, 'status', '--porcelain', '--ignored');
  const before = await state(s);
  const made = await archive(s);
  assert.equal(existsSync(s.worktree), false);
  assert.equal((await git(s.repo, 'worktree', 'list', '--porcelain')).includes('topic'), false, 'git knows it no more');
  assert.equal(
    await git(s.repo, 'branch', '--list', 'topic', '--format=%(refname:short)'),
    'topic',
    'the branch stays',
  );
  assert.ok(((await stat(s.trash)).mode & 0o077) === 0, 'the trash is the user’s alone');
  assert.equal(await restore(s, { worktree: s.worktree, archive: made }), undefined);
  assert.deepEqual(await state(s), before);
  assert.equal(await git(s.worktree, 'status', '--porcelain', '--ignored'), status);
  assert.equal(await git(s.repo, 'for-each-ref', 'refs/treeline'), '', 'nothing of the archive is left');
  assert.equal(existsSync(path.join(s.trash, 'ses_1')), false);
  await chmod(path.join(s.worktree, 'read-only'), 0o755);
});

test('what only the archived index knows of survives a garbage collection', async (t) => {
  const s = await scene(t);
  await makeUnheldWork(s.worktree);
  const stray = await git(s.worktree, 'commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', 'on no branch');
  await git(s.worktree, 'update-ref', '-m', 'tried', 'refs/worktree/tried', stray);
  const made = await archive(s);
  await git(s.repo, 'branch', '-D', 'topic');
  await git(s.repo, 'reflog', 'expire', '--expire=now', '--all');
  await git(s.repo, 'gc', '--quiet', '--prune=now');
  const note = await restore(s, { worktree: s.worktree, archive: made });
  assert.match(note ?? '', /branch topic was gone and has been created again/);
  assert.equal(await git(s.worktree, 'show', ':src/a.txt'), 'staged');
  assert.equal(await git(s.worktree, 'log', '-1', '--format=%s', 'refs/worktree/tried'), 'on no branch');
  await git(s.worktree, 'fsck', '--no-dangling');
  await chmod(path.join(s.worktree, 'read-only'), 0o755);
});

test('a conflict in the middle of a merge comes back as it was, also after a garbage collection', async (t) => {
  const s = await scene(t);
  await writeFile(path.join(s.worktree, 'src/a.txt'), 'ours\n');
  await git(s.worktree, 'commit', '-qam', 'ours');
  await git(s.worktree, 'checkout', '-q', '--detach', 'main');
  await writeFile(path.join(s.worktree, 'src/a.txt'), 'theirs\n');
  await git(s.worktree, 'commit', '-qam', 'theirs, on no branch');
  const theirs = await git(s.worktree, 'rev-parse', 'HEAD');
  await git(s.worktree, 'checkout', '-q', 'topic');
  await assert.rejects(git(s.worktree, 'merge', theirs));
  const conflict = await git(s.worktree, 'status', '--porcelain=v2');
  const before = await state(s);
  const made = await archive(s);
  await git(s.repo, 'reflog', 'expire', '--expire=now', '--all');
  await git(s.repo, 'gc', '--quiet', '--prune=now');
  assert.equal(await restore(s, { worktree: s.worktree, archive: made }), undefined);
  assert.deepEqual(await state(s), before);
  assert.equal(await git(s.worktree, 'status', '--porcelain=v2'), conflict);
  assert.equal(await git(s.worktree, 'show', ':3:src/a.txt'), 'theirs');
  await git(s.worktree, 'checkout', '-q', '--ours', 'src/a.txt');
  await git(s.worktree, 'commit', '-qam', 'merged');
});

test('a detached commit stays after a purge, under a ref; files and git’s folder are gone', async (t) => {
  const s = await scene(t);
  await makeUnheldWork(s.worktree);
  await git(s.worktree, 'checkout', '-q', '--detach');
  await git(s.worktree, 'commit', '-q', '--allow-empty', '-m', 'on no branch');
  const commit = await git(s.worktree, 'rev-parse', 'HEAD');
  const made = await archive(s);
  const root = process.getuid?.() === 0;
  assert.ok((await countFilesNotInGit(s.repository, made)) >= 9);
  await purgeArchive(s.repository, made);
  assert.equal(existsSync(made.files), false, root ? 'gone' : 'gone, read-only folders included');
  assert.equal(existsSync(made.registration!.to), false);
  assert.equal(await git(s.repo, 'rev-parse', 'refs/treeline/archive/ses_1'), commit);
  await purgeArchive(s.repository, made);
});

test('a purge of what branches hold leaves no ref behind', async (t) => {
  const s = await scene(t);
  const made = await archive(s);
  assert.equal(await countFilesNotInGit(s.repository, made), 0);
  await purgeArchive(s.repository, made);
  assert.equal(await git(s.repo, 'for-each-ref', 'refs/treeline'), '');
  assert.equal(await git(s.repo, 'branch', '--list', 'topic', '--format=%(refname:short)'), 'topic');
});

test('a push of all branches and tags leaves an archive’s ref at home, and so does the mirroring that the README names', async (t) => {
  const s = await scene(t);
  await makeUnheldWork(s.worktree);
  await archive(s);
  await git(s.repo, 'tag', 'v1');
  assert.notEqual(await git(s.repo, 'for-each-ref', 'refs/treeline'), '');
  const refs = ['refs/heads/main', 'refs/heads/topic', 'refs/tags/v1'];
  for (const pushes of [[['--all'], ['--tags']], [['--prune', '+refs/*:refs/*', '^refs/treeline/*']]]) {
    const remote = await tempDir(t);
    await git(remote, 'init', '--quiet', '--bare');
    for (const [option, ...refspecs] of pushes) await git(s.repo, 'push', '--quiet', option!, remote, ...refspecs);
    assert.deepEqual((await git(remote, 'for-each-ref', '--format=%(refname)')).split('\n'), refs);
  }
});

test('a worktree whose path is taken says so, and comes back elsewhere, whole', async (t) => {
  const s = await scene(t);
  await makeUnheldWork(s.worktree);
  const status = await git(s.worktree, 'status', '--porcelain', '--ignored');
  const print = await treePrint(s.worktree);
  const made = await archive(s);
  // The same folder and the same name in git's eyes, for another branch.
  await git(s.repo, 'worktree', 'add', '--quiet', '-b', 'other', s.worktree);
  await assert.rejects(restore(s, { worktree: s.worktree, archive: made }), { code: 'path-taken' });
  const elsewhere = `${s.worktree} again`;
  assert.equal(await restore(s, { worktree: elsewhere, archive: made }, s.worktree), undefined);
  assert.equal(await git(elsewhere, 'status', '--porcelain', '--ignored'), status);
  assert.equal(await git(elsewhere, 'branch', '--show-current'), 'topic');
  assert.equal(await git(s.worktree, 'branch', '--show-current'), 'other', 'the one in its place is untouched');
  const now = await treePrint(elsewhere);
  for (const print_ of [print, now]) {
    delete print_['./.git']; // It has to point to another place.
    delete print_['.'];
  }
  assert.deepEqual(now, print);
  assert.doesNotMatch(await git(s.repo, 'worktree', 'list', '--porcelain'), /prunable/);
  await chmod(path.join(elsewhere, 'read-only'), 0o755);
});

test('an empty folder in its place is no hindrance', async (t) => {
  const s = await scene(t);
  const made = await archive(s);
  await mkdir(s.worktree);
  await restore(s, { worktree: s.worktree, archive: made });
  assert.equal(await git(s.worktree, 'status', '--porcelain'), '');
});

test('a branch that moved on, or is checked out elsewhere, is left alone: the worktree comes back at its own commit', async (t) => {
  const s = await scene(t);
  await writeFile(path.join(s.worktree, 'new.txt'), 'untracked');
  const commit = await git(s.worktree, 'rev-parse', 'HEAD');
  let made = await archive(s);
  await git(s.repo, 'checkout', '-q', 'topic');
  await git(s.repo, 'commit', '-q', '--allow-empty', '-m', 'more');
  assert.match((await restore(s, { worktree: s.worktree, archive: made })) ?? '', /checked out in .*on no branch/);
  assert.equal(await git(s.worktree, 'rev-parse', 'HEAD'), commit);
  assert.equal(await git(s.worktree, 'status', '--porcelain'), '?? new.txt');

  await git(s.repo, 'checkout', '-q', 'main');
  await git(s.worktree, 'checkout', '-q', 'topic');
  made = await archive(s);
  await git(s.repo, 'branch', '-f', 'topic', 'main~0');
  assert.match((await restore(s, { worktree: s.worktree, archive: made })) ?? '', /has moved on/);
  assert.equal(await git(s.worktree, 'branch', '--show-current'), '');
});

test('submodules move along, and come back in their own place only', async (t) => {
  const s = await scene(t);
  const module = await tempRepo(t, { files: { 'inner.txt': 'inner\n' } });
  await git(s.worktree, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', module, 'sub');
  await writeFile(path.join(s.worktree, 'sub/inner.txt'), 'changed inside\n');
  const before = await git(s.worktree, 'status', '--porcelain=v2');
  const made = await archive(s);
  const elsewhere = { worktree: `${s.worktree}-2`, archive: made };
  await assert.rejects(restore(s, elsewhere, s.worktree), { code: 'path-taken', message: /submodules/ });
  await restore(s, { worktree: s.worktree, archive: made });
  assert.equal(await git(s.worktree, 'status', '--porcelain=v2'), before);
  assert.equal(
    await git(path.join(s.worktree, 'sub'), 'diff', '--stat', '--', 'inner.txt').then((out) => out !== ''),
    true,
  );
});

test('refuses the main worktree, a locked one, one with another inside, a stranger, and one that git works in', async (t) => {
  const s = await scene(t);
  const plan = (worktree: string): Promise<Archive> =>
    planArchive(s.repository, worktree, { trash: s.trash, name: 'ses_1' });
  await assert.rejects(plan(s.repo), { code: 'main-worktree' });
  await assert.rejects(plan(path.dirname(s.repo)), { code: 'main-worktree' });
  await git(s.repo, 'worktree', 'lock', '--reason', 'on a stick', s.worktree);
  await assert.rejects(plan(s.worktree), { code: 'worktree-locked', message: /on a stick/ });
  await git(s.repo, 'worktree', 'unlock', s.worktree);
  const inner = path.join(s.worktree, 'inner');
  await git(s.repo, 'worktree', 'add', '--quiet', '-b', 'inner', inner);
  await assert.rejects(plan(s.worktree), { code: 'worktree-in-use', message: /inner/ });
  await git(s.repo, 'worktree', 'remove', inner);
  await assert.rejects(plan(await tempRepo(t)), { code: 'not-our-worktree' });
  await writeFile(path.join(s.repo, '.git/worktrees/topic/index.lock'), '');
  await assert.rejects(plan(s.worktree), { code: 'worktree-in-use', message: /index\.lock/ });
  assert.equal(existsSync(s.trash), false, 'a refusal makes nothing');
});

test('a folder that is gone, or that git forgot, is archived as far as it is there', async (t) => {
  const s = await scene(t);
  await rm(s.worktree, { recursive: true });
  const gone = await archive(s);
  assert.equal(await git(s.repo, 'worktree', 'list', '--porcelain').then((list) => list.includes('topic')), false);
  assert.match((await restore(s, { worktree: s.worktree, archive: gone })) ?? '', /^There were no files of .*topic/);
  assert.match(await git(s.repo, 'worktree', 'list', '--porcelain'), /prunable/);

  await git(s.repo, 'worktree', 'prune');
  await mkdir(s.worktree, { recursive: true });
  await writeFile(path.join(s.worktree, 'left.txt'), 'left');
  const forgotten = await archive(s);
  assert.equal(existsSync(s.worktree), false);
  await restore(s, { worktree: s.worktree, archive: forgotten });
  assert.equal(await readFile(path.join(s.worktree, 'left.txt'), 'utf8'), 'left');
});

test('what somebody deleted from an archive is told, and the rest comes back; a missing .git is made again', async (t) => {
  const s = await scene(t);
  let made = await archive(s);
  await rm(path.join(made.files, '.git'));
  assert.equal(await restore(s, { worktree: s.worktree, archive: made }), undefined);
  assert.equal(await git(s.worktree, 'status', '--porcelain'), '');

  made = await archive(s);
  await rm(made.files, { recursive: true });
  assert.match((await restore(s, { worktree: s.worktree, archive: made })) ?? '', /^There were no files of .*topic/);
  await git(s.repo, 'worktree', 'prune');
  await git(s.repo, 'worktree', 'add', '--quiet', s.worktree, 'topic');

  made = await archive(s);
  await rm(made.registration!.to, { recursive: true });
  assert.match((await restore(s, { worktree: s.worktree, archive: made })) ?? '', /^git's record of .* was gone/);
  assert.ok(existsSync(path.join(s.worktree, 'README.md')));
});

test('a file where the trash, or the place of the worktree, should be: refused with a sentence, and goes on when it is away', async (t) => {
  const s = await scene(t);
  const before = await state(s);
  await writeFile(s.trash, 'a file');
  const move = {
    worktree: s.worktree,
    archive: await planArchive(s.repository, s.worktree, { trash: s.trash, name: 'ses_1' }),
  };
  await assert.rejects(moveToTrash(s.repository, move), { code: 'no-folder' });
  assert.equal(await moveBack(s.repository, move), undefined);
  assert.deepEqual(await state(s), before);
  await rm(s.trash);
  const made = await archive(s);
  const parent = path.dirname(s.worktree);
  await rm(parent, { recursive: true });
  await writeFile(parent, 'a file');
  await assert.rejects(restore(s, { worktree: s.worktree, archive: made }), { code: 'no-folder' });
  await rm(parent);
  await restore(s, { worktree: s.worktree, archive: made });
  assert.deepEqual(await state(s), before);
});

test('every step may be repeated, and goes on from wherever it was cut', async (t) => {
  const s = await scene(t);
  await makeUnheldWork(s.worktree);
  const before = await state(s);
  const made = await planArchive(s.repository, s.worktree, { trash: s.trash, name: 'ses_1' });
  const move = { worktree: s.worktree, archive: made };
  // Cut after the first rename.
  await mkdir(path.dirname(made.registration!.to), { recursive: true });
  await rename(made.registration!.from, made.registration!.to);
  await moveToTrash(s.repository, move);
  await moveToTrash(s.repository, move);
  assert.ok(existsSync(made.files) && existsSync(made.registration!.to));
  // And on the way back.
  await rename(made.files, s.worktree);
  await moveBack(s.repository, move);
  await moveBack(s.repository, move);
  assert.deepEqual(await state(s), before);
  await chmod(path.join(s.worktree, 'read-only'), 0o755);
});

test('a trash on another file system gives way to one beside the worktree', async (t) => {
  const other = await mkdtemp('/dev/shm/treeline-').catch(() => undefined);
  const s = await scene(t);
  if (other === undefined || (await stat(other)).dev === (await stat(s.repo)).dev) {
    t.skip('needs a second file system');
    return;
  }
  t.after(() => rm(other, { recursive: true }));
  await makeUnheldWork(s.worktree);
  const before = await state(s);
  const made = await archive({ ...s, trash: path.join(other, 'trash') });
  assert.equal(made.files, path.join(path.dirname(s.worktree), '.treeline-trash/ses_1/worktree'));
  await assert.rejects(restore(s, { worktree: path.join(other, 'back'), archive: made }, s.worktree), {
    code: 'other-device',
  });
  await restore(s, { worktree: s.worktree, archive: made });
  assert.deepEqual(await state(s), before);
  await chmod(path.join(s.worktree, 'read-only'), 0o755);
});

test('an orphan branch without a commit, and an empty repository’s index, come back', async (t) => {
  const s = await scene(t);
  await git(s.worktree, 'checkout', '-q', '--orphan', 'unborn');
  const before = await state(s);
  const made = await archive(s);
  await git(s.repo, 'gc', '--quiet', '--prune=now');
  await restore(s, { worktree: s.worktree, archive: made });
  assert.deepEqual(await state(s), before);
});

test('what is mounted in a worktree is neither moved nor deleted', { skip: noMounts }, async (t) => {
  const s = await scene(t);
  const others = await tempDir(t);
  await mkdir(path.join(s.worktree, 'data'));
  const before = await state(s);
  const theirs = path.join(others, 'theirs.txt');
  const isMounted = { code: 'mounted', message: /Unmount it/ };

  let mount = mountAt(t, path.join(s.worktree, 'data'), others);
  await writeFile(theirs, 'theirs');
  await assert.rejects(archive(s), isMounted);
  mount.unmount();
  assert.deepEqual(await state(s), before);

  const made = await archive(s);
  mount = mountAt(t, path.join(made.files, 'data'), others);
  await assert.rejects(purgeArchive(s.repository, made), isMounted);
  await assert.rejects(restore(s, { worktree: s.worktree, archive: made }), isMounted);
  assert.equal(await readFile(theirs, 'utf8'), 'theirs');
  mount.unmount();
  await restore(s, { worktree: s.worktree, archive: made });
  assert.deepEqual(await state(s), before);

  await purgeArchive(s.repository, await archive(s));
  assert.equal(existsSync(s.worktree), false);
  assert.equal(await readFile(theirs, 'utf8'), 'theirs');
});

test('a deletion that a crash cut short and that stops once more leaves the rest where a restore finds it', async (t) => {
  const s = await scene(t);
  await writeFile(path.join(s.worktree, 'new.txt'), 'not in git');
  const made = await archive(s);
  await rename(made.files, `${made.files}.deleted`);
  let steps = 0;
  const guard = (): void => {
    if (++steps === 4) throw new Error('stopped');
  };
  await assert.rejects(purgeArchive(s.repository, made, guard), /stopped/);
  await restore(s, { worktree: s.worktree, archive: made });
  assert.equal(await readFile(path.join(s.worktree, 'new.txt'), 'utf8'), 'not in git');

  const again = await archive(s);
  await rename(again.files, `${again.files}.deleted`);
  await purgeArchive(s.repository, again);
  assert.deepEqual(await readdir(s.trash), []);
});

test('after the repository was moved, an archive is counted and deleted whole', async (t) => {
  const s = await scene(t);
  await makeUnheldWork(s.worktree);
  const made = await archive(s);
  const count = await countFilesNotInGit(s.repository, made);
  await rename(s.repo, `${s.repo}2`);
  const repository = (await findRepository(`${s.repo}2`))!;
  assert.equal(await countFilesNotInGit(repository, made), count);
  await purgeArchive(repository, made);
  assert.equal(existsSync(made.files), false);
  assert.deepEqual(await readdir(`${s.repo}2/.git/treeline`), []);
});
