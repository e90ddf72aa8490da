import os from 'node:os';
import { TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { isAtLeast } from '../platform/version.ts';
import { gitText } from './git.ts';

/**
 * The oldest git whose options are all there: `rev-parse --path-format` and the `locked` and `prunable` lines of
 * `worktree list --porcelain` came with 2.31, `rev-parse --end-of-options` with 2.30 (git's release notes).
 */
export const MINIMUM_GIT = '2.31';

let known: Promise<string> | undefined;

/** git's version, asked once. Throws a TreelineError when git is missing or older than MINIMUM_GIT. */
export function gitVersion(): Promise<string> {
  known ??= ask().catch((error: unknown) => {
    // Installing git repairs it without a new window.
    known = undefined;
    throw error;
  });
  return known;
}

async function ask(): Promise<string> {
  const said = await gitText(os.tmpdir(), ['version']);
  const version = /\d+(\.\d+)+/.exec(said)?.[0] ?? '0';
  if (!isAtLeast(version, MINIMUM_GIT)) {
    throw new TreelineError(say('git-too-old', { version, minimum: MINIMUM_GIT }));
  }
  return version;
}
