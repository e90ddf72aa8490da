import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { hasCode, TreelineError } from '../platform/errors.ts';
import { git, gitText, tryGit, withoutNewline } from './git.ts';
import { gitError } from './git-error.ts';
import type { Head, Repository } from './types.ts';
import { gitVersion } from './version.ts';

/**
 * The repository that `folder` lies in; undefined when there is none, also for a folder inside a `.git`.
 * Throws a TreelineError when git is missing, too old, does not trust the repository, or when its `.git` file leads nowhere.
 */
export async function findRepository(folder: string, signal?: AbortSignal): Promise<Repository | undefined> {
  // The paths come last and one per call: they may hold newlines.
  const commonArgs = ['rev-parse', '--is-inside-work-tree', '--path-format=absolute', '--git-common-dir'];
  const rootArgs = ['rev-parse', '--path-format=absolute', '--show-toplevel'];
  const asked = Promise.all([commonArgs, rootArgs].map((args) => tryGit(folder, args, { signal }))).catch(
    (error: unknown) => {
      if (error instanceof TreelineError && error.code === 'no-folder') return [];
      throw error;
    },
  );
  // Asked at the same time; what a git that is too old makes of the others is not looked at.
  const [[common, top]] = await Promise.all([asked, gitVersion()]);
  if (!common || !top) return undefined;
  if (common.exitCode !== 0) {
    if (/not a git repository \(or any/.test(common.stderr)) return undefined;
    throw gitError({ args: commonArgs, cwd: folder, ...common });
  }
  const [, inside, common_] = /^(true|false)\r?\n([^]*)$/.exec(withoutNewline(common.stdout)) ?? [];
  const commonDir = await realpath(String(common_));
  const bare =
    (await gitText(commonDir, ['--git-dir', commonDir, 'rev-parse', '--is-bare-repository'], { signal })) === 'true';
  if (inside === 'true') {
    if (top.exitCode !== 0) throw gitError({ args: rootArgs, cwd: folder, ...top });
    const root = await realpath(withoutNewline(top.stdout));
    return { commonDir, root, name: repositoryName(commonDir, root), bare };
  }
  return bare ? { commonDir, root: commonDir, name: repositoryName(commonDir, commonDir), bare } : undefined;
}

/**
 * Where the common git directory of the repository around `folder` probably is, from its `.git` and `commondir` files
 * (gitrepository-layout(5)), without git: for work that can begin while git is asked. Undefined where that is not plain.
 */
export async function likelyCommonDir(folder: string): Promise<string | undefined> {
  for (let at = path.resolve(folder), below = ''; at !== below; below = at, at = path.dirname(at)) {
    const dotGit = path.join(at, '.git');
    const found = await stat(dotGit).catch(() => undefined);
    if (found === undefined) continue;
    try {
      if (found.isDirectory()) return await realpath(dotGit);
      const gitDir = path.resolve(at, withoutNewline(await readFile(dotGit)).replace(/^gitdir: /, ''));
      const commonDir = await readFile(path.join(gitDir, 'commondir')).catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return Buffer.from('.');
        throw error;
      });
      return await realpath(path.resolve(gitDir, withoutNewline(commonDir)));
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/**
 * `…/thing/.git` and `…/thing/.bare` are `thing`, `…/thing.git` is `thing`, and a git directory that lies elsewhere
 * (a submodule's, `--separate-git-dir`) has its own name, or its worktree's.
 */
function repositoryName(commonDir: string, root: string): string {
  const own = path.basename(commonDir);
  if (own.startsWith('.')) return path.basename(path.dirname(commonDir));
  return own.replace(/\.git$/, '') || path.basename(root);
}

/** What is checked out in the worktree that the repository was found through. */
export async function head(repository: Repository, signal?: AbortSignal): Promise<Head> {
  const [symbolic, commit] = await Promise.all([
    tryGit(repository.root, ['symbolic-ref', '--quiet', '--', 'HEAD'], { signal }),
    tryGit(repository.root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], { signal }),
  ]);
  const ref = symbolic.exitCode === 0 ? withoutNewline(symbolic.stdout) : undefined;
  return {
    ...(ref === undefined ? {} : { branch: ref.replace(/^refs\/heads\//, '') }),
    ...(commit.exitCode === 0 ? { commit: withoutNewline(commit.stdout) } : {}),
  };
}

/**
 * The commit that a branch, tag or other revision stands for, as a full id.
 * Throws a TreelineError: `no-commit` in a repository without any, `unknown-revision` otherwise.
 */
export async function resolveCommit(repository: Repository, revision: string, signal?: AbortSignal): Promise<string> {
  if (revision.includes('\0')) {
    // No argument can hold one, so there is nothing to ask git.
    throw new TreelineError(
      'unknown-revision',
      'A name with a NUL character is not a branch, tag or commit; choose another base.',
    );
  }
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const found = await tryGit(repository.root, args, { signal });
  if (found.exitCode === 0) return withoutNewline(found.stdout);
  if (found.exitCode !== 1 && !/Needed a single revision|unknown revision/.test(found.stderr) && found.stderr !== '') {
    throw gitError({ args, cwd: repository.root, ...found });
  }
  const any = await git(repository.root, ['rev-list', '--all', '--max-count=1'], { signal });
  if (any.length === 0) {
    throw new TreelineError(
      'no-commit',
      `The repository ${repository.name} has no commit yet; make a first commit and try again.`,
    );
  }
  throw new TreelineError(
    'unknown-revision',
    `${revision === '' ? 'An empty name' : revision} is not a branch, tag or commit of ${repository.name}; choose another base.`,
  );
}
