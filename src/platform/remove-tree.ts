import { chmod, readdir, rm, rmdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from './errors.ts';

/**
 * Files that are deleted at once. Node's own recursive `rm` asks for all of a folder's at the same time, and every other look at
 * the disk in this process waits behind them.
 */
const AT_ONCE = 3;

/** Deletes a folder with all that is in it, also where folders are read-only (module caches are). What is gone is fine. */
export async function removeTree(folder: string): Promise<void> {
  if (process.platform === 'win32') {
    // Retries while a scanner holds a file; not run here.
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  } else {
    await remove(Buffer.from(folder));
  }
}

/** Names are bytes here: a file system may hold some that are no text. */
async function remove(folder: Buffer): Promise<void> {
  let entries;
  try {
    entries = await opened(folder, () => readdir(folder, { encoding: 'buffer', withFileTypes: true }));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    if (!hasCode(error, 'ENOTDIR')) throw error;
    await unlink(folder);
    return;
  }
  const at = (name: Buffer): Buffer => Buffer.concat([folder, Buffer.from(path.sep), name]);
  for (const { name } of entries.filter((entry) => entry.isDirectory())) await remove(at(name));
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => at(name));
  for (let from = 0; from < files.length; from += AT_ONCE) {
    const batch = files.slice(from, from + AT_ONCE);
    await Promise.all(batch.map((file) => gone(opened(folder, () => unlink(file)))));
  }
  await gone(rmdir(folder));
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
  try {
    await removed;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
