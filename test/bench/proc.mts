/** What the system says that a process uses. Linux only. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Clock ticks in a second: what Linux tells user space on every machine. */
const TICKS = 100;

/** MB that no other process shares. */
export function privateMemory(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return (
    [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].reduce((sum, [, kb]) => sum + Number(kb), 0) / 1024
  );
}

/** Percent of a core that these processes use together in the next seconds. */
export async function cpuOf(pids: readonly number[], seconds: number): Promise<number> {
  const ticks = (): number => pids.reduce((sum, pid) => sum + cpuTicks(pid), 0);
  const [start, before] = [performance.now(), ticks()];
  await delay(seconds * 1000);
  return ((ticks() - before) / TICKS / ((performance.now() - start) / 1000)) * 100;
}

/** Ticks of all threads that ran, in user space and in the kernel: fields 14 and 15 of proc(5). */
function cpuTicks(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Resolves when a process is gone. */
export async function ended(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await delay(20);
}
