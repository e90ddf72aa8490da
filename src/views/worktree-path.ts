import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from '../platform/errors.ts';
import { isInside } from '../platform/paths.ts';

/** Where a path leads that an agent named. `outside`: it may only be opened after the user was asked. */
export interface Target {
  readonly path: string;
  readonly outside: boolean;
}

/**
 * Where `named` (relative to the worktree, or absolute) really leads, with symbolic links followed. A path that is outside
 * by its text alone is not looked at on disk, since even a look can reach the network on Windows. `undefined`: no such file.
 */
export async function resolveInWorktree(worktree: string, named: string): Promise<Target | undefined> {
  const wanted = path.resolve(worktree, named);
  try {
    const root = await realpath(worktree);
    // The agent may name the worktree by its real path or by the one it was given.
    if (!isInside(wanted, worktree) && !isInside(wanted, root)) {
      return { path: wanted, outside: true };
    }
    const real = await realpath(wanted);
    return { path: real, outside: !isInside(real, root) };
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}
