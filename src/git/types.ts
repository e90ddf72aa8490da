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

/** What a worktree has checked out. */
export interface Head {
  /** Short branch name; absent when detached. */
  readonly branch?: string;
  /** Commit id; absent on a branch without a commit. */
  readonly commit?: string;
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

export type ChangeKind =
  'added' | 'modified' | 'deleted' | 'renamed' | 'type-changed' | 'submodule' | 'conflicted' | 'untracked';

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
  /** True when the executable bit differs. */
  readonly modeChanged?: true;
  /** True when git cannot read the worktree's side: it is a pipe or a device, or not readable by this user. */
  readonly unreadable?: true;
}

/** A branch, remote branch or tag that a session may start from. */
export interface Ref {
  readonly kind: 'branch' | 'remote' | 'tag';
  /** Short name: `main`, `origin/main`, `v1.0`. */
  readonly name: string;
  /** Full name, which no other ref shares: `refs/heads/main`. */
  readonly ref: string;
  /** The commit it leads to. */
  readonly commit: string;
  /** When that commit, or the tag, was made: ms since the epoch. */
  readonly at: number;
  /** The first line of its message. */
  readonly subject: string;
}

/** What an archive sets aside, and where: absolute paths. */
export interface Archive {
  /** Where the worktree's files lie while it is archived. */
  readonly files: string;
  /** git's folder of the worktree (its index, HEAD and logs): where git has it, and where it lies while it is archived. */
  readonly registration?: { readonly from: string; readonly to: string };
  /** What was checked out; the commit is absent on a branch without any. */
  readonly branch?: string;
  readonly commit?: string;
}

/** A move of a worktree between its place and the trash. */
export interface WorktreeMove {
  /** The worktree's path, or the one that it comes back to. */
  readonly worktree: string;
  readonly archive: Archive;
}
