import assert from 'node:assert/strict';
import { existsSync, renameSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { findRepository } from '../../../src/git/repository.ts';
import type { Repository } from '../../../src/git/types.ts';
import { addWorktree, listWorktrees, recreateWorktree, undoWorktree } from '../../../src/git/worktrees.ts';
import { mountAt, noMounts } from '../mounts.ts';
import { git, tempDir, tempRepo, until } from '../support.ts';

async function open(repo: string): Promise<Repository> {
  return (await findRepository(repo))!;
}

async function hook(repo: string, name: string, ...lines: string[]): Promise<void> {
  const file = path.join(repo, '.git', 'hooks', name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(file, 0o755);
}

/** All that a failed addWorktree could leave. */
async function traces(repo: string): Promise<unknown> {
  const admin = await readdir(path.join(repo, '.git', 'worktrees')).catch(() => []);
  return {
    branches: await git(repo, 'branch', '--format=%(refname:short)'),
    worktrees: (await git(repo, 'worktree', 'list', '--porcelain'))
      .split('\n')
      .filter((line) => line.startsWith('worktree ')).length,
    admin,
    beside: (await readdir(path.dirname(repo))).toSorted(),
  };
}

function add(t: TestContext, repo: string, leaf: string, branch = 'topic') {
  return { path: path.join(path.dirname(repo), 'repo.worktrees', leaf), branch, base: 'HEAD', signal: t.signal };
}

test('a new worktree has the branch, at the base, without an upstream', async (t) => {
  const repo = await tempRepo(t);
  await git(repo, 'update-ref', 'refs/remotes/origin/main', 'HEAD');
  const request = { ...add(t, repo, 'one', 'treeline/one-1'), base: 'origin/main' };
  const made = await addWorktree(await open(repo), request);
  assert.deepEqual(made, { path: request.path, commit: await git(repo, 'rev-parse', 'HEAD') });
  assert.equal(await git(made.path, 'branch', '--show-current'), 'treeline/one-1');
  assert.equal(await git(made.path, 'status', '--porcelain'), '');
  await assert.rejects(git(made.path, 'rev-parse', '@{upstream}'));
  assert.match(await git(repo, 'reflog', 'treeline/one-1'), /branch: Created from/);
});

for (const name of ['with space', '$(touch f)', '-x', 'quo"te\'s', '🚀', 'new\nline']) {
  test(`a worktree in a folder named ${JSON.stringify(name)}, made and undone`, async (t) => {
    const repo = await tempRepo(t);
    const repository = await open(repo);
    const before = await traces(repo);
    const made = await addWorktree(repository, add(t, repo, name, '$(touch-f)/x'));
    assert.equal(await readFile(path.join(made.path, 'README.md'), 'utf8'), '# Test\n');
    const found = (await listWorktrees(repository)).find((worktree) => worktree.path === made.path);
    assert.equal(found?.branch, '$(touch-f)/x');
    assert.deepEqual(await undoWorktree(repository, { ...made, branch: '$(touch-f)/x' }), { branchDeleted: true });
    await rm(path.dirname(made.path), { recursive: true });
    assert.deepEqual(await traces(repo), before);
  });
}

test('refusals leave nothing: bad name, branch there, folder there, no commit, unknown base', async (t) => {
  const repo = await tempRepo(t);
  const repository = await open(repo);
  await git(repo, 'branch', 'taken');
  const commit = await git(repo, 'rev-parse', 'taken');
  const before = await traces(repo);
  for (const branch of ['-x', 'a b', '', 'a..b']) {
    await assert.rejects(addWorktree(repository, add(t, repo, 'x', branch)), { code: 'bad-branch-name' });
  }
  await assert.rejects(addWorktree(repository, add(t, repo, 'x', 'taken')), {
    code: 'branch-exists',
    message: /taken/,
  });
  await assert.rejects(addWorktree(repository, add(t, repo, 'x', 'taken/x')), {
    code: 'branch-exists',
    message: /folder/,
  });
  await assert.rejects(addWorktree(repository, { ...add(t, repo, 'x'), base: 'nope' }), { code: 'unknown-revision' });
  await assert.rejects(addWorktree(repository, { ...add(t, repo, 'x'), base: '1'.repeat(40) }));
  await assert.rejects(addWorktree(repository, { ...add(t, repo, 'x'), path: repo }), { code: 'path-taken' });
  await assert.rejects(addWorktree(repository, { ...add(t, repo, 'x'), path: 'relative' }), { code: 'path-relative' });
  await assert.rejects(addWorktree(repository, { ...add(t, repo, 'x'), path: path.join(repo, 'README.md', 'x') }), {
    code: 'path-unwritable',
  });
  await assert.rejects(addWorktree(repository, { ...add(t, repo, 'x'), signal: AbortSignal.abort() }), {
    code: 'cancelled',
  });
  assert.deepEqual(await traces(repo), before);
  assert.equal(await git(repo, 'rev-parse', 'taken'), commit);
  const empty = await tempDir(t);
  await git(empty, 'init', '-q');
  await assert.rejects(addWorktree(await open(empty), add(t, empty, 'x')), { code: 'no-commit' });
});

test('ten at once all succeed', async (t) => {
  const repo = await tempRepo(t, {
    files: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`d${n % 10}/f${n}`, `${n}\n`])),
  });
  const repository = await open(repo);
  const made = await Promise.all(
    Array.from({ length: 10 }, (_, n) => addWorktree(repository, add(t, repo, `w${n}`, `treeline/w${n}`))),
  );
  assert.equal(new Set(made.map((one) => one.path)).size, 10);
  for (const one of made) assert.equal(await git(one.path, 'status', '--porcelain'), '');
  const undone = await Promise.all(
    made.map((one, n) => undoWorktree(repository, { ...one, branch: `treeline/w${n}` })),
  );
  assert.ok(undone.every(({ branchDeleted }) => branchDeleted));
  assert.equal((await listWorktrees(repository)).length, 1);
});

