import { isComplete, undoWorktree } from '../git/worktrees.ts';
import { connectKeeper, readSpec, type KeeperConnection } from '../keeper/client.ts';
import { endPreparation } from '../keeper/rescue.ts';
import { errorText } from '../platform/errors.ts';
import { turnFolder } from '../platform/paths.ts';
import type { Session, Turn } from '../store/lifecycle.ts';
import type { Context } from './context.ts';

/** A keeper that does not answer within this many ms is given up. */
const CONNECT_TIMEOUT = 3000;

/**
 * Takes up a turn whose window died before the agent ran. If its keeper waits for nothing but the word, it gets it, and the
 * turn goes on as asked. Otherwise all that is half made is taken back and the turn withdrawn: undefined.
 */
export async function takeUpTurn(
  context: Context,
  session: Session,
  turn: Turn,
): Promise<KeeperConnection | undefined> {
  const connection = await startWaiting(context, session, turn);
  if (connection === undefined) {
    await undoPreparation(context, session, turn);
  }
  return connection;
}

async function startWaiting(context: Context, session: Session, turn: Turn): Promise<KeeperConnection | undefined> {
  // Without the fact, git or one of its hooks may still be at work on what looks complete.
  if (turn.keeper === undefined || turn.stoppingAt !== undefined || session.worktreeReadyAt === undefined) {
    return undefined;
  }
  try {
    if (!(await isComplete(context.repository, session.worktree))) {
      return undefined;
    }
    const spec = await readSpec(turnFolder(context.folder, session.id, turn.number));
    const connection = await connectKeeper(spec, { timeoutMs: CONNECT_TIMEOUT, keeper: turn.keeper });
    await connection.start();
    return connection;
  } catch (error) {
    context.log.info(`No keeper of ${session.id}, turn ${turn.number}, could be taken over: ${errorText(error)}`);
    return undefined;
  }
}

async function undoPreparation({ repository, store }: Context, session: Session, turn: Turn): Promise<void> {
  // First whatever still works at it: a git that makes the worktree outlives the window that started it.
  await endPreparation({ session: session.id, turn: turn.number, ...(turn.keeper && { keeper: turn.keeper }) });
  const message = ['The window that started this turn closed before the agent started.'];
  if (session.turns.every((one) => one.agent === undefined)) {
    const made = { path: session.worktree, branch: session.branch, commit: session.base.commit };
    try {
      await undoWorktree(repository, made);
      message.push('Its unfinished worktree and branch were removed.');
    } catch (error) {
      message.push(`Its worktree was kept: ${errorText(error)}`);
    }
  }
  message.push('Resume the session to start it again.');
  store.append({
    type: 'turn.withdrawn',
    session: session.id,
    turn: turn.number,
    reason: 'failed',
    message: message.join(' '),
  });
}
