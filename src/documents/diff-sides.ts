import path from 'node:path';
import type { FileChange } from '../git/types.ts';
import type { DiffEnds } from '../sessions/session-files.ts';

/** Where one side of a file's diff comes from. */
export type Side =
  /** A file on disk. */
  | { readonly from: 'file'; readonly path: string }
  /** A file of a commit, by its path in the repository. */
  | { readonly from: 'commit'; readonly commit: string; readonly path: string }
  /** A submodule of the worktree: its commit as a line of text. */
  | { readonly from: 'submodule'; readonly path: string };

export interface Sides {
  /** Absent where the file was not there. */
  readonly left?: Side;
  readonly right?: Side;
}

/** Both sides of a changed file: the base on the left, the worktree (or the branch, where the worktree is gone) on the right. */
export function sidesOf(change: FileChange, ends: DiffEnds, worktree: string): Sides {
  const left: Side = { from: 'commit', commit: ends.base, path: change.from ?? change.path };
  const right: Side =
    ends.tip !== undefined
      ? { from: 'commit', commit: ends.tip, path: change.path }
      : change.kind === 'submodule'
        ? { from: 'submodule', path: change.path }
        : { from: 'file', path: path.join(worktree, change.path) };
  // Not opened either: a pipe would never end.
  if (change.unreadable === true) return { left };
  switch (change.kind) {
    case 'added':
    case 'untracked':
      return { right };
    case 'deleted':
      return { left };
    default:
      return { left, right };
  }
}
