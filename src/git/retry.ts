import { setTimeout as delay } from 'node:timers/promises';
import type { GitResult } from './git.ts';
import { isTransient } from './git-error.ts';

/** Pauses before another try, ms. */
const RETRY_AFTER_MS = [30, 80, 200, 500, 1000];

/**
 * Runs a git again while it fails for another git that holds a lock, or that is in the middle of making a worktree (seen:
 * "failed to read .git/worktrees/x/commondir" in 4 of 80 bare `git worktree add`, ten at once). Gives up after about 2 seconds.
 * @param isDone tells that a failed git has done its work all the same, so that it is not tried again.
 */
export async function retrying(
  run: () => Promise<GitResult>,
  isDone: () => Promise<boolean> = () => Promise.resolve(false),
): Promise<GitResult> {
  for (let attempt = 0; ; attempt++) {
    const result = await run();
    const pause = RETRY_AFTER_MS[attempt];
    if (result.exitCode === 0 || pause === undefined || !isTransient(result.stderr) || (await isDone())) return result;
    // Uneven, so that several that wait do not meet again. A cancel is noticed by the next run.
    await delay(pause * (0.5 + Math.random()));
  }
}
