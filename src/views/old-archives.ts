import * as vscode from 'vscode';
import { errorText } from '../platform/errors.ts';
import type { RepositorySessions } from '../sessions/service-types.ts';
import { byteSize } from './age.ts';
import { linkless } from './plain.ts';
import { disposable } from './services.ts';
import type { Services } from './services.ts';
import { run } from './view-commands.ts';

/** Asks, once for each repository, whether its old archives may be deleted. Without an answer they are kept. */
export class OldArchivesQuestion implements vscode.Disposable {
  readonly #services: Services;
  readonly #asked = new Set<RepositorySessions>();
  readonly #subscription: vscode.Disposable;

  constructor(services: Services) {
    this.#services = services;
    this.#subscription = disposable(
      services.treeline.onDidChange(({ repositories }) => {
        if (repositories) {
          this.#askAll();
        }
      }),
    );
    this.#askAll();
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  #askAll(): void {
    for (const repository of this.#services.treeline.repositories) {
      if (!this.#asked.has(repository)) {
        this.#asked.add(repository);
        this.#ask(repository).catch((error: unknown) => this.#services.log.warn(errorText(error)));
      }
    }
  }

  async #ask(repository: RepositorySessions): Promise<void> {
    const due = await repository.oldArchives();
    if (due === undefined) {
      return;
    }
    const name = linkless(repository.repository.name);
    const size = byteSize(due.bytes, vscode.env.language);
    const { trashDays } = this.#services.settings();
    const question =
      due.sessions.length === 1
        ? vscode.l10n.t(
            '{0}: 1 archived worktree ({1}) is older than {2} days. Delete it permanently?',
            name,
            size,
            trashDays,
          )
        : vscode.l10n.t(
            '{0}: {1} archived worktrees ({2}) are older than {3} days. Delete them permanently?',
            name,
            due.sessions.length,
            size,
            trashDays,
          );
    const remember = vscode.l10n.t('Later ones will be handled the same way.');
    const remove = vscode.l10n.t('Delete');
    const keep = vscode.l10n.t('Keep');
    const show = vscode.l10n.t('Show Archived');
    const chosen = await vscode.window.showInformationMessage(`${question} ${remember}`, remove, keep, show);
    if (chosen === show) {
      await run('showArchived');
    } else if (chosen !== undefined) {
      await repository.answerOldArchives(chosen === remove ? 'delete' : 'keep');
    }
  }
}
