import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packVersion } from '../setup/package.mjs';
import { Shell } from './shell.mts';
import { Gate, globalStorage, sessionItem, startTreeline, story, until, untilNothingRuns } from './support.mts';

const NEWER = '0.1.1';

test('treeline in a terminal does the same with VS Code open, with all of it closed, and after an update', async (t) => {
  const newer = await packVersion(NEWER);
  const { workbench, server, browser, repo } = await startTreeline(t);
  const step = story(t, browser);
  const never = new Gate(server, 'never');
  const spawn = (name: string): Promise<string> =>
    shell.run(`printf '${name}\\nprint the agent is here\\nuntil ${never.file}' | treeline spawn - --agent scripted`);
  let shell: Shell;

  await step('it is installed from the palette, and says how a shell finds it', async () => {
    await workbench.showContainer('Treeline');
    shell = await Shell.install(workbench, server, repo);
    assert.equal(await shell.run('command -v treeline'), `${server.home}/.local/bin/treeline\n`);
    assert.match(await shell.run('treeline help'), /^Usage: treeline COMMAND/);
    assert.deepEqual(await shell.list(), []);
  });

  /** What a person does with a session in a terminal. */
  const use = async (name: string): Promise<void> => {
    assert.match(await spawn(name), new RegExp(name));
    assert.match(await shell.run('treeline list'), new RegExp(`working.*${name}`, 'i'));
    const listed = (await shell.list()).find((one) => one.name === name);
    assert.equal(listed?.status, 'working');
    await until(
      async () => (await shell.run(`treeline log '${name}'`)).includes('the agent is here'),
      'it has printed',
    );
    assert.match(await shell.run(`treeline events ${listed.id}`), /the agent is here/);
  };
  const stop = async (name: string): Promise<void> => {
    await shell.run(`treeline stop '${name}'`);
    assert.equal((await shell.list()).find((one) => one.name === name)?.status, 'stopped');
  };

  await step('with VS Code open, the window shows what the terminal does', async () => {
    await use('Dig a well');
    await sessionItem(workbench, /^Working: Dig a well/).waitFor();
    await stop('Dig a well');
    await sessionItem(workbench, /^Stopped: Dig a well/).waitFor();
    await assert.rejects(shell.run('treeline stop nobody'), {
      code: 1,
      stderr: /^treeline: There is no session “nobody”.*\n$/,
    });
  });

  await step('with all of it closed, an agent is started and stopped, and then nothing runs', async () => {
    await workbench.page.goto('about:blank');
    await until(async () => (await server.extensionHosts()).length === 0, 'the extension host has ended');
    await server.end();
    await untilNothingRuns(server);
    await use('Dig another well');
    await stop('Dig another well');
    await untilNothingRuns(server);
  });

  await step('after an update, the same command runs the new version', async () => {
    await server.install(newer);
    await server.restart();
    await workbench.page.goto(server.open(repo));
    await workbench.ready();
    await workbench.showContainer('Treeline');
    await sessionItem(workbench, /^Stopped: Dig another well/).waitFor({ timeout: 60_000 });
    const copy = (version: string): string => `${globalStorage(server)}/programs/${version}-`;
    const from = async (): Promise<string> => await shell.run('sh -x "$(command -v treeline)" list 2>&1');
    await until(async () => (await from()).includes(copy(NEWER)), 'it runs the new version');
    assert.match(await shell.run('treeline list'), /Dig another well/);
  });
});
