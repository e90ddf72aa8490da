import * as vscode from 'vscode';
import { TreelineError, errorText } from '../platform/errors.ts';
import { linkless } from '../views/plain.ts';
import { told } from '../views/sayings.ts';

/** Something the user can do about an error. */
export interface Remedy {
  readonly title: string;
  readonly run: () => unknown;
}

/** The one way in which errors reach the user: one sentence, what can be done about it, and the log. */
export class ErrorReporter {
  readonly #log: vscode.LogOutputChannel;

  constructor(log: vscode.LogOutputChannel) {
    this.#log = log;
  }

  /** Shows `error`; does not wait for the user. A cancelled action is none. */
  report(error: unknown, remedies: readonly Remedy[] = []): void {
    if (isCancelled(error)) {
      return;
    }
    if (error instanceof TreelineError) {
      this.#log.error(`${error.code}: ${error.message}`);
      this.#show(linkless(error.saying === undefined ? error.message : told(error.saying)), remedies);
    } else {
      // A defect: the sentence cannot say what to do, the log says where it happened.
      this.#log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
      const text = vscode.l10n.t('Treeline ran into an unexpected error: {0}', linkless(errorText(error)));
      this.#show(text, remedies);
    }
  }

  /** Shows that settings are wrong, in one message: the first problem, and how many more the log tells of. */
  settings(problems: readonly string[]): void {
    problems.forEach((problem) => this.#log.warn(problem));
    const [first = '', ...others] = problems;
    const more = others.length === 0 ? '' : ` ${vscode.l10n.t('{0} more in the log.', others.length)}`;
    const open = (): unknown =>
      vscode.commands.executeCommand('workbench.action.openSettings', '@ext:treeline.treeline');
    this.#show(linkless(first) + more, [{ title: vscode.l10n.t('Open Settings'), run: open }]);
  }

  #show(text: string, remedies: readonly Remedy[]): void {
    const log = vscode.l10n.t('Show Log');
    Promise.resolve(vscode.window.showErrorMessage(text, ...remedies.map(({ title }) => title), log)).then(
      (chosen) => (chosen === log ? this.#log.show() : this.#remedy(remedies.find(({ title }) => title === chosen))),
      (error: unknown) => this.#log.error(`The message could not be shown: ${errorText(error)}`),
    );
  }

  async #remedy(chosen: Remedy | undefined): Promise<void> {
    try {
      await chosen?.run();
    } catch (error) {
      this.report(error);
    }
  }
}

export function isCancelled(error: unknown): boolean {
  return (
    error instanceof vscode.CancellationError ||
    (error instanceof Error && error.name === 'AbortError') ||
    (error instanceof TreelineError && error.code === 'cancelled')
  );
}
