import { readdir, readlink, stat } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { readProcStat, type ProcessId } from './process-id.ts';
import { descendants } from './process-tree.ts';

/** What a terminal's file is called. */
const TERMINAL = /^\/dev\/(pts\/\d+|tty\w+)$/;

/**
 * Of the processes of a family, the daemons that somebody else has joined, each with all that descends from it: a terminal
 * multiplexer that an agent started, and in which the user has opened a window.
 *
 * Such a daemon leads a session of its own, has no parent in the family, and holds a terminal open in which processes run that
 * are not of the family. Somebody must have handed it that terminal: an agent has none. Linux alone tells; elsewhere nobody has
 * joined.
 */
export async function joinedByOthers(
  family: readonly ProcessId[],
): Promise<ReadonlyMap<ProcessId, readonly ProcessId[]>> {
  const joined = new Map<ProcessId, readonly ProcessId[]>();
  if (process.platform !== 'linux') return joined;
  const pids = new Set(family.map(({ pid }) => pid));
  let foreign: ReadonlySet<number> | undefined;
  for (const id of family) {
    const found = readProcStat(id.pid);
    if (found === undefined || found.session !== id.pid || pids.has(found.parent)) continue;
    const terminals = await terminalsOf(id.pid);
    if (terminals.length === 0) continue;
    foreign ??= terminalsOfOthers(pids);
    if (terminals.some((terminal) => foreign?.has(terminal))) {
      joined.set(id, await descendants({ roots: [id], marker: 'no variable' }));
    }
  }
  return joined;
}

/** The numbers of the terminals that a process holds open, as /proc/<pid>/stat writes them. */
async function terminalsOf(pid: number): Promise<readonly number[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const files = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  const devices = [...new Set(files)]
    .filter((file) => TERMINAL.test(file))
    .map((file) => stat(file).catch(() => undefined));
  return (await Promise.all(devices)).flatMap((found) => (found === undefined ? [] : [found.rdev]));
}

/** The terminals in which processes run that are not of the family. */
function terminalsOfOthers(family: ReadonlySet<number>): ReadonlySet<number> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && !family.has(Number(name)));
  return new Set(pids.flatMap((pid) => readProcStat(Number(pid))?.terminal ?? []));
}
