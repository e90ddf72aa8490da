import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { TreelineError } from '../platform/errors.ts';
import { damagedFile, journalFile, trashFolder } from '../platform/paths.ts';
import { isAliveNow } from '../platform/process-id.ts';
import { say } from '../words/saying.ts';
import type { Finding } from './finding.ts';
import type { HealthContext } from './health-context.ts';
import { outcome } from './outcome.ts';

/** Pieces that a finding names. */
const NAMED = 5;

/** What the rest of a move may take: ms. */
const FINISHED_WITHIN = 30_000;

/** What stands in the journal and cannot be used. */
export function journalFindings({ context }: HealthContext): readonly Finding[] {
  const { store, folder } = context;
  const findings: Finding[] = [];
  const { damaged, unknown } = store;
  if (damaged.length > 0) {
    findings.push({
      kind: 'journal-damaged',
      severity: 'warning',
      sentence: `${damaged.length} records of the session history are damaged and were skipped. All others are complete.`,
      evidence: [
        `Session history: ${journalFile(folder)}`,
        `Copies of the damaged records: ${damagedFile(folder)}`,
        ...damaged.slice(0, NAMED).map(({ offset, length, reason }) => `Byte ${offset}, ${length} bytes: ${reason}`),
      ],
    });
  }
  if (unknown > 0) {
    findings.push({
      kind: 'journal-newer',
      severity: 'warning',
      sentence: `${unknown} entries were written by another version of Treeline and are not shown; update this one.`,
      evidence: [`Session history: ${journalFile(folder)}`],
    });
  }
  return findings;
}

/** Moves that a window left in the middle. */
export function unfinishedMoves({ context, nudge }: HealthContext): readonly Finding[] {
  return context.store.list().flatMap((session) => {
    const { move } = session;
    if (move === undefined || isAliveNow(move.by)) return [];
    const { files, registration } = move.archive;
    const steps = [
      move.to === 'trash' ? `Move ${move.worktree} to ${files}.` : '',
      move.to === 'worktree' ? `Move ${files} back to ${move.worktree}.` : '',
      move.to === 'nowhere' ? `Delete the rest of ${files}.` : '',
      registration === undefined ? '' : `Do the same with git's data for the worktree, ${registration.from}.`,
    ];
    return {
      kind: 'move-unfinished',
      severity: 'warning',
      sentence:
        move.to === 'nowhere'
          ? `A window closed while the archived worktree of “${session.name}” was being deleted.`
          : `A window closed while moving the worktree of “${session.name}”.`,
      evidence: [`${session.id}, process ${move.by.pid}, ${new Date(move.at).toISOString()}`],
      repair: {
        title: move.to === 'nowhere' ? 'Finish the Deletion' : 'Finish Move',
        plan: [...steps.filter((step) => step !== ''), 'Skip the steps that are already done.'],
        run: async () => {
          nudge();
          const late = Date.now() + FINISHED_WITHIN;
          await outcome(context.store, session.id, {
            of: (now) => {
              if (now.move === undefined) return true;
              if (Date.now() < late) return undefined;
              throw new TreelineError(say('not-moved'));
            },
            lookAfter: FINISHED_WITHIN + 1,
          });
        },
      },
    } satisfies Finding;
  });
}

/** Archives that are kept longer than the setting says, and things in the trash that no session knows. */
export async function oldTrash({ context, sessions, expired: due }: HealthContext): Promise<readonly Finding[]> {
  const expired = due().map((session): Finding => {
    const files = session.archive?.files ?? '';
    return {
      kind: 'trash-old',
      severity: 'info',
      sentence: `The archived worktree of “${session.name}” has been kept for more than ${context.settings().trashDays} days on which Treeline ran.`,
      evidence: [files],
      repair: {
        title: 'Permanently Delete',
        plan: [
          `Delete ${files} and all files in it, including those that are not in git. This cannot be undone.`,
          `Keep the branch ${session.branch} and the session's logs.`,
        ],
        run: () => sessions.purge(session.id),
      },
    };
  });
  const trash = trashFolder(context.folder);
  const known = new Set(
    context.store.list().flatMap(({ archive, move }) => [archive?.files, move?.archive.files].map(holder)),
  );
  const names = await readdir(trash).catch(() => []);
  const strangers = names.map((name) => path.join(trash, name)).filter((folder) => !known.has(folder));
  if (strangers.length === 0) return expired;
  return [
    ...expired,
    {
      kind: 'trash-unknown',
      severity: 'info',
      sentence: `${strangers.length} folders in the trash do not belong to an archived session. Delete those that you do not need.`,
      evidence: strangers,
    },
  ];
}

function holder(files: string | undefined): string | undefined {
  return files === undefined ? undefined : path.dirname(files);
}
