import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from '../platform/errors.ts';
import type { Dispose } from '../platform/emitter.ts';
import { watchFolder } from '../platform/watch.ts';
import type { Repository } from './types.ts';

export interface WatchRepositoryOptions {
  /** Hints within this many ms are one; a git command renames several files. */
  readonly gatherMs?: number;
  /** How often a folder is looked at where the system sends no events, ms. */
  readonly pollMs?: number;
  /** Told when a folder cannot be read; the rest is still watched. */
  readonly onError?: (error: unknown) => void;
}

const GATHER_MS = 150;
/** Slow, because it only backs the system's events, and a repository with many worktrees has many folders. */
const POLL_MS = 10_000;
/** Folders of refs beyond this many are left to the watch of what lies above them. */
const MOST_FOLDERS = 500;

/**
 * Calls `onHint` when worktrees, branches, a HEAD or an index of the repository may have changed: "ask git again", nothing more.
 * Starts no git. The files of the worktrees themselves are not watched.
 *
 * git replaces files by renaming, so it is folders that are watched: the common directory (HEAD, index and packed-refs of the
 * main worktree), one per linked worktree (its HEAD and index), and those of the refs; gitrepository-layout(5).
 */
export function watchRepository(
  repository: Repository,
  onHint: () => void,
  { gatherMs = GATHER_MS, pollMs = POLL_MS, onError = () => undefined }: WatchRepositoryOptions = {},
): Dispose {
  const watches = new Map<string, Dispose>();
  let timer: NodeJS.Timeout | undefined;
  let disposed = false;
  let following: Promise<void> = Promise.resolve();

  const hint = (): void => {
    if (disposed) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      follow();
      onHint();
    }, gatherMs).unref();
  };

  /** Brings the watches up to the folders that are there now, one run after the other. */
  const follow = (isFirst = false): void => {
    following = following
      .then(async () => {
        const wanted = new Set(await gitFolders(repository.commonDir));
        if (disposed) return;
        for (const [folder, stop] of watches) {
          if (wanted.has(folder)) continue;
          stop();
          watches.delete(folder);
        }
        const added = [...wanted].filter((folder) => !watches.has(folder));
        for (const folder of added) watches.set(folder, watchFolder(folder, hint, { pollMs }));
        // What happened in a new folder before its watch began gave no hint of its own.
        if (added.length > 0 && !isFirst) hint();
      })
      .catch(onError);
  };

  // At once, so that what happens from now on gives a hint; the folders below follow.
  watches.set(repository.commonDir, watchFolder(repository.commonDir, hint, { pollMs }));
  follow(true);
  return () => {
    disposed = true;
    clearTimeout(timer);
    for (const stop of watches.values()) stop();
    watches.clear();
  };
}

/** The folders of a common git directory in which a rename means a change of worktrees, branches, HEADs or indexes. */
async function gitFolders(commonDir: string): Promise<string[]> {
  const worktrees = path.join(commonDir, 'worktrees');
  // `reftable` holds the refs of a repository of that format.
  const found = [commonDir, worktrees, path.join(commonDir, 'reftable'), ...(await folders(worktrees))];
  const waiting = [path.join(commonDir, 'refs')];
  for (let folder = waiting.shift(); folder !== undefined && found.length < MOST_FOLDERS; folder = waiting.shift()) {
    found.push(folder);
    waiting.push(...(await folders(folder)));
  }
  return found;
}

async function folders(parent: string): Promise<string[]> {
  try {
    const entries = await readdir(parent, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(parent, entry.name));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return [];
    throw error;
  }
}
