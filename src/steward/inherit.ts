import { readFile } from 'node:fs/promises';
import { isComplete, undoWorktree } from '../git/worktrees.ts';
import { connectKeeper, readSpec, type KeeperConnection } from '../keeper/client.ts';
import { endPreparation } from '../keeper/rescue.ts';
import { errorText } from '../platform/errors.ts';
import type { Guard } from '../platform/guard.ts';
import { runFolder } from '../platform/paths.ts';
import { runOf } from '../store/lifecycle.ts';
import type { Session, Turn } from '../store/model.ts';
import type { StewardContext } from './context.ts';
import { HOLD, launchOf } from './start.ts';
import { underLead } from './under-lead.ts';

/**
 * Takes over the start of a turn from whoever led before and is gone. If its keeper only waits for the word `start`, the keeper gets
 * it. Otherwise all that is half made is undone, and the result is undefined: the turn is to be started anew.
 */
export async function inheritStart(
  context: StewardContext,
  session: Session,
  turn: Turn,
): Promise<KeeperConnection | undefined> {
  const guard = underLead(context);
  const connection = await startWaiting(context, session, turn, guard);
  if (connection === undefined) {
    await undoPreparation(context, session, turn, guard);
    guard();
  }
  return connection;
}

async function startWaiting(
  context: StewardContext,
  session: Session,
  turn: Turn,
  guard: Guard,
): Promise<KeeperConnection | undefined> {
  const run = runOf(session, turn);
  // Without the fact, git or one of its hooks may still be at work on what looks complete.
  if (run?.keeper === undefined || turn.stoppingAt !== undefined || session.worktreeReadyAt === undefined) {
    return undefined;
  }
  let connection: KeeperConnection | undefined;
  try {
    if (!(await isComplete(context.repository, session.worktree))) {
      return undefined;
    }
    const spec = await readSpec(runFolder(context.folder, session.id, run.number));
    connection = await connectKeeper(spec, { keeper: run.keeper.process, ...HOLD });
    const prompt = await readFile(spec.prompt, 'utf8');
    const { env } = await launchOf(context, session, turn, prompt, spec.prompt);
    guard();
    await connection.start(env && { env });
    return connection;
  } catch (error) {
    connection?.dispose();
    guard();
    context.log.info(`Turn ${turn.number} of ${session.id} is prepared anew: ${errorText(error)}`);
    return undefined;
  }
}

async function undoPreparation(
  { repository, log }: StewardContext,
  session: Session,
  turn: Turn,
  guard: Guard,
): Promise<void> {
  const run = runOf(session, turn);
  if (run === undefined) return;
  // First of all, end whatever still works on it: a git that makes the worktree outlives whoever started it.
  const keeper = run.keeper && { keeper: run.keeper.process };
  await endPreparation({ session: session.id, run: run.number, ...keeper, guard });
  if (session.turns.every(({ begunAt }) => begunAt === undefined)) {
    const made = { path: session.worktree, branch: session.branch, commit: session.base.commit };
    try {
      await undoWorktree(repository, made, guard);
    } catch (error) {
      guard();
      // The new start finds what is there, and says so if it cannot go on.
      log.warn(`What was half made of ${session.worktree} was left as it is: ${errorText(error)}`);
    }
  }
}