test('ten at once for one branch: one wins, and the others take nothing of it away', async (t) => {
  const repo = await tempRepo(t);
  const repository = await open(repo);
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, n) => addWorktree(repository, add(t, repo, `w${n}`, 'same'))),
  );
  const won = results.filter((result) => result.status === 'fulfilled');
  assert.equal(won.length, 1);
  for (const result of results) {
    if (result.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'branch-exists');
  }
  assert.equal(await git(won[0]!.value.path, 'branch', '--show-current'), 'same');
  assert.deepEqual(await readdir(path.join(path.dirname(repo), 'repo.worktrees')), [path.basename(won[0]!.value.path)]);
});

test('a failing post-checkout hook is a warning that names it', async (t) => {
  const repo = await tempRepo(t);
  await hook(repo, 'post-checkout', 'echo no luck >&2', 'exit 3');
  const made = await addWorktree(await open(repo), add(t, repo, 'x'));
  assert.match(made.warning ?? '', /post-checkout hook failed \(exit 3\).*no luck/);
  assert.equal(await git(made.path, 'status', '--porcelain'), '');
});

test('a hook that leaves a process with stderr open does not hold things up', async (t) => {
  const repo = await tempRepo(t);
  const pidFile = path.join(path.dirname(repo), 'pid');
  await hook(repo, 'post-checkout', 'sleep 60 &', `echo $! > '${pidFile}'`);
  await addWorktree(await open(repo), add(t, repo, 'x'));
  // Refused if the process had ended already, as it had if it was waited for.
  process.kill(Number(await readFile(pidFile, 'utf8')));
});

