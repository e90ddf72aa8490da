import { lstat, readdir, rmdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readIfExists } from '../platform/atomic-file.ts';
import { unguarded, type Guard } from '../platform/guard.ts';
import { removeTree } from '../platform/remove-tree.ts';
import { namesIn, registrationOf } from './registration.ts';
import type { Repository } from './types.ts';
import { INITIALIZING } from './worktree-list.ts';

/** git writes the files of a registration within a millisecond. One that is incomplete for longer has lost its git: ms. */
const WRITTEN_WITHIN = 1000;

/**
 * Folders in git's `worktrees` that a `git worktree add` left which was killed while it wrote them. git lists no such worktree,
 * and prunes none, because it is locked.
 */
export async function halfMadeRegistrations(repository: Repository): Promise<string[]> {
  const folder = path.join(repository.commonDir, 'worktrees');
  const found: string[] = [];
  for (const name of await namesIn(folder)) {
    const registration = path.join(folder, name);
    if ((await isIncomplete(registration)) && (await age(registration)) > WRITTEN_WITHIN) found.push(registration);
  }
  return found;
}

/** Removes a registration if it still is half made. Nobody can have worked in its worktree. */
export async function removeHalfMade(registration: string): Promise<void> {
  if (await isIncomplete(registration)) await removeTree(registration);
}

/** Removes what a killed `git worktree add` of this folder left half made, and waits where it may still be at work. */
export async function clearHalfMade(
  { commonDir }: Repository,
  worktree: string,
  guard: Guard = unguarded,
): Promise<void> {
  const leaf = path.basename(worktree);
  const folder = path.join(commonDir, 'worktrees');
  for (const name of await namesIn(folder)) {
    const registration = path.join(folder, name);
    // git adds a number where the name is taken.
    if (!name.startsWith(leaf) || !/^\d*$/.test(name.slice(leaf.length)) || !(await isIncomplete(registration))) {
      continue;
    }
    const files = await content(registration, 'gitdir');
    if (files !== '' && path.resolve(registration, files) !== path.join(worktree, '.git')) continue;
    await delay(Math.max(0, WRITTEN_WITHIN - (await age(registration))));
    if (!(await isIncomplete(registration))) continue;
    guard();
    // The pointer to it, as far as it was written: the folder is empty then, as it was reserved.
    const pointer = path.join(worktree, '.git');
    const leads = (await registrationOf(worktree).catch(() => undefined)) === registration;
    if (leads || (await isEmptyFile(pointer))) await unlink(pointer);
    await removeTree(registration);
  }
  // Like git itself: the folder goes with its last entry.
  await rmdir(folder).catch(() => undefined);
}

/** Whether git began to write it and did not come to the end: the lock comes first (builtin/worktree.c). */
async function isIncomplete(registration: string): Promise<boolean> {
  const names = await readdir(registration).catch(() => undefined);
  if (names === undefined) return false;
  const lock = await content(registration, 'locked');
  if (names.length > 0 && !names.includes('locked')) return false;
  if (lock !== '' && lock !== INITIALIZING) return false;
  const files = await Promise.all(['gitdir', 'HEAD', 'commondir'].map((name) => content(registration, name)));
  return files.includes('');
}

/** A file's text, or '' where there is none. */
async function content(folder: string, name: string): Promise<string> {
  return ((await readIfExists(path.join(folder, name))) ?? '').toString().trim();
}

async function isEmptyFile(file: string): Promise<boolean> {
  const found = await lstat(file).catch(() => undefined);
  return found?.isFile() === true && found.size === 0;
}

async function age(folder: string): Promise<number> {
  const { mtimeMs } = await stat(folder);
  return Date.now() - mtimeMs;
}
