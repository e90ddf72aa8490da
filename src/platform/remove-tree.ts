import { chmod, lstat, readdir, rm, rmdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from './errors.ts';
import { mounted, refuseMounts } from './mounts.ts';

/**
 * Files that are deleted at once. Node's own recursive `rm` asks for all of a folder's at the same time, and every other look at
 * the disk in this process waits behind them.
 */
const AT_ONCE = 3;

/** How often a folder is emptied that is filled meanwhile. */
const TRIES = 5;

/**
 * Deletes a folder with all that is in it, also where folders are read-only (module caches are); of a link, the link. What is
 * gone is fine. It never leaves the folder's file system: where something is mounted inside, nothing is deleted.
 * @throws TreelineError `mounted`
 */
export async function removeTree(folder: string): Promise<void> {
  await refuseMounts(folder, 'deleted');
  if (process.platform === 'win32') {
    // Retries while a scanner holds a file; not run here.
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  } else {
    const found = await lstat(folder).catch(ignoreGone);
    if (found?.isDirectory() === true) await remove(Buffer.from(folder), found.dev);
    else if (found !== undefined) await gone(unlink(folder));
  }
}

/** Deletes all that is in a folder, which stays; likewise. */
export async function emptyFolder(folder: string): Promise<void> {
  await refuseMounts(folder, 'emptied');
  const found = await lstat(folder).catch(ignoreGone);
  if (found !== undefined) await empty(Buffer.from(folder), found.dev);
}

/** @param device the tree's own: what was mounted since the first look, or is listed nowhere, ends the deletion. */
async function remove(folder: Buffer, device: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    await empty(folder, device);
    try {
      await gone(rmdir(folder));
      return;
    } catch (error) {
      // A program that is just being ended may still write.
      if (!hasCode(error, 'ENOTEMPTY') || tries === TRIES) throw error;
      await delay(50);
    }
  }
}

/** Names are bytes here: a file system may hold some that are no text. */
async function empty(folder: Buffer, device: number): Promise<void> {
  let entries;
  try {
    entries = await opened(folder, () => readdir(folder, { encoding: 'buffer', withFileTypes: true }));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const at = (name: Buffer): Buffer => Buffer.concat([folder, Buffer.from(path.sep), name]);
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    const inner = at(name);
    const found = await lstat(inner).catch(ignoreGone);
    if (found === undefined) continue;
    if (found.dev !== device) throw mounted(folder.toString(), [inner.toString()], 'deleted');
    await remove(inner, device);
  }
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => at(name));
  for (let from = 0; from < files.length; from += AT_ONCE) {
    const batch = files.slice(from, from + AT_ONCE);
    await Promise.all(batch.map((file) => gone(opened(folder, () => unlink(file)))));
  }
}

/** Does something in a folder, which is opened to its owner if need be. */
async function opened<T>(folder: Buffer, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!hasCode(error, 'EACCES')) throw error;
    await chmod(folder, 0o700);
    return act();
  }
}

async function gone(removed: Promise<void>): Promise<void> {
  await removed.catch(ignoreGone);
}

function ignoreGone(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT') && !hasCode(error, 'ENOTDIR')) throw error;
}
