import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  agentProcesses,
  becomes,
  Gate,
  resumeAgent,
  rows,
  rowTexts,
  sessionItem,
  showTimeline,
  spawnAgent,
  startTreeline,
  story,
  until,
  untilNothingRuns,
  worktrees,
} from './support.mts';

/** The one story that everything stands on, told once from the first spawn to the window that comes back. */
test('two agents are spawned, watched, stopped, resumed, read and compared, and outlive their window', async (t) => {
  const { workbench, server, browser, repo } = await startTreeline(t, { whole: true, demoSpeed: 4 });
  const { page } = workbench;
  const [more, again, last] = ['more', 'again', 'last'].map((name) => new Gate(server, name)) as [Gate, Gate, Gate];
  const session = (name: RegExp) => sessionItem(workbench, name);
  const step = story(t, browser);
  // A prompt's row holds the scripted agent's whole program.
  const row = (text: string) => rows(workbench, ':not(.kind-turn-start)').filter({ hasText: text }).first();

  await step('two agents work side by side, each in a worktree of its own', async () => {
    await workbench.showContainer('Treeline');
    await spawnAgent(workbench, {
      agent: 'Scripted',
      prompt: [
        'Count the stars',
        'print first words',
        'write committed.txt one',
        'run git add committed.txt',
        'run git -c user.name=A -c user.email=a@example.invalid commit --quiet -m Count',
        'write README.md two',
        'write untracked.txt three',
        `until ${more.file}`,
        'print more words',
        'wait',
      ].join('\n'),
    });
    await session(/^Working: Count the stars, .*turn 1/).waitFor();
    await spawnAgent(workbench, { agent: 'Demo agent', prompt: 'Greet in Italian' });
    await session(/^Working: Greet in Italian, .*turn 1/).waitFor();
    await session(/^Working\b(?!:)/).waitFor();
    assert.equal(worktrees(repo).length, 2);
    assert.ok(
      worktrees(repo).every((folder) => !folder.startsWith(`${repo}${path.sep}`)),
      'outside the workspace',
    );
  });

  await step('timelines show what happens while it happens', async () => {
    // The demo agent's own timeline opened with its spawn.
    await row('I am the demo agent').waitFor();
    await row('git log').waitFor();
    await showTimeline(workbench, 'Count the stars');
    await row('first words').waitFor();
    assert.equal(await row('more words').count(), 0);
    assert.match((await workbench.webview().locator('.status').first().textContent()) ?? '', /Working/);
  });

  await step('the log opens read-only and follows', async () => {
    await workbench.command('Treeline: Open Log…');
    await workbench.choose('Count the stars', { asked: 'Select a session' });
    await workbench.choose('stdout', { asked: 'Select a log' });
    await workbench.tab(/count-the-stars.*\.stdout\.log/).waitFor();
    await workbench.editorText.getByText('first words').waitFor();
    await workbench.editorText.click();
    await page.keyboard.type('typed');
    assert.doesNotMatch((await workbench.editorText.textContent()) ?? '', /typed/);
    await more.open();
    await workbench.editorText.getByText(/more.words/).waitFor();
    await showTimeline(workbench, 'Count the stars');
    await row('more words').waitFor();
  });

  await step('a stop ends the agent and everything it started, and says how', async () => {
    const stopped = session(/^Stopped: Count the stars, .*turn 1/);
    await workbench.treeAction(/^Working: Count the stars/, 'Stop Session', stopped);
    await stopped.waitFor();
    await session(/^Ended/).waitFor();
    await row('Stopped (SIGINT): ended by SIGINT').waitFor();
    await workbench.webview().getByText('Stopped by SIGINT').waitFor();
    const left = await agentProcesses(server);
    assert.deepEqual(
      left.filter((command) => /scripted-agent/.test(command)),
      [],
    );
  });

  await step('the diff lists what is committed, uncommitted and untracked', async () => {
    await workbench.treeAction(/^Stopped: Count the stars/, 'Open Diff', workbench.tab('Changes of Count the stars'));
    for (const name of ['committed.txt', 'README.md', 'untracked.txt']) {
      await workbench.multiDiffFiles.filter({ hasText: name }).first().waitFor();
    }
    assert.equal(await workbench.multiDiffFiles.count(), 3);
    assert.equal(await workbench.multiDiffFiles.locator('.renamed').count(), 0, 'a changed file is no renamed one');
  });

  await step('the other agent came to its end meanwhile', async () => {
    await session(/^Idle: Greet in Italian/).waitFor({ timeout: 60_000 });
    await showTimeline(workbench, 'Greet in Italian');
    await row('Exited with code 0').waitFor();
  });

  await step('a resume goes on in the same worktree', async () => {
    const before = worktrees(repo);
    await resumeAgent(
      workbench,
      /^Stopped: Count the stars/,
      [
        'Count again',
        'print third words',
        `until ${again.file}`,
        'print fourth words',
        `until ${last.file}`,
        'print fifth words',
      ].join('\n'),
    );
    await session(/^Working: Count the stars, .*turn 2/).waitFor();
    assert.deepEqual(worktrees(repo), before);
    assert.ok(existsSync(path.join(before[0]!, 'untracked.txt')));
    await showTimeline(workbench, 'Count the stars');
    await row('third words').waitFor();
  });

  let shown: string[] = [];
  await step('a reload in the middle of a turn loses nothing, and the timeline goes on live', async () => {
    shown = await rowTexts(workbench);
    await workbench.reload();
    await session(/^Working: Count the stars, .*turn 2/).waitFor({ timeout: 30_000 });
    // The panel is back by itself, with the rows that it had. (Which tab is in front, a browser VS Code may have forgotten.)
    await workbench.showTab(/^Count the stars/);
    await row('third words').waitFor();
    await becomes(async () => (await rowTexts(workbench)).slice(0, shown.length), shown);
    await again.open();
    await row('fourth words').waitFor();
  });

  await step('an agent goes on without any window, and its end is there when one comes back', async () => {
    await page.goto('about:blank');
    await server.end();
    await last.open();
    await until(async () => (await agentProcesses(server)).length === 0, 'the turn ends without VS Code');
    await server.restart();
    await page.goto(server.open(repo));
    await workbench.ready();
    await workbench.showContainer('Treeline');
    await session(/^Idle: Count the stars, .*turn 2/).waitFor({ timeout: 30_000 });
    await workbench.showTab(/^Count the stars/);
    await row('fifth words').waitFor();
    await row('Exited with code 0').waitFor();
    const all = (await rowTexts(workbench)).join('\n');
    assert.match(
      all,
      /first words[^]*more words[^]*Stopped \([^]*Turn 2[^]*third words[^]*fourth words[^]*fifth words[^]*Exited with code 0/,
    );
    await session(/^Idle: Greet in Italian/).waitFor();
  });

  await server.end();
  await untilNothingRuns(server);
});
