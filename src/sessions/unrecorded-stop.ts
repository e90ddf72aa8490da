import { connectKeeper, readSpec } from '../keeper/client.ts';
import { TreelineError, errorText, reasonOf } from '../platform/errors.ts';
import { runFolder } from '../platform/paths.ts';
import { runOf } from '../store/lifecycle.ts';
import type { Session, Turn } from '../store/model.ts';
import { say } from '../words/saying.ts';
import type { Context } from './context.ts';

/** An agent may be what fills the disk: its end does not wait for the journal. Returns what the user is to hear. */
export async function stopUnrecorded(
  { folder, log }: Context,
  session: Session,
  turn: Turn,
  error: unknown,
): Promise<unknown> {
  const run = runOf(session, turn);
  if (run?.keeper === undefined || run.agent === undefined) return error;
  try {
    const spec = await readSpec(runFolder(folder, session.id, run.number));
    const keeper = await connectKeeper(spec, { keeper: run.keeper.process });
    // It answers when the end is written, which its keeper tries until it is.
    keeper
      .stop()
      .catch((why: unknown) => log.warn(`Stopping ${session.id}: ${errorText(why)}`))
      .finally(() => keeper.dispose())
      .catch(() => undefined);
  } catch {
    return error;
  }
  const said = say('stop-unrecorded', { name: session.name, reason: reasonOf(error) });
  return new TreelineError('journal-write', said, { cause: error });
}
