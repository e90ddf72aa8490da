/** Repositories, windows and agents for the rows that need them. */
import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseCustomAgents } from '../../src/agents/custom/settings.ts';
import type { Session } from '../../src/store/model.ts';
import type { Log } from '../../src/platform/log.ts';
import type { RepositorySessions } from '../../src/sessions/service-types.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../src/sessions/settings.ts';
import { Treeline } from '../../src/hosts/treeline.ts';
import { root } from '../setup/paths.mjs';
import { seeded } from '../support/seeded.mts';

const run = promisify(execFile);

/** The bundles that the benchmark has made for itself: what ships. */
export const DIST = process.env['TREELINE_BENCH_DIST'] ?? path.join(root, 'dist');

export const ASSETS = {
  keeper: path.join(DIST, 'keeper.cjs'),
  worker: path.join(DIST, 'indexer.cjs'),
  wasm: path.join(DIST, 'sql-wasm.wasm'),
  steward: path.join(DIST, 'steward.cjs'),
};

/** Whether this build goes on without a window. */
export const GOES_ON_ALONE = existsSync(ASSETS.steward);

export const LOG: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => process.env['TREELINE_BENCH_LOG'] && console.error(`warn: ${message}`),
  error: (message) => console.error(`error: ${message}`),
};

/** Runs git without the user's own configuration. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', args, { cwd, maxBuffer: 1024 ** 3 });
  return stdout.trimEnd();
}

/** The rows' gits are to be the same whatever the user has configured. */
export function plainGit(): void {
  Object.assign(process.env, {
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'Bench',
    GIT_AUTHOR_EMAIL: 'bench@example.invalid',
    GIT_COMMITTER_NAME: 'Bench',
    GIT_COMMITTER_EMAIL: 'bench@example.invalid',
  });
}

