import { lstat, readFile, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { say, some } from '../words/saying.ts';
import { hasCode, TreelineError } from './errors.ts';

/** Mounts that a refusal names. */
const NAMED = 3;

/** What cannot be done with a folder. */
export type Refused = 'deleted' | 'emptied' | 'moved' | 'replaced' | 'used';

/**
 * Throws when something is mounted at a folder or below it: what is deleted or moved with the folder would be somebody else's.
 * @param what what is refused.
 * @throws TreelineError `mounted`
 */
export async function refuseMounts(folder: string, what: Refused): Promise<void> {
  const mounts = await mountsIn(folder);
  if (mounts.length > 0) throw mounted(folder, mounts, what);
}

export function mounted(folder: string, mounts: readonly string[], what: Refused): TreelineError {
  return new TreelineError(say(`mounted.${what}`, { folder, mounts: some(mounts, NAMED) }));
}

/**
 * Where something is mounted at a folder or below it; of a link, nothing. Linux tells it of bind mounts too. Elsewhere other
 * file systems are found, by a walk through all folders.
 */
export async function mountsIn(folder: string): Promise<readonly string[]> {
  const real = await realpath(path.dirname(folder)).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT') && !hasCode(error, 'ENOTDIR')) throw error;
  });
  if (real === undefined) return [];
  const whole = path.join(real, path.basename(folder));
  const listed = process.platform === 'linux' ? await listedMounts().catch(() => undefined) : undefined;
  if (listed === undefined) return otherDevices(whole);
  // Bytes are compared, since a path may be no text.
  const wanted = Buffer.from(whole).toString('latin1');
  const inside = listed.filter((mount) => mount === wanted || mount.startsWith(wanted + path.sep));
  return [...new Set(inside)].map((mount) => Buffer.from(mount, 'latin1').toString('utf8'));
}

/** The mount points that this process sees, as latin1. */
async function listedMounts(): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'latin1')).trimEnd().split('\n');
  // proc(5): the fifth field, in which a space, a tab, a newline and a backslash are written as octal numbers.
  return lines.map((line) =>
    (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_all, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    ),
  );
}

/** Folders below this one, and itself, that are on another device than the folder which holds them. */
async function otherDevices(folder: string): Promise<readonly string[]> {
  const [found, parent] = await Promise.all([look(folder), look(path.dirname(folder))]);
  if (found?.isDirectory() !== true) return [];
  if (found.dev !== parent?.dev) return [folder];
  const others: string[] = [];
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    const here = at;
    const entries = await readdir(here, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter((each) => each.isDirectory())) {
      const inner = path.join(here, entry.name);
      const stat = await look(inner);
      if (stat === undefined) continue;
      if (stat.dev === found.dev) folders.push(inner);
      else others.push(inner);
    }
  }
  return others;
}

function look(file: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  return lstat(file).catch(() => undefined);
}
