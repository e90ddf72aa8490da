import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { resumeAgent, rows, sessionItem, spawnAgent, startTreeline } from './support.mts';

test('an agent that does not know its conversation any more says so, and a fresh start goes on with the task', async (t) => {
  const { workbench, server } = await startTreeline(t);
  const session = (name: RegExp) => sessionItem(workbench, name);
  await workbench.showContainer('Treeline');
  await spawnAgent(workbench, { agent: 'Claude Code', prompt: 'Count the trees' });
  await session(/^Idle: Count the trees, .*turn 1/).waitFor({ timeout: 60_000 });

  // Where Claude Code keeps its conversations.
  await rm(path.join(server.home, '.claude/projects'), { recursive: true });
  await resumeAgent(workbench, /Count the trees/, 'Count them again');
  await workbench.notification('Claude Code no longer recognizes the conversation of').waitFor({ timeout: 60_000 });
  await session(/^Failed: Count the trees, .*turn 2/).waitFor();

  await workbench.notificationAction('no longer recognizes the conversation of', 'Start Fresh');
  await session(/^Idle: Count the trees, .*turn 3/).waitFor({ timeout: 60_000 });
  const prompt = rows(workbench, '.kind-turn-start').filter({ hasText: 'Turn 3' });
  const text = (await prompt.textContent()) ?? '';
  // The agent learns what it was asked before, and then the follow-up that it has not seen.
  assert.match(text, /1\. Count the trees\s+The request now:\s+Count them again/);
});
