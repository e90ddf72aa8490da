import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import {
  resumeAgent,
  rows,
  sessionItem,
  showTimeline,
  spawnAgent,
  startTreeline,
  untilNothingRuns,
  worktrees,
} from './support.mts';

/** The real CLIs; the model behind them is the stand-in, and what they do to the worktree is their own work. */
const agents = [
  { agent: 'Claude Code', shellRow: 'Bash', format: 'claude' },
  { agent: 'Codex', shellRow: 'Shell', format: 'codex' },
];

test('the real Claude Code and Codex work in their worktrees, and a resume goes on with their conversations', async (t) => {
  const { workbench, server, repo } = await startTreeline(t, {
    // Without a person to ask, Claude Code lets no other command run than those that only look.
    machineSettings: { 'treeline.claude.args': ['--allowedTools', 'Bash'] },
  });
  const session = (name: RegExp) => sessionItem(workbench, name);
  const row = (text: string) => rows(workbench).filter({ hasText: text }).first();
  await workbench.showContainer('Treeline');

  for (const { agent, shellRow, format } of agents) {
    await t.test(agent, async () => {
      const task = `Write notes with ${format}`;
      await spawnAgent(workbench, { agent, prompt: task });
      await session(new RegExp(`^Idle: ${task}, .*turn 1`)).waitFor({ timeout: 60_000 });

      await row(`Turn 1 is done. The task was: ${task}`).waitFor();
      // The command ran in the worktree, after the edit: git saw the new file.
      const shell = row(shellRow);
      await shell.getByText('git status --short').waitFor();
      await shell.locator('.toggle').click();
      await shell.getByText('?? notes-1.md').waitFor();

      const conversation = (): Promise<string> =>
        workbench.copied(() => workbench.treeMenu(new RegExp(`^Idle: ${task}`), 'Copy Agent Session ID'));
      const first = await conversation();
      assert.match(first, /^[0-9a-f-]{36}$/);

      await resumeAgent(workbench, new RegExp(`^Idle: ${task}`), 'Go on');
      await session(new RegExp(`^Idle: ${task}, .*turn 2`)).waitFor({ timeout: 60_000 });
      // The stand-in counts the prompts that the agent sends: the second turn knew the first.
      await row('Turn 2 is done. The task was: Go on').waitFor();
      assert.equal(await conversation(), first);
      assert.deepEqual(resumed(server.userData, format), [first], 'the journal says so too');

      const worktree = worktrees(repo).find((folder) => folder.includes(`notes-with-${format}`));
      assert.ok(worktree !== undefined);
      assert.equal(await readFile(path.join(worktree, 'notes-1.md'), 'utf8'), '# Notes of turn 1\n');
      assert.equal(await readFile(path.join(worktree, 'notes-2.md'), 'utf8'), '# Notes of turn 2\n');
    });
  }

  await t.test('an agent that does not know its conversation any more says so, and a fresh start goes on', async () => {
    const task = 'Write notes with claude';
    // Where Claude Code keeps its conversations.
    await rm(path.join(server.home, '.claude/projects'), { recursive: true });
    await resumeAgent(workbench, new RegExp(`^Idle: ${task}`), 'Count them again');
    await workbench.notification('Claude Code no longer recognizes the conversation of').waitFor();
    await session(new RegExp(`^Failed: ${task}, .*turn 3`)).waitFor();

    await workbench.notificationAction('no longer recognizes the conversation of', 'Start Fresh');
    await session(new RegExp(`^Idle: ${task}, .*turn 4`)).waitFor();
    await showTimeline(workbench, task);
    const prompt = rows(workbench, '.kind-turn-start').filter({ hasText: 'Turn 4' });
    const text = (await prompt.textContent()) ?? '';
    // The agent learns what it was asked before, and then the follow-up that it has not seen.
    assert.match(text, /1\. Write notes with claude\s+2\. Go on\s+The request now:\s+Count them again/);
  });

  await server.end();
  // After the turns nothing runs on.
  await untilNothingRuns(server);
});

/** The agent session ids that turns of this agent resumed, as the journal has them. */
function resumed(userData: string, agent: string): unknown[] {
  const [journal] = globSync(path.join(userData, 'User/globalStorage/treeline.treeline/repos/*/journal.jsonl'));
  const facts = readFileSync(journal!, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const sessions = facts
    .filter(({ type, agent: ref }) => type === 'session.created' && (ref as { id: string }).id === agent)
    .map(({ session }) => session);
  return facts
    .filter(({ type, session, resumes }) => type === 'turn.requested' && resumes === true && sessions.includes(session))
    .map(({ agentSession }) => agentSession);
}
