import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { ExitRecord } from '../store/model.ts';

/** Which of the expected files are there. A path that leads out of the worktree, also through a link, counts as absent. */
export function lookFor(worktree: string, expects: readonly string[]): Promise<ExitRecord['expected']> {
  return Promise.all(expects.map(async (name) => ({ path: name, present: await isInside(worktree, name) })));
}

async function isInside(worktree: string, name: string): Promise<boolean> {
  try {
    const file = path.resolve(worktree, name);
    const root = await realpath(worktree);
    const folder = await realpath(path.dirname(file));
    const within = path.relative(root, path.join(folder, path.basename(file)));
    if (within === '' || within === '..' || within.startsWith(`..${path.sep}`) || path.isAbsolute(within)) return false;
    await lstat(file);
    return true;
  } catch {
    // Not there, or not to be reached: absent either way.
    return false;
  }
}
