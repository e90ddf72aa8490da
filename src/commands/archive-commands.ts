import path from 'node:path';
import * as vscode from 'vscode';
import { TreelineError } from '../platform/errors.ts';
import { isInside } from '../platform/paths.ts';
import type { Session } from '../store/model.ts';
import { byteSize } from '../views/age.ts';
import { told } from '../views/sayings.ts';
import { linkless, oneLine } from '../views/plain.ts';
import { allSessions } from '../views/services.ts';
import type { Found } from '../views/services.ts';
import { canArchive, canPurge } from '../views/session-words.ts';
import { readRemoveWorktree, readUnarchive } from './arguments.ts';
import { call } from './call.ts';
import type { CommandContext } from './context.ts';
import { isWorktreeNode } from './open-commands.ts';
import { ask } from './quick-input.ts';
import { optionsOf, sessionId, theSession } from './session-arg.ts';
import { commandId } from './table.ts';

/** Moves the worktrees of sessions to the trash, and offers to restore them. Resolves when they are there. */
export async function archive(context: CommandContext, argument: unknown, selected: unknown): Promise<void> {
  const archived: Found[] = [];
  const failures: unknown[] = [];
  const title = vscode.l10n.t('Archive Session');
  for (const { session, repository } of await theSessions(context, argument, selected, title, canArchive)) {
    try {
      refuseOpenFolder(session);
      archived.push({ session: await repository.archive(session.id), repository });
    } catch (error) {
      failures.push(error);
    }
  }
  failures.forEach((error) => context.errors.report(error));
  void offerRestore(context, archived);
}

/** What the action was is said once, for all; the message goes by itself. */
async function offerRestore(context: CommandContext, archived: readonly Found[]): Promise<void> {
  const [first] = archived;
  if (first === undefined) {
    return;
  }
  const { trashDays } = context.settings();
  const what =
    archived.length === 1
      ? vscode.l10n.t('Archived: {0}.', linkless(first.session.name))
      : vscode.l10n.t('{0} sessions archived.', archived.length);
  const kept =
    trashDays === 0
      ? vscode.l10n.t('All files are kept until you delete them.')
      : vscode.l10n.t('All files are kept for at least {0} days.', trashDays);
  const undo = vscode.l10n.t('Undo');
  const show = vscode.l10n.t('Show Archived');
  const chosen = await vscode.window.showInformationMessage(`${what} ${kept}`, undo, show);
  if (chosen === show) {
    await call('showArchived');
  } else if (chosen === undo) {
    for (const { session } of archived) {
      await call('unarchive', session.id);
    }
  }
}

/** Brings archived worktrees back. Resolves with the last session that was restored. */
export async function unarchive(
  context: CommandContext,
  argument: unknown,
  selected: unknown,
): Promise<Session | undefined> {
  const { to } = readUnarchive(optionsOf(selected, 'to'), commandId('unarchive'));
  const title = vscode.l10n.t('Restore Session');
  const isArchived = (session: Session): boolean => session.archive !== undefined;
  let restored: Session | undefined;
  for (const found of await theSessions(context, argument, selected, title, isArchived)) {
    restored = (await restore(context, found, to)) ?? restored;
  }
  return restored;
}

async function restore(context: CommandContext, found: Found, to?: string): Promise<Session | undefined> {
  const { session, repository } = found;
  try {
    const { session: restored, note } = await repository.unarchive(session.id, to);
    if (note !== undefined) {
      void vscode.window.showWarningMessage(linkless(told(note)));
    }
    return restored;
  } catch (error) {
    const elsewhere = {
      title: vscode.l10n.t('Choose Another Folder…'),
      run: async (): Promise<void> => {
        const folder = await otherFolder(session);
        if (folder !== undefined) {
          await call('unarchive', session.id, { to: folder });
        }
      },
    };
    const isTaken = error instanceof TreelineError && error.code === 'path-taken';
    context.errors.report(error, isTaken ? [elsewhere] : []);
    return undefined;
  }
}

async function otherFolder({ name, worktree }: Session): Promise<string | undefined> {
  const [parent] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Restore {0} to a New Folder In…', oneLine(name)),
      defaultUri: vscode.Uri.file(path.dirname(worktree)),
      canSelectFiles: false,
      canSelectFolders: true,
    })) ?? [];
  if (parent === undefined) {
    return undefined;
  }
  const typed = await ask(
    { title: vscode.l10n.t('Restore Session') },
    { prompt: vscode.l10n.t('Name of the new folder'), value: `${path.basename(worktree)}-restored` },
  );
  const leaf = typed?.text.trim();
  return leaf === undefined || leaf === '' ? undefined : path.join(parent.fsPath, leaf);
}

