import os from 'node:os';
import { diffBase } from './diff.ts';
import { gitError } from './git-error.ts';
import { git, gitRecords, tryGit } from './git.ts';
import type { Repository } from './types.ts';

const DIFF = ['diff', '--patch', '-M', '--no-color', '--no-ext-diff', '--no-textconv', '--no-relative'];

/** What a worktree has changed since its branch left `baseCommit`, committed or not, as patches. */
export async function* patches(worktree: string, baseCommit: string): AsyncGenerator<string> {
  const base = await diffBase(worktree, baseCommit);
  yield (await git(worktree, [...DIFF, base, '--'])).toString();
  for await (const file of gitRecords(worktree, ['ls-files', '--others', '--exclude-standard', '-z'])) {
    // A folder is listed whole when it is a repository of its own.
    if (file.endsWith('/')) continue;
    const args = [...DIFF, '--no-index', '--', os.devNull, file];
    const found = await tryGit(worktree, args);
    // 1: they differ, as they do.
    if (found.exitCode !== 0 && found.exitCode !== 1) throw gitError({ args, cwd: worktree, ...found });
    yield found.stdout.toString();
  }
}

/** What changed between two commits, as patches: what is left to see of a worktree that is gone. */
export async function* patchesBetween({ commonDir }: Repository, base: string, tip: string): AsyncGenerator<string> {
  yield (await git(commonDir, [...DIFF, base, tip, '--'])).toString();
}
