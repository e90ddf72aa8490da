import { readFile, readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { powershell, readProcStat, systemTool } from './process-id.ts';
import type { ProcessId } from './process-id.ts';

/** A living process, as the system's table shows it. */
export interface TableEntry {
  readonly id: ProcessId;
  readonly parent: number;
  /**
   * The number that a process shares with those it was started with: the session on Linux, the process group on macOS, 0
   * where there is none. It is the pid of the leader, and the system gives that pid to nobody else while a member lives.
   */
  readonly group: number;
  /** When it started, on the scale of {@link processClock}. */
  readonly startedAt: number;
  /** Whether its environment held the marker when its program was started. */
  readonly marked: boolean;
}

/** Entries of /proc that are read before the event loop gets its turn: well under 2 ms. */
const SLICE = 50;

/** How long a process may take to become another program on a busy machine, and how often it is looked at meanwhile: ms. */
const CHANGE_WITHIN = 1000;
const PAUSE = 2;

/** How often a process has to show no environment to have none. */
const LOOKS = 4;

/**
 * All living processes that this user may see (zombies count as gone).
 *
 * @param marker a `NAME=value` of an environment to look for.
 * @param since what started earlier (scale of {@link processClock}) is not looked into for the marker.
 */
export async function processTable(marker: string, since: number): Promise<TableEntry[]> {
  if (process.platform === 'linux') return linuxTable(marker, since);
  if (process.platform === 'win32') return windowsTable();
  return bsdTable(marker);
}

/** Now, on the scale of {@link TableEntry.startedAt}: clock ticks since boot on Linux (100 a second), elsewhere ms since the epoch. */
export function processClock(): number {
  if (process.platform !== 'linux') return Date.now();
  return Math.round(Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 100);
}

/** When the process started, on the scale of {@link processClock}. */
export function startedAt(id: ProcessId): number {
  if (process.platform === 'linux') return Number(id.start.slice(id.start.lastIndexOf(':') + 1));
  return process.platform === 'win32' ? fromFileTime(id.start) : Date.parse(`${id.start} UTC`);
}

/** The command line of a process, for a person to read, at most 120 characters; '' when it is gone. */
export async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const words = (await readText(`/proc/${pid}/cmdline`)).split('\0');
    return words.join(' ').trim().slice(0, 120);
  }
  if (process.platform === 'win32') {
    return (await powershell(`(Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}').CommandLine`))
      .trim()
      .slice(0, 120);
  }
  return (await systemTool('/bin/ps', ['-ww', '-o', 'command=', '-p', String(pid)])).trim().slice(0, 120);
}

/** The command lines of all processes that this user may see; empty where the system does not tell. */
export async function commandLines(): Promise<string[]> {
  if (process.platform === 'linux') {
    const lines = await Promise.all(linuxPids(new Set()).map((pid) => readText(`/proc/${pid}/cmdline`)));
    return lines.map((line) => line.replaceAll('\0', ' ')).filter((line) => line !== '');
  }
  const text =
    process.platform === 'win32'
      ? await powershell('(Get-CimInstance Win32_Process).CommandLine')
      : await systemTool('/bin/ps', ['-A', '-ww', '-o', 'command=']);
  return text.split(/\r?\n/).filter((line) => line !== '');
}

