import assert from 'node:assert/strict';
import { chown, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { gitEnvironment } from '../../../src/git/environment.ts';
import { git as runGit, gitRecords, gitText, tryGit } from '../../../src/git/git.ts';
import { refs } from '../../../src/git/refs.ts';
import { findRepository, head, likelyCommonDir, resolveCommit } from '../../../src/git/repository.ts';
import { worktreeStatus } from '../../../src/git/status.ts';
import { isAtLeast } from '../../../src/platform/version.ts';
import { listWorktrees, parseWorktreeList } from '../../../src/git/worktree-list.ts';
import { git, tempDir, tempRepo } from '../support.ts';

const HOSTILE = ['with space', 'it\'s "quoted"', '$(touch f)', '-x', 'emoji 🚀', 'new\nline', 'ends with newline\n'];

for (const name of HOSTILE) {
  test(`a repository in a folder named ${JSON.stringify(name)}`, async (t) => {
    const root = path.join(await tempDir(t), name);
    await mkdir(path.join(root, 'sub'), { recursive: true });
    await git(root, 'init', '-q', '-b', 'main');
    await git(root, 'commit', '-q', '--allow-empty', '-m', 'x');
    const commit = await git(root, 'rev-parse', 'HEAD');
    for (const folder of [root, path.join(root, 'sub')]) {
      const repository = await findRepository(folder);
      assert.deepEqual(repository, { commonDir: path.join(root, '.git'), root, name, bare: false });
      assert.equal(await likelyCommonDir(folder), repository.commonDir);
      assert.deepEqual(await head(repository), { branch: 'main', commit });
      assert.deepEqual(await listWorktrees(repository), [
        { path: root, main: true, bare: false, head: commit, branch: 'main' },
      ]);
    }
  });
}

test('no repository: an ordinary folder, a missing one, the inside of .git', async (t) => {
  const dir = await tempDir(t);
  assert.equal(await findRepository(dir), undefined);
  assert.equal(await findRepository(path.join(dir, 'missing')), undefined);
  assert.equal(await findRepository(path.join(await tempRepo(t), '.git')), undefined);
});

test('a .git file that leads nowhere is an error that says so', async (t) => {
  const dir = await tempDir(t);
  await writeFile(path.join(dir, '.git'), 'gitdir: /nowhere/at/all\n');
  await assert.rejects(findRepository(dir), { code: 'broken-repository', message: /\/nowhere\/at\/all/ });
});

test('the path through a symbolic link becomes the real one', async (t) => {
  const repo = await tempRepo(t);
  const link = path.join(await tempDir(t), 'link');
  await symlink(repo, link);
  assert.equal((await findRepository(link))?.root, repo);
});

test('every worktree of a bare repository is of the same repository', async (t) => {
  const source = await tempRepo(t);
  const dir = await tempDir(t);
  const bare = path.join(dir, 'thing.git');
  await git(dir, 'clone', '-q', '--bare', source, bare);
  const worktree = path.join(dir, 'wt');
  await git(bare, 'worktree', 'add', '-q', worktree, 'main');
  assert.deepEqual(await findRepository(bare), { commonDir: bare, root: bare, name: 'thing', bare: true });
  const repository = await findRepository(worktree);
  assert.deepEqual(repository, { commonDir: bare, root: worktree, name: 'thing', bare: true });
  const [main, linked] = await listWorktrees(repository);
  assert.deepEqual([main?.bare, main?.main, linked?.path, linked?.branch], [true, true, worktree, 'main']);
});

test('a submodule is a repository of its own', async (t) => {
  const library = await tempRepo(t);
  const repo = await tempRepo(t);
  await git(repo, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'lib');
  const found = await findRepository(path.join(repo, 'lib'));
  const commonDir = path.join(repo, '.git', 'modules', 'lib');
  assert.deepEqual(found, { commonDir, root: path.join(repo, 'lib'), name: 'lib', bare: false });
});

test('without git, the common directory is what git says, or unknown', async (t) => {
  const root = await tempRepo(t);
  const beside = path.join(await tempDir(t), 'a worktree\n');
  await git(root, 'worktree', 'add', '-q', '-b', 'beside', beside);
  await git(root, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', await tempRepo(t), 'sub');
  const separate = path.join(await tempDir(t), 'work');
  await git(root, 'clone', '-q', '--separate-git-dir', path.join(separate, '../git dir'), root, separate);
  const bare = path.join(await tempDir(t), 'bare.git');
  await git(root, 'clone', '-q', '--bare', root, bare);
  const ofBare = path.join(await tempDir(t), 'of bare');
  await git(bare, 'worktree', 'add', '-q', '-b', 'of-bare', ofBare);
  for (const folder of [root, beside, path.join(root, 'sub'), separate, ofBare]) {
    assert.equal(await likelyCommonDir(folder), (await findRepository(folder))?.commonDir, folder);
  }
  await writeFile(path.join(beside, '.git'), 'gitdir: nowhere\n');
  assert.equal(await likelyCommonDir(beside), undefined);
  assert.equal(await likelyCommonDir(await tempDir(t)), undefined);
});

test('an empty repository: head without commit, and a base that asks for a first one', async (t) => {
  const dir = await tempDir(t);
  await git(dir, 'init', '-q', '-b', 'trunk');
  const repository = (await findRepository(dir))!;
  assert.deepEqual(await head(repository), { branch: 'trunk' });
  await assert.rejects(resolveCommit(repository, 'HEAD'), { code: 'no-commit', message: /first commit/ });
  assert.deepEqual(await refs(repository), []);
  const [main] = await listWorktrees(repository);
  assert.deepEqual([main?.branch, main?.head], ['trunk', undefined]);
  assert.deepEqual(await worktreeStatus(dir, { base: '0'.repeat(40) }), { ahead: 0, behind: 0, changed: 0 });
});

test('a detached HEAD, and one in the middle of a rebase', async (t) => {
  const repo = await tempRepo(t);
  await git(repo, 'checkout', '-q', '--detach');
  const repository = (await findRepository(repo))!;
  const commit = await git(repo, 'rev-parse', 'HEAD');
  assert.deepEqual(await head(repository), { commit });
  await git(repo, 'checkout', '-q', '-b', 'topic');
  await writeFile(path.join(repo, 'README.md'), 'mine\n');
  await git(repo, 'commit', '-qam', 'mine');
  await git(repo, 'checkout', '-q', 'main');
  await writeFile(path.join(repo, 'README.md'), 'theirs\n');
  await git(repo, 'commit', '-qam', 'theirs');
  await assert.rejects(git(repo, 'rebase', '-q', 'main', 'topic'));
  assert.deepEqual(await head(repository), { commit: await git(repo, 'rev-parse', 'main') });
  assert.equal((await worktreeStatus(repo)).changed, 1);
});

test('a repository of another user is refused with what to run', { skip: process.getuid?.() !== 0 }, async (t) => {
  const repo = await tempRepo(t);
  await git(repo, 'config', 'x.y', 'z');
  await chown(repo, 12345, 12345);
  await chown(path.join(repo, '.git'), 12345, 12345);
  await assert.rejects(findRepository(repo), { code: 'unsafe-repository', message: /safe\.directory/ });
});

test('head is what git says, however refs are stored', async (t) => {
  const root = await tempRepo(t);
  const beside = path.join(await tempDir(t), 'beside');
  await git(root, 'worktree', 'add', '-q', '-b', 'a/b', beside);
  await git(root, 'commit', '-q', '--allow-empty', '-m', 'main goes on');
  const bare = path.join(await tempDir(t), 'bare.git');
  await git(root, 'clone', '-q', '--bare', root, bare);
  const same = async (...folders: readonly string[]): Promise<void> => {
    for (const folder of folders) {
      const repository = (await findRepository(folder)) ?? {
        commonDir: folder,
        root: folder,
        name: 'bare',
        bare: true,
      };
      const commit = await git(folder, 'rev-parse', 'HEAD');
      const branch = await git(folder, 'symbolic-ref', '--short', 'HEAD').catch(() => undefined);
      assert.deepEqual(await head(repository), { commit, ...(branch && { branch }) }, folder);
    }
  };
  await same(root, beside, bare);
  await git(root, 'pack-refs', '--all');
  await same(root, beside);
  // A loose ref stands before a packed one.
  await git(root, 'commit', '-q', '--allow-empty', '-m', 'main goes on once more');
  await same(root, beside);
  await git(root, 'symbolic-ref', 'refs/heads/alias', 'refs/heads/main');
  await git(root, 'symbolic-ref', 'HEAD', 'refs/heads/alias');
  assert.equal((await head((await findRepository(root))!)).commit, await git(root, 'rev-parse', 'main'));
  await git(root, 'checkout', '-q', '--detach', 'main');
  await same(root, beside);
  await rm(path.join(root, '.git/HEAD'));
  await symlink('refs/heads/main', path.join(root, '.git/HEAD'));
  await same(root);
});

test('resolveCommit takes branches, tags and ids, and nothing for an option', async (t) => {
  const repo = await tempRepo(t);
  const repository = (await findRepository(repo))!;
  const commit = await git(repo, 'rev-parse', 'HEAD');
  await git(repo, 'tag', '-a', 'v1', '-m', 'one');
  await git(repo, 'update-ref', 'refs/heads/-x', commit);
  for (const name of ['main', 'v1', commit.slice(0, 8), 'HEAD', 'refs/heads/-x']) {
    assert.equal(await resolveCommit(repository, name), commit, name);
  }
  for (const name of ['', 'nothing', '--all', '--help', 'main:README.md', 'a\nb', '$(touch f)', 'main..main']) {
    await assert.rejects(resolveCommit(repository, name), { code: 'unknown-revision' }, name);
  }
});

test('refs: newest first, annotated tags peeled, no symbolic ones', async (t) => {
  const repo = await tempRepo(t);
  const commit = await git(repo, 'rev-parse', 'HEAD');
  await git(repo, 'update-ref', 'refs/remotes/origin/main', commit);
  await git(repo, 'symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main');
  await git(repo, 'tag', '-a', 'v1', '-m', 'one', commit);
  await git(repo, 'tag', 'a-file', await git(repo, 'rev-parse', 'HEAD:README.md'));
  const date = ['-c', 'user.name=x', '-c', 'user.email=x'];
  const newer = await git(repo, ...date, 'commit-tree', '-p', commit, '-m', 'Weird "subject" 🚀', `${commit}^{tree}`);
  await git(repo, 'branch', 'feature/newer', newer);
  const found = await refs((await findRepository(repo))!);
  assert.deepEqual(
    new Set(found.map(({ kind, name }) => `${kind} ${name}`)),
    new Set(['branch main', 'branch feature/newer', 'remote origin/main', 'tag v1']),
  );
  assert.equal(found.find(({ name }) => name === 'v1')?.commit, commit);
  assert.equal(found.find(({ name }) => name === 'feature/newer')?.subject, 'Weird "subject" 🚀');
  assert.deepEqual(
    found.map(({ at }) => at),
    found.map(({ at }) => at).toSorted((a, b) => b - a),
  );
});

test('status counts, against an upstream or else a base', async (t) => {
  const repo = await tempRepo(t, { files: { 'a.txt': 'a\n'.repeat(20), 'b.txt': 'b\n', 'c.txt': 'c\n' } });
  const base = await git(repo, 'rev-parse', 'HEAD');
  assert.deepEqual(await worktreeStatus(repo), { ahead: 0, behind: 0, changed: 0 });
  await git(repo, 'commit', '-q', '--allow-empty', '-m', 'two');
  assert.deepEqual(await worktreeStatus(repo, { base }), { ahead: 1, behind: 0, changed: 0 });
  // A history that was rewritten since has lost what it began with.
  const rewritten = await git(repo, 'commit-tree', '-m', 'instead', 'HEAD^{tree}');
  await git(repo, 'branch', 'rewritten', rewritten);
  const beside = path.join(path.dirname(repo), 'beside');
  await git(repo, 'worktree', 'add', '--quiet', beside, 'rewritten');
  assert.deepEqual(await worktreeStatus(beside, { base }), { ahead: 1, behind: 1, changed: 0 });
  await git(repo, 'mv', 'a.txt', 'new name\n.txt');
  await writeFile(path.join(repo, 'b.txt'), 'changed\n');
  await git(repo, 'rm', '-q', 'c.txt');
  await mkdir(path.join(repo, 'folder'));
  await writeFile(path.join(repo, 'folder', 'x'), '');
  await writeFile(path.join(repo, 'folder', 'y'), '');
  await writeFile(path.join(repo, '# branch.ab +9 -9'), '');
  assert.equal((await worktreeStatus(repo)).changed, 5);
  await git(repo, 'update-ref', 'refs/remotes/origin/main', base);
  await git(repo, 'config', 'branch.main.remote', 'origin');
  await git(repo, 'config', 'branch.main.merge', 'refs/heads/main');
  await git(repo, 'config', 'remote.origin.url', '/nowhere');
  await git(repo, 'config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*');
  const { upstream, ahead, behind } = await worktreeStatus(repo);
  assert.deepEqual({ upstream, ahead, behind }, { upstream: 'origin/main', ahead: 1, behind: 0 });
});

test('reads go on while another git holds the index', async (t) => {
  const repo = await tempRepo(t);
  await writeFile(path.join(repo, '.git', 'index.lock'), '');
  await writeFile(path.join(repo, 'README.md'), 'new\n');
  assert.equal((await worktreeStatus(repo)).changed, 1);
});

test("the environment does not mislead git, nor carry the editor's variables", () => {
  const env = gitEnvironment(false, {}, {
    PATH: '/bin', GIT_DIR: '/x', GIT_WORK_TREE: '/x', GIT_INDEX_FILE: '/x', GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'a', GIT_TRACE2_EVENT: '1',
    GIT_AUTHOR_NAME: 'me', GIT_SSH_COMMAND: 'ssh', GIT_CONFIG_GLOBAL: '/g', VSCODE_PID: '1', ELECTRON_RUN_AS_NODE: '1', LANG: 'de', LANGUAGE: 'de',
  }); // prettier-ignore
  assert.deepEqual(env, {
    PATH: '/bin',
    GIT_AUTHOR_NAME: 'me',
    GIT_SSH_COMMAND: 'ssh',
    GIT_CONFIG_GLOBAL: '/g',
    LANG: 'de',
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
  });
  assert.equal('GIT_OPTIONAL_LOCKS' in gitEnvironment(true, {}, { GIT_OPTIONAL_LOCKS: '0' }), false);
});

test('the runner: a missing git, a missing folder, too much output, a cancel', async (t) => {
  const repo = await tempRepo(t, { files: { big: 'x'.repeat(100_000) } });
  await assert.rejects(runGit(path.join(repo, 'gone'), ['status']), { code: 'no-folder' });
  await assert.rejects(runGit(repo, ['cat-file', 'blob', 'HEAD:big'], { maxBytes: 1000 }), { code: 'too-large' });
  await assert.rejects(runGit(repo, ['status'], { signal: AbortSignal.abort() }), { code: 'cancelled' });
  await assert.rejects(runGit(repo, ['status'], { env: { PATH: '/nonexistent' } }), { code: 'git-missing' });
  await assert.rejects(gitText(repo, ['no-such-command']), { code: 'git-failed', message: /no-such-command/ });
  await assert.rejects(
    runGit(repo, ['cat-file', '--batch'], { timeoutMs: 50, input: new Uint8Array(0) }).then(async () => {
      await runGit(repo, ['-c', 'alias.hang=!sleep 30', 'hang'], { timeoutMs: 50 });
    }),
    { code: 'timeout' },
  );
  assert.equal((await tryGit(repo, ['hash-object', '--stdin'], { input: 'x' })).exitCode, 0);
});

test('records are whole whatever the chunks, and leaving the loop ends git', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`päth-${'é'.repeat(40)}-${index}`, '']));
  const repo = await tempRepo(t, { files });
  const seen: string[] = [];
  for await (const record of gitRecords(repo, ['ls-files', '-z'])) seen.push(record);
  assert.deepEqual(new Set(seen), new Set(Object.keys(files)));
  for await (const record of gitRecords(repo, ['ls-files', '-z'])) {
    assert.ok(record);
    break;
  }
  await assert.rejects(
    async () => {
      for await (const record of gitRecords(repo, ['ls-files', '--no-such-option'])) assert.fail(record);
    },
    { code: 'git-failed' },
  );
});

test('versions compare by number', () => {
  assert.ok(isAtLeast('2.39.5', '2.36'));
  assert.ok(isAtLeast('2.36', '2.36'));
  assert.ok(!isAtLeast('2.9.1', '2.36'));
  assert.ok(isAtLeast('3.0', '2.36'));
});

test('the worktree list reads with newlines for an older git too', () => {
  const list =
    'worktree /r\nHEAD 1111\nbranch refs/heads/main\n\nworktree /w\nHEAD 2222\ndetached\nlocked on a stick\nprunable gone\n\n';
  assert.deepEqual(parseWorktreeList(list, '\n'), [
    { path: '/r', main: true, bare: false, head: '1111', branch: 'main' },
    { path: '/w', main: false, bare: false, head: '2222', locked: 'on a stick', prunable: 'gone' },
  ]);
});
