import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogOutputChannel } from 'vscode';
import { TreelineError } from '../../../src/platform/errors.ts';
import { vscode } from './with-vscode.ts';

const { ErrorReporter } = await import('../../../src/commands/errors.ts');

/** A reporter, what it logs, and the errors that were shown; `choose` answers for the user. */
function reporter(choose: (buttons: readonly string[]) => Promise<string | undefined>) {
  const logged: string[] = [];
  const shown: string[] = [];
  vscode.window.showErrorMessage = (text = '', ...buttons) => {
    shown.push(text);
    return choose(buttons);
  };
  const log = { error: (text: string) => logged.push(text) } as unknown as LogOutputChannel;
  return { errors: new ErrorReporter(log), logged, shown };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a remedy that fails is an error like any other', async () => {
  const { errors, shown } = reporter((buttons) => Promise.resolve(buttons.find((button) => button === 'Try')));
  const run = (): Promise<never> => Promise.reject(new TreelineError('no-file', 'There is no such file.'));
  errors.report(new TreelineError('first', 'It failed.'), [{ title: 'Try', run }]);
  await settled();
  assert.deepEqual(shown, ['It failed.', 'There is no such file.']);
});

test('a message that cannot be shown is in the log, and not tried again', async () => {
  const { errors, logged, shown } = reporter(() => Promise.reject(new Error('Canceled')));
  errors.report(new TreelineError('first', 'It failed.'));
  await settled();
  assert.equal(shown.length, 1);
  assert.deepEqual(logged, ['first: It failed.', 'The message could not be shown: Canceled']);
});
