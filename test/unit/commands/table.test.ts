import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '../../../src/store/model.ts';
import type { CommandHandlers } from '../../../src/commands/table.ts';
import { vscode } from './with-vscode.ts';

const { call, onClick } = await import('../../../src/commands/call.ts');

test('a call runs the command by its id, and takes what the table allows', async () => {
  const ran: unknown[] = [];
  vscode.commands.executeCommand = (...args) => Promise.resolve(ran.push(args) && undefined);
  const session: Session | undefined = await call('resume', 'ses_1', { prompt: 'Go on.' });
  assert.equal(session, undefined);
  // @ts-expect-error a prompt is a text
  await call('resume', 'ses_1', { prompt: 1 });
  // @ts-expect-error there is no such command
  await call('nothing');
  assert.deepEqual(ran[0], ['treeline.resume', 'ses_1', { prompt: 'Go on.' }]);
  assert.deepEqual(onClick('Open', 'openTimeline', 'ses_1', { from: 'tree' }), {
    title: 'Open',
    command: 'treeline.openTimeline',
    arguments: ['ses_1', { from: 'tree' }],
  });
});

test('handlers are complete, and return what the table says', () => {
  // @ts-expect-error all others are missing
  const missing: CommandHandlers<unknown> = { stop: () => undefined };
  // @ts-expect-error a spawn results in a session
  const wrong: Pick<CommandHandlers<unknown>, 'spawn'> = { spawn: () => 'a session' };
  assert.deepEqual([Object.keys(missing), Object.keys(wrong)], [['stop'], ['spawn']]);
});
