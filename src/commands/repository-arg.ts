import * as vscode from 'vscode';
import { isInside } from '../platform/paths.ts';
import { TreelineError } from '../platform/errors.ts';
import type { RepositorySessions } from '../sessions/service-types.ts';
import { iconless } from '../views/plain.ts';
import type { Services } from '../views/services.ts';
import { choose } from './quick-input.ts';

/**
 * The repository to spawn in: the one whose folder was given, the only one, or the user's choice. Undefined: the user
 * cancelled. Throws TreelineError when there is none.
 * @param ask false where a program calls: then the one of the active editor, else the first.
 */
export async function theRepository(
  services: Services,
  folder: string | undefined,
  ask: boolean,
): Promise<RepositorySessions | undefined> {
  await services.loaded();
  const { repositories } = services.treeline;
  if (folder !== undefined) {
    const found = repositories.find(({ repository }) => repository.root === folder || repository.commonDir === folder);
    if (found === undefined) {
      throw new TreelineError('no-repository', vscode.l10n.t('The repository {0} is not open in this window.', folder));
    }
    return found;
  }
  const [first] = repositories;
  if (first === undefined) {
    throw new TreelineError(
      'no-repository',
      vscode.l10n.t('Treeline needs a git repository. Open a folder that contains one, then try again.'),
    );
  }
  const active = vscode.window.activeTextEditor?.document.uri;
  const current =
    active?.scheme === 'file'
      ? repositories.find(({ repository }) => isInside(active.fsPath, repository.root))
      : undefined;
  if (repositories.length === 1 || !ask) {
    return current ?? first;
  }
  const sorted = [...repositories].sort((a, b) => Number(b === current) - Number(a === current));
  const chosen = await choose(
    { title: vscode.l10n.t('Spawn Agent') },
    vscode.l10n.t('Select a repository'),
    sorted.map((sessions) => ({
      label: iconless(sessions.repository.name),
      description: iconless(sessions.repository.root),
      sessions,
    })),
  );
  return chosen?.sessions;
}
