/** What the unit tests share: fresh folders, real repositories, and waiting for other processes. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { after, type TestContext } from 'node:test';

const run = promisify(execFile);

const made: string[] = [];
// At the end of the file, and not of the test: node runs a test's own `after` hooks in the order in which they were given,
// and those that end the processes in a folder come after the one that made it.
after(async () => {
  for (const dir of made) await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});

/** A fresh, empty folder (its real path), removed when the tests of the file have ended. */
export async function tempDir(_t: TestContext): Promise<string> {
  const dir = await realpath(await mkdtemp(path.join(os.tmpdir(), 'treeline-')));
  made.push(dir);
  return dir;
}

/** git's environment: no configuration of this machine's user, a fixed identity, never a question on a terminal. */
export function gitEnv(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    ...(process.platform === 'win32' ? { SYSTEMROOT: process.env['SYSTEMROOT'] ?? '' } : {}),
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: os.devNull,
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Test Author',
    GIT_AUTHOR_EMAIL: 'author@example.invalid',
    GIT_COMMITTER_NAME: 'Test Author',
    GIT_COMMITTER_EMAIL: 'author@example.invalid',
  };
}

/** Runs the real git in `cwd` and returns its stdout without the last newline. Throws with stderr when git fails. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', args, { cwd, env: gitEnv(), maxBuffer: 256 * 1024 * 1024 });
  return stdout.replace(/\r?\n$/, '');
}

/**
 * A fresh repository on branch `main` with one commit of `files` (path → content; a README when not given),
 * removed like a `tempDir`. Returns its real path.
 */
export async function tempRepo(t: TestContext, options: { files?: Record<string, string> } = {}): Promise<string> {
  // One level down, so that a sibling folder for worktrees goes away with it.
  const repo = path.join(await tempDir(t), 'repo');
  await mkdir(repo);
  await git(repo, 'init', '--quiet', '--initial-branch=main');
  // The identity stands in the repository too: code under test runs git with its own environment.
  await git(repo, 'config', 'user.name', 'Test Author');
  await git(repo, 'config', 'user.email', 'author@example.invalid');
  for (const [name, content] of Object.entries(options.files ?? { 'README.md': '# Test\n' })) {
    const file = path.join(repo, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  await git(repo, 'add', '--all');
  await git(repo, 'commit', '--quiet', '--message', 'First commit');
  return repo;
}

/**
 * Waits until `condition` gives something other than false, null or undefined, and returns it. Only for what another
 * process does, where no event can be awaited: it looks every 10 ms, and fails after `timeoutMs` (10 s) naming `what`.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, what }: { timeoutMs?: number; what: string },
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== null && value !== undefined) {
      return value as Exclude<T, false | null | undefined>;
    }
    if (performance.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await delay(10);
  }
}
