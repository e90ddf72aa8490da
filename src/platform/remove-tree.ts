import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from './errors.ts';

/** Deletes a folder with all that is in it, also where folders are read-only (module caches are). What is gone is fine. */
export async function removeTree(folder: string): Promise<void> {
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  try {
    await remove();
  } catch (error) {
    if (!hasCode(error, 'EACCES') && !hasCode(error, 'EPERM')) throw error;
    await makeWritable(Buffer.from(folder));
    await remove();
  }
}

/** Names are bytes here: a file system may hold some that are no text. */
async function makeWritable(folder: Buffer): Promise<void> {
  if (!(await lstat(folder)).isDirectory()) return;
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { encoding: 'buffer', withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(Buffer.concat([folder, Buffer.from(path.sep), entry.name]));
  }
}
