import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TreelineError, reasonOf } from '../platform/errors.ts';
import type { Guard } from '../platform/guard.ts';
import { say, type Saying } from '../words/saying.ts';
import { PRIVATE_FILE, privateFolder } from '../platform/paths.ts';
import { isAlive, isElsewhere } from '../platform/process-id.ts';
import type { ProcessId } from '../platform/process-id.ts';
import { descendants, signalGroup } from '../platform/process-tree.ts';
import type { Family } from '../platform/process-tree.ts';
import type { ExitRecord, StopStep } from '../store/model.ts';
import { readExit, readOrSetAsideExit, writeExitOnce } from './exit-file.ts';
import { lookFor } from './expected.ts';
import { RUN_FILES } from './protocol.ts';
import type { KeeperNote } from './protocol.ts';
import { runMarker } from './spec.ts';
import { sweep } from './sweep.ts';

/** How long an agent without a keeper may take to end by SIGTERM: ms. Its output goes nowhere. */
const GRACE = 1000;

/** A run whose keeper is gone. */
export interface LostRun {
  readonly folder: string;
  readonly session: string;
  readonly run: number;
  /** What the journal knows of its processes. */
  readonly keeper?: ProcessId & { readonly socket?: string };
  readonly agent?: ProcessId & { readonly at?: number };
  readonly worktree: string;
  readonly expects: readonly string[];
  /** When the user asked for its end, if that is what its keeper was at. */
  readonly stoppingAt?: number;
}

/**
 * Closes a run whose keeper is gone: ends what is left of it, writes exit.json where there is none, and returns what it
 * says, for the caller to append as a fact. Safe to run from several windows at once: all return the same record, and one of
 * them writes; a folder that cannot be written is no obstacle. Throws TreelineError `keeper-alive` when the keeper still runs,
 * `elsewhere` when keeper or agent is a process of another machine: nobody here can tell whether it lives.
 */
export async function rescue(lost: LostRun): Promise<ExitRecord> {
  const { folder, keeper, agent } = lost;
  const elsewhere = [keeper, agent].find((one) => one !== undefined && isElsewhere(one));
  if (elsewhere !== undefined) {
    throw new TreelineError(say('elsewhere', { host: elsewhere.host ?? '?' }));
  }
  if (keeper !== undefined && (await isAlive(keeper))) {
    throw new TreelineError(say('keeper-alive'));
  }
  const notes: KeeperNote[] = [];
  const note = (said: Saying, level: KeeperNote['level'] = 'info'): void =>
    void notes.push({ at: Date.now(), level, said });
  const isStopping = lost.stoppingAt !== undefined;
  note(isStopping ? say('recorder-lost.stopping') : say('recorder-lost'), 'error');

  const { family, steps } = await endAgent(lost, note);
  const survivors = await sweep(family, true, note);
  // The keeper's last act may have been to write it.
  const before = await readOrSetAsideExit(folder).catch(() => undefined);
  if (before !== undefined) return before;

  const exit = {
    startedAt: agent?.at ?? null,
    endedAt: Date.now(),
    code: null,
    signal: null,
    survivors,
    expected: await lookFor(lost.worktree, lost.expects),
    problem: agent === undefined ? say('lost.starting') : isStopping ? say('lost.stopping') : say('lost'),
    ...(lost.stoppingAt !== undefined && { stop: { requestedAt: lost.stoppingAt, steps } }),
  } satisfies ExitRecord;
  try {
    privateFolder(folder);
    if (!(await writeExitOnce(folder, exit))) return (await readExit(folder)) ?? exit;
    await writeNotes(folder, notes);
  } catch (error) {
    // The folder may be damaged, or its disk full: the journal is to tell of the end all the same.
    return { ...exit, problem: say('lost.unrecorded', { problem: exit.problem, reason: reasonOf(error) }) };
  }
  // Whatever stands there instead is none of ours, and no obstacle.
  if (keeper?.socket !== undefined && process.platform !== 'win32') {
    await rm(keeper.socket, { force: true }).catch(() => undefined);
  }
  return exit;
}

/**
 * Ends what is left of a run whose agent is not known to run: its keeper, and whatever carries the run's marker, such as a
 * git that still makes the worktree. Resolves when nothing of it is left, with whether there was anything.
 */
export async function endPreparation({
  session,
  run,
  keeper,
  guard,
}: Pick<LostRun, 'session' | 'run' | 'keeper'> & { readonly guard?: Guard }): Promise<boolean> {
  const roots = keeper === undefined ? [] : [keeper];
  // git is at work before the keeper starts.
  const family = { roots, marker: runMarker(session, run), anyAge: true } as const;
  return (await sweep(family, false, () => undefined, guard)).length > 0;
}

/** Ends the agent and its group, if it still runs, and returns all that is known to belong to the run, and what was sent to it. */
async function endAgent(
  lost: LostRun,
  note: (said: Saying, level: 'info' | 'warning') => void,
): Promise<{ readonly family: Family; readonly steps: readonly StopStep[] }> {
  const { agent } = lost;
  const marker = runMarker(lost.session, lost.run);
  if (agent === undefined || !(await isAlive(agent))) {
    return { family: { roots: agent === undefined ? [] : [agent], marker }, steps: [] };
  }
  const roots = [agent, ...(await descendants({ roots: [agent], marker }))];
  note(say('agent-orphaned', { pid: agent.pid }), 'warning');
  const steps: StopStep[] = [];
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (await signalGroup(agent, signal)) steps.push({ signal, at: Date.now() });
    for (const end = performance.now() + GRACE; performance.now() < end && (await isAlive(agent));) await delay(20);
  }
  return { family: { roots, marker }, steps };
}

/** Adds to keeper.log and times.log, in the keeper's way: the line first, then where it ends. */
async function writeNotes(folder: string, notes: readonly KeeperNote[]): Promise<void> {
  const log = await open(path.join(folder, RUN_FILES.k), 'a+', PRIVATE_FILE);
  const times = await open(path.join(folder, RUN_FILES.times), 'a+', PRIVATE_FILE);
  try {
    // What the keeper could not finish is no line: closed with a word that makes it none.
    if (!(await endsLine(log))) await log.write('\n');
    if (!(await endsLine(times))) await times.write(' torn\n');
    for (const note of notes) {
      await log.write(`${JSON.stringify(note)}\n`);
      await times.write(`k ${note.at} ${(await log.stat()).size}\n`);
    }
  } finally {
    await log.close();
    await times.close();
  }
}

async function endsLine(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 10;
}
