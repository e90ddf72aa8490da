/**
 * Makes the pictures of the README anew, from the real thing: the packed extension in a real VS Code, with the demo agent and
 * two small programs. What they show was really done while they were taken.
 *   npm run screenshots
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSample } from '../demo/sample.mjs';
import { demoAgents } from '../demo/setting.mjs';
import { pack } from '../setup/package.mjs';
import { agentsBin } from '../setup/agents.mjs';
import { root, vsix } from '../setup/paths.mjs';
import { say } from '../setup/say.mjs';
import { launchBrowser } from '../support/browser.mts';
import { VscodeServer } from '../support/vscode-server.mts';
import { Workbench } from '../support/workbench.mts';
import { resumeAgent, rows, sessionItem, showTimeline, spawnAgent } from '../e2e/support.mts';

const folder = path.join(root, 'media/screenshots');
const settings = {
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.layoutControl.enabled': false,
  'window.commandCenter': false,
  'treeline.notifications': 'off',
};
const SIDE_BAR_WIDTH = 400;

const program = (name: string): string[] => [
  process.execPath,
  fileURLToPath(new URL(name, import.meta.url)),
  '${promptFile}',
];

/** The demo agent at this speed, and two programs with an end of another kind. */
const agents = (speed: number): object[] => [
  ...demoAgents({ speed }),
  { id: 'checks', name: 'Checks', command: program('failing.mjs') },
  { id: 'release', name: 'Release', command: program('asking.mjs'), format: 'claude' },
];

say('packing Treeline');
await pack();
await mkdir(folder, { recursive: true });
const server = await VscodeServer.start({
  extensions: [vsix],
  settings,
  machineSettings: { 'treeline.customAgents': agents(20) },
  // Where the end-to-end tests installed them, the list of agents shows the real ones, too.
  path: existsSync(agentsBin) ? [agentsBin] : [],
});
const browser = await launchBrowser();
try {
  const repo = path.join(server.dir, 'work/sample-project');
  makeSample(repo);
  const workbench = await Workbench.open(browser, server, repo, { width: 1360, height: 800 });
  await workbench.showContainer('Treeline');
  await workbench.resizeSideBar(SIDE_BAR_WIDTH);
  await scenes(workbench);
} finally {
  await browser.close();
  await server.stop();
}

async function scenes(workbench: Workbench): Promise<void> {
  const session = (name: RegExp) => sessionItem(workbench, name);
  const row = (text: string) => rows(workbench).filter({ hasText: text }).first();
  const demo = 'Demo agent';
  const finished = async (prompt: string, agent: string, status: RegExp): Promise<void> => {
    await spawnAgent(workbench, { agent, prompt });
    await session(status).waitFor({ timeout: 60_000 });
  };

  say('sessions that came to an end of each kind');
  await finished('Check the call sites of greet()', 'Checks', /^Failed: Check/);
  await finished('Try the release without publishing', 'Release', /^Needs your permission: Try/);
  await finished('Describe the command line in the README', demo, /^Idle: Describe/);
  await finished('Greet people in Italian, too', demo, /^Idle: Greet/);
  await row('Exited with code').waitFor();

  say('the list of agents');
  await workbench.command('Treeline: Spawn Agent…');
  await workbench.quickRows.filter({ hasText: demo }).first().waitFor();
  await picture(workbench, 'spawn');
  await workbench.page.keyboard.press('Escape');

  say('two agents at work');
  await writeFile(
    path.join(server.userData, 'Machine/settings.json'),
    JSON.stringify({ 'treeline.customAgents': agents(1) }),
  );
  await spawnAgent(workbench, { agent: demo, prompt: 'Write down how to add a language' });
  await session(/^Working: Write down/).waitFor();
  await resumeAgent(workbench, /^Idle: Greet/, 'And in Portuguese');
  await showTimeline(workbench, 'Greet people in Italian, too');
  await row('turn-2.md').waitFor({ timeout: 60_000 });
  await picture(workbench, 'timeline');

  say('the log and the diff');
  await workbench.treeMenu(/^Working: Greet/, 'Open Log…');
  await workbench.choose('stdout', { asked: 'Select a log' });
  await workbench.editorText.getByText('session_id').first().waitFor();
  await picture(workbench, 'log');
  await session(/^Idle: Greet/).waitFor({ timeout: 60_000 });
  await session(/^Idle: Greet/).press('ArrowRight');
  const changed = workbench.multiDiffFiles.filter({ hasText: 'README.md' });
  await workbench.treeAction(/^Idle: Greet/, 'Open Diff', changed);
  await picture(workbench, 'diff');

  say('in high contrast');
  await writeFile(
    path.join(server.userData, 'User/settings.json'),
    JSON.stringify({ ...settings, 'workbench.colorTheme': 'Default High Contrast' }),
  );
  await workbench.reload();
  await workbench.page.locator('.monaco-workbench.hc-black').waitFor();
  await workbench.showContainer('Treeline');
  await showTimeline(workbench, 'Try the release without publishing');
  await row('I need your permission').waitFor();
  await picture(workbench, 'high-contrast');
}

/** Takes a picture when nothing moves any more: no pointer over a row, no message, no blinking caret. */
async function picture(workbench: Workbench, name: string): Promise<void> {
  const { page } = workbench;
  await page.mouse.move(5, 5);
  await page.locator('.notification-toast').waitFor({ state: 'detached' });
  await page.locator('.monaco-hover:visible').waitFor({ state: 'detached' });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 700))));
  const file = path.join(folder, `${name}.png`);
  await workbench.screenshot(file);
  say(path.relative(root, file));
}
