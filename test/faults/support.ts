/** What the fault tests share: a world whose processes do not outlive a failed test, and ways to look at it as a user would. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';

import { parseCustomAgents } from '../../src/agents/custom/settings.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../src/sessions/settings.ts';
import type { RepositorySessions } from '../../src/sessions/service-types.ts';
import { timelineSource } from '../../src/sessions/timeline-source.ts';
import { Treeline } from '../../src/hosts/treeline.ts';
import type { Log } from '../../src/platform/log.ts';
import { isOpen, lastTurn } from '../../src/store/lifecycle.ts';
import type { Session } from '../../src/store/model.ts';
import { ALL_ROWS, type Row, type RowFilter } from '../../src/protocol/rows.ts';
import { ASSETS, customAgents, reached, type Place, type Window } from '../unit/sessions/support.ts';
import type { ProcessOptions } from '../support/asked-process.mts';
import { WindowProcess } from '../unit/sessions/window-process.ts';
import { tempDir, tempRepo } from '../unit/support.ts';
import { Random } from './random.ts';
import { branches, keepers, marked, worktrees } from './truth.ts';

/** How many trials a test makes: TREELINE_TRIALS is a factor, so that a long run is one variable away. */
export function trials(count: number): number {
  return Math.max(1, Math.round(count * Number(process.env['TREELINE_TRIALS'] ?? 1)));
}

/** Random numbers whose seed the test's output names. */
export function seeded(t: TestContext): Random {
  const random = new Random();
  t.diagnostic(`TREELINE_SEED=${random.seed}`);
  return random;
}

export { patience } from '../support/patience.mts';

export interface FaultWindow extends Window {
  /** All that it wrote to its log: `level: message`. */
  readonly log: readonly string[];
}

export interface FaultWorld extends Place {
  readonly settings: { -readonly [K in keyof Settings]: Settings[K] };
  open(): Promise<FaultWindow>;
  /** @param options what is different in it, and of which version of Treeline it is. */
  openProcess(options?: ProcessOptions & { readonly version?: string }): Promise<WindowProcess>;
}

/**
 * A repository and a store of its own. Everything that a test leaves running below it is ended afterwards.
 * @param given what to use in place of the usual: a repository, a storage folder, the keeper's or the timeline worker's program.
 */
