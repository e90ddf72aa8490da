import path from 'node:path';
import * as vscode from 'vscode';
import type { FileChange } from '../git/types.ts';
import type { Session } from '../store/model.ts';
import { oneLine } from '../views/plain.ts';
import type { Found } from '../views/services.ts';
import { commitUri, emptyUri, submoduleUri } from './base-documents.ts';
import { sidesOf } from './diff-sides.ts';
import type { Side } from './diff-sides.ts';
import { diffEnds, sessionFiles } from '../sessions/session-files.ts';

/** More files than this do not come into one diff editor. */
const FILES_LIMIT = 1000;

/** Opens all changes of a session against its base in one multi-file diff editor. Throws TreelineError when git fails. */
export async function openDiff({ session, repository }: Found): Promise<void> {
  const all = await sessionFiles(repository.repository, session, FILES_LIMIT);
  const name = oneLine(session.name);
  if (all.files.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('This session has changed no files yet.'));
    return;
  }
  const resources = all.files.map((change) => {
    const { left, right } = sidesOf(change, all, session.worktree);
    const label = vscode.Uri.file(path.join(session.worktree, change.path));
    return [label, left && sideUri(session, left), right && sideUri(session, right)];
  });
  await vscode.commands.executeCommand('vscode.changes', vscode.l10n.t('Changes of {0}', name), resources);
  const unreadable = all.files.filter((change) => change.unreadable === true).map((change) => oneLine(change.path));
  if (unreadable.length > 0) {
    void vscode.window.showWarningMessage(
      vscode.l10n.t('Could not read {0}: only the base version is shown.', unreadable.slice(0, 5).join(', ')),
    );
  }
  if (all.more) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('The diff shows only the first {0} files. See the worktree for the rest.', FILES_LIMIT),
    );
  }
}

/** Opens the diff of one file of a session. */
export async function openFileDiff({ session, repository }: Found, change: FileChange): Promise<void> {
  const { left, right } = sidesOf(change, await diffEnds(repository.repository, session), session.worktree);
  await vscode.commands.executeCommand(
    'vscode.diff',
    left === undefined ? emptyUri(session, change.path) : sideUri(session, left),
    right === undefined ? emptyUri(session, change.path) : sideUri(session, right),
    `${oneLine(path.posix.basename(change.path))} (${oneLine(session.name)})`,
    { preview: true } satisfies vscode.TextDocumentShowOptions,
  );
}

function sideUri(session: Session, side: Side): vscode.Uri {
  switch (side.from) {
    case 'file':
      return vscode.Uri.file(side.path);
    case 'commit':
      return commitUri(session, side.commit, side.path);
    case 'submodule':
      return submoduleUri(session, side.path);
  }
}