/** Deletes archived worktrees for good, after it said what that would lose. */
export async function purge(context: CommandContext, argument: unknown, selected: unknown): Promise<void> {
  const title = vscode.l10n.t('Permanently Delete Archived Worktree');
  const chosen = await theSessions(context, argument, selected, title, canPurge);
  const [first] = chosen;
  if (first === undefined) {
    return;
  }
  const contents = await Promise.all(chosen.map(({ session, repository }) => repository.archiveContents(session.id)));
  const size = byteSize(
    contents.reduce((sum, { bytes }) => sum + bytes, 0),
    vscode.env.language,
  );
  const unheld = contents.reduce((sum, one) => sum + one.unheld, 0);
  const remove = vscode.l10n.t('Delete');
  const answer = await vscode.window.showWarningMessage(
    chosen.length === 1
      ? vscode.l10n.t('Permanently delete the archived worktree of {0}?', linkless(first.session.name))
      : vscode.l10n.t('Permanently delete the archived worktrees of {0} sessions?', chosen.length),
    {
      modal: true,
      detail: vscode.l10n.t(
        '{0}, including {1} files whose contents are not in git. This cannot be undone. Branches and logs are kept.',
        size,
        unheld,
      ),
    },
    remove,
  );
  if (answer !== remove) {
    return;
  }
  for (const { session, repository } of chosen) {
    await repository.purge(session.id);
  }
}

/** Moves a worktree to the trash; one that is not Treeline's own only after the user typed its name. */
export async function removeWorktree(context: CommandContext, argument: unknown, options: unknown): Promise<void> {
  if (!isWorktreeNode(argument)) {
    throw new TreelineError('invalid', vscode.l10n.t('Select a worktree in the Worktrees view.'));
  }
  const { path: folder } = argument.worktree;
  await context.loaded();
  const repository = context.treeline.repositories.find((one) => one.repository.commonDir === argument.repository);
  if (repository === undefined) {
    throw new TreelineError('no-repository', vscode.l10n.t('The repository of this worktree is no longer open.'));
  }
  const own = repository.list().find((session) => session.worktree === folder && session.archive === undefined);
  if (own !== undefined) {
    await archive(context, own.id, undefined);
    return;
  }
  const name = path.basename(folder);
  const given = readRemoveWorktree(optionsOf(options, 'confirm'), commandId('removeWorktree')).confirm;
  const typed =
    given ??
    (
      await ask(
        { title: vscode.l10n.t('Remove Worktree {0}', oneLine(name)) },
        {
          prompt: vscode.l10n.t(
            'Treeline did not create this worktree. Type its name, {0}, to move it to the trash.',
            oneLine(name),
          ),
          check: (text) =>
            text.trim() === name ? undefined : vscode.l10n.t('This does not match the name of the worktree folder.'),
        },
      )
    )?.text;
  if (typed?.trim() !== name) {
    return;
  }
  refuseOpenFolder({ worktree: folder, name });
  const session = await repository.removeWorktree(folder);
  void offerRestore(context, [{ session, repository }]);
}

/** The sessions that a command is about: those selected in the view, the one it was given, or the user's choice. */
async function theSessions(
  context: CommandContext,
  argument: unknown,
  selected: unknown,
  title: string,
  fits: (session: Session) => boolean,
): Promise<readonly Found[]> {
  const ids = Array.isArray(selected) ? new Set(selected.flatMap((item) => sessionId(item) ?? [])) : undefined;
  if (ids !== undefined && ids.size > 1) {
    await context.loaded();
    return allSessions(context.treeline).filter(({ session }) => ids.has(session.id) && fits(session));
  }
  const found = await theSession(context, argument, title, ({ session }) => fits(session));
  return found === undefined ? [] : [found];
}

/** The editor would go on with a folder that is not there any more. */
function refuseOpenFolder({ worktree, name }: Pick<Session, 'worktree' | 'name'>): void {
  const open = (vscode.workspace.workspaceFolders ?? []).some(({ uri }) => isInside(uri.fsPath, worktree));
  if (open) {
    throw new TreelineError(
      'worktree-in-use',
      vscode.l10n.t('The worktree of “{0}” is open in this window. Remove it from the workspace first.', name),
    );
  }
}