/** Makes a packed repository of `files` text files of 0.5 to 5 KB, ten in a folder. */
export async function makeRepository(repo: string, files: number): Promise<string> {
  if (existsSync(repo)) return repo;
  mkdirSync(repo, { recursive: true });
  await git(repo, 'init', '--quiet', '--initial-branch=main');
  // Otherwise one would pack in the background, beside the measurements.
  await git(repo, 'config', 'gc.auto', '0');
  const random = seeded(files);
  for (let n = 0; n < files; n++) {
    const folder = path.join(repo, `pkg${n % 20}`, `mod${Math.floor(n / 20) % Math.ceil(files / 200)}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `file${n}.ts`), fileText(random, 20 + Math.floor(random() * 180)));
  }
  await git(repo, 'add', '--all');
  await git(repo, 'commit', '--quiet', '--message', 'All files');
  await git(repo, 'gc', '--quiet');
  return repo;
}

export function fileText(random: () => number, lines: number): string {
  return Array.from({ length: lines }, (_, n) => `line ${n} ${random().toString(36).slice(2)}\n`).join('');
}

/**
 * An agent that says at once when its first instruction ran, in seconds since the epoch, to the microsecond, and stays: what the end of a turn
 * costs is no part of a spawn. bash (5 or newer, as any Linux has it) starts in a millisecond; elsewhere it is node.
 */
const CLOCK =
  process.platform === 'linux'
    ? ['bash', '-c', 'echo $EPOCHREALTIME; exec sleep 1000']
    : [
        process.execPath,
        '-e',
        'console.log((performance.timeOrigin + performance.now()) / 1000); setTimeout(() => {}, 1e6)',
      ];

/** ms since the epoch, to the microsecond. */
export const now = (): number => performance.timeOrigin + performance.now();

/** What the clock agent has said, as soon as it has: ms since the epoch. */
async function clockIn(file: string): Promise<number> {
  for (;;) {
    const said = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (said.endsWith('\n')) return Number(said.replace(',', '.')) * 1000;
    await delay(20);
  }
}

/** A window on a repository, with the clock agent as `clock` and whatever else is given. */
export interface Window {
  readonly treeline: Treeline;
  readonly sessions: RepositorySessions;
  readonly settings: { -readonly [K in keyof Settings]: Settings[K] };
}

/** A custom agent, as the settings have it, but for its name. */
export interface BenchAgent {
  readonly id: string;
  readonly command: readonly string[];
  readonly format?: string;
  readonly stdin?: 'lines';
}

export async function openWindow(repo: string, storage: string, agents: readonly BenchAgent[] = []): Promise<Window> {
  const { agents: customAgents, problems } = parseCustomAgents(
    [{ id: 'clock', command: CLOCK }, ...agents].map((agent) => ({ name: agent.id, ...agent })),
  );
  if (problems.length > 0) throw new Error(problems.join(' '));
  const settings = { ...DEFAULT_SETTINGS, customAgents, maxConcurrent: 100, warmWorktrees: 0 };
  const treeline = new Treeline({
    globalStorage: storage,
    settings: () => settings,
    log: LOG,
    version: '0.1.0',
    assets: ASSETS,
  });
  await treeline.setFolders([repo]);
  const [sessions] = treeline.repositories;
  if (sessions === undefined) throw new Error(`${repo} did not open.`);
  await sessions.ready;
  return { treeline, sessions, settings };
}

/** Resolves with the session as soon as `wanted` is true of it. */
export function when(
  sessions: RepositorySessions,
  id: string,
  wanted: (session: Session) => boolean,
): Promise<Session> {
  return new Promise((resolve) => {
    const look = (): void => {
      const session = sessions.get(id);
      if (session === undefined || !wanted(session)) return;
      dispose();
      resolve(session);
    };
    const dispose = sessions.onDidChange(look);
    look();
  });
}

/** ms from the command to the clock agent's first instruction, through Treeline. */
export async function spawnClock({ sessions }: Window): Promise<number> {
  const start = now();
  const { id } = await sessions.spawn({ agent: 'clock', prompt: 'Say the time.' });
  return (await clockIn(path.join(sessions.turnFolder(id, 1), 'stdout.log'))) - start;
}

/** Ends all agents that spawnClock has started. */
export async function stopAll({ sessions }: Window): Promise<void> {
  await Promise.all(sessions.list().map(({ id }) => sessions.stop(id)));
}

/** Resolves when so many worktrees are kept ready. */
export async function untilWarm({ sessions }: Window, count = 1): Promise<void> {
  const pool = path.join(sessions.repository.commonDir, 'treeline-warm');
  const ready = async (): Promise<number> =>
    (await readdir(pool).catch(() => [])).filter((name) => /^[0-9a-f]+$/.test(name)).length;
  while ((await ready()) < count) await delay(50);
}

/** Resolves when what earlier work has written is on the disk, and the machine has rested: the next one would pay for it. */
export async function settled(): Promise<void> {
  if (process.platform !== 'win32') await run('sync');
  await delay(3000);
}

let bareCount = 0;

/** The same by hand: `git worktree add -b`, then the program in it, which is ended when it has said the time. */
export async function bareClock(repo: string): Promise<number> {
  const name = `bare-${++bareCount}`;
  const folder = path.join(`${repo}.bare`, name);
  mkdirSync(path.dirname(folder), { recursive: true });
  const start = now();
  // As a person would: what fails because another one is in the middle (seen with ten at once) is done again.
  for (let tries = 1; (await bareGit(['worktree', 'add', '--quiet', '-B', name, folder], repo)) !== 0; tries++) {
    if (tries === 5) throw new Error(`git worktree add in ${repo} fails again and again.`);
  }
  const said = `${folder}.out`;
  const output = openSync(said, 'w');
  const [program = '', ...args] = CLOCK;
  const child = spawn(program, args, { cwd: folder, detached: true, stdio: ['ignore', output, 'ignore'] });
  const ms = (await clockIn(said)) - start;
  child.kill();
  closeSync(output);
  return ms;
}

function bareGit(args: readonly string[], cwd: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd, detached: true, stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', resolve);
  });
}
