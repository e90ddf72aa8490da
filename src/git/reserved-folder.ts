import { lstat, mkdir, realpath, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { hasCode, reasonOf, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';

/** A folder that was made empty for a checkout, so that it is certain whose it is. */
export interface ReservedFolder {
  /** The real path. */
  readonly path: string;
  /** Whether the folder at the path is still the one that was made, and not another one of the same name. */
  readonly isOurs: () => Promise<boolean>;
  /** Removes the folders that were made, if they are still there and empty. */
  readonly release: () => Promise<void>;
}

/** How often the parent may vanish: a spawn that fails at the same time removes the empty parent that it made. */
const ATTEMPTS = 5;

/** Makes the folder, and those above it. Throws a TreelineError: `path-relative`, `path-taken`, `path-unwritable`. */
export async function reserveFolder(wanted: string): Promise<ReservedFolder> {
  if (!path.isAbsolute(wanted)) {
    throw new TreelineError(say('path-relative', { folder: wanted }));
  }
  const top = await make(wanted);
  const real = await realpath(wanted);
  const made = await identity(real);
  const isOurs = async (): Promise<boolean> => (await identity(real)) === made;
  return {
    path: real,
    isOurs,
    release: async () => {
      if (await isOurs()) await rmdir(real);
      if (top === undefined) return;
      for (let folder = path.dirname(wanted); folder.length >= top.length; folder = path.dirname(folder)) {
        try {
          await rmdir(folder);
        } catch {
          return; // Somebody else uses it by now.
        }
      }
    },
  };
}

/** Returns the topmost of the parents that had to be made. */
async function make(wanted: string): Promise<string | undefined> {
  let top: string | undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      top = (await mkdir(path.dirname(wanted), { recursive: true })) ?? top;
      await mkdir(wanted);
      return top;
    } catch (error) {
      if (hasCode(error, 'ENOENT') && attempt < ATTEMPTS) continue;
      if (hasCode(error, 'EEXIST') && (error as NodeJS.ErrnoException).path === wanted) {
        throw new TreelineError(say('path-taken', { folder: wanted }), { cause: error });
      }
      throw new TreelineError(say('path-unwritable', { folder: wanted, reason: reasonOf(error) }), { cause: error });
    }
  }
}

async function identity(folder: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await lstat(folder, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
