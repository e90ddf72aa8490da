import { sayingOf, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import type { Session, Turn } from '../store/model.ts';
import type { StewardContext } from './context.ts';

/** Says that a turn will not start. */
export function withdraw({ store }: StewardContext, session: string, turn: Turn, error: unknown): void {
  const code = error instanceof TreelineError ? error.code : 'failed';
  store.append({
    type: 'turn.withdrawn',
    session,
    turn: turn.number,
    reason: code === 'cancelled' ? 'cancelled' : 'failed',
    code,
    why: sayingOf(error),
  });
}

/** Says that a message will not be delivered. */
export function refuseMessage({ store }: StewardContext, session: string, message: string, error: unknown): void {
  const code = error instanceof TreelineError ? error.code : 'failed';
  store.append({ type: 'message.refused', session, message, code, why: sayingOf(error) });
}

/** Nothing runs that could take them. */
export function refuseMessages(context: StewardContext, { id, name, messages }: Session): void {
  const why = new TreelineError(say('not-running', { name }));
  for (const message of messages) refuseMessage(context, id, message.id, why);
}
