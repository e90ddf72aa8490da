import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

export interface DiskUse {
  /** Bytes on disk (of the content, where the system does not tell). */
  readonly bytes: number;
  readonly files: number;
  /** False when the limit was reached, and the figures are the least that it can be. */
  readonly complete: boolean;
}

/** Files that are looked at in one folder: a bound for `node_modules` of many worktrees. */
const MOST_FILES = 300_000;
/** Looks under way at once: enough to keep a disk busy, few enough to leave the thread pool to others. */
const AT_ONCE = 16;

/** The disk that a folder uses with all below it; 0 where it is not there. What vanishes meanwhile does not count. */
export async function folderSize(
  folder: string,
  { signal, limit = MOST_FILES }: { readonly signal?: AbortSignal; readonly limit?: number } = {},
): Promise<DiskUse> {
  let bytes = 0;
  let files = 0;
  const folders = [Buffer.from(folder)];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    signal?.throwIfAborted();
    if (files >= limit) return { bytes, files, complete: false };
    const here = at;
    const entries = await readdir(here, { encoding: 'buffer', withFileTypes: true }).catch(() => []);
    const whole = entries.map((entry) => ({ entry, file: Buffer.concat([here, Buffer.from(path.sep), entry.name]) }));
    folders.push(...whole.filter(({ entry }) => entry.isDirectory()).map(({ file }) => file));
    const others = whole.filter(({ entry }) => !entry.isDirectory());
    files += others.length;
    for (let from = 0; from < others.length; from += AT_ONCE) {
      const stats = others.slice(from, from + AT_ONCE).map(({ file }) => lstat(file).catch(() => undefined));
      for (const stat of await Promise.all(stats)) bytes += (stat?.blocks ?? 0) * 512 || (stat?.size ?? 0);
    }
  }
  return { bytes, files, complete: true };
}
