import { readFile, readlink } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { readProcStat, type ProcessId } from './process-id.ts';
import { commandOf } from './process-table.ts';

/** A process that a search found. */
export interface FoundProcess {
  readonly id: ProcessId;
  /** Its command line, at most 120 characters. */
  readonly command: string;
}

/** Processes that are looked at before the event loop gets its turn. */
const SLICE = 50;

/**
 * The living processes whose working directory is `folder` or lies in it, as far as this user may see them. Linux alone
 * tells; elsewhere the list is empty, and on Windows a folder that is in use so cannot be moved anyway.
 *
 * @param folder a real path.
 */
export async function workingIn(folder: string): Promise<FoundProcess[]> {
  return search(async (pid) => {
    const cwd = (await readlink(`/proc/${pid}/cwd`)).replace(/ \(deleted\)$/, '');
    return cwd === folder || cwd.startsWith(folder + path.sep) ? '' : undefined;
  });
}

/**
 * The living processes of this user that have a variable of this name in their environment, with its value. Linux alone
 * can tell (elsewhere an empty list).
 */
export async function withVariable(name: string): Promise<(FoundProcess & { readonly value: string })[]> {
  const start = `${name}=`;
  return search(async (pid) => {
    const variables = (await readFile(`/proc/${pid}/environ`, 'latin1')).split('\0');
    return variables.find((variable) => variable.startsWith(start))?.slice(start.length);
  });
}

/** @param look gives something for a process that is wanted, undefined for another; may throw where the process is gone or somebody else's. */
async function search(
  look: (pid: number) => Promise<string | undefined>,
): Promise<(FoundProcess & { readonly value: string })[]> {
  if (process.platform !== 'linux') return [];
  const found: (FoundProcess & { readonly value: string })[] = [];
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  for (const [index, pid] of pids.entries()) {
    if (index % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve));
    const value = await look(pid).catch(() => undefined);
    const stat = value === undefined || pid === process.pid ? undefined : readProcStat(pid);
    if (value === undefined || stat === undefined || stat.zombie) continue;
    found.push({ id: stat.id, command: await commandOf(pid), value });
  }
  return found;
}
