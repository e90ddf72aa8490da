import { existsSync } from 'node:fs';
import path from 'node:path';
import { RUN_FILES } from '../keeper/protocol.ts';
import { rescue } from '../keeper/rescue.ts';
import type { Guard } from '../platform/guard.ts';
import { runFolder } from '../platform/paths.ts';
import { isAlive } from '../platform/process-id.ts';
import { signalProcesses } from '../platform/process-tree.ts';
import { isLive, isOpenRun, lastTurn } from '../store/lifecycle.ts';
import type { StewardContext } from './context.ts';

/** What became of a run whose keeper is not connected: it is over, its keeper lives after all, or its agent never began. */
export type Found = 'over' | 'keeper-lives' | 'never-begun';

/**
 * Closes a run whose keeper is gone: what the journal does not say of it by now, nobody but us will write.
 * @param acts whether that is still wanted of this process; asked when the journal was read.
 */
export async function closeLostRun(
  context: StewardContext,
  id: string,
  number: number,
  { acts, guard }: { readonly acts: () => boolean; readonly guard: Guard },
): Promise<Found> {
  const { store } = context;
  store.refresh();
  const session = store.get(id);
  const run = session?.runs[number - 1];
  if (!acts() || session === undefined || run === undefined || !isOpenRun(session, run)) return 'over';
  const { keeper, agent } = run;
  if (keeper !== undefined && (await isAlive(keeper.process))) return 'keeper-lives';
  const folder = runFolder(context.folder, id, number);
  const turn = lastTurn(session);
  const isUnbegun = turn !== undefined && isLive(turn) && agent === undefined;
  if (isUnbegun && !existsSync(path.join(folder, RUN_FILES.exit))) return 'never-begun';
  guard();
  const exit = await rescue({
    folder,
    ...(keeper !== undefined && { keeper: { ...keeper.process, socket: keeper.socket } }),
    ...(agent !== undefined && { agent: { ...agent.process, at: agent.at } }),
    session: id,
    run: number,
    expects: session.expects,
    worktree: session.worktree,
    ...(turn?.stoppingAt !== undefined && { stoppingAt: turn.stoppingAt }),
  });
  store.append({ type: 'run.exited', session: id, run: number, exit });
  return 'over';
}

/** Ends a keeper that does not do as it is told. */
export async function endKeeper({ store }: StewardContext, id: string, number: number): Promise<void> {
  const keeper = store.get(id)?.runs[number - 1]?.keeper;
  if (keeper !== undefined) await signalProcesses([keeper.process], 'SIGKILL');
}
