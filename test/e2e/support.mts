/** What every end-to-end test begins with: the packed extension in a real VS Code, in a window on a fresh repository. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Browser, Locator } from 'playwright-core';
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
  /** VS Code with all of its own extensions and as it looks when it is new; otherwise with no more than these tests use. */
  whole?: boolean;
}

/** What a window of VS Code costs of the machine is mostly what no test here looks at. */
const light: Pick<ServerOptions, 'builtins' | 'settings'> = {
  builtins: ['git', 'git-base', 'markdown-basics', 'diff', 'theme-defaults'],
  settings: {
    'breadcrumbs.enabled': false,
    'editor.cursorBlinking': 'solid',
    'editor.minimap.enabled': false,
    'editor.stickyScroll.enabled': false,
    'git.enabled': false,
    'window.commandCenter': false,
    'workbench.iconTheme': null,
    'workbench.layoutControl.enabled': false,
    'workbench.reduceMotion': 'on',
  },
};

/**
 * Starts all of it, with the demo agent known to Treeline, and the real Claude Code and Codex on the PATH, in a home where
 * they talk to the stand-in model alone (scenarios: model-script.mts). After the test everything is ended, strays included; when the
 * test failed, what the window showed stands in dist-test/failures/.
 */
export async function startTreeline(t: TestContext, options: TreelineOptions = {}): Promise<Treeline> {
  const { demoSpeed = 10, whole = false, machineSettings, settings, ...rest } = options;
  const model = await ModelServer.start();
  const start = VscodeServer.start({
    extensions: [vsix],
    ...(!whole && light),
    settings: { ...(!whole && light.settings), ...settings },
    machineSettings: {
      'treeline.customAgents': [...demoAgents({ speed: demoSpeed }), scriptedAgent],
      ...machineSettings,
    },
    path: [agentsBin],
    prepareHome: (home) => model.prepare(home),
    ...rest,
  });
  const [server, browser] = await Promise.all([start, launchBrowser()]);
  const repo = path.join(server.dir, 'work/sample-project');
  makeSample(repo);
  const workbench = await Workbench.open(browser, server, repo);
  // One hook: node runs several in the order in which they were given.
  t.after(async () => {
    if (!(t as TestContext & { passed: boolean }).passed) await keepPicture(t, browser);
    await browser.close();
    await server.stop();
    await model.stop();
  });
  return { server, browser, repo, workbench, model };
}

/** A custom agent whose prompt is its program (test/support/scripted-agent.mjs says what it can do). */
const scriptedAgent = {
  id: 'scripted',
  name: 'Scripted',
  command: [
    process.execPath,
    fileURLToPath(new URL('../support/scripted-agent.mjs', import.meta.url)),
    '${promptFile}',
  ],
};

/** Spawns an agent from the command palette, answering what it asks; the base, and a name that is not given, are left as they are offered. */
export async function spawnAgent(
  workbench: Workbench,
  { agent, prompt, name = '' }: { agent: string; prompt: string; name?: string },
): Promise<void> {
  await workbench.command('Treeline: Spawn Agent…');
  await workbench.choose(agent, { asked: 'Select an agent' });
  await answerPrompt(workbench, prompt);
  await workbench.choose('main', { asked: 'Select the branch, tag, or commit to start from' });
  await workbench.answer(name, { asked: 'Session name' });
}

const PROMPT = 'What should the agent do?';

/** Asks for a resume by the row's action, and answers what the agent should do. */
export async function resumeAgent(workbench: Workbench, row: RegExp, prompt: string): Promise<void> {
  await workbench.treeAction(row, 'Resume Session…', workbench.question(PROMPT));
  await answerPrompt(workbench, prompt);
}

/** Answers the question for the prompt: one line where it is asked, several in the editor. */
export async function answerPrompt(workbench: Workbench, prompt: string): Promise<void> {
  const asked = { asked: PROMPT };
  if (!prompt.includes('\n')) {
    await workbench.answer(prompt, asked);
    return;
  }
  await workbench.inputButton('Write in Editor', asked);
  await workbench.shownTab(/^Untitled/).waitFor();
  await workbench.typeIntoEditor(prompt);
  await workbench.command('Treeline: Use This Prompt');
}

/** The rows of the timeline that shows; only those near the view are drawn. */
export function rows(workbench: Workbench, selector = ''): Locator {
  return workbench.webview().locator(`[role=feed] > .row${selector}`);
}

