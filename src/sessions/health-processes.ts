import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { MARK } from '../keeper/client.ts';
import { endPreparation } from '../keeper/rescue.ts';
import { TreelineError } from '../platform/errors.ts';
import { isSessionId } from '../platform/ids.ts';
import { sessionFolder } from '../platform/paths.ts';
import { isAlive } from '../platform/process-id.ts';
import { signalProcesses } from '../platform/process-tree.ts';
import { withVariable, type FoundProcess } from '../platform/process-search.ts';
import { isLive, isOpen, lastTurn } from '../store/lifecycle.ts';
import type { Context } from './context.ts';
import type { Finding, Patient } from './health.ts';

/** A turn that ended less than this many ms ago may still have a keeper that writes its last lines. */
const JUST_ENDED = 5000;

/** How long a process may take to end by itself: ms. */
const TERM_TO_KILL = 1000;

/** What the closing of a turn may take: ms. */
const CLOSE_TIMEOUT = 30_000;

/** Turns that are shown as live and whose keeper does not run any more. The supervisor closes them by itself; this is for when it could not. */
export async function goneProcesses(patient: Patient): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const session of patient.context.store.list()) {
    const turn = lastTurn(session);
    if (turn === undefined || !isLive(turn) || turn.keeper === undefined || (await isAlive(turn.keeper))) continue;
    findings.push({
      kind: 'process-gone',
      severity: 'error',
      sentence: `“${session.name}” is shown as ${session.status}, but the background process of turn ${turn.number} has ended.`,
      evidence: [`Background process: ${turn.keeper.pid}`, ...(turn.agent ? [`Agent: process ${turn.agent.pid}`] : [])],
      repair: {
        title: 'Close Turn',
        plan: [
          `Stop all remaining processes of turn ${turn.number}.`,
          'Record that the turn is over and that its result is unknown.',
          `Keep the worktree ${session.worktree} unchanged.`,
        ],
        run: () => close(patient, session.id, turn.number),
      },
    });
  }
  return findings;
}

async function close({ context, look }: Patient, id: string, number: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const seen = (): void => {
    const turn = context.store.get(id)?.turns[number - 1];
    if (turn === undefined || !isOpen(turn)) resolve(undefined);
  };
  const dispose = context.store.onDidChange(seen);
  const late = (): void =>
    reject(new TreelineError('not-closed', 'The turn could not be closed. See the log for details.'));
  const timer = setTimeout(late, CLOSE_TIMEOUT);
  context.store.refresh();
  look([context.store.get(id)].flatMap((session) => session ?? []));
  seen();
  await promise.finally(() => {
    clearTimeout(timer);
    dispose();
  });
}

interface Left {
  readonly session: string;
  readonly turn: number;
  readonly sentence: string;
  readonly processes: readonly FoundProcess[];
}

/** Processes of turns of this repository that are over, or that the journal has lost. Those of other repositories, or of another VS Code, are none of ours. */
export async function leftProcesses({ context }: Patient): Promise<readonly Finding[]> {
  return (await findLeft(context)).map(({ session, turn, sentence, processes }): Finding => {
    const names = processes.map(({ id, command }) => `Process ${id.pid}: ${command}`);
    return {
      kind: 'process-left',
      severity: 'warning',
      sentence,
      evidence: names,
      repair: {
        title: 'Stop Processes',
        plan: [
          ...names.map((name) => `Terminate ${name}, and kill it if it does not end.`),
          'Stop the processes that they started.',
        ],
        run: async () => {
          // By identity: a number may be another process's by now.
          await signalProcesses(
            processes.map(({ id }) => id),
            'SIGTERM',
          );
          await delay(TERM_TO_KILL);
          await endPreparation({ session, turn });
        },
      },
    };
  });
}

async function findLeft({ store, folder }: Context): Promise<readonly Left[]> {
  const marked = Map.groupBy(await withVariable(MARK), ({ value }) => value);
  const left: Left[] = [];
  for (const [mark, processes] of marked) {
    const [id = '', number] = mark.split('/');
    const session = store.get(id);
    const turn = session?.turns[Number(number) - 1];
    if (turn === undefined) {
      // Ours if it has a folder here; and a newer version may know it.
      if (store.newer > 0 || !isSessionId(id) || !existsSync(sessionFolder(folder, id))) continue;
      const sentence = `${processes.length} processes of an unknown session are still running.`;
      left.push({ session: id, turn: Number(number), sentence, processes });
      continue;
    }
    const endedAt = turn.exit?.endedAt ?? turn.withdrawn?.at ?? 0;
    if (isOpen(turn) || Date.now() - endedAt <= JUST_ENDED) continue;
    const sentence = `${processes.length} processes of turn ${turn.number} of “${session?.name}” are still running although the turn is over.`;
    left.push({ session: id, turn: turn.number, sentence, processes });
  }
  return left;
}
