// Stands in for the module `vscode`: what a test does not set itself does nothing.

export class CancellationError extends Error {}

export const l10n = {
  t: (message: string, ...args: readonly unknown[]): string =>
    message.replace(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)])),
};

export const window = {
  showErrorMessage: (..._: readonly string[]): Promise<string | undefined> => Promise.resolve(undefined),
};

export const commands = {
  executeCommand: (..._: readonly unknown[]): Promise<unknown> => Promise.resolve(undefined),
};
