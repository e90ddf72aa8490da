/** error: something does not work. warning: something should be put right. info: something to know. */
export type Severity = 'error' | 'warning' | 'info';

export const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];

export type FindingKind =
  | 'process-gone'
  | 'process-left'
  | 'worktree-left'
  | 'worktree-missing'
  | 'branch-left'
  | 'move-unfinished'
  | 'trash-old'
  | 'trash-unknown'
  | 'disk'
  | 'file-stale'
  | 'index-unreadable'
  | 'journal-damaged'
  | 'journal-newer'
  | 'agent'
  | 'git'
  | 'check-failed';

/** Something that is not as it should be, or that is good to know. Texts are plain and may hold names from anywhere. */
export interface Finding {
  readonly kind: FindingKind;
  readonly severity: Severity;
  readonly sentence: string;
  /** What it rests on: paths, processes, figures, one a line. */
  readonly evidence: readonly string[];
  readonly repair?: Repair;
}

export interface Repair {
  readonly title: string;
  /** Exactly what it will do, one step a line. */
  readonly plan: readonly string[];
  /** Does it; throws TreelineError where it cannot. Looks again before each step, since time has passed. */
  run(): Promise<unknown>;
}