for (const how of ['timeout', 'cancel'] as const) {
  test(`a hanging post-checkout hook that ignores SIGTERM: ${how} ends it and leaves nothing`, async (t) => {
    const repo = await tempRepo(t);
    const repository = await open(repo);
    const pidFile = path.join(repo, '.git', 'hook-pid');
    await hook(
      repo,
      'post-checkout',
      "trap '' TERM",
      'touch made-by-hook',
      `echo $$ > '${pidFile}'`,
      'while :; do sleep 1; done',
    );
    const before = await traces(repo);
    const controller = new AbortController();
    const adding = addWorktree(repository, {
      ...add(t, repo, 'x'),
      ...(how === 'timeout' ? { timeoutMs: 700 } : {}),
      signal: controller.signal,
    });
    const rejected = assert.rejects(
      adding,
      how === 'timeout' ? { code: 'hook-timeout', message: /post-checkout/ } : { code: 'cancelled' },
    );
    const pid = await until(async () => Number(await readFile(pidFile, 'utf8').catch(() => '')) || undefined, {
      what: 'hook runs',
    });
    if (how === 'cancel') controller.abort();
    await rejected;
    await until(() => !isAlive(pid), { what: 'the hook ends' });
    assert.deepEqual(await traces(repo), before);
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('cancelled in the middle of a checkout, nothing is left', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`f${n}.slow`, `${n}\n`]));
  const repo = await tempRepo(t, { files: { ...files, '.gitattributes': '*.slow filter=slow\n' } });
  const started = path.join(repo, '.git', 'started');
  await git(repo, 'config', 'filter.slow.smudge', `touch '${started}'; sleep 1; cat`);
  const before = await traces(repo);
  const controller = new AbortController();
  const rejected = assert.rejects(addWorktree(await open(repo), { ...add(t, repo, 'x'), signal: controller.signal }), {
    code: 'cancelled',
  });
  await until(
    () =>
      readFile(started).then(
        () => true,
        () => false,
      ),
    { what: 'checkout begins' },
  );
  controller.abort();
  await rejected;
  assert.deepEqual(await traces(repo), before);
});

test('a filter that fails is named, and nothing is left', async (t) => {
  const repo = await tempRepo(t, { files: { 'a.bin': 'x\n', '.gitattributes': '*.bin filter=broken\n' } });
  await git(repo, 'config', 'filter.broken.smudge', 'false');
  await git(repo, 'config', 'filter.broken.required', 'true');
  const before = await traces(repo);
  await assert.rejects(addWorktree(await open(repo), add(t, repo, 'x')), { code: 'filter-failed', message: /broken/ });
  assert.deepEqual(await traces(repo), before);
});

test('a reference-transaction hook that refuses is named, and nothing is left', async (t) => {
  const repo = await tempRepo(t);
  const repository = await open(repo);
  const before = await traces(repo);
  const refused = (message: RegExp): Promise<void> =>
    assert.rejects(addWorktree(repository, add(t, repo, 'x')), { code: 'hook-failed', message });
  await hook(repo, 'reference-transaction', 'test "$1" != prepared');
  await refused(/reference-transaction hook refused the change without a message\. Check/);
  await hook(repo, 'reference-transaction', 'echo no new branches today >&2; test "$1" != prepared');
  await refused(/reference-transaction hook refused the change: no new branches today\. Check/);
  assert.deepEqual(await traces(repo), before);
});

test('a lock of another git is waited for, and named when it stays', async (t) => {
  const repo = await tempRepo(t);
  const repository = await open(repo);
  const lock = path.join(repo, '.git', 'refs', 'heads', 'topic.lock');
  await writeFile(lock, '');
  await assert.rejects(addWorktree(repository, add(t, repo, 'x')), { code: 'locked', message: /topic\.lock/ });
  const adding = addWorktree(repository, add(t, repo, 'x'));
  setTimeout(() => void rm(lock), 200);
  assert.equal((await adding).path.endsWith('x'), true);
});

test('the locked index of the main worktree is in nobody’s way', async (t) => {
  const repo = await tempRepo(t);
  await writeFile(path.join(repo, '.git', 'index.lock'), '');
  await addWorktree(await open(repo), add(t, repo, 'x'));
});

