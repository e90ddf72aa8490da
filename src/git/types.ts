/** A git repository, whichever of its worktrees is open. All paths are absolute and real. */
export interface Repository {
  /** The common git directory: the repository's identity. */
  readonly commonDir: string;
  /** The worktree through which it was found. */
  readonly root: string;
  /** The main worktree's folder name, for people. */
  readonly name: string;
  readonly bare: boolean;
}

/** A line group of `git worktree list --porcelain -z`. */
export interface Worktree {
  readonly path: string;
  readonly main: boolean;
  readonly bare: boolean;
  /** Commit id; absent for a bare entry or an unborn branch. */
  readonly head?: string;
  /** Short branch name; absent when detached. */
  readonly branch?: string;
  readonly locked?: string;
  /** Why git would prune it (its folder is gone). */
  readonly prunable?: string;
}

/** Counts from `git status --porcelain=v2 --branch -z`. */
export interface WorktreeStatus {
  readonly upstream?: string;
  readonly ahead: number;
  readonly behind: number;
  /** Changed, added, deleted, renamed, unmerged and untracked files. */
  readonly changed: number;
}

export type ChangeKind = 'added' | 'modified' | 'deleted' | 'renamed' | 'type-changed' | 'submodule' | 'untracked';

/** One file that differs between a base commit and a worktree as it is now. Paths are relative to the worktree, with `/`. */
export interface FileChange {
  readonly path: string;
  /** The path in the base, for a rename. */
  readonly from?: string;
  readonly kind: ChangeKind;
  readonly binary: boolean;
  /** Lines, absent for binary files and submodules. */
  readonly added?: number;
  readonly removed?: number;
}
