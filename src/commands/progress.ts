import * as vscode from 'vscode';
import type { ActionOptions } from '../sessions/service-types.ts';

/** Runs a user's action with a notification that names its step and can cancel it. */
export function withProgress<T>(title: string, run: (options: ActionOptions) => Promise<T>): Promise<T> {
  const shown = vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      return run({ signal: controller.signal, progress: (message) => progress.report({ message }) });
    },
  );
  return Promise.resolve(shown);
}
