/** What every end-to-end test begins with: the packed extension in a real VS Code, in a window on a fresh repository. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Browser } from 'playwright-core';
import { makeSample } from '../demo/sample.mjs';
import { demoAgents } from '../demo/setting.mjs';
import { agentsBin } from '../setup/agents.mjs';
import { root, vsix } from '../setup/paths.mjs';
import { launchBrowser } from '../support/browser.mts';
import { ModelServer } from '../support/model-server.mts';
import { VscodeServer, type ServerOptions } from '../support/vscode-server.mts';
import { Workbench } from '../support/workbench.mts';

export interface Treeline {
  server: VscodeServer;
  browser: Browser;
  /** The sample repository that the window shows. */
  repo: string;
  workbench: Workbench;
  /** What the real agents talk to; it notes their requests. */
  model: ModelServer;
}

export interface TreelineOptions extends ServerOptions {
  /** How many times faster the demo agent works than for a person who watches (10). */
  demoSpeed?: number;
}

/**
 * Starts all of it, with the demo agent known to Treeline, and the real Claude Code and Codex on the PATH, in a home where
 * they talk to the stand-in model alone (scenarios: model-script.mts). After the test everything is ended, strays included; when the
 * test failed, what the window showed stands in dist-test/failures/.
 */
export async function startTreeline(t: TestContext, options: TreelineOptions = {}): Promise<Treeline> {
  const { demoSpeed = 10, machineSettings, ...rest } = options;
  const model = await ModelServer.start();
  const server = await VscodeServer.start({
    extensions: [vsix],
    machineSettings: { 'treeline.customAgents': demoAgents({ speed: demoSpeed }), ...machineSettings },
    path: [agentsBin],
    prepareHome: (home) => model.prepare(home),
    ...rest,
  });
  const repo = path.join(server.dir, 'work/sample-project');
  makeSample(repo);
  const browser = await launchBrowser();
  const workbench = await Workbench.open(browser, server, repo);
  // One hook: node runs several in the order in which they were given.
  t.after(async () => {
    if (!(t as TestContext & { passed: boolean }).passed) await keepPicture(t, workbench);
    await browser.close();
    await server.stop();
    await model.stop();
  });
  return { server, browser, repo, workbench, model };
}

/** Spawns an agent from the command palette, answering what it asks; base and name are left as they are offered. */
export async function spawnAgent(
  workbench: Workbench,
  { agent, prompt }: { agent: string; prompt: string },
): Promise<void> {
  await workbench.command('Treeline: Spawn Agent…');
  await workbench.choose(agent, { asked: 'Which agent?' });
  await workbench.answer(prompt, { asked: 'What should the agent do?' });
  await workbench.choose('main', { asked: 'Start from which branch, tag or commit?' });
  await workbench.answer('', { asked: 'Name of the session' });
}

async function keepPicture(t: TestContext, workbench: Workbench): Promise<void> {
  const folder = path.join(root, 'dist-test/failures');
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${t.name.replaceAll(/\W+/g, '-')}.png`);
  await workbench.screenshot(file);
  t.diagnostic(`what the window showed: ${file}`);
}
