import path from 'node:path';
import type { TestContext } from 'node:test';

import type { CustomAgent } from '../../../src/agents/custom/adapter.ts';
import { parseCustomAgents } from '../../../src/agents/custom/settings.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../../src/sessions/settings.ts';
import type { RepositorySessions } from '../../../src/sessions/service-types.ts';
import { ownPrograms } from '../../../src/hosts/programs.ts';
import { Treeline } from '../../../src/hosts/treeline.ts';
import type { Log } from '../../../src/platform/log.ts';
import type { Session } from '../../../src/store/model.ts';
import { tempDir, tempRepo } from '../support.ts';
import { WindowProcess } from './window-process.ts';

const root = path.join(import.meta.dirname, '../../..');

export const ASSETS = ownPrograms();

/** What any one test may take on a busy machine. A suite has no bound of its own: it would fail for how many tests it has. */
export const BOUND = { timeout: 120_000 };

const agentScript = path.join(root, 'test/support/scripted-agent.mjs');

/** Where a window finds its things; plain data, so that another process can be told. */
export interface Place {
  readonly repo: string;
  readonly storage: string;
  readonly settings: Settings;
  /** The version of Treeline that a window on it is of. */
  readonly version?: string;
}

/** Opens a window on a place in this process. */
export async function openWindow({ repo, storage, settings, version = '0.1.0' }: Place): Promise<Window> {
  const treeline = new Treeline({
    globalStorage: storage,
    settings: () => settings,
    log: LOG,
    version,
    assets: ASSETS,
  });
  await treeline.setFolders([repo]);
  const [sessions] = treeline.repositories;
  if (sessions === undefined) {
    throw new Error('The repository was not found.');
  }
  await sessions.ready;
  return { treeline, sessions };
}

/** Errors go to stderr, so that a failing test shows them. */
export const LOG: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => process.env['TREELINE_TEST_LOG'] && console.error(`warn: ${message}`),
  error: (message) => console.error(`error: ${message}`),
};

export function customAgents(): readonly CustomAgent[] {
  const { agents, problems } = parseCustomAgents([
    { id: 'scripted', name: 'Scripted', command: [process.execPath, agentScript, '${promptFile}'] },
    { id: 'lines', name: 'Lines', command: [process.execPath, agentScript, '--lines'], stdin: 'lines' },
  ]);
  if (problems.length > 0) {
    throw new Error(problems.join('\n'));
  }
  return agents;
}

export interface Window {
  readonly treeline: Treeline;
  readonly sessions: RepositorySessions;
}

export interface World extends Place {
  readonly settings: { -readonly [K in keyof Settings]: Settings[K] };
  /** A window in this process, closed after the test. At most one: windows are told apart by their process. */
  open(): Promise<Window>;
  /** A window in a process of its own, ended after the test. */
  openProcess(): Promise<WindowProcess>;
}

/** A repository with two files and a store of its own, on which windows can be opened. */
export async function world(t: TestContext): Promise<World> {
  const storage = await tempDir(t);
  const repo = await tempRepo(t, { files: { 'README.md': '# Sample\n', 'src/main.txt': 'one\ntwo\n' } });
  const settings = { ...DEFAULT_SETTINGS, customAgents: customAgents(), grace: { interrupt: 300, terminate: 300 } };
  const place = { repo, storage, settings };
  return {
    ...place,
    open: async () => {
      const window = await openWindow(place);
      t.after(() => window.treeline.dispose());
      return window;
    },
    openProcess: async () => {
      const window = await WindowProcess.open(place);
      t.after(() => window.kill());
      return window;
    },
  };
}

/** Resolves with the session as soon as `wanted` is true of it. */
export function reached(
  sessions: RepositorySessions,
  id: string,
  wanted: (session: Session) => boolean,
): Promise<Session> {
  const { promise, resolve } = Promise.withResolvers<Session>();
  const look = (): void => {
    const session = sessions.get(id);
    if (session !== undefined && wanted(session)) {
      dispose();
      resolve(session);
    }
  };
  const dispose = sessions.onDidChange(look);
  look();
  return promise;
}

/** Whether a session's last turn was judged. */
export function judged(session: Session): boolean {
  return session.turns.at(-1)?.judgement !== undefined;
}