test('undo refuses when anything would be lost', async (t) => {
  const repo = await tempRepo(t, { files: { 'README.md': 'x\n', '.gitignore': '.env\n' } });
  const repository = await open(repo);
  const request = add(t, repo, 'x');
  const made = { ...(await addWorktree(repository, request)), branch: 'topic' };
  for (const file of ['untracked', '.env', 'README.md']) {
    const inside = path.join(made.path, file);
    await writeFile(inside, 'precious\n');
    await assert.rejects(undoWorktree(repository, made), {
      code: 'worktree-in-use',
      message: new RegExp(file.replace('.', '\\.')),
    });
    assert.equal(await readFile(inside, 'utf8'), 'precious\n');
    await (file === 'README.md' ? git(made.path, 'checkout', '-q', file) : rm(inside));
  }
  await git(made.path, 'checkout', '-q', '--detach');
  await assert.rejects(undoWorktree(repository, made), { code: 'worktree-in-use' });
  await git(made.path, 'checkout', '-q', 'topic');
  await git(repo, 'worktree', 'lock', '--reason', 'mine', made.path);
  await assert.rejects(undoWorktree(repository, made), { code: 'worktree-in-use', message: /mine/ });
  await git(repo, 'worktree', 'unlock', made.path);
  await assert.rejects(undoWorktree(repository, { ...made, path: repo }), { code: 'worktree-in-use' });
  assert.deepEqual(await undoWorktree(repository, made), { branchDeleted: true });
  assert.deepEqual(await undoWorktree(repository, made), { branchDeleted: true }, 'again');
});

test('undo keeps a branch that moved, and one that is checked out elsewhere', async (t) => {
  const repo = await tempRepo(t);
  const repository = await open(repo);
  const made = { ...(await addWorktree(repository, add(t, repo, 'x'))), branch: 'topic' };
  await git(made.path, 'commit', '-q', '--allow-empty', '-m', 'work');
  const work = await git(made.path, 'rev-parse', 'HEAD');
  assert.deepEqual(await undoWorktree(repository, made), { branchDeleted: false });
  assert.equal(await git(repo, 'rev-parse', 'topic'), work);
  await git(repo, 'checkout', '-q', 'topic');
  assert.deepEqual(await undoWorktree(repository, { ...made, commit: work }), { branchDeleted: false });
});

test('undo after a crash: a branch alone, an empty folder, a checkout that git never finished', async (t) => {
  const repo = await tempRepo(t);
  const repository = await open(repo);
  const before = await traces(repo);
  const commit = await git(repo, 'rev-parse', 'HEAD');
  const made = { path: path.join(path.dirname(repo), 'wt'), branch: 'topic', commit };
  await git(repo, 'branch', 'topic');
  await mkdir(made.path);
  await undoWorktree(repository, made);
  assert.deepEqual(await traces(repo), before);

  await git(repo, 'branch', 'topic');
  await git(repo, 'worktree', 'add', '-q', made.path, 'topic');
  // As git leaves it when it is killed in the middle.
  await git(repo, 'worktree', 'lock', '--reason', 'initializing', made.path);
  await rm(path.join(made.path, 'README.md'));
  await undoWorktree(repository, made);
  assert.deepEqual(((await traces(repo)) as { branches: string }).branches, 'main');

  await mkdir(made.path);
  await writeFile(path.join(made.path, 'file'), '');
  await assert.rejects(undoWorktree(repository, made), { code: 'worktree-in-use' });
});

test('recreate: only the stale registration of that path goes', async (t) => {
  const repo = await tempRepo(t);
  const repository = await open(repo);
  const made = await addWorktree(repository, add(t, repo, 'x'));
  const other = await addWorktree(repository, add(t, repo, 'other', 'other'));
  await git(made.path, 'commit', '-q', '--allow-empty', '-m', 'work');
  const work = await git(made.path, 'rev-parse', 'HEAD');
  await rm(made.path, { recursive: true });
  // A foreign worktree whose disk is away for now.
  await rename(other.path, `${other.path}-away`);
  const again = await recreateWorktree(repository, { path: made.path, branch: 'topic' });
  assert.deepEqual(again, { path: made.path, commit: work });
  assert.equal(await git(made.path, 'rev-parse', 'HEAD'), work);
  await rename(`${other.path}-away`, other.path);
  assert.equal(await git(other.path, 'branch', '--show-current'), 'other');
});

