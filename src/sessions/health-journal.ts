import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { damagedFile, journalFile, trashFolder } from '../platform/paths.ts';
import { isAliveNow } from '../platform/process-id.ts';
import type { Finding, Patient } from './health.ts';
import { outcome } from './outcome.ts';

/** Pieces that a finding names. */
const NAMED = 5;

/** What stands in the journal and cannot be used. */
export function journalFindings({ context }: Patient): readonly Finding[] {
  const { store, folder } = context;
  const findings: Finding[] = [];
  const { damaged, unknown } = store;
  if (damaged.length > 0) {
    findings.push({
      kind: 'journal-damaged',
      severity: 'warning',
      sentence: `${damaged.length} pieces of the sessions' journal are damaged and left out; everything else is complete.`,
      evidence: [
        `Journal: ${journalFile(folder)}`,
        `Copies of the pieces: ${damagedFile(folder)}`,
        ...damaged.slice(0, NAMED).map(({ offset, length, reason }) => `Byte ${offset}, ${length} bytes: ${reason}`),
      ],
    });
  }
  if (unknown > 0) {
    findings.push({
      kind: 'journal-newer',
      severity: 'warning',
      sentence: `${unknown} entries were written by another version of Treeline and are not shown; update this one.`,
      evidence: [`Journal: ${journalFile(folder)}`],
    });
  }
  return findings;
}

/** Moves that a window left in the middle. */
export function unfinishedMoves({ context, nudge }: Patient): readonly Finding[] {
  return context.store.list().flatMap((session) => {
    const { move } = session;
    if (move === undefined || isAliveNow(move.by)) return [];
    const { files, registration } = move.archive;
    const steps = [
      move.to === 'trash' ? `Move ${move.worktree} to ${files}.` : '',
      move.to === 'worktree' ? `Move ${files} back to ${move.worktree}.` : '',
      move.to === 'nowhere' ? `Delete what is left of ${files}.` : '',
      registration === undefined ? '' : `Do the same with git's folder of the worktree, ${registration.from}.`,
    ];
    return {
      kind: 'move-unfinished',
      severity: 'warning',
      sentence:
        move.to === 'nowhere'
          ? `A window closed while the archived worktree of “${session.name}” was being deleted.`
          : `A window closed while it moved the worktree of “${session.name}”.`,
      evidence: [`${session.id}, process ${move.by.pid}, ${new Date(move.at).toISOString()}`],
      repair: {
        title: move.to === 'nowhere' ? 'Finish the Deletion' : 'Finish the Move',
        plan: [...steps.filter((step) => step !== ''), 'Steps that are done already are passed over.'],
        run: async () => {
          nudge();
          await outcome(context.store, session.id, { of: (now) => (now.move?.fact === move.fact ? undefined : true) });
        },
      },
    } satisfies Finding;
  });
}

/** Archives that are kept longer than the setting says, and things in the trash that no session knows. */
export async function oldTrash({ context, sessions, expired: due }: Patient): Promise<readonly Finding[]> {
  const expired = due().map((session): Finding => {
    const files = session.archive?.files ?? '';
    return {
      kind: 'trash-old',
      severity: 'info',
      sentence: `The archived worktree of “${session.name}” has been kept for more than ${context.settings().trashDays} days on which Treeline ran.`,
      evidence: [files],
      repair: {
        title: 'Delete It for Good',
        plan: [
          `Delete ${files} with all files in it, those that git does not hold included. This cannot be undone.`,
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
      sentence: `${strangers.length} folders in the trash belong to no archived session; look into them, and delete what is not needed.`,
      evidence: strangers,
    },
  ];
}

function holder(files: string | undefined): string | undefined {
  return files === undefined ? undefined : path.dirname(files);
}
