import { hasCode } from './errors.ts';
import { isElsewhere, processId, readProcStat, taskkill } from './process-id.ts';
import type { ProcessId } from './process-id.ts';
import { processTable, startedAt } from './process-table.ts';
import type { TableEntry } from './process-table.ts';

/** What is known of a family of processes. */
export interface Family {
  /** Processes that belong to it for certain; those that are gone do no harm. */
  readonly roots: readonly ProcessId[];
  /** A `NAME=value` that the first of them was given in its environment, and that no other family has. */
  readonly marker: string;
  /**
   * A group whose leader is gone: its number, and when the leader was last known to hold it (see processClock). Members that
   * started before belong to the family: nobody else can have had the number then.
   */
  readonly endedGroup?: { readonly number: number; readonly at: number };
  /** True where members may be older than all roots; otherwise older processes are not looked into for the marker. */
  readonly anyAge?: true;
}

/**
 * The living processes of a family: the roots, everything that descends from one that belongs to it, what was started in a
 * group that one of them leads, and (daemons with a session and a parent of their own) what carries the marker in its
 * environment. Never this process, nor one of its ancestors.
 *
 * A daemon that was also started with an emptied environment, and whose parents are gone, cannot be told from a stranger's
 * process and is not found; on Windows, where no environment can be read, the same goes for every daemon.
 */
export async function descendants(family: Family): Promise<ProcessId[]> {
  const since = family.anyAge === true ? 0 : Math.min(...family.roots.map(startedAt));
  const table = await processTable(family.marker, Number.isFinite(since) ? since : 0);
  return members(table, family, process.pid).map((entry) => entry.id);
}

/** {@link descendants} on a given table, in the order of the table. */
export function members(table: readonly TableEntry[], family: Family, self: number): TableEntry[] {
  const byPid = new Map(table.map((entry) => [entry.id.pid, entry]));
  const byParent = Map.groupBy(table, (entry) => entry.parent);
  const byGroup = Map.groupBy(table, (entry) => entry.group);
  const untouchable = ancestors(byPid, self);
  const roots = new Map(family.roots.filter((root) => !isElsewhere(root)).map((root) => [root.pid, root.start]));
  const { endedGroup } = family;

  const found = new Set<TableEntry>();
  const reached = table.filter(
    (entry) =>
      entry.marked ||
      roots.get(entry.id.pid) === entry.id.start ||
      (entry.group === endedGroup?.number && entry.startedAt <= endedGroup.at),
  );
  for (let entry = reached.pop(); entry !== undefined; entry = reached.pop()) {
    const { pid } = entry.id;
    if (pid <= 1 || untouchable.has(pid) || found.has(entry)) continue;
    found.add(entry);
    // On Windows a child keeps the number of a parent that is long gone: who is older than the parent is not its child.
    const since = entry.startedAt;
    reached.push(...(byParent.get(pid) ?? []).filter((child) => child.startedAt >= since));
    if (entry.group === pid) reached.push(...(byGroup.get(pid) ?? []));
  }
  return table.filter((entry) => found.has(entry));
}

function ancestors(byPid: ReadonlyMap<number, TableEntry>, self: number): Set<number> {
  const line = new Set<number>();
  for (let pid = self; pid > 0 && !line.has(pid); pid = byPid.get(pid)?.parent ?? 0) line.add(pid);
  return line;
}

/**
 * Signals the process group that `leader` was started to lead. The leader may be dead, as long as its parent has not fetched
 * it: until then the number is its own. Windows has neither groups nor signals: the tree below the leader is asked to
 * close (SIGKILL: is ended) by taskkill; not run here.
 *
 * @returns false when the leader is gone, and nothing was signalled.
 */
export async function signalGroup(leader: ProcessId, signal: NodeJS.Signals): Promise<boolean> {
  if (!isTarget(leader)) return false;
  if (process.platform === 'linux') {
    return readProcStat(leader.pid)?.id.start === leader.start && kill(-leader.pid, signal);
  }
  if ((await processId(leader.pid))?.start !== leader.start) return false;
  return process.platform === 'win32' ? taskkill(leader.pid, signal) : kill(-leader.pid, signal);
}

/** Signals each of these processes that still is the process it was, and returns those that were signalled. */
export async function signalProcesses(ids: readonly ProcessId[], signal: NodeJS.Signals): Promise<ProcessId[]> {
  const signalled: ProcessId[] = [];
  for (const id of ids) {
    if (!isTarget(id) || (await processId(id.pid))?.start !== id.start) continue;
    const sent = process.platform === 'win32' ? await taskkill(id.pid, signal) : kill(id.pid, signal);
    if (sent) signalled.push(id);
  }
  return signalled;
}

/** Never this process, and never one of another machine, whose number is a stranger's here. */
function isTarget(id: ProcessId): boolean {
  const { pid } = id;
  return !isElsewhere(id) && Number.isInteger(pid) && pid > 1 && pid !== process.pid;
}

function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    // Gone since the look, or (a set-uid program) not ours to signal.
    if (hasCode(error, 'ESRCH') || hasCode(error, 'EPERM')) return false;
    throw error;
  }
}