/** The texts of the drawn rows in their order, each with its number: "3 Bash git status". Times are left out. */
export async function rowTexts(workbench: Workbench): Promise<string[]> {
  return rows(workbench).evaluateAll((elements) =>
    elements
      .map((element) => {
        const body = element.querySelector('.body');
        return { position: Number(element.getAttribute('aria-posinset')), text: (body?.textContent ?? '').trim() };
      })
      .sort((a, b) => a.position - b.position)
      .map(({ position, text }) => `${position} ${text}`),
  );
}

/** A session's row in the tree; its name begins with the status: "Working: Count the stars, …, turn 1, now". */
export function sessionItem(workbench: Workbench, name: string | RegExp): Locator {
  return workbench.view('Sessions').getByRole('treeitem', { name });
}

/** Opens a session's timeline by a click on its row. */
export async function showTimeline(workbench: Workbench, name: string): Promise<void> {
  await workbench.treeClick(new RegExp(`: ${name},`), workbench.shownTab(new RegExp(`^${name}`)));
}

/**
 * The steps of a story, each a test of its own: what comes after a failed step rests on it and is skipped. The picture of
 * the moment stands in dist-test/failures/.
 */
export function story(t: TestContext, browser: Browser): (name: string, act: () => Promise<void>) => Promise<void> {
  let broken = false;
  return async (name, act) => {
    await t.test(name, { skip: broken && 'an earlier step failed' }, async (step) => {
      try {
        await act();
      } catch (error) {
        broken = true;
        await keepPicture(step, browser);
        throw error;
      }
    });
  };
}

/** A file that a scripted agent waits for (`until`), in the test's scratch folder. */
export class Gate {
  readonly file: string;

  constructor(server: VscodeServer, name: string) {
    this.file = path.join(server.dir, `gate-${name}`);
  }

  open(): Promise<void> {
    return writeFile(this.file, '');
  }
}

/** Waits for what no event tells: the process table, or a file. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  { seconds = 60, every = 100 }: { seconds?: number; every?: number } = {},
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not so after ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/** Waits until what is read is so, and says how it differs where it never is. */
export async function becomes<T>(read: () => T | Promise<T>, expected: T): Promise<void> {
  const isSo = async (): Promise<boolean> => isDeepStrictEqual(await read(), expected);
  await until(isSo, 'it is as expected').catch(async () => assert.deepEqual(await read(), expected));
}

export { patience } from '../support/patience.mts';

/** How busy the machine is in the seconds in which something is waited for, of which the load average knows little. Linux only. */
export class Busyness {
  readonly #running: number[] = [];

  /** To be called again and again meanwhile. */
  look(): void {
    const [, running] = / (\d+)\//.exec(readFileSync('/proc/loadavg', 'utf8')) ?? [];
    this.#running.push(Number(running));
  }

  /** How many times as long as on a machine of its own each process has to wait. */
  get share(): number {
    const mean = this.#running.reduce((sum, one) => sum + one, 0) / this.#running.length;
    return Math.max(1, mean / os.availableParallelism());
  }
}

/** The worktrees of the repository besides its own folder. */
export function worktrees(repo: string): string[] {
  const list = execFileSync('git', ['worktree', 'list', '--porcelain'], { cwd: repo, encoding: 'utf8' });
  return [...list.matchAll(/^worktree (.+)$/gm)].map((match) => match[1]!).slice(1);
}

/** The processes of agents and keepers that VS Code started. */
export async function agentProcesses(server: VscodeServer): Promise<string[]> {
  const all = await server.processes();
  return all
    .map(({ command }) => command)
    .filter((command) => /keeper\.cjs|agent\.mjs|\/(claude|codex)\b/.test(command));
}

/** Where Treeline keeps its data. */
export function globalStorage(server: VscodeServer): string {
  return path.join(server.userData, 'User/globalStorage/treeline.treeline');
}

/** Resolves when nothing that the server started runs any more: all that agents had to do is done. */
export async function untilNothingRuns(server: VscodeServer, seconds = 120): Promise<void> {
  // Who hands over to another process and ends while the table is read shows in no row of it: the next look finds the other.
  const isStill = async (): Promise<boolean> => (await server.processes()).length === 0;
  await until(async () => (await isStill()) && (await isStill()), 'no process is left', { seconds });
}

/** A picture of each window that is open. */
async function keepPicture(t: Pick<TestContext, 'name' | 'diagnostic'>, browser: Browser): Promise<void> {
  const folder = path.join(root, 'dist-test/failures');
  await mkdir(folder, { recursive: true });
  const pages = browser.contexts().flatMap((context) => context.pages());
  for (const [index, page] of pages.entries()) {
    const file = path.join(folder, `${t.name.replaceAll(/\W+/g, '-')}-${index + 1}.png`);
    await page.screenshot({ path: file });
    t.diagnostic(`what the window showed: ${file}`);
  }
}
