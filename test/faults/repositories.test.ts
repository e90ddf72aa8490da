/** Repositories and settings that are hard to work with: each works, or is refused with a sentence, and nothing is left behind. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { TreelineError } from '../../src/platform/errors.ts';
import type { SpawnRequest } from '../../src/sessions/service-types.ts';
import { textOf } from '../../src/words/saying.ts';
import { judged, reached } from '../unit/sessions/support.ts';
import { git, tempDir, tempRepo, until } from '../unit/support.ts';
import { faultWorld, filesBelow, type FaultWorld } from './support.ts';
import { branches, journalled, keepers, marked, runs, WARM, workingIn, worktrees } from './truth.ts';

const PROMPT = 'write made.txt by the agent\nprint done';

/** All that a spawn may leave: worktrees and branches known to git, and the folder for worktrees. */
async function traces(repo: string): Promise<object> {
  const beside = path.dirname(repo);
  const folders = readdirSync(beside).filter((name) => name.endsWith('.worktrees'));
  return {
    worktrees: await worktrees(repo),
    branches: await branches(repo),
    folders: folders.flatMap((name) =>
      readdirSync(path.join(beside, name))
        .filter((leaf) => leaf !== WARM)
        .map((leaf) => path.join(name, leaf)),
    ),
    locks: filesBelow(await git(repo, 'rev-parse', '--path-format=absolute', '--git-common-dir')).filter(
      (file) => file.endsWith('.lock') && !file.endsWith('/index.lock'),
    ),
  };
}

/** Spawns an agent on the repository: its work must be in a worktree of its own, and the repository as it was. */
async function assertWorks(world: FaultWorld, request: Partial<SpawnRequest> = {}): Promise<void> {
  const { repo, open } = world;
  const bare = (await git(repo, 'rev-parse', '--is-bare-repository')) === 'true';
  const before = bare ? '' : await git(repo, 'status', '--porcelain');
  const window = await open();
  const { id, worktree, branch, base } = await window.sessions.spawn({ agent: 'scripted', prompt: PROMPT, ...request });
  const ended = await reached(window.sessions, id, judged);
  assert.equal(ended.status, 'idle', textOf(ended.evidence.detail));
  assert.equal(readFileSync(path.join(worktree, 'made.txt'), 'utf8'), 'by the agent\n');
  assert.equal(await git(worktree, 'branch', '--show-current'), branch);
  assert.equal(await git(worktree, 'rev-parse', 'HEAD'), base.commit);
  assert.equal(await git(worktree, 'status', '--porcelain'), '?? made.txt');
  if (request.base !== undefined) {
    assert.equal(base.commit, await git(repo, 'rev-parse', '--verify', '--end-of-options', `${request.base}^{commit}`));
  }
  if (!bare) assert.equal(await git(repo, 'status', '--porcelain'), before, 'the repository itself is as it was');
  // And a resume, after a reload of the window, in a worktree that somebody deleted.
  await window.treeline.dispose();
  rmSync(worktree, { recursive: true });
  const again = await open();
  await again.sessions.resume(id, { prompt: PROMPT });
  const second = await reached(again.sessions, id, (one) => one.turns.length === 2 && judged(one));
  assert.equal(second.status, 'idle', textOf(second.evidence.detail));
  assert.ok(existsSync(path.join(worktree, 'made.txt')));
  await again.treeline.dispose();
}

