import { readdir, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readIfExists } from '../platform/atomic-file.ts';
import { hasCode, TreelineError, reasonOf } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { git, withoutNewline, type GitOptions } from './git.ts';
import { noCommit } from './refs.ts';
import type { Repository } from './types.ts';

/** Options of git by which no hook runs, and no daemon watches files that nobody works on. */
export const QUIET = ['-c', 'core.fsmonitor=false', '-c', `core.hooksPath=${os.devNull}`];

/**
 * Writes what git keeps of a worktree: the state files of gitrepository-layout(5), as builtin/worktree.c writes them, without a
 * branch. The pool alone needs this, because git is not to know of its worktrees; all others are made by `git worktree add`.
 * @param registration a folder of the caller's, two levels below the common git directory.
 */
export async function register(registration: string, tree: string, commit: string): Promise<void> {
  await Promise.all([
    // As yet no commit: so the checkout is the first thing in its log of HEAD.
    writeFile(path.join(registration, 'HEAD'), `${noCommit(commit)}\n`),
    writeFile(path.join(registration, 'commondir'), '../..\n'),
    writeFile(path.join(registration, 'gitdir'), gitdirOf(tree)),
    pointTo(registration, tree),
  ]);
}

/** Makes a worktree's files name this registration. */
export async function pointTo(registration: string, tree: string): Promise<void> {
  await writeFile(path.join(tree, '.git'), `gitdir: ${gitPath(registration)}\n`);
}

/** The `gitdir` file in the registration of these files. */
export function gitdirOf(tree: string): string {
  return `${gitPath(path.join(tree, '.git'))}\n`;
}

/** The `HEAD` file of a worktree that is on a branch. */
export function headOn(branch: string): string {
  return `ref: refs/heads/${branch}\n`;
}

/** The registration that a worktree's `.git` file names. */
export async function registrationOf(tree: string): Promise<string> {
  const text = withoutNewline(await readFile(path.join(tree, '.git')));
  return path.resolve(tree, text.replace(/^gitdir: /, ''));
}

/** git's folder of a worktree, whether or not the worktree is there. */
export async function recordOf({ commonDir }: Repository, worktree: string): Promise<string | undefined> {
  const folder = path.join(commonDir, 'worktrees');
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const own = path.join(folder, name);
    const gitdir = await readIfExists(path.join(own, 'gitdir')).catch(() => undefined);
    if (gitdir !== undefined && path.resolve(own, withoutNewline(gitdir)) === path.join(worktree, '.git')) return own;
  }
  return undefined;
}

/** Checks a commit out as `git worktree add` does, which runs this very command; HEAD is detached at it. */
export async function checkOutFiles(
  registration: string,
  tree: string,
  commit: string,
  { config = [], ...options }: GitOptions & { readonly config?: readonly string[] },
): Promise<void> {
  const where = ['--git-dir', registration, '--work-tree', tree, ...config];
  const args = [...where, 'reset', '--hard', '--quiet', '--no-recurse-submodules', commit];
  await git(tree, args, { ...options, writes: true });
}

/** The names in a folder of git's or ours; none where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return [];
    throw new TreelineError(say('folder-unreadable', { folder, reason: reasonOf(error) }), { cause: error });
  }
}

/** git writes its own paths with `/` everywhere. Not run on Windows. */
function gitPath(file: string): string {
  return process.platform === 'win32' ? file.replaceAll('\\', '/') : file;
}
