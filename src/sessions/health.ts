import { TreelineError, errorText } from '../platform/errors.ts';
import type { Session } from '../store/model.ts';
import type { Context } from './context.ts';
import type { SessionActions } from './service-types.ts';
import { diskUse } from './health-disk.ts';
import { staleFiles } from './health-files.ts';
import { journalFindings, oldTrash, unfinishedMoves } from './health-journal.ts';
import { goneProcesses, leftProcesses } from './health-processes.ts';
import { leftBranches, leftWorktrees, missingWorktrees } from './health-worktrees.ts';

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

/** What an examination of one repository looks at. */
export interface Patient {
  readonly context: Context;
  readonly sessions: Pick<SessionActions, 'archive' | 'purge' | 'removeWorktree'>;
  /** Archived sessions whose files are kept longer than the setting says. */
  readonly expired: () => readonly Session[];
  /** Has whoever acts look at the facts again. */
  readonly nudge: () => void;
}

type Check = (patient: Patient, signal: AbortSignal) => Promise<readonly Finding[]> | readonly Finding[];

/** What follows from the state alone: no git, no walk over folders. */
const CHEAP: Readonly<Record<string, Check>> = {
  'the session history': journalFindings,
  'unfinished moves': unfinishedMoves,
  'the trash': oldTrash,
};

const THOROUGH: Readonly<Record<string, Check>> = {
  'the sessions’ processes': goneProcesses,
  'processes left behind': leftProcesses,
  'the worktrees': leftWorktrees,
  'the sessions’ worktrees': missingWorktrees,
  'the branches': leftBranches,
  'temporary files': staleFiles,
  'the disk': diskUse,
};

/**
 * Examines one repository's sessions. A check that fails is a finding itself, so that the others still tell theirs.
 * @param cheap only what costs next to nothing.
 * @throws the signal's reason when it aborts.
 */
export async function examine(
  patient: Patient,
  { signal = new AbortController().signal, cheap = false }: { readonly signal?: AbortSignal; readonly cheap?: boolean },
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [what, check] of Object.entries(cheap ? CHEAP : { ...CHEAP, ...THOROUGH })) {
    signal.throwIfAborted();
    try {
      findings.push(...(await check(patient, signal)));
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof TreelineError ? errorText(error) : `${errorText(error)}.`;
      findings.push({
        kind: 'check-failed',
        severity: 'warning',
        sentence: `Treeline could not check ${what}.`,
        evidence: [why],
      });
    }
  }
  return bySeverity(findings);
}

/** Errors first; findings of one severity keep their order. */
export function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}
