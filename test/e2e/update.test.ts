import assert from 'node:assert/strict';
import { readdirSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { packVersion } from '../setup/package.mjs';
import { vsix } from '../setup/paths.mjs';
import { Shell } from './shell.mts';
import {
  Gate,
  globalStorage,
  rows,
  sessionItem,
  showTimeline,
  startTreeline,
  story,
  until,
  worktrees,
} from './support.mts';

const NEWER = '0.1.1';
const ID = 'treeline.treeline';
const DAY = 24 * 3600 * 1000;

/** Four agents at work one after the other, while Treeline is updated, disabled, uninstalled and installed again. */
test('agents go on while Treeline is updated, disabled and uninstalled, and nothing is lost', async (t) => {
  const newer = await packVersion(NEWER);
  const { workbench, server, browser, repo } = await startTreeline(t, { settings: { 'treeline.maxConcurrent': 1 } });
  const step = story(t, browser);
  const programs = path.join(globalStorage(server), 'programs');
  const names = ['First', 'Second', 'Third', 'Fourth'] as const;
  const gates = names.map((name) => new Gate(server, name));
  let shell: Shell;

  /** What VS Code has of Treeline on disk, by version. */
  const installed = (): string[] =>
    readdirSync(path.join(server.dir, 'extensions')).flatMap((name) => name.split(`${ID}-`)[1] ?? []);
  const copies = (): string[] => readdirSync(programs).map((name) => name.replace(/-\w+$/, ''));
  /** What runs beside VS Code: each program with the version that it was copied from. */
  const detached = async (): Promise<string[]> => {
    const found = (await server.processes()).flatMap(({ command }) => {
      const [, version, name] = new RegExp(`${programs}/([\\d.]+)-\\w+/(\\w+)\\.cjs`).exec(command) ?? [];
      return name === undefined ? [] : [`${name} ${version}`];
    });
    return found.sort();
  };
  const runs = (...expected: string[]): Promise<void> =>
    until(async () => String(await detached()) === String(expected), `${expected.join(' and ') || 'nothing'} runs`);
  const statuses = async (): Promise<string[]> =>
    (await shell.list()).map(({ name, status }) => `${name} ${status}`).reverse();
  const container = workbench.page.locator('.activitybar').getByRole('tab', { name: 'Treeline' });
  const reload = async ({ withTreeline }: { withTreeline: boolean }): Promise<void> => {
    await workbench.reload();
    if (withTreeline) await workbench.showContainer('Treeline');
    else await until(async () => (await container.count()) === 0, 'Treeline is not there');
  };

  await step('one agent works, and three wait for it', async () => {
    await workbench.showContainer('Treeline');
    shell = await Shell.of(server, repo);
    for (const [n, name] of names.entries()) {
      await shell.spawn(name, `until ${gates[n]!.file}`, `print ${name} is over`);
    }
    await sessionItem(workbench, /^Working: First/).waitFor();
    await sessionItem(workbench, /^Queued: Fourth/).waitFor();
    await runs('keeper 0.1.0');
  });

  await step('an update: the agent goes on, its program in use is kept, and the next one has the new one', async () => {
    await server.install(newer);
    // VS Code deletes the folder of an old version when it starts.
    await server.restart();
    await workbench.page.goto(server.open(repo));
    await workbench.ready();
    await workbench.showContainer('Treeline');
    await sessionItem(workbench, /^Working: First/).waitFor();
    await until(() => String(installed()) === NEWER, 'VS Code has deleted the old version');
    await runs('keeper 0.1.0');
    await until(() => String(copies().sort()) === String(['0.1.0', NEWER]), 'both versions have their copies');
    await gates[0]!.open();
    await sessionItem(workbench, /^Idle: First/).waitFor();
    await showTimeline(workbench, 'First');
    await rows(workbench).filter({ hasText: 'First is over' }).first().waitFor();
    await sessionItem(workbench, /^Working: Second/).waitFor();
    await runs(`keeper ${NEWER}`);
  });

  await step('the old copy goes, some time after nothing runs from it any more', async () => {
    const old = readdirSync(programs).find((name) => name.startsWith('0.1.0-'))!;
    const then = new Date(Date.now() - 2 * DAY);
    utimesSync(path.join(programs, old), then, then);
    await reload({ withTreeline: true });
    await until(() => String(copies()) === NEWER, 'the old copy is gone');
  });

  await step('disabled: the agent goes on, and so does the queue', async () => {
    await workbench.command('Extensions: Disable All Installed Extensions');
    // By the button that VS Code offers: it writes down first what is disabled.
    await workbench.showContainer('Extensions');
    await workbench.sideBar.getByRole('button', { name: 'Reload Window' }).click();
    await container.waitFor({ state: 'detached' });
    await workbench.ready();
    await runs(`keeper ${NEWER}`, `steward ${NEWER}`);
    await gates[1]!.open();
    await until(async () => (await statuses()).includes('Third working'), 'the next one works');
    assert.deepEqual(await statuses(), ['First idle', 'Second idle', 'Third working', 'Fourth queued']);
  });

  await step('enabled again: the window shows what went on', async () => {
    await workbench.command('Extensions: Enable All Extensions');
    await workbench.showContainer('Treeline');
    await sessionItem(workbench, /^Idle: Second/).waitFor();
    await sessionItem(workbench, /^Working: Third/).waitFor();
  });

  await step('uninstalled: what was begun comes to its end, and then nothing runs', async () => {
    await server.uninstall(ID);
    await reload({ withTreeline: false });
    await runs(`keeper ${NEWER}`, `steward ${NEWER}`);
    await gates[2]!.open();
    await until(async () => (await statuses()).includes('Fourth working'), 'the next one works');
    await gates[3]!.open();
    await runs();
    assert.deepEqual(
      await statuses(),
      names.map((name) => `${name} idle`),
    );
    assert.equal(worktrees(repo).length, names.length, 'the work is where it was');
  });

  await step('installed again: everything is there', async () => {
    await server.install(vsix);
    await reload({ withTreeline: true });
    for (const name of names) await sessionItem(workbench, new RegExp(`^Idle: ${name},.* turn 1`)).waitFor();
    await showTimeline(workbench, 'Fourth');
    await rows(workbench).filter({ hasText: 'Fourth is over' }).first().waitFor();
  });
});