export async function faultWorld(
  t: TestContext,
  given: { readonly repo?: string; readonly storage?: string; readonly keeper?: string; readonly worker?: string } = {},
): Promise<FaultWorld> {
  const storage = given.storage ?? (await tempDir(t));
  const repo =
    given.repo ?? (await tempRepo(t, { files: { 'README.md': '# Sample\n', 'src/main.txt': 'one\ntwo\n' } }));
  const settings = { ...DEFAULT_SETTINGS, customAgents: customAgents(), grace: { interrupt: 300, terminate: 300 } };
  const place = { repo, storage, settings };
  const opened: (() => Promise<void>)[] = [];
  t.after(async () => {
    await Promise.all(opened.map((close) => close()));
    for (const { pid } of [...keepers(storage), ...marked(journalledIn(storage))]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
  });
  return {
    ...place,
    open: async () => {
      const { keeper = ASSETS.keeper, worker = ASSETS.worker } = given;
      const window = await openLogged(place, { ...ASSETS, keeper, worker });
      opened.push(() => window.treeline.dispose());
      return window;
    },
    openProcess: async ({ version, ...options } = {}) => {
      const window = await WindowProcess.open({ ...place, ...(version !== undefined && { version }) }, options);
      opened.push(() => window.kill());
      return window;
    },
  };
}

async function openLogged({ repo, storage, settings }: Place, assets: typeof ASSETS): Promise<FaultWindow> {
  const log: string[] = [];
  const write =
    (level: string) =>
    (message: string): void =>
      void log.push(`${level}: ${message}`);
  const sink: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const treeline = new Treeline({
    globalStorage: storage,
    settings: () => settings,
    log: sink,
    version: '0.1.0',
    assets,
  });
  await treeline.setFolders([repo]);
  const [sessions] = treeline.repositories;
  if (sessions === undefined) {
    await treeline.dispose();
    throw new Error(`The repository was not opened. ${log.join('\n')}`);
  }
  await sessions.ready;
  return { treeline, sessions, log };
}

/** Agents of the settings that run a script by node; `${promptFile}` is its first argument. */
export function scriptAgents(scripts: Readonly<Record<string, string>>, format = 'text'): Settings['customAgents'] {
  const { agents, problems } = parseCustomAgents(
    Object.entries(scripts).map(([id, script]) => ({
      id,
      name: id,
      command: [process.execPath, '-e', script, '${promptFile}'],
      format,
    })),
  );
  assert.deepEqual(problems, []);
  return agents;
}

/** The rows of a session's timeline, as its page would be given them; when its last turn is over, all of them. */
export async function rows(window: Window, id: string, filter: RowFilter = ALL_ROWS): Promise<readonly Row[]> {
  const { sessions, treeline } = window;
  const close = treeline.timelines.open(timelineSource(sessions.store, session(window, id)));
  try {
    const last = lastTurn(session(window, id));
    // A judgement is given when the output is read to its end.
    if (last?.endedAt !== undefined && last.begunAt !== undefined) await treeline.timelines.judge(id, last.number);
    const all: Row[] = [];
    for (;;) {
      const page = await treeline.timelines.page(id, filter, all.length, 1000);
      all.push(...page.rows);
      if (all.length >= page.total || page.rows.length === 0) return all;
    }
  } finally {
    close();
  }
}

/** What a reader of the timeline sees, one line a row. */
export async function told(window: Window, id: string): Promise<string> {
  const all = await rows(window, id);
  return all.map((row) => `${row.kind}: ${row.text.text}${row.tool?.name ?? ''}`).join('\n');
}

export function session({ sessions }: Window, id: string): Session {
  const found = sessions.get(id);
  assert.ok(found, `the session ${id} is shown`);
  return found;
}

/** The raw bytes of a session's stdout. */
export function stdout({ sessions }: Window, id: string, turn = 1): Buffer {
  return readFileSync(path.join(sessions.turnFolder(id, turn), 'stdout.log'));
}

/** The one store below a storage folder. */
export function storeOf(storage: string): string {
  const [key] = readdirSync(path.join(storage, 'repos'));
  assert.ok(key);
  return path.join(storage, 'repos', key);
}

/** All files below a folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function journalledIn(storage: string): string[] {
  if (!existsSync(path.join(storage, 'repos'))) return [];
  return readdirSync(path.join(storage, 'repos')).flatMap((key) => {
    const sessions = path.join(storage, 'repos', key, 'sessions');
    return existsSync(sessions) ? readdirSync(sessions) : [];
  });
}

/** Resolves when all turns of all sessions are over, or their agents really run. */
export async function settled(sessions: RepositorySessions): Promise<void> {
  for (const { id } of sessions.list()) {
    await reached(sessions, id, (one) => {
      const turn = lastTurn(one);
      return turn === undefined || !isOpen(turn) || turn.begunAt !== undefined;
    });
  }
}

/** What git and the process table hold is explained by sessions, and what sessions show is so. */
export async function assertConsistent(repo: string, sessions: RepositorySessions): Promise<void> {
  const all = sessions.list();
  for (const folder of await worktrees(repo)) {
    assert.ok(
      all.some(({ worktree }) => worktree === folder),
      `no session explains the worktree ${folder}`,
    );
  }
  for (const name of await branches(repo)) {
    assert.ok(
      all.some(({ branch }) => branch === name),
      `no session explains the branch ${name}`,
    );
  }
  for (const one of all) {
    const runs = marked([one.id]).some(({ command }) => !command.startsWith('git '));
    const turn = lastTurn(one);
    const shown = turn !== undefined && isOpen(turn);
    assert.equal(shown, runs, `${one.id} is shown ${one.status}, and its agent ${runs ? 'runs' : 'does not'}`);
    if (one.archive !== undefined) {
      assert.equal(existsSync(one.worktree), false, 'an archived worktree is away');
    } else if (one.runs.some(({ agent }) => agent !== undefined)) {
      assert.ok(existsSync(one.worktree), 'a worktree that an agent worked in is there');
    } else if (!shown) {
      assert.equal(existsSync(one.worktree), false, 'a half-made worktree was taken back');
    }
  }
}

/** A process that has nothing to do with Treeline. */
export async function bystander(t: TestContext): Promise<ChildProcess> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
  await once(child, 'spawn');
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** A file system of its own of so many KiB; undefined, with the reason as the test's skip, where none can be mounted. */
export async function smallDisk(t: TestContext, kib: number): Promise<string | undefined> {
  const folder = await tempDir(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'none', folder], { stdio: 'ignore' });
  } catch {
    t.skip('no tmpfs can be mounted here (it takes root on Linux)');
    return undefined;
  }
  t.after(() => execFileSync('umount', ['-l', folder]));
  return folder;
}
