import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Shell } from './shell.mts';
import { sessionItem, spawnAgent, startTreeline, story, until, untilNothingRuns } from './support.mts';

const LIMIT = 2;
const TASKS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];

/** Eight sessions of which two may work at a time, and nobody who looks: once VS Code was closed, once all of it was killed. */
test('closed windows change nothing: a queue is worked off while VS Code is gone', async (t) => {
  const { workbench, server, browser, repo } = await startTreeline(t, {
    demoSpeed: 4,
    settings: { 'treeline.maxConcurrent': LIMIT },
  });
  const step = story(t, browser);
  const shell = await Shell.install(workbench, server, repo);

  const queue = async (title: string): Promise<void> => {
    const [first = '', ...others] = TASKS.map((task) => `${title} ${task}`);
    await spawnAgent(workbench, { agent: 'Demo agent', prompt: first });
    await Promise.all(others.map((prompt) => shell.run(`treeline spawn '${prompt}' --agent demo`)));
  };

  /** What is so when nobody has looked for a while, by the command line and git alone. */
  const finished = async (title: string, closedAt: number): Promise<void> => {
    await untilNothingRuns(server, 120);
    const all = (await shell.list()).filter(({ name }) => name.startsWith(title));
    assert.deepEqual(all.map(({ name }) => name).sort(), TASKS.map((task) => `${title} ${task}`).sort());
    const late = all.filter(({ turns: [turn] }) => (turn?.begunAt ?? 0) > closedAt);
    assert.ok(late.length >= LIMIT, `${late.length} began after VS Code was gone`);
    for (const { name, status, branch, turns } of all) {
      assert.deepEqual([name, status, turns.length], [name, 'idle', 1]);
      const log = execFileSync('git', ['log', '--format=%s', `main..${branch}`], { cwd: repo, encoding: 'utf8' });
      assert.equal(log, `Demo: ${name}\n`, 'the agent did its task, once');
    }
  };

  const comeBack = async (title: string, count: number): Promise<void> => {
    await server.restart();
    await workbench.page.goto(server.open(repo));
    await workbench.ready();
    await workbench.showContainer('Treeline');
    await workbench.statusBarItem(`${count} sessions`).waitFor({ timeout: 60_000 });
    for (const task of TASKS) await sessionItem(workbench, new RegExp(`^Idle: ${title} ${task},.* turn 1`)).waitFor();
    assert.equal(await sessionItem(workbench, new RegExp(`: ${title} `)).count(), TASKS.length);
  };

  let closedAt = 0;
  await step('VS Code is closed in the middle of a queue', async () => {
    await workbench.showContainer('Treeline');
    await queue('Mend');
    await workbench.page.goto('about:blank');
    await until(async () => (await server.extensionHosts()).length === 0, 'the extension host has ended');
    await server.end();
    closedAt = Date.now();
  });
  await step('all is done, each once, and no process is left', () => finished('Mend', closedAt));
  await step('who comes back sees it', () => comeBack('Mend', TASKS.length));

  await step('all of VS Code is killed in the middle of a queue', async () => {
    await queue('Paint');
    await server.kill();
    closedAt = Date.now();
    await workbench.page.goto('about:blank');
  });
  await step('all is done, each once, and no process is left again', () => finished('Paint', closedAt));
  await step('who comes back sees that as well', () => comeBack('Paint', 2 * TASKS.length));
});
