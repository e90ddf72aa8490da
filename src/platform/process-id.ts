import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { nonEmpty, optional, positive, shape, type Output } from './check.ts';
import { hasCode } from './errors.ts';

/** A process beyond doubt: pids are reused, a pid with its start time is not. */
export const readProcessId = shape({
  pid: positive,
  /**
   * An opaque word for the moment of the start, comparable for equality only, on the same machine: on Linux the boot id
   * and the start time in clock ticks (proc(5), `stat` field 22), elsewhere what the system prints.
   */
  start: nonEmpty,
  /** The machine, where it is known: several may share one home, and none can see the processes of another. */
  host: optional(nonEmpty),
});
export type ProcessId = Output<typeof readProcessId>;

/** What /proc/<pid>/stat says of a process. */
export interface ProcStat {
  readonly id: ProcessId;
  /** Dead already, though not yet fetched by its parent. */
  readonly zombie: boolean;
  /** A thread of the kernel, which has no program. */
  readonly ofKernel: boolean;
  readonly parent: number;
  readonly session: number;
  /** Clock ticks since boot. */
  readonly ticks: number;
  /** The device number of its controlling terminal; 0 without one. */
  readonly terminal: number;
}

/** The flag of a kernel thread (include/linux/sched.h). */
const PF_KTHREAD = 0x00200000;

let host: string | undefined;

/** The name by which this machine is told from others that share its files. `TREELINE_HOST` gives another, for tests. */
export function hostName(): string {
  host ??= process.env['TREELINE_HOST'] ?? os.hostname();
  return host;
}

/** Whether it is a process of another machine: nothing here can tell whether it lives. */
export function isElsewhere(id: ProcessId): boolean {
  return id.host !== undefined && id.host !== hostName();
}

let boot: string | undefined;

/** The identity of this boot: without it a start time would be equal to one of before a restart of the machine. */
function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return boot;
}

/** Linux: one process from /proc, or undefined when there is none. Fields as numbered in proc(5). */
export function readProcStat(pid: number): ProcStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // ENOENT, or ESRCH when it died between open and read: gone either way.
    return undefined;
  }
  // Field 2 is the program's name in parentheses, which may itself hold blanks and parentheses: count from its end.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): string => fields[number - 3] ?? '';
  return {
    id: { pid, start: `${bootId()}:${field(22)}`, host: hostName() },
    zombie: field(3) === 'Z' || field(3) === 'X',
    ofKernel: (Number(field(9)) & PF_KTHREAD) !== 0,
    parent: Number(field(4)),
    session: Number(field(6)),
    terminal: Number(field(7)),
    ticks: Number(field(22)),
  };
}

/** Linux: as {@link processId}, at once. */
export function processIdSync(pid: number): ProcessId | undefined {
  const stat = readProcStat(pid);
  return stat === undefined || stat.zombie ? undefined : stat.id;
}

/** The identity of the process that has this pid now, or undefined when there is none. A zombie counts as gone. */
export async function processId(pid: number): Promise<ProcessId | undefined> {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (process.platform === 'linux') return processIdSync(pid);
  if (process.platform === 'win32') return windowsProcessId(pid);
  return bsdProcessId(pid);
}

/** Whether exactly this process still runs. One of another machine is taken for alive. */
export async function isAlive(id: ProcessId): Promise<boolean> {
  if (isElsewhere(id)) return true;
  return (await processId(id.pid))?.start === id.start;
}

/**
 * As {@link isAlive}, at once. Only Linux can tell so fast when a pid has come to another process; elsewhere (not run here)
 * a process with that pid counts.
 */
export function isAliveNow(id: ProcessId): boolean {
  if (isElsewhere(id)) return true;
  if (process.platform === 'linux') return processIdSync(id.pid)?.start === id.start;
  try {
    process.kill(id.pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** Whether both name one process. */
export function isSame(a: ProcessId, b: ProcessId): boolean {
  return a.pid === b.pid && a.start === b.start && (a.host ?? hostName()) === (b.host ?? hostName());
}

let self: Promise<ProcessId> | undefined;

/** The identity of this process. */
export function selfId(): Promise<ProcessId> {
  self ??= processId(process.pid).then((id) => id ?? { pid: process.pid, start: 'unknown', host: hostName() });
  return self;
}

/**
 * Runs a system tool and returns its stdout, or '' when it fails: `ps` exits with 1 where a pid is not there. Its
 * environment fixes language and time zone, because what it prints is compared and parsed.
 */
export function systemTool(program: string, argv: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const options = { env, maxBuffer: 64 * 1024 * 1024, windowsHide: true };
    execFile(program, argv, options, (_error, stdout) => resolve(stdout));
  });
}

/** macOS, not run here: `stat` is the state, `lstart` a date of five words. */
async function bsdProcessId(pid: number): Promise<ProcessId | undefined> {
  const [state, ...start] = (await systemTool('/bin/ps', ['-o', 'stat=,lstart=', '-p', String(pid)]))
    .trim()
    .split(/\s+/);
  return state === undefined || start.length === 0 || state.startsWith('Z')
    ? undefined
    : { pid, start: start.join(' '), host: hostName() };
}

/** Windows PowerShell, by its full path: a program of that name in the current folder must not be found first. Not run here. */
export function powershell(script: string): Promise<string> {
  const root = process.env['SYSTEMROOT'] ?? 'C:\\Windows';
  const program = path.win32.join(root, 'System32', 'WindowsPowerShell', 'v1.0', 'powershell.exe');
  return systemTool(program, ['-NoProfile', '-NonInteractive', '-Command', script]);
}

/** Windows, not run here: the creation time in file time units (100 ns). `pid` is a checked integer, so the script is fixed. */
async function windowsProcessId(pid: number): Promise<ProcessId | undefined> {
  const start = await powershell(
    `(Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}').CreationDate.ToFileTimeUtc()`,
  );
  return start.trim() === '' ? undefined : { pid, start: start.trim(), host: hostName() };
}

/** Windows, not run here: has a process and its descendants close, or (SIGKILL) ends them; whether anything was told so. */
export async function taskkill(pid: number, signal: NodeJS.Signals): Promise<boolean> {
  const program = `${process.env['SYSTEMROOT'] ?? 'C:\\Windows'}\\System32\\taskkill.exe`;
  const force = signal === 'SIGKILL' ? ['/F'] : [];
  return (await systemTool(program, ['/PID', String(pid), '/T', ...force])) !== '';
}
