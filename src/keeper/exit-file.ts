import { randomBytes } from 'node:crypto';
import { link, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { readIfExists, writeAtomic } from '../platform/atomic-file.ts';
import { parseJson } from '../platform/check.ts';
import { TreelineError, hasCode } from '../platform/errors.ts';
import { exitRecord, type ExitRecord } from '../store/model.ts';
import { RUN_FILES } from './protocol.ts';

const text = (exit: ExitRecord): string => `${JSON.stringify(exit, null, 2)}\n`;

export function writeExit(runFolder: string, exit: ExitRecord): Promise<void> {
  return writeAtomic(path.join(runFolder, RUN_FILES.exit), text(exit));
}

/** Writes exit.json where there is none. Of several writers at once exactly one gets true. */
export async function writeExitOnce(runFolder: string, exit: ExitRecord): Promise<boolean> {
  const file = path.join(runFolder, RUN_FILES.exit);
  const own = `${file}.${randomBytes(6).toString('hex')}`;
  await writeAtomic(own, text(exit));
  try {
    // Unlike a rename, a link fails where the name is taken.
    await link(own, file);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/** The run's exit.json; undefined while there is none. Throws TreelineError `invalid` when it is damaged. */
export async function readExit(runFolder: string): Promise<ExitRecord | undefined> {
  try {
    const bytes = await readIfExists(path.join(runFolder, RUN_FILES.exit));
    return bytes === undefined ? undefined : parseJson(bytes.toString('utf8'), exitRecord, RUN_FILES.exit);
  } catch (cause) {
    if (!hasCode(cause, 'ENOTREG')) throw cause;
    throw new TreelineError('invalid', `${RUN_FILES.exit} is not a file.`, { cause });
  }
}

/** As {@link readExit}, but a damaged one is set aside for people to look at, so that another can be written. */
export async function readOrSetAsideExit(runFolder: string): Promise<ExitRecord | undefined> {
  try {
    return await readExit(runFolder);
  } catch (error) {
    if (!(error instanceof TreelineError && error.code === 'invalid')) throw error;
    const file = path.join(runFolder, RUN_FILES.exit);
    const aside = `${file}.damaged`;
    await rename(file, aside);
    // Another window may have been quicker, and what was moved is its good one.
    const bytes = await readIfExists(aside);
    try {
      const exit = parseJson(bytes?.toString('utf8') ?? '', exitRecord, RUN_FILES.exit);
      await rename(aside, file);
      return exit;
    } catch {
      return undefined;
    }
  }
}