async function linuxTable(marker: string, since: number): Promise<TableEntry[]> {
  const entries: TableEntry[] = [];
  const bare: TableEntry[] = [];
  const seen = new Set<string>();
  // A process that hands over to a child and ends while the table is read shows in the next listing.
  for (let pids = linuxPids(seen); pids.length > 0; pids = linuxPids(seen)) {
    for (const pid of pids) {
      seen.add(pid);
      if (seen.size % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
      const stat = readProcStat(Number(pid));
      if (stat === undefined || stat.zombie) continue;
      const environment = stat.ticks >= since ? await environmentOf(pid) : undefined;
      const marked = hasVariable(environment, marker);
      const entry = { id: stat.id, parent: stat.parent, group: stat.session, startedAt: stat.ticks, marked };
      entries.push(entry);
      if (environment === '' && !stat.ofKernel) bare.push(entry);
    }
  }
  return bare.length === 0 ? entries : lookAgain(entries, bare, marker);
}

/**
 * A process that is just becoming another program shows neither environment nor command line for a moment: it is asked again. One
 * with a command line alone has no environment, when it shows so several times: some turn into one program after another.
 */
async function lookAgain(entries: TableEntry[], bare: readonly TableEntry[], marker: string): Promise<TableEntry[]> {
  const marked = new Set<TableEntry>();
  const left = new Map(bare.map((entry) => [entry, LOOKS]));
  for (const end = performance.now() + CHANGE_WITHIN; left.size > 0 && performance.now() < end;) {
    for (const [entry, looks] of left) {
      const { pid } = entry.id;
      const isWhole = (await readText(`/proc/${pid}/cmdline`)) !== '';
      if (hasVariable(await environmentOf(String(pid)), marker)) {
        marked.add(entry);
        left.delete(entry);
      } else if ((isWhole && looks === 1) || readProcStat(pid)?.zombie !== false) left.delete(entry);
      else if (isWhole) left.set(entry, looks - 1);
    }
    if (left.size > 0) await delay(PAUSE);
  }
  return entries.map((entry) => (marked.has(entry) ? { ...entry, marked: true } : entry));
}

function linuxPids(seen: ReadonlySet<string>): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && !seen.has(name));
}

/** Empty while a program takes the place of another; undefined where it cannot be read: the process is gone, or somebody else's. */
function environmentOf(pid: string): Promise<string | undefined> {
  // Not read synchronously: the kernel may keep the reader waiting for the process's memory map.
  return new Promise((resolve) =>
    readFile(`/proc/${pid}/environ`, 'latin1', (error, text) => resolve(error === null ? text : undefined)),
  );
}

function hasVariable(environment: string | undefined, variable: string): boolean {
  return environment !== undefined && `\0${environment}\0`.includes(`\0${variable}\0`);
}

/** A file of /proc, or '' where it cannot be read: the process is gone, or somebody else's. */
function readText(file: string): Promise<string> {
  return new Promise((resolve) => readFile(file, 'utf8', (error, text) => resolve(error === null ? text : '')));
}

/** macOS, not run here. With -E the command is followed by the environment, for this user's own processes. */
async function bsdTable(marker: string): Promise<TableEntry[]> {
  const text = await systemTool('/bin/ps', ['-A', '-E', '-ww', '-o', 'pid=,ppid=,pgid=,stat=,lstart=,command=']);
  const entries: TableEntry[] = [];
  for (const line of text.split('\n')) {
    const [pid, parent, group, state, d, m, n, time, year, ...command] = line.trim().split(/\s+/);
    if (year === undefined || state === undefined || state.startsWith('Z')) continue;
    const id: ProcessId = { pid: Number(pid), start: [d, m, n, time, year].join(' ') };
    const marked = command.includes(marker);
    entries.push({ id, parent: Number(parent), group: Number(group), startedAt: startedAt(id), marked });
  }
  return entries;
}

/** Windows, not run here: no group and no environment to be seen, so parents alone tell. */
async function windowsTable(): Promise<TableEntry[]> {
  const text = await powershell(
    'Get-CimInstance Win32_Process | Where-Object CreationDate | ForEach-Object ' +
      '{ "$($_.ProcessId) $($_.ParentProcessId) $($_.CreationDate.ToFileTimeUtc())" }',
  );
  return text
    .split(/\r?\n/)
    .map((line) => line.trim().split(' '))
    .filter((words) => words.length === 3)
    .map(([pid, parent, start = '']) => ({
      id: { pid: Number(pid), start },
      parent: Number(parent),
      group: 0,
      startedAt: fromFileTime(start),
      marked: false,
    }));
}

/** File time (100 ns since 1601) as ms since the epoch. */
function fromFileTime(text: string): number {
  return Number(text) / 10_000 - 11_644_473_600_000;
}