/** The spawn fails with this code and a sentence to act on; what it began is taken back. */
async function assertRefused(
  world: FaultWorld,
  code: string,
  says: RegExp,
  { request = {}, signal }: { readonly request?: Partial<SpawnRequest>; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const { repo, storage, open } = world;
  const before = await traces(repo);
  const window = await open();
  const options = signal === undefined ? {} : { signal };
  await assert.rejects(window.sessions.spawn({ agent: 'scripted', prompt: PROMPT, ...request }, options), (error) => {
    assert.ok(error instanceof TreelineError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, says);
    assert.match(error.message, /\.$/, 'it is a sentence');
    return true;
  });
  assert.deepEqual(await traces(repo), before, 'nothing is left behind');
  const ids = existsSync(path.join(storage, 'repos')) ? journalled(storage) : [];
  await until(() => keepers(storage).length === 0, { what: 'no keeper is left' });
  assert.deepEqual(marked(ids), []);
  for (const one of window.sessions.list()) {
    assert.match(one.status, /^(failed|stopped)$/, 'a session that never ran is not shown as if it did');
    assert.deepEqual(workingIn(one.worktree), []);
  }
  await window.treeline.dispose();
}

/** The folder is not opened as a repository, and the log says why and what to do. */
async function assertNotOpened(world: FaultWorld, says: RegExp): Promise<void> {
  await assert.rejects(world.open(), (error: Error) => {
    assert.match(error.message, says);
    return true;
  });
}

/** A clone or copy of a fresh repository, made by git with these arguments; SOURCE and TARGET are put in. */
async function madeBy(t: TestContext, ...args: string[]): Promise<string> {
  const source = await tempRepo(t, { files: { 'README.md': '# Sample\n', 'src/deep/main.txt': 'one\n' } });
  await git(source, 'config', 'uploadpack.allowFilter', 'true');
  await git(source, 'commit', '-q', '--allow-empty', '-m', 'second');
  const target = path.join(await tempDir(t), 'repo');
  await git(source, ...args.map((arg) => arg.replace('SOURCE', source).replace('TARGET', target)));
  if (existsSync(target)) {
    await git(target, 'config', 'user.name', 'Test Author');
    await git(target, 'config', 'user.email', 'author@example.invalid');
  }
  return target;
}

/** A hook of a repository. */
function hook(repo: string, name: string, script: string): void {
  mkdirSync(path.join(repo, '.git/hooks'), { recursive: true });
  writeFileSync(path.join(repo, '.git/hooks', name), `#!/bin/sh\n${script}\n`);
  chmodSync(path.join(repo, '.git/hooks', name), 0o755);
}

const HANG = 'trap "" INT TERM HUP\nsleep 300 &\nwhile :; do sleep 300; done';

const root = process.getuid?.() === 0;

suite('paths of repositories', { timeout: 120_000 }, () => {
  for (const name of [
    'two words',
    `it's "quoted"`,
    '🌲 forêt',
    'new\nline',
    '-C',
    '$(touch oops) `id` ; & | > < * ?',
    '%41%2f..',
    '.hidden.git',
  ]) {
    test(JSON.stringify(name), async (t) => {
      const repo = path.join(await tempDir(t), name);
      await git('/', 'init', '-q', '-b', 'main', '--', repo);
      writeFileSync(path.join(repo, 'README.md'), '# Sample\n');
      await git(repo, 'add', '.');
      await git(repo, 'commit', '-q', '-m', 'first');
      await assertWorks(await faultWorld(t, { repo }));
      assert.equal(existsSync(path.join(repo, 'oops')), false);
    });
  }
});

suite('names of bases', { timeout: 120_000 }, () => {
  test('branches with everything that means something to a shell, or to git', async (t) => {
    const world = await faultWorld(t);
    const commit = await git(world.repo, 'commit-tree', '-m', 'elsewhere', 'HEAD^{tree}');
    const { sessions } = await world.open();
    const names = [
      'a;b',
      '$(id)',
      '`id`',
      "it's",
      '"q"',
      'a|b',
      'a&b',
      'a>b',
      '🌲',
      '-x',
      '--all',
      'HEAD',
      '@',
      '%s',
      '!x',
      '#1',
    ];
    for (const name of names) await git(world.repo, 'update-ref', `refs/heads/${name}`, commit);
    for (const name of names) {
      const asked = sessions.spawn({ agent: 'scripted', prompt: 'print done', base: name });
      // Some names are an option or a revision to git: then what git itself makes of them counts.
      const wanted = await git(world.repo, 'rev-parse', '--verify', '--end-of-options', `${name}^{commit}`);
      const { id, base } = await asked;
      assert.equal(base.commit, wanted, name);
      assert.equal((await reached(sessions, id, judged)).status, 'idle', name);
    }
    for (const name of [
      '',
      'gone',
      '../main',
      'main..main',
      'main\nmain',
      '\0',
      'HEAD:README.md',
      ':/first',
      '--help',
    ]) {
      const before = await traces(world.repo);
      await assert.rejects(
        sessions.spawn({ agent: 'scripted', prompt: 'print done', base: name }).then(async ({ base }) => {
          // A revision by git's own grammar is one.
          assert.equal(
            base.commit,
            await git(world.repo, 'rev-parse', '--verify', '--end-of-options', `${name}^{commit}`),
          );
          throw new TreelineError('fine', 'fine');
        }),
        (error) => error instanceof TreelineError,
        JSON.stringify(name),
      );
      if (name !== ':/first') assert.deepEqual(await traces(world.repo), before);
    }
  });

  test('branches that are in the way of Treeline’s own', async (t) => {
    const world = await faultWorld(t);
    await git(world.repo, 'branch', 'treeline');
    await assertWorks(world);
  });
});

suite('hooks', { timeout: 120_000 }, () => {
  test('post-checkout fails: the spawn works', async (t) => {
    const world = await faultWorld(t);
    hook(world.repo, 'post-checkout', 'echo broken >&2; exit 7');
    await assertWorks(world);
  });

  test('post-checkout hangs, deaf to signals: a cancel ends it, and nothing is left', async (t) => {
    const world = await faultWorld(t);
    const reachedHook = path.join(world.storage, 'in-hook');
    hook(world.repo, 'post-checkout', `echo $$ > '${reachedHook}'\n${HANG}`);
    const abort = new AbortController();
    const cancelled = until(() => existsSync(reachedHook) && readFileSync(reachedHook, 'utf8').trim(), {
      what: 'the hook runs',
    });
    void cancelled.then(() => abort.abort());
    await assertRefused(world, 'cancelled', /was cancelled while creating the worktree/, { signal: abort.signal });
    const pid = Number(await cancelled);
    await until(() => !runs(pid), { what: 'the hook has ended' });
  });

  test('post-checkout hangs and the window is killed: the next one ends it and starts anew, until that is stopped', async (t) => {
    const world = await faultWorld(t);
    const reachedHook = path.join(world.storage, 'in-hook');
    hook(world.repo, 'post-checkout', `echo $$ > '${reachedHook}'\n${HANG}`);
    const first = await world.openProcess();
    first.spawn({ agent: 'scripted', prompt: PROMPT }).catch(() => undefined);
    const pid = await until(() => existsSync(reachedHook) && readFileSync(reachedHook, 'utf8').trim(), {
      what: 'the hook runs',
    });
    await first.kill();
    const { sessions } = await world.open();
    const [one] = sessions.list();
    const again = await until(
      () => {
        const now = readFileSync(reachedHook, 'utf8').trim();
        return now !== '' && now !== pid ? now : undefined;
      },
      { timeoutMs: 60_000, what: 'the hook runs anew' },
    );
    assert.equal(runs(Number(pid)), false, 'the first hook has ended');
    await sessions.stop(one!.id);
    assert.equal(sessions.get(one!.id)?.status, 'stopped');
    assert.equal(runs(Number(again)), false, 'the hook has ended');
    assert.deepEqual(await worktrees(world.repo), []);
    assert.deepEqual(await branches(world.repo), []);
    assert.deepEqual(marked([one!.id]), []);
  });

  test('reference-transaction refuses: named, and nothing is left', async (t) => {
    const world = await faultWorld(t);
    hook(world.repo, 'reference-transaction', 'echo no new branches today >&2; exit 1');
    await assertRefused(world, 'hook-failed', /hook refused the change: no new branches today\./);
  });
});

suite('forms of repositories', { timeout: 180_000 }, () => {
  test('a .git file: a separate git directory', async (t) => {
    const repo = await tempRepo(t);
    await git(repo, 'init', '-q', `--separate-git-dir=${path.join(await tempDir(t), 'elsewhere')}`);
    assert.ok(readFileSync(path.join(repo, '.git'), 'utf8').startsWith('gitdir:'));
    await assertWorks(await faultWorld(t, { repo }));
  });

  test('a .git file: the window is on a worktree', async (t) => {
    const main = await tempRepo(t);
    const repo = path.join(path.dirname(main), 'linked');
    await git(main, 'worktree', 'add', '-q', '-b', 'other', repo);
    const world = await faultWorld(t, { repo });
    const { sessions } = await world.open();
    const { id, worktree } = await sessions.spawn({ agent: 'scripted', prompt: PROMPT });
    assert.equal((await reached(sessions, id, judged)).status, 'idle');
    assert.deepEqual((await worktrees(main)).toSorted(), [repo, worktree].toSorted());
  });

  test('a .git file that leads nowhere is not opened, and says why', async (t) => {
    const repo = await tempRepo(t);
    rmSync(path.join(repo, '.git'), { recursive: true });
    writeFileSync(path.join(repo, '.git'), 'gitdir: /nowhere/at/all\n');
    await assertNotOpened(
      await faultWorld(t, { repo }),
      /\/nowhere\/at\/all, which does not exist\. Run git worktree repair/,
    );
  });

  test('a bare repository, and a worktree of one', async (t) => {
    const bare = await madeBy(t, 'clone', '-q', '--bare', 'SOURCE', 'TARGET');
    await assertWorks(await faultWorld(t, { repo: bare }));
    const worktree = path.join(path.dirname(bare), 'main');
    await git(bare, 'worktree', 'add', '-q', worktree, 'main');
    const { open } = await faultWorld(t, { repo: worktree });
    const { sessions } = await open();
    const { id } = await sessions.spawn({ agent: 'scripted', prompt: PROMPT });
    assert.equal((await reached(sessions, id, judged)).status, 'idle');
  });

  test('a shallow clone', async (t) => {
    const repo = await madeBy(t, 'clone', '-q', '--depth=1', 'file://SOURCE', 'TARGET');
    await assertWorks(await faultWorld(t, { repo }));
  });

  test('a partial clone: what is missing is fetched; without its remote it is refused', async (t) => {
    const repo = await madeBy(t, 'clone', '-q', '--filter=blob:none', '--no-checkout', 'file://SOURCE', 'TARGET');
    const away = await madeBy(t, 'clone', '-q', '--filter=blob:none', '--no-checkout', 'file://SOURCE', 'TARGET');
    const { open } = await faultWorld(t, { repo });
    const { sessions } = await open();
    const { id, worktree } = await sessions.spawn({ agent: 'scripted', prompt: PROMPT });
    assert.equal((await reached(sessions, id, judged)).status, 'idle');
    assert.equal(readFileSync(path.join(worktree, 'src/deep/main.txt'), 'utf8'), 'one\n');
    await git(away, 'remote', 'set-url', 'origin', 'file:///nowhere/at/all');
    await assertRefused(
      await faultWorld(t, { repo: away }),
      'git-failed',
      /creating the worktree failed.*(remote|fetch|nowhere)/s,
    );
  });

  test('a sparse checkout', async (t) => {
    const repo = await tempRepo(t, { files: { 'README.md': '#\n', 'src/a.txt': 'a\n', 'docs/b.txt': 'b\n' } });
    await git(repo, 'sparse-checkout', 'set', 'src');
    await assertWorks(await faultWorld(t, { repo }));
  });

  test('a repository with a submodule, and the submodule itself', async (t) => {
    const library = await tempRepo(t);
    const repo = await tempRepo(t);
    await git(repo, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'lib');
    await git(repo, 'commit', '-q', '-m', 'with a library');
    await assertWorks(await faultWorld(t, { repo }));
    const lib = path.join(repo, 'lib');
    const { open } = await faultWorld(t, { repo: lib });
    const { sessions } = await open();
    const { id, worktree } = await sessions.spawn({ agent: 'scripted', prompt: PROMPT });
    assert.equal((await reached(sessions, id, judged)).status, 'idle');
    assert.ok(!worktree.startsWith(`${repo}/`), 'a worktree is not put into the repository around it');
  });

  test('LFS: pointers without a filter work, a filter that is required and missing is named', async (t) => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n';
    const files = { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'a.bin': pointer };
    const repo = await tempRepo(t, { files });
    await assertWorks(await faultWorld(t, { repo }));
    const broken = await tempRepo(t, { files });
    await git(broken, 'config', 'filter.lfs.smudge', 'no-such-git-lfs smudge -- %f');
    await git(broken, 'config', 'filter.lfs.clean', 'no-such-git-lfs clean -- %f');
    await git(broken, 'config', 'filter.lfs.required', 'true');
    await assertRefused(
      await faultWorld(t, { repo: broken }),
      'filter-failed',
      /content filter .* failed\. Check that its program is installed/,
    );
  });

  test('a locked index', async (t) => {
    const world = await faultWorld(t);
    writeFileSync(path.join(world.repo, '.git/index.lock'), '');
    await assertWorks(world);
  });

  test('a branch that is locked for good', async (t) => {
    const world = await faultWorld(t);
    // Whatever the branch is to be called, its ref cannot be written.
    mkdirSync(path.join(world.repo, '.git/refs/heads'), { recursive: true });
    writeFileSync(path.join(world.repo, '.git/packed-refs.lock'), '');
    await assertWorks(world);
    rmSync(path.join(world.repo, '.git/packed-refs.lock'));
  });

  test('a repository of another user is not opened, and says what to run', { skip: !root }, async (t) => {
    const repo = await tempRepo(t);
    const own = (folder: string): void => {
      chownSync(folder, 65_534, 65_534);
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory()) own(path.join(folder, entry.name));
        else chownSync(path.join(folder, entry.name), 65_534, 65_534);
      }
    };
    own(repo);
    await assertNotOpened(
      await faultWorld(t, { repo }),
      /belongs to another user\. If you trust it, run: git config --global --add safe\.directory/,
    );
  });

  test('a repository without a commit asks for the first one', async (t) => {
    const repo = path.join(await tempDir(t), 'repo');
    await git('/', 'init', '-q', '-b', 'main', '--', repo);
    await assertRefused(
      await faultWorld(t, { repo }),
      'no-commit',
      /has no commits yet\. Create a first commit, then try again/,
    );
  });

  test('a detached HEAD, a rebase and a merge in progress', async (t) => {
    const repo = await tempRepo(t, { files: { 'a.txt': 'one\n' } });
    await git(repo, 'checkout', '-q', '--detach');
    await assertWorks(await faultWorld(t, { repo }));

    for (const how of ['rebase', 'merge']) {
      const conflicted = await tempRepo(t, { files: { 'a.txt': 'one\n' } });
      await git(conflicted, 'checkout', '-q', '-b', 'topic');
      writeFileSync(path.join(conflicted, 'a.txt'), 'mine\n');
      await git(conflicted, 'commit', '-qam', 'mine');
      await git(conflicted, 'checkout', '-q', 'main');
      writeFileSync(path.join(conflicted, 'a.txt'), 'theirs\n');
      await git(conflicted, 'commit', '-qam', 'theirs');
      await assert.rejects(
        how === 'rebase' ? git(conflicted, 'rebase', '-q', 'topic') : git(conflicted, 'merge', '-q', 'topic'),
      );
      await assertWorks(await faultWorld(t, { repo: conflicted }));
      // A branch that is in the middle of a rebase, by its name.
      await assertWorks(await faultWorld(t, { repo: conflicted }), { base: 'topic' });
    }
  });

  test('objects are damaged: refused, and nothing is left', async (t) => {
    const world = await faultWorld(t);
    const blob = await git(world.repo, 'rev-parse', 'HEAD:src/main.txt');
    const file = path.join(world.repo, '.git/objects', blob.slice(0, 2), blob.slice(2));
    chmodSync(file, 0o600);
    writeFileSync(file, 'garbage');
    await assertRefused(world, 'git-failed', /creating the worktree failed/);
  });
});

