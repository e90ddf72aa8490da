import { TreelineError, errorText } from '../platform/errors.ts';
import { SEVERITIES, type Finding } from './finding.ts';
import type { HealthContext } from './health-context.ts';
import { diskUse } from './health-disk.ts';
import { staleFiles } from './health-files.ts';
import { journalFindings, oldTrash, unfinishedMoves } from './health-journal.ts';
import { goneProcesses, leftProcesses } from './health-processes.ts';
import { leftBranches, leftWorktrees, missingWorktrees } from './health-worktrees.ts';

type Check = (health: HealthContext, signal: AbortSignal) => Promise<readonly Finding[]> | readonly Finding[];

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
  health: HealthContext,
  { signal = new AbortController().signal, cheap = false }: { readonly signal?: AbortSignal; readonly cheap?: boolean },
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [what, check] of Object.entries(cheap ? CHEAP : { ...CHEAP, ...THOROUGH })) {
    signal.throwIfAborted();
    try {
      findings.push(...(await check(health, signal)));
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
