import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { blob, changes, diffBase, submoduleText } from '../../../src/git/diff.ts';
import { findRepository } from '../../../src/git/repository.ts';
import type { FileChange } from '../../../src/git/types.ts';
import { git, tempDir, tempRepo } from '../support.ts';

async function list(worktree: string, base: string): Promise<FileChange[]> {
  const found: FileChange[] = [];
  for await (const change of changes(worktree, base)) found.push(change);
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

const kinds = (found: FileChange[]): string[] => found.map((change) => `${change.path} ${change.kind}`);

const text = (lines: number): string => Array.from({ length: lines }, (_, n) => `line ${n}\n`).join('');

test('committed, staged, changed and untracked files are one list', async (t) => {
  const files = {
    'committed.txt': 'a\n',
    'staged.txt': 'a\n',
    'changed.txt': 'a\n',
    'same.txt': 'a\n',
    '.gitignore': '*.log\n',
  };
  const repo = await tempRepo(t, { files });
  const base = await git(repo, 'rev-parse', 'HEAD');
  const write = (name: string, content: string) => writeFile(path.join(repo, name), content);
  assert.deepEqual(await list(repo, base), []);
  await write('committed.txt', 'b\n');
  await git(repo, 'commit', '-qam', 'work');
  await write('staged.txt', 'a\nb\n');
  await git(repo, 'add', 'staged.txt');
  await write('changed.txt', '');
  await write('untracked.txt', 'u\n');
  await write('intended.txt', 'i\n');
  await git(repo, 'add', '-N', 'intended.txt');
  await write('ignored.log', 'x');
  await mkdir(path.join(repo, 'deep', 'er'), { recursive: true });
  await write('deep/er/file', 'x');
  const index = await readFile(path.join(repo, '.git', 'index'));
  assert.deepEqual(await list(repo, base), [
    { path: 'changed.txt', kind: 'modified', binary: false, added: 0, removed: 1 },
    { path: 'committed.txt', kind: 'modified', binary: false, added: 1, removed: 1 },
    { path: 'deep/er/file', kind: 'untracked', binary: false },
    { path: 'intended.txt', kind: 'added', binary: false, added: 1, removed: 0 },
    { path: 'staged.txt', kind: 'modified', binary: false, added: 1, removed: 0 },
    { path: 'untracked.txt', kind: 'untracked', binary: false },
  ]);
  assert.deepEqual(await readFile(path.join(repo, '.git', 'index')), index, 'the index is untouched');
});

test('renames, deletions, binaries, types, modes, and what only the index forgot', async (t) => {
  const files = { 'old name': text(50), gone: 'x\n', 'pic.png': 'a\0b', 'to-link': 'x\n', 'run.sh': '#!/bin/sh\n', forgotten: 'f\n', 'big.psd': 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n' }; // prettier-ignore
  const repo = await tempRepo(t, { files });
  const base = await git(repo, 'rev-parse', 'HEAD');
  const at = (name: string) => path.join(repo, name);
  await rename(at('old name'), at('new\nname'));
  await git(repo, 'add', '--all');
  await writeFile(at('new\nname'), `${text(50)}more\n`);
  await rm(at('gone'));
  await writeFile(at('pic.png'), 'a\0c');
  await rm(at('to-link'));
  await symlink('gone', at('to-link'));
  await chmod(at('run.sh'), 0o755);
  await git(repo, 'rm', '-q', '--cached', 'forgotten');
  await writeFile(at('big.psd'), 'version https://git-lfs.github.com/spec/v1\noid sha256:2\nsize 1\n');
  assert.deepEqual(await list(repo, base), [
    { path: 'big.psd', kind: 'modified', binary: false, added: 1, removed: 1 },
    { path: 'forgotten', kind: 'modified', binary: false },
    { path: 'gone', kind: 'deleted', binary: false, added: 0, removed: 1 },
    { path: 'new\nname', kind: 'renamed', from: 'old name', binary: false, added: 1, removed: 0 },
    { path: 'pic.png', kind: 'modified', binary: true },
    { path: 'run.sh', kind: 'modified', modeChanged: true, binary: false, added: 0, removed: 0 },
    { path: 'to-link', kind: 'type-changed', binary: false, added: 1, removed: 1 },
  ]);
});

test('hostile names', async (t) => {
  const names = [
    '-x',
    '$(touch f)',
    'it\'s "q"',
    'tab\tname',
    'new\nline',
    'émoji 🚀',
    ':(top)x',
    ':100644 x',
    '1\t2\tx',
  ];
  const repo = await tempRepo(t, { files: Object.fromEntries(names.map((name) => [name, 'a\n'])) });
  const base = await git(repo, 'rev-parse', 'HEAD');
  const repository = (await findRepository(repo))!;
  for (const name of names) {
    await writeFile(path.join(repo, name), 'b\n');
    await writeFile(path.join(repo, `${name} new`), 'b\n');
    assert.equal((await blob(repository, base, name)).toString(), 'a\n');
  }
  const found = await list(repo, base);
  assert.deepEqual(
    new Set(found.map((change) => change.path)),
    new Set(names.flatMap((name) => [name, `${name} new`])),
  );
  assert.ok(found.every((change) => (change.kind === 'modified' ? change.added === 1 : change.kind === 'untracked')));
});

test('a conflict is one entry', async (t) => {
  const repo = await tempRepo(t, { files: { 'a.txt': 'base\n', 'b.txt': 'base\n' } });
  const base = await git(repo, 'rev-parse', 'HEAD');
  await git(repo, 'checkout', '-q', '-b', 'topic');
  await writeFile(path.join(repo, 'a.txt'), 'mine\n');
  await git(repo, 'rm', '-q', 'b.txt');
  await git(repo, 'commit', '-qam', 'mine');
  await git(repo, 'checkout', '-q', 'main');
  await writeFile(path.join(repo, 'a.txt'), 'theirs\n');
  await writeFile(path.join(repo, 'b.txt'), 'theirs\n');
  await git(repo, 'commit', '-qam', 'theirs');
  await assert.rejects(git(repo, 'merge', 'topic'));
  assert.deepEqual(kinds(await list(repo, base)), ['a.txt conflicted', 'b.txt conflicted']);
  await writeFile(path.join(repo, 'a.txt'), 'base\n');
  assert.deepEqual(kinds(await list(repo, base)), ['a.txt conflicted', 'b.txt conflicted'], 'as in the base');
});

test('submodules: a moved commit, a new one, and a repository that git does not track', async (t) => {
  const library = await tempRepo(t);
  const repo = await tempRepo(t);
  const allow = ['-c', 'protocol.file.allow=always'];
  await git(repo, ...allow, 'submodule', '--quiet', 'add', library, 'lib');
  await git(repo, 'commit', '-qm', 'lib');
  const base = await git(repo, 'rev-parse', 'HEAD');
  const repository = (await findRepository(repo))!;
  const lib = path.join(repo, 'lib');
  const old = await git(lib, 'rev-parse', 'HEAD');
  await git(lib, 'commit', '-q', '--allow-empty', '-m', 'more');
  await git(repo, 'clone', '-q', library, 'nested');
  assert.deepEqual(await list(repo, base), [
    { path: 'lib', kind: 'submodule', binary: false },
    { path: 'nested', kind: 'submodule', binary: false },
  ]);
  assert.equal((await blob(repository, base, 'lib')).toString(), `Subproject commit ${old}\n`);
  assert.equal(await submoduleText(repo, 'lib'), `Subproject commit ${await git(lib, 'rev-parse', 'HEAD')}\n`);
  await writeFile(path.join(lib, 'README.md'), 'dirty\n');
  assert.match(await submoduleText(repo, 'lib'), /-dirty\n$/);
});

test('the base is where the branch left it, also in a shallow clone', async (t) => {
  const repo = await tempRepo(t, { files: { a: 'a\n' } });
  const fork = await git(repo, 'rev-parse', 'HEAD');
  await git(repo, 'checkout', '-q', '-b', 'topic');
  await writeFile(path.join(repo, 'mine'), 'x\n');
  await git(repo, 'add', 'mine');
  await git(repo, 'commit', '-qm', 'mine');
  await git(repo, 'checkout', '-q', 'main');
  await writeFile(path.join(repo, 'a'), 'theirs\n');
  await git(repo, 'commit', '-qam', 'theirs');
  const main = await git(repo, 'rev-parse', 'main');
  await git(repo, 'checkout', '-q', 'topic');
  assert.equal(await diffBase(repo, main), fork);
  assert.deepEqual((await list(repo, main)).map((change) => change.path), ['mine']); // prettier-ignore
  const shallow = path.join(await tempDir(t), 'shallow');
  await git(repo, 'clone', '-q', '--depth=1', '--no-single-branch', `file://${repo}`, shallow);
  assert.deepEqual((await list(shallow, main)).map((change) => change.path), ['a', 'mine']); // prettier-ignore
});

test('a blob: bounded, missing, and never an option', async (t) => {
  const repo = await tempRepo(t, { files: { 'a/b': 'x'.repeat(1000), bin: '\0\u00ff' } });
  const repository = (await findRepository(repo))!;
  const commit = await git(repo, 'rev-parse', 'HEAD');
  assert.equal((await blob(repository, commit, 'a/b')).length, 1000);
  await assert.rejects(blob(repository, commit, 'a/b', { maxBytes: 999 }), { code: 'too-large' });
  await assert.rejects(blob(repository, commit, 'a'), { code: 'no-such-file' });
  await assert.rejects(blob(repository, commit, 'nothing'), { code: 'no-such-file' });
  await assert.rejects(blob(repository, '--help', 'x'), { code: 'unknown-revision' });
});

test('a cancel ends the list with an error', async (t) => {
  const repo = await tempRepo(t);
  const controller = new AbortController();
  await writeFile(path.join(repo, 'x'), '');
  const base = await git(repo, 'rev-parse', 'HEAD');
  await assert.rejects(
    async () => {
      for await (const change of changes(repo, base, { signal: AbortSignal.abort() })) assert.fail(change.path);
    },
    { code: 'cancelled' },
  );
  for await (const change of changes(repo, base, { signal: controller.signal })) {
    assert.equal(change.path, 'x');
    break;
  }
  assert.ok((await readdir(path.join(repo, '.git'))).every((name) => !name.endsWith('.lock')));
});

test('files that cannot be read are named, and the rest is told', { skip: process.platform === 'win32' }, async (t) => {
  const files = { 'a.txt': 'a\n', 'pipe one': 'x\n', 'pipe*[x]': 'x\n', 'secret.txt': 's\n', 'z.txt': 'z\n' };
  const repo = await tempRepo(t, { files });
  const base = await git(repo, 'rev-parse', 'HEAD');
  for (const name of ['a.txt', 'z.txt', 'secret.txt']) await writeFile(path.join(repo, name), 'changed\n');
  for (const name of ['pipe one', 'pipe*[x]']) {
    await rm(path.join(repo, name));
    execFileSync('mkfifo', [path.join(repo, name)]);
  }
  await writeFile(path.join(repo, 'new.txt'), 'n\n');
  await chmod(path.join(repo, 'secret.txt'), 0);
  // Nothing is secret to root.
  const secret =
    process.getuid?.() === 0 ? { binary: false, added: 1, removed: 1 } : { binary: false, unreadable: true };
  assert.deepEqual(await list(repo, base), [
    { path: 'a.txt', kind: 'modified', binary: false, added: 1, removed: 1 },
    { path: 'new.txt', kind: 'untracked', binary: false },
    { path: 'pipe one', kind: 'modified', binary: false, unreadable: true },
    { path: 'pipe*[x]', kind: 'modified', binary: false, unreadable: true },
    { path: 'secret.txt', kind: 'modified', ...secret },
    { path: 'z.txt', kind: 'modified', binary: false, added: 1, removed: 1 },
  ]);
});

test(
  'of endless untracked files, no more are read than are asked for',
  { skip: process.platform === 'win32', timeout: 20_000 },
  async (t) => {
    const repo = await tempRepo(t);
    const base = await git(repo, 'rev-parse', 'HEAD');
    const bin = await tempDir(t);
    const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
    const endless = `n=0; while :; do n=$((n+1)); printf 'file%s\\0' $n; done`;
    const script = `#!/bin/sh\ncase "$*" in *--others*) ${endless};; *) exec ${real} "$@";; esac\n`;
    await writeFile(path.join(bin, 'git'), script, { mode: 0o755 });
    const { PATH } = process.env;
    t.after(() => (process.env['PATH'] = PATH));
    process.env['PATH'] = `${bin}:${PATH ?? ''}`;
    const found: string[] = [];
    for await (const change of changes(repo, base)) {
      found.push(change.path);
      if (found.length === 3) break;
    }
    assert.deepEqual(found, ['file1', 'file2', 'file3']);
  },
);

test('what was removed from the index and is ignored counts as deleted, though it is on the disk', async (t) => {
  const repo = await tempRepo(t, { files: { 'kept.log': 'k\n', 'kept.txt': 'k\n' } });
  const base = await git(repo, 'rev-parse', 'HEAD');
  await writeFile(path.join(repo, '.git/info/exclude'), '*.log\n');
  await git(repo, 'rm', '--quiet', '--cached', 'kept.log', 'kept.txt');
  assert.deepEqual(kinds(await list(repo, base)), ['kept.log deleted', 'kept.txt modified']);
});
