import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { PRIVATE_FILE } from './paths.ts';

export interface DetachedProcess {
  readonly env: NodeJS.ProcessEnv;
  /** The file that gets what it prints, the user's alone. */
  readonly output: string;
  /** What it finds on its stdin; without it, nothing is there to be read. */
  readonly stdin?: string;
}

/**
 * Starts a program that outlives this process, without a shell, and resolves with its pid when it runs and has been given its
 * stdin. Whether it reads that is its own business. Throws what the system says where it refuses.
 */
export async function startDetachedProcess(
  [command, ...args]: readonly [string, ...string[]],
  { env, output, stdin }: DetachedProcess,
): Promise<number> {
  const file = openSync(output, 'a', PRIVATE_FILE);
  try {
    const child = spawn(command, args, {
      // A folder that nobody wants to remove.
      cwd: path.parse(output).root,
      env,
      detached: true,
      shell: false,
      windowsHide: true,
      stdio: [stdin === undefined ? 'ignore' : 'pipe', file, file],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    await new Promise<void>((resolve) => {
      if (child.stdin === null) {
        resolve();
        return;
      }
      child.stdin.on('error', () => resolve());
      child.stdin.end(stdin, resolve);
    });
    child.unref();
    return child.pid ?? 0;
  } finally {
    closeSync(file);
  }
}
