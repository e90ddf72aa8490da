import { stat } from 'node:fs/promises';
import { changes, changesBetween, diffBase } from '../git/diff.ts';
import { resolveCommit } from '../git/repository.ts';
import type { FileChange, Repository } from '../git/types.ts';
import { hasCode } from '../platform/errors.ts';
import type { Session } from '../store/model.ts';

/** The two ends of a session's diff. */
export interface DiffEnds {
  /** The commit on the left side. */
  readonly base: string;
  /** The commit on the right side, where the worktree is gone; else the right side is the worktree as it is now. */
  readonly tip?: string;
}

/** What a session changed. */
export interface SessionFiles extends DiffEnds {
  readonly files: readonly FileChange[];
  /** True when there are more files than were asked for. */
  readonly more: boolean;
}

/** What a session is compared with. Throws TreelineError when neither its worktree nor its branch is there. */
export async function diffEnds(repository: Repository, session: Session): Promise<DiffEnds> {
  if (await isFolder(session.worktree)) {
    return { base: await diffBase(session.worktree, session.base.commit) };
  }
  return { base: session.base.commit, tip: await resolveCommit(repository, `refs/heads/${session.branch}`) };
}

/** The files that a session changed against its base, committed or not, at most `limit`. */
export async function sessionFiles(repository: Repository, session: Session, limit: number): Promise<SessionFiles> {
  const ends = await diffEnds(repository, session);
  const source =
    ends.tip === undefined
      ? changes(session.worktree, session.base.commit)
      : changesBetween(repository, ends.base, ends.tip);
  return { ...ends, ...(await take(source, limit)) };
}

async function take(
  source: AsyncIterable<FileChange>,
  limit: number,
): Promise<{ readonly files: readonly FileChange[]; readonly more: boolean }> {
  const files: FileChange[] = [];
  // Leaving the loop early ends git.
  for await (const change of source) {
    if (files.length === limit) {
      return { files, more: true };
    }
    files.push(change);
  }
  return { files, more: false };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) {
      return false;
    }
    throw error;
  }
}
