import { setTimeout as delay } from 'node:timers/promises';
import { unguarded, type Guard } from '../platform/guard.ts';
import { joinedByOthers } from '../platform/joined-processes.ts';
import type { ProcessId } from '../platform/process-id.ts';
import { commandOf } from '../platform/process-table.ts';
import { descendants, signalProcesses } from '../platform/process-tree.ts';
import type { Family } from '../platform/process-tree.ts';
import type { ExitRecord } from '../store/model.ts';
import { say, type Said, type Saying } from '../words/saying.ts';

export type Survivors = ExitRecord['survivors'];

/** What ends together with the agent (the rest of a pipeline) gets this long to be gone before it counts as left over: ms. */
const SETTLE = 60;

/** From SIGTERM to SIGKILL for what the agent left over: ms. */
const TERM_TO_KILL = 400;

/** A process that SIGKILL does not end within this many ms hangs in the kernel; nobody can end it. */
const GIVE_UP = 5000;

/** A fork storm leaves hundreds; so many are named. */
const NAMED = 50;

/**
 * Ends what is left of a family, and returns what that was. What somebody else has joined is left to him, and told.
 *
 * @param family what is known; what is found is remembered, so that its children are found after its end.
 * @param polite whether to let processes end by themselves and by SIGTERM before SIGKILL.
 * @param note told what was done.
 * @param guard asked before each signal.
 */
export async function sweep(
  family: Family,
  polite: boolean,
  note: (said: Saying, level: 'info' | 'warning') => void,
  guard: Guard = unguarded,
): Promise<Survivors> {
  let known = family.roots;
  const told = new Set<number>();
  let isFirst = true;
  const look = async (): Promise<ProcessId[]> => {
    const all = await descendants({ ...family, roots: known });
    // Asked again only where there was one: processes that hand over to others are caught by haste alone.
    const joined = isFirst || told.size > 0 ? await joinedByOthers(all) : new Map<ProcessId, readonly ProcessId[]>();
    isFirst &&= all.length === 0;
    for (const { pid } of joined.keys()) {
      if (told.has(pid)) continue;
      told.add(pid);
      note(say('left-joined', { pid, command: await commandOf(pid) }), 'warning');
    }
    const spared = new Set([...joined.values()].flat().map(({ pid }) => pid));
    const found = all.filter(({ pid }) => !spared.has(pid));
    known = [...known, ...found.filter((id) => !known.some((k) => k.pid === id.pid && k.start === id.start))];
    return found;
  };

  let left = await look();
  if (polite || left.length === 0) {
    // Also where nothing was seen: a process that is just becoming another program shows no environment for a moment.
    await delay(SETTLE);
    left = await look();
  }
  if (left.length === 0) return [];

  const survivors: Survivors = await Promise.all(
    left.slice(0, NAMED).map(async ({ pid }) => ({ pid, command: await commandOf(pid) })),
  );
  const processes: Said[] = survivors.map(({ pid, command }) => `${pid} (${command})`);
  if (left.length > NAMED) processes.push(say('more', { count: left.length - NAMED }));
  note(say('stopping-survivors', { processes }), 'warning');

  if (polite) {
    guard();
    await signalProcesses(left, 'SIGTERM');
    for (
      const end = performance.now() + TERM_TO_KILL;
      left.length > 0 && performance.now() < end;
      left = await look()
    ) {
      await delay(20);
    }
  }
  for (const end = performance.now() + GIVE_UP; left.length > 0 && performance.now() < end; left = await look()) {
    // A storm forks on while it is shot at: no pause before the next look, as long as the last one found something.
    guard();
    await signalProcesses(left, 'SIGKILL');
  }
  if (left.length > 0) note(say('cannot-end', { pids: left.map(({ pid }) => String(pid)) }), 'warning');
  return survivors;
}
