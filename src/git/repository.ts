import { lstat, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { readIfExists } from '../platform/atomic-file.ts';
import { hasCode, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { git, gitText, tryGit, withoutNewline } from './git.ts';
import { gitError } from './git-error.ts';
import type { Head, Repository } from './types.ts';
import { gitVersion } from './version.ts';
import { exists } from './worktree-list.ts';

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
    if (!(await exists(path.join(at, '.git')).catch(() => false))) continue;
    try {
      const gitDir = await gitDirOf(at);
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

/** The git directory of the worktree at `root`: its `.git`, or what that file names. Throws where there is none. */
async function gitDirOf(root: string): Promise<string> {
  const dotGit = path.join(root, '.git');
  if ((await stat(dotGit)).isDirectory()) return dotGit;
  return path.resolve(root, withoutNewline(await readFile(dotGit)).replace(/^gitdir: /, ''));
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
  const plain = await plainHead(repository).catch(() => undefined);
  if (plain !== undefined) return plain;
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

/** A commit's id, by SHA-1 or SHA-256. */
const COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** More packed refs than this are left to git to search: bytes. */
const PACKED_LIMIT = 1024 * 1024;

/**
 * HEAD as its files tell (gitrepository-layout(5)): a git for what every spawn asks would cost it some milliseconds. Undefined,
 * or an error, for whatever is not plain: refs stored in another form, symbolic branches, a branch without a commit.
 */
async function plainHead({ commonDir, root }: Repository): Promise<Head | undefined> {
  const file = path.join(root === commonDir ? commonDir : await gitDirOf(root), 'HEAD');
  // git once wrote a link in place of a file with the name of the branch.
  if (!(await lstat(file)).isFile()) return undefined;
  const text = withoutNewline(await readFile(file));
  if (COMMIT.test(text)) return { commit: text };
  const [, ref, branch] = /^ref: (refs\/heads\/(.+))$/.exec(text) ?? [];
  if (ref === undefined || branch === undefined) return undefined;
  const loose = await readIfExists(path.join(commonDir, ref));
  const commit = loose === undefined ? await packedRef(commonDir, ref) : withoutNewline(loose);
  return commit !== undefined && COMMIT.test(commit) ? { branch, commit } : undefined;
}

async function packedRef(commonDir: string, ref: string): Promise<string | undefined> {
  const file = path.join(commonDir, 'packed-refs');
  if ((await stat(file)).size > PACKED_LIMIT) return undefined;
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.find((line) => line.endsWith(` ${ref}`))?.slice(0, -ref.length - 1);
}

/**
 * The commit that a branch, tag or other revision stands for, as a full id.
 * Throws a TreelineError: `no-commit` in a repository without any, `unknown-revision` otherwise.
 */
export async function resolveCommit(repository: Repository, revision: string, signal?: AbortSignal): Promise<string> {
  if (revision.includes('\0')) {
    // No argument can hold one, so there is nothing to ask git.
    throw new TreelineError(say('unknown-revision.nul'));
  }
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const found = await tryGit(repository.root, args, { signal });
  if (found.exitCode === 0) return withoutNewline(found.stdout);
  if (found.exitCode !== 1 && !/Needed a single revision|unknown revision/.test(found.stderr) && found.stderr !== '') {
    throw gitError({ args, cwd: repository.root, ...found });
  }
  const any = await git(repository.root, ['rev-list', '--all', '--max-count=1'], { signal });
  if (any.length === 0) {
    throw new TreelineError(say('no-commit', { repository: repository.name }));
  }
  throw new TreelineError(
    revision === ''
      ? say('unknown-revision.empty')
      : say('unknown-revision', { revision, repository: repository.name }),
  );
}
