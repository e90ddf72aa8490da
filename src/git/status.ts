import { gitRecords, tryGit } from './git.ts';
import type { WorktreeStatus } from './types.ts';

export interface StatusOptions {
  /** What ahead and behind are counted against when the branch has no upstream: a commit id. */
  readonly base?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Counts what differs in a worktree. An untracked folder counts once, as in `git status`: looking into it is what costs. */
export async function worktreeStatus(worktree: string, { base, signal }: StatusOptions = {}): Promise<WorktreeStatus> {
  const args = [
    'status',
    '--porcelain=v2',
    '--branch',
    '-z',
    '--untracked-files=normal',
    '--ahead-behind',
    '--find-renames',
  ];
  let upstream: string | undefined;
  let counts: readonly [number, number] | undefined;
  let changed = 0;
  let renamed = false;
  for await (const record of gitRecords(worktree, args, { signal })) {
    // A rename's second path is a record of its own.
    if (renamed) renamed = false;
    else if (record.startsWith('# branch.upstream ')) upstream = record.slice('# branch.upstream '.length);
    else if (record.startsWith('# branch.ab ')) counts = aheadBehind(record, /\+(\d+) -(\d+)/);
    else if (!record.startsWith('#')) {
      changed++;
      renamed = record.startsWith('2 ');
    }
  }
  if (!counts && base !== undefined && /^[0-9a-f]+$/.test(base)) {
    const compared = await tryGit(worktree, ['rev-list', '--left-right', '--count', `HEAD...${base}`, '--'], {
      signal,
    });
    // No commit yet, or a base that is gone: nothing to count.
    if (compared.exitCode === 0) counts = aheadBehind(compared.stdout.toString('utf8'), /(\d+)\s+(\d+)/);
  }
  return {
    ...(upstream === undefined ? {} : { upstream }),
    ahead: counts?.[0] ?? 0,
    behind: counts?.[1] ?? 0,
    changed,
  };
}

function aheadBehind(text: string, pattern: RegExp): readonly [number, number] | undefined {
  const found = pattern.exec(text);
  return found ? [Number(found[1]), Number(found[2])] : undefined;
}