test('recreate refuses: branch gone, branch elsewhere, folder there, commits on no branch', async (t) => {
  const repo = await tempRepo(t);
  const repository = await open(repo);
  const made = await addWorktree(repository, add(t, repo, 'x'));
  const wanted = { path: made.path, branch: 'topic' };
  await assert.rejects(recreateWorktree(repository, wanted), { code: 'path-taken' });
  await git(made.path, 'checkout', '-q', '--detach');
  await git(made.path, 'commit', '-q', '--allow-empty', '-m', 'stray');
  const stray = await git(made.path, 'rev-parse', 'HEAD');
  await rm(made.path, { recursive: true });
  await assert.rejects(recreateWorktree(repository, wanted), { code: 'stray-commit', message: new RegExp(stray) });
  await git(repo, 'branch', 'saved', stray);
  await git(repo, 'checkout', '-q', 'topic');
  await assert.rejects(recreateWorktree(repository, wanted), { code: 'branch-checked-out', message: new RegExp(repo) });
  await git(repo, 'checkout', '-q', 'main');
  await git(repo, 'branch', '-m', 'topic', 'renamed');
  await assert.rejects(recreateWorktree(repository, wanted), { code: 'branch-missing' });
  await git(repo, 'branch', '-m', 'renamed', 'topic');
  assert.equal((await recreateWorktree(repository, wanted)).path, made.path);
});

test('recreate leaves a folder alone that is put back in the middle', async (t) => {
  const repo = await tempRepo(t);
  const repository = await open(repo);
  const made = await addWorktree(repository, add(t, repo, 'x'));
  const away = `${made.path}-away`;
  await writeFile(path.join(made.path, 'new.txt'), 'not in git');
  for (const when of [1, 2]) {
    await rename(made.path, away);
    let steps = 0;
    const guard = (): void => {
      if (++steps === when) renameSync(away, made.path);
    };
    await assert.rejects(recreateWorktree(repository, { path: made.path, branch: 'topic', guard }), {
      code: 'path-taken',
    });
    assert.equal(await readFile(path.join(made.path, 'new.txt'), 'utf8'), 'not in git');
    assert.equal(await git(made.path, 'branch', '--show-current'), 'topic');
  }
});

test('recreate puts back what a removal that a crash cut short had set aside', async (t) => {
  const repo = await tempRepo(t);
  const repository = await open(repo);
  const made = await addWorktree(repository, add(t, repo, 'x'));
  await writeFile(path.join(made.path, 'new.txt'), 'not in git');
  const aside = path.join(path.dirname(made.path), '.treeline-deleted-x');
  await rename(made.path, aside);
  await assert.rejects(recreateWorktree(repository, { path: made.path, branch: 'topic' }), { code: 'path-taken' });
  assert.equal(await readFile(path.join(made.path, 'new.txt'), 'utf8'), 'not in git');
  assert.equal(existsSync(aside), false);
});

test('worktrees of a bare repository, of a shallow clone, and during a rebase', async (t) => {
  const source = await tempRepo(t);
  await git(source, 'commit', '-q', '--allow-empty', '-m', 'two');
  const dir = await tempDir(t);
  const bare = path.join(dir, 'thing.git');
  await git(dir, 'clone', '-q', '--bare', source, bare);
  const shallow = path.join(dir, 'shallow');
  await git(dir, 'clone', '-q', '--depth=1', `file://${source}`, shallow);
  for (const repo of [bare, shallow]) {
    const made = await addWorktree(await open(repo), {
      path: path.join(dir, 'w', path.basename(repo)),
      branch: 'topic',
      base: 'main',
    });
    assert.equal(await git(made.path, 'status', '--porcelain'), '');
    await undoWorktree(await open(made.path), { ...made, branch: 'topic' });
  }
});

test('a worktree in which something is mounted is not undone', { skip: noMounts }, async (t) => {
  const repo = await tempRepo(t, { files: { 'data/a.txt': 'a\n' } });
  const repository = await open(repo);
  const made = { ...(await addWorktree(repository, add(t, repo, 'one'))), branch: 'topic' };
  const others = await tempDir(t);
  // To git, nothing has changed.
  await writeFile(path.join(others, 'a.txt'), 'a\n');
  const { unmount } = mountAt(t, path.join(made.path, 'data'), others);
  await assert.rejects(undoWorktree(repository, made), { code: 'mounted' });
  assert.deepEqual(await readdir(others), ['a.txt']);
  unmount();
  assert.deepEqual(await undoWorktree(repository, made), { branchDeleted: true });
});
