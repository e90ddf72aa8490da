import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Shell } from './shell.mts';
import { Gate, sessionItem, startTreeline, story, until, untilNothingRuns } from './support.mts';

const LIMIT = 2;
const TASKS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];

/** Eight sessions of which two may work at a time, and nobody who looks: once VS Code was closed, once all of it was killed. */
test('closed windows change nothing: a queue is worked off while VS Code is gone', async (t) => {
  const { workbench, server, browser, repo } = await startTreeline(t, {
    settings: { 'treeline.maxConcurrent': LIMIT },
  });
  const step = story(t, browser);
  const shell = await Shell.of(server, repo);

  /** Nobody comes to an end before the gate is open. */
  const queue = async (title: string, gate: Gate): Promise<void> => {
    await Promise.all(
      TASKS.map((task) => shell.spawn(`${title} ${task}`, `until ${gate.file}`, `write done.txt ${task}`)),
    );
  };

  /** What is so when nobody has looked for a while, by the command line and the worktrees alone. */
  const finished = async (title: string, gate: Gate): Promise<void> => {
    const closedAt = Date.now();
    await gate.open();
    await untilNothingRuns(server);
    const all = (await shell.list()).filter(({ name }) => name.startsWith(title));
    assert.deepEqual(all.map(({ name }) => name).sort(), TASKS.map((task) => `${title} ${task}`).sort());
    const late = all.filter(({ turns: [turn] }) => (turn?.begunAt ?? 0) > closedAt);
    assert.equal(late.length, TASKS.length - LIMIT, 'all that waited began after VS Code was gone');
    for (const { name, status, worktree, turns } of all) {
      assert.deepEqual([name, status, turns.length], [name, 'idle', 1]);
      const done = readFileSync(path.join(worktree, 'done.txt'), 'utf8');
      assert.equal(`${title} ${done}`, `${name}\n`, 'the agent did its task, once');
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

  const [closed, killed] = [new Gate(server, 'closed'), new Gate(server, 'killed')];
  await step('VS Code is closed in the middle of a queue', async () => {
    await workbench.showContainer('Treeline');
    await queue('Mend', closed);
    await workbench.page.goto('about:blank');
    await until(async () => (await server.extensionHosts()).length === 0, 'the extension host has ended');
    await server.end();
  });
  await step('all is done, each once, and no process is left', () => finished('Mend', closed));
  await step('who comes back sees it', () => comeBack('Mend', TASKS.length));

  await step('all of VS Code is killed in the middle of a queue', async () => {
    await queue('Paint', killed);
    await server.kill();
    await workbench.page.goto('about:blank');
  });
  await step('all is done, each once, and no process is left again', () => finished('Paint', killed));
  await step('who comes back sees that as well', () => comeBack('Paint', 2 * TASKS.length));
});
