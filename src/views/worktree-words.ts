import type { Worktree, WorktreeStatus } from '../git/types.ts';
import { oneLine } from './plain.ts';
import { held, type Translate } from './words.ts';

/** A worktree as the view shows it. `status` is absent until git has been asked. */
export interface SeenWorktree {
  readonly worktree: Worktree;
  /** The name of the session that works in it. */
  readonly session?: string;
  readonly status?: WorktreeStatus;
  /** Why its status could not be read. */
  readonly problem?: string;
}

/** The words that `when` clauses of menus look for in a worktree's `viewItem`, and whether they hold for it. */
function wordsOf({ worktree, session }: SeenWorktree) {
  return {
    foreign: session === undefined,
    treeline: session !== undefined,
    present: worktree.prunable === undefined && !worktree.bare,
    branch: worktree.branch !== undefined,
    removable: !worktree.main,
  } as const satisfies Readonly<Record<string, boolean>>;
}

/** A word that a menu may ask for: one of these, or the one that every worktree has. */
export type WorktreeWord = 'worktree' | keyof ReturnType<typeof wordsOf>;

/** A worktree's `viewItem`: whose it is, and what can be done with it. */
export function worktreeContext(seen: SeenWorktree): string {
  return ['worktree', ...held(wordsOf(seen))].join(' ');
}

/** Dirty ones first, then those with commits to push or to pull; the main worktree leads among equals, then by path. */
export function compareWorktrees(a: SeenWorktree, b: SeenWorktree): number {
  return (
    weight(b) - weight(a) ||
    Number(b.worktree.main) - Number(a.worktree.main) ||
    (a.worktree.path < b.worktree.path ? -1 : 1)
  );
}

function weight({ status }: SeenWorktree): number {
  if (status === undefined) {
    return 0;
  }
  return status.changed > 0 ? 2 : status.ahead + status.behind > 0 ? 1 : 0;
}

/** What a worktree is called: its session's name, or its folder's. */
export function worktreeLabel({ worktree, session }: SeenWorktree): string {
  return oneLine(session ?? folderName(worktree.path));
}

function folderName(path: string): string {
  return path.split(/[/\\]/).findLast((part) => part !== '') ?? path;
}

/** `3 changed · ↑2 · ↓1 · main`. The name comes last, because a narrow side bar cuts the end. */
export function worktreeDescription(seen: SeenWorktree, t: Translate): string {
  const { worktree, status, problem } = seen;
  return [
    ...(status !== undefined && status.changed > 0 ? [t('{0} changed', status.changed)] : []),
    ...(status !== undefined && status.ahead > 0 ? [`↑${status.ahead}`] : []),
    ...(status !== undefined && status.behind > 0 ? [`↓${status.behind}`] : []),
    ...(worktree.locked === undefined ? [] : [t('locked')]),
    ...(worktree.prunable === undefined ? [] : [t('folder missing')]),
    ...(problem === undefined ? [] : [t('status unknown')]),
    branchLabel(worktree, t),
  ].join(' · ');
}

/** The same for a screen reader, without signs that are not read aloud. */
export function worktreeAccessibleLabel(seen: SeenWorktree, t: Translate): string {
  const { worktree, status } = seen;
  return [
    ...(status === undefined ? [] : [status.changed > 0 ? t('{0} changed', status.changed) : t('clean')]),
    worktreeLabel(seen),
    branchLabel(worktree, t),
    ...(status !== undefined && status.ahead > 0 ? [t('{0} ahead', status.ahead)] : []),
    ...(status !== undefined && status.behind > 0 ? [t('{0} behind', status.behind)] : []),
  ].join(', ');
}

function branchLabel(worktree: Worktree, t: Translate): string {
  if (worktree.bare) {
    return t('bare repository');
  }
  return worktree.branch ?? t('detached at {0}', worktree.head?.slice(0, 10) ?? '?');
}