suite('settings', { timeout: 60_000 }, () => {
  test('that cannot work are refused by name, before anything is made', async (t) => {
    const file = path.join(await tempDir(t), 'a-file');
    writeFileSync(file, '');
    const cases: readonly [Partial<FaultWorld['settings']>, string, RegExp][] = [
      [{ worktreeFolder: 'relative/folder' }, 'bad-worktree-folder', /is not an absolute path/],
      [{ worktreeFolder: '${nothing}/x' }, 'bad-worktree-folder', /not an absolute path/],
      [{ worktreeFolder: '${repositoryParent}/${repositoryName}/inside' }, 'bad-worktree-folder', /lies inside/],
      [{ worktreeFolder: path.join(file, 'below') }, 'path-unwritable', /cannot be written/],
      [{ branchName: '${slug}..${id}' }, 'bad-branch-template', /which git does not allow/],
      [{ branchName: '${unknown}' }, 'bad-branch-template', /git does not allow/],
      [{ branchName: '-${slug} ; rm' }, 'bad-branch-template', /git does not allow/],
      [{ customAgents: [] }, 'unknown-agent', /There is no agent “scripted”/],
    ];
    for (const [setting, code, says] of cases) {
      const world = await faultWorld(t);
      Object.assign(world.settings, setting);
      await assertRefused(world, code, says);
    }
  });

  test('with blanks, quotes, emoji and line ends in the folder for worktrees', async (t) => {
    const world = await faultWorld(t);
    world.settings.worktreeFolder = path.join(await tempDir(t), 'a "b"\n🌲 $(id)', '${repositoryName}');
    await assertWorks(world);
  });
});
