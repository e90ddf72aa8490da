import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { spawnAgent, startTreeline } from './support.mts';

/** The real CLIs; the model behind them is the stand-in, and what they do to the worktree is their own work. */
const agents = [
  { agent: 'Claude Code', shellRow: 'Bash' },
  { agent: 'Codex', shellRow: 'Shell' },
];

for (const { agent, shellRow } of agents) {
  test(`${agent} writes a file and runs a command in its worktree, and a resume goes on with its conversation`, async (t) => {
    const { workbench, server, repo } = await startTreeline(t);
    await workbench.showContainer('Treeline');
    await spawnAgent(workbench, { agent, prompt: 'Write notes' });
    await workbench.treeItem(/^Idle: Write notes, .*turn 1/).waitFor({ timeout: 60_000 });

    const page = workbench.webview();
    await page.getByText('Turn 1 is done. The task was: Write notes').first().waitFor();
    await page.getByText(shellRow, { exact: true }).first().waitFor();
    await page.getByText('git status --short').first().waitFor();

    const conversation = (): Promise<string> =>
      workbench.copied(() => workbench.treeMenu(/Write notes/, 'Copy Agent Session ID'));
    const first = await conversation();
    assert.match(first, /^[0-9a-f-]{36}$/);

    await workbench.treeAction(/^Idle: Write notes/, 'Resume Session…');
    await workbench.answer('Go on', { asked: 'What should the agent do?' });
    await workbench.treeItem(/^Idle: Write notes, .*turn 2/).waitFor({ timeout: 60_000 });
    // The stand-in counts the prompts that the agent sends: the second turn knew the first.
    await page.getByText('Turn 2 is done. The task was: Go on').first().waitFor();
    assert.equal(await conversation(), first);

    const worktree = worktreeOf(repo);
    assert.equal(await readFile(path.join(worktree, 'notes-1.md'), 'utf8'), '# Notes of turn 1\n');
    assert.equal(await readFile(path.join(worktree, 'notes-2.md'), 'utf8'), '# Notes of turn 2\n');

    await server.end();
    assert.deepEqual(await server.processes(), [], 'after the turns nothing runs on');
  });
}

/** The one worktree that is not the repository's own folder. */
function worktreeOf(repo: string): string {
  const list = execFileSync('git', ['worktree', 'list', '--porcelain'], { cwd: repo, encoding: 'utf8' });
  const [, ...others] = [...list.matchAll(/^worktree (.+)$/gm)].map((match) => match[1]!);
  assert.equal(others.length, 1);
  return others[0]!;
}
