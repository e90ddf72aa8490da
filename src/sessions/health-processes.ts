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
import { isOpenRun } from '../store/lifecycle.ts';
import { say } from '../words/saying.ts';
import type { Context } from './context.ts';
import type { Finding } from './finding.ts';
import type { HealthContext } from './health-context.ts';

/** A turn that ended less than this many ms ago may still have a keeper that writes its last lines. */
const JUST_ENDED = 5000;

/** How long a process may take to end by itself: ms. */
const TERM_TO_KILL = 1000;

/** What the closing of a turn may take: ms. */
const CLOSE_TIMEOUT = 30_000;

/** Runs that are shown as live and whose keeper is gone. Whoever acts closes them by itself; this is for when it could not. */
export async function goneProcesses(health: HealthContext): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const session of health.context.store.list()) {
    const run = session.runs.at(-1);
    if (run?.keeper === undefined || !isOpenRun(session, run) || (await isAlive(run.keeper.process))) continue;
    findings.push({
      kind: 'process-gone',
      severity: 'error',
      sentence: `“${session.name}” is shown as ${session.status}, but the process that recorded it is gone.`,
      evidence: [
        `Recorder: process ${run.keeper.process.pid}`,
        ...(run.agent ? [`Agent: process ${run.agent.process.pid}`] : []),
      ],
      repair: {
        title: 'Close It',
        plan: [
          'End what is left of it: processes by recorded identity and by their mark.',
          'Record that it is over, and that nobody saw how it ended.',
          `Keep the worktree ${session.worktree} unchanged.`,
        ],
        run: () => close(health, session.id, run.number),
      },
    });
  }
  return findings;
}

async function close({ context, nudge }: HealthContext, id: string, number: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const seen = (): void => {
    const run = context.store.get(id)?.runs[number - 1];
    if (run === undefined || run.exit !== undefined) resolve(undefined);
  };
  const dispose = context.store.onDidChange(seen);
  const late = (): void => reject(new TreelineError(say('not-closed')));
  const timer = setTimeout(late, CLOSE_TIMEOUT);
  context.store.refresh();
  nudge();
  seen();
  await promise.finally(() => {
    clearTimeout(timer);
    dispose();
  });
}

interface Left {
  readonly session: string;
  readonly run: number;
  readonly sentence: string;
  readonly processes: readonly FoundProcess[];
}

/** Processes of runs of this repository that are over, or that the journal has lost. Those of other repositories, or of another VS Code, are none of ours. */
export async function leftProcesses({ context }: HealthContext): Promise<readonly Finding[]> {
  return (await findLeft(context)).map(({ session, run, sentence, processes }): Finding => {
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
          await endPreparation({ session, run });
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
    const run = session?.runs[Number(number) - 1];
    if (session === undefined || run === undefined) {
      // Ours if it has a folder here; and a newer version may know it.
      if (store.unknown > 0 || !isSessionId(id) || !existsSync(sessionFolder(folder, id))) continue;
      const sentence = `${processes.length} processes of an unknown session are still running.`;
      left.push({ session: id, run: Number(number), sentence, processes });
      continue;
    }
    const withdrawnAt = session.turns.find(({ claim }) => claim?.run === run.number)?.withdrawn?.at;
    const endedAt = run.exit?.endedAt ?? withdrawnAt ?? 0;
    if (isOpenRun(session, run) || Date.now() - endedAt <= JUST_ENDED) continue;
    const sentence = `${processes.length} processes of “${session.name}” are still running, though the agent has ended.`;
    left.push({ session: id, run: run.number, sentence, processes });
  }
  return left;
}
