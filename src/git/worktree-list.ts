import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { tryGit, type GitOptions } from './git.ts';
import { gitError } from './git-error.ts';
import { retrying } from './retry.ts';
import type { Repository, Worktree } from './types.ts';
import { isAtLeast } from '../platform/version.ts';
import { gitVersion } from './version.ts';

/** The reason that `git worktree add` locks a worktree with until its checkout is complete (builtin/worktree.c). */
export const INITIALIZING = 'initializing';

/** The `-z` of `git worktree list` came with this version (git's release notes). */
const NUL_SINCE = '2.36';

/** All worktrees of the repository, the main one first, also those whose folder is gone. */
export async function listWorktrees(repository: Repository, options: GitOptions = {}): Promise<Worktree[]> {
  const nul = isAtLeast(await gitVersion(), NUL_SINCE);
  // From the common directory: the folder that the repository was found through may be gone by now.
  const args = ['--git-dir', repository.commonDir, 'worktree', 'list', '--porcelain', ...(nul ? ['-z'] : [])];
  const result = await retrying(() => tryGit(repository.commonDir, args, options));
  if (result.exitCode !== 0) throw gitError({ args, cwd: repository.commonDir, ...result });
  return parseWorktreeList(result.stdout.toString('utf8'), nul ? '\0' : '\n');
}

/**
 * Reads `git worktree list --porcelain [-z]`: one `label[ value]` per line, an empty line after each worktree.
 * Without `-z` a path that holds a newline is cut at it.
 */
export function parseWorktreeList(output: string, lineEnd: '\0' | '\n'): Worktree[] {
  return output
    .split(lineEnd + lineEnd)
    .map((group) => group.split(lineEnd).filter((line) => line !== ''))
    .filter((lines) => lines.length > 0)
    .map((lines, index) => {
      const fields = new Map<string, string>();
      for (const line of lines) {
        const space = line.indexOf(' ');
        fields.set(space < 0 ? line : line.slice(0, space), space < 0 ? '' : line.slice(space + 1));
      }
      const [head, branch, locked, prunable] = ['HEAD', 'branch', 'locked', 'prunable'].map((key) => fields.get(key));
      return {
        path: path.resolve(fields.get('worktree') ?? ''),
        main: index === 0,
        bare: fields.has('bare'),
        // All zeros: a branch without a commit.
        ...(head === undefined || /^0+$/.test(head) ? {} : { head }),
        ...(branch === undefined ? {} : { branch: branch.replace(/^refs\/heads\//, '') }),
        ...(locked === undefined ? {} : { locked }),
        ...(prunable === undefined ? {} : { prunable }),
      };
    });
}

/** Whether anything, even a broken link, is at this path. */
export async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
