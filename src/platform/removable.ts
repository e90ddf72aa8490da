import { access, chmod, constants, lstat, readdir } from 'node:fs/promises';
import type { Dirent, Stats } from 'node:fs';
import path from 'node:path';
import { say, type Said } from '../words/saying.ts';
import { hasCode, TreelineError } from './errors.ts';
import { mounted, refuseMounts } from './mounts.ts';

/** Files that are looked at at once. */
const AT_ONCE = 8;
/** With so many obstacles, the rest of the tree is not looked at. */
const ENOUGH = 100;
/** In a folder with this bit (as /tmp has), only the owner of a file may delete it. */
const STICKY = 0o1000;

interface Obstacle {
  readonly path: string;
  /** Its owner's number; absent where the system protects it from everybody. */
  readonly owner?: number;
}

/**
 * Throws when this user could not delete a tree as a whole, because of somebody else's folder, a protected file or a mount
 * in it. Nothing is changed. What is not there is fine. Windows tells only when a file is deleted.
 * @throws TreelineError `mounted`, `not-deletable`
 */
export async function refuseUnremovable(folder: string): Promise<void> {
  await refuseMounts(folder, 'deleted');
  const found = await lstat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true || process.platform === 'win32') return;
  const obstacles: Obstacle[] = [];
  await lookInto(Buffer.from(folder), found, found.dev, obstacles);
  const [first] = obstacles;
  if (first === undefined) return;
  const files: Said[] = [first.path];
  if (obstacles.length > 1) {
    files.push(say('more', { count: `${obstacles.length - 1}${obstacles.length >= ENOUGH ? '+' : ''}` }));
  }
  if (first.owner === undefined) throw new TreelineError(say('not-deletable.protected', { folder, files }));
  const owner = first.owner === 0 ? say('owner.root') : say('owner.user', { user: first.owner });
  throw new TreelineError(say('not-deletable.owner', { folder, files, owner, user: process.geteuid?.() ?? '' }));
}

/** Who may write to a folder may delete what is in it, whoever owns that. */
async function lookInto(folder: Buffer, stat: Stats, device: number, obstacles: Obstacle[]): Promise<void> {
  if (stat.dev !== device) throw mounted(folder.toString(), [folder.toString()], 'deleted');
  const isOwn = stat.uid === process.geteuid?.();
  const refused = await refusal(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  const isClosed = refused === 'EACCES' && isOwn;
  // The deletion opens one's own folders; so does the look, for as long as it takes.
  if (isClosed) await chmod(folder, 0o700);
  try {
    const entries = await readdir(folder, { encoding: 'buffer', withFileTypes: true }).catch(() => undefined);
    if (entries?.length === 0) return;
    if (entries === undefined || (refused !== undefined && !isClosed)) {
      obstacles.push({ path: folder.toString(), ...(refused === 'EACCES' && { owner: stat.uid }) });
      return;
    }
    const isSticky = (stat.mode & STICKY) !== 0 && !isOwn && process.geteuid?.() !== 0;
    for (let from = 0; from < entries.length && obstacles.length < ENOUGH; from += AT_ONCE) {
      const batch = entries.slice(from, from + AT_ONCE);
      await Promise.all(batch.map((entry) => lookAt(folder, entry, device, isSticky, obstacles)));
    }
  } finally {
    if (isClosed) await chmod(folder, stat.mode & 0o7777);
  }
}

async function lookAt(
  folder: Buffer,
  entry: Dirent<Buffer>,
  device: number,
  isSticky: boolean,
  obstacles: Obstacle[],
): Promise<void> {
  const file = Buffer.concat([folder, Buffer.from(path.sep), entry.name]);
  const stat = entry.isDirectory() || isSticky ? await lstat(file).catch(() => undefined) : undefined;
  if (isSticky && stat !== undefined && stat.uid !== process.geteuid?.()) {
    obstacles.push({ path: file.toString(), owner: stat.uid });
  } else if (entry.isDirectory()) {
    if (stat !== undefined) await lookInto(file, stat, device, obstacles);
  } else if (entry.isFile() && (await refusal(file, constants.W_OK)) === 'EPERM') {
    // An immutable file: a file's own permissions do not matter, and give EACCES.
    obstacles.push({ path: file.toString() });
  }
}

/** The code with which the system refuses the access; undefined when it does not, or the file is gone. */
async function refusal(file: Buffer, mode: number): Promise<'EACCES' | 'EPERM' | undefined> {
  try {
    await access(file, mode);
  } catch (error) {
    if (hasCode(error, 'EACCES')) return 'EACCES';
    if (!hasCode(error, 'ENOENT')) return 'EPERM';
  }
  return undefined;
}
