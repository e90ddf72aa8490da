import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adapters } from '../../../src/agents/registry.ts';
import { installCommand } from '../../../src/commands/install-command.ts';

test('the command that installs an agent is taken from the sentence that says how', () => {
  const all = adapters([], { claude: { args: [] }, codex: { args: [] } });
  const hint = (id: string): string =>
    `${id} was not found on the PATH. ${all.find((agent) => agent.id === id)!.detection.install}`;
  assert.equal(installCommand(hint('claude')), 'npm install -g @anthropic-ai/claude-code');
  assert.equal(installCommand(hint('codex')), 'npm install -g @openai/codex');
});

test('a sentence without a command has none to copy', () => {
  assert.equal(
    installCommand('mine was not found on the PATH. Correct the command of “Mine” in the settings.'),
    undefined,
  );
});
