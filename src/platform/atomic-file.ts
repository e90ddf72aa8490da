import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from './errors.ts';
import { PRIVATE_FILE } from './paths.ts';
import { readRegular } from './regular-file.ts';

/** How often a rename is tried on Windows, where a virus scanner or a reader may hold the target for a moment (not run here). */
const RENAME_TRIES = 5;

/**
 * Replaces a file in one step: a reader sees the old content or the new, also after a power loss, and a failure leaves
 * the old file and no temporary one. The file is for the user alone. Of several writers at once the last one wins.
 *
 * @param sync false for what is of no use after a power loss: nothing waits for the disk then.
 */
export async function writeAtomic(
  file: string,
  content: string | Uint8Array,
  { sync = true }: { readonly sync?: boolean } = {},
): Promise<void> {
  const temporary = `${file}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx', PRIVATE_FILE);
    try {
      await handle.writeFile(content);
      if (sync) await handle.sync();
    } finally {
      await handle.close();
    }
    await renameOver(temporary, file);
  } catch (error) {
    // What went wrong first is what is told.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  if (sync) await syncFolder(path.dirname(file));
}

async function renameOver(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const held = process.platform === 'win32' && (hasCode(error, 'EPERM') || hasCode(error, 'EACCES'));
      if (!held || tries === RENAME_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * tries));
    }
  }
}

/** Makes new and changed names in a folder survive a power loss. Windows cannot, and some network file systems refuse. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!hasCode(error, 'EINVAL') && !hasCode(error, 'ENOTSUP')) throw error;
  } finally {
    await handle.close();
  }
}

/** The content of a file, or undefined where there is none. */
export async function readIfExists(file: string): Promise<Buffer | undefined> {
  try {
    return await readRegular(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
