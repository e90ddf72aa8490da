import assert from 'node:assert/strict';
import { globSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Workbench } from '../support/workbench.mts';
import { Shell } from './shell.mts';
import {
  becomes,
  Gate,
  patience,
  rows,
  rowTexts,
  sessionItem,
  showTimeline,
  spawnAgent,
  startTreeline,
  story,
  until,
  untilNothingRuns,
} from './support.mts';

/** Another window sees a change within this many ms. */
const WITHIN = 1000;

test('two windows on one repository show the same, queue together, and come back without their databases', async (t) => {
  const {
    workbench: one,
    server,
    browser,
    repo,
  } = await startTreeline(t, {
    settings: { 'treeline.maxConcurrent': 1 },
  });
  const two = await Workbench.open(browser, server, repo);
  const step = story(t, browser);
  const store = path.join(server.userData, 'User/globalStorage/treeline.treeline/repos');
  const gate = new Gate(server, 'first');
  const inBoth = async (name: RegExp): Promise<void> => {
    await Promise.all([one, two].map((window) => sessionItem(window, name).waitFor()));
  };

  await step('a spawn in one window shows in the other', async () => {
    await one.showContainer('Treeline');
    await two.showContainer('Treeline');
    await two.view('Sessions').getByText('No sessions yet').waitFor();
    await spawnAgent(one, { agent: 'Scripted', prompt: `until ${gate.file}`, name: 'Guard the gate' });
    await inBoth(/^Working: Guard the gate/);
  });

  await step('a change in one window shows in the other within a second', async () => {
    const late: number[] = [];
    for (const name of ['Guard the door', 'Guard the wall', 'Guard the gate']) {
      const seen = sessionItem(two, new RegExp(`^Working: ${name}`))
        .waitFor()
        .then(() => Date.now());
      await one.treeMenu(/^Working: Guard/, 'Rename Session…', one.question('New session name'));
      await one.answer(name, { asked: 'New session name' });
      late.push((await seen) - renamedAt(store));
    }
    t.diagnostic(`the other window showed it ${late.join(', ')} ms after it was in the journal`);
    // The middle one: this machine may have other things to do for a moment.
    assert.ok(late.toSorted((a, b) => a - b)[1]! < patience(WITHIN), late.join(', '));
  });

  await step(
    'with one place, a spawn in the other window is queued in both, and starts when the place is free',
    async () => {
      await spawnAgent(two, { agent: 'Demo agent', prompt: 'Wait for your turn' });
      await inBoth(/^Queued: Wait for your turn/);
      await sessionItem(one, /^Working: Guard the gate/).waitFor();
      await gate.open();
      await inBoth(/^Idle: Guard the gate/);
      await inBoth(/^Idle: Wait for your turn/);
      // The demo agent ended by itself: it did run.
      await rows(two).filter({ hasText: 'Exited with code 0' }).waitFor();
    },
  );

  await step('a queued one can be taken back', async () => {
    const never = new Gate(server, 'never');
    const shell = await Shell.of(server, repo);
    await shell.spawn('Hold the place', `until ${never.file}`);
    await inBoth(/^Working: Hold the place/);
    await shell.spawn('Never mind');
    await inBoth(/^Queued: Never mind/);
    await one.treeAction(/^Queued: Never mind/, 'Stop Session', sessionItem(one, /^Stopped: Never/));
    await inBoth(/^Stopped: Never mind/);
    await two.treeAction(/^Working: Hold the place/, 'Stop Session', sessionItem(two, /^Stopped: Hold/));
    await inBoth(/^Stopped: Hold the place/);
  });

  const databases = () => globSync(`${store}/**/{catalogue-*.jsonl,timeline.db}`);
  const shown = async (): Promise<{ sessions: string[]; timeline: string[] }> => ({
    sessions: await sessionNames(one),
    timeline: await rowTexts(one),
  });

  let before: { sessions: string[]; timeline: string[] };
  await step('databases deleted under a running VS Code come back with the same sessions and rows', async () => {
    await two.close();
    await showTimeline(one, 'Wait for your turn');
    await rows(one).filter({ hasText: 'Exited with code 0' }).waitFor();
    before = await shown();
    assert.equal(before.sessions.length, 4);
    await until(() => databases().length > 1, 'there are databases to delete');
    databases().forEach((file) => rmSync(file));
    await one.reload();
    await one.showContainer('Treeline');
    await showTimeline(one, 'Wait for your turn');
    await rows(one).filter({ hasText: 'Exited with code 0' }).waitFor();
    await becomes(shown, before);
  });

  await step('deleted while VS Code is not running, they come back as well', async () => {
    await one.page.goto('about:blank');
    await server.end();
    databases().forEach((file) => rmSync(file));
    await server.restart();
    await one.page.goto(server.open(repo));
    await one.ready();
    await one.showContainer('Treeline');
    await showTimeline(one, 'Wait for your turn');
    await rows(one).filter({ hasText: 'Exited with code 0' }).waitFor();
    await becomes(shown, before);
  });

  await server.end();
  await untilNothingRuns(server);
});

/** When a session was last renamed, as the journal says, in ms since the epoch. */
function renamedAt(store: string): number {
  const lines = readFileSync(globSync(`${store}/*/journal.jsonl`)[0]!, 'utf8')
    .trim()
    .split('\n');
  const facts = lines.map((line) => JSON.parse(line) as { type: string; at: number });
  return facts.findLast(({ type }) => type === 'session.renamed')!.at;
}

/** The sessions in the tree's order, without their ages. */
async function sessionNames(window: Workbench): Promise<string[]> {
  const names = await sessionItem(window, /, turn \d/).evaluateAll((items) =>
    items.map((item) => item.getAttribute('aria-label') ?? ''),
  );
  return names.map((name) => name.replace(/, (now|\d+ \w+)(?=,)/, ''));
}
