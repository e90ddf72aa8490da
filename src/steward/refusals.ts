import type { Refusal } from '../drivers/driver.ts';
import { TreelineError, errorText } from '../platform/errors.ts';
import type { Session, Turn } from '../store/model.ts';
import type { StewardContext } from './context.ts';

/** Why a message does not go to the agent, as the user is told. */
export const REFUSALS: Readonly<Record<Refusal, string>> = {
  'no-turn': 'The agent is not working on anything. Resume the session with your message instead.',
  'turn-under-way': 'The agent is still working on the previous prompt. Send your message when it has finished.',
  'turn-over': 'The agent has finished that turn. Resume the session with your message instead.',
  'one-turn': 'This agent takes one prompt each time it runs. Stop the session, then resume it.',
  'reserved-text': 'The message contains a line that the agent would take for a command. Change that line.',
  'unknown-request': 'The agent is no longer waiting for this answer.',
  'already-answered': 'This was already answered.',
  'unknown-choice': 'The agent does not offer this choice.',
  'cannot-interrupt': 'This agent cannot be interrupted. Stop the session instead.',
};

/** Says that a turn will not start. */
export function withdraw({ store }: StewardContext, session: string, turn: Turn, error: unknown): void {
  const code = error instanceof TreelineError ? error.code : 'failed';
  store.append({
    type: 'turn.withdrawn',
    session,
    turn: turn.number,
    reason: code === 'cancelled' ? 'cancelled' : 'failed',
    code,
    message: errorText(error),
  });
}

/** Says that a message will not be delivered. */
export function refuseMessage({ store }: StewardContext, session: string, message: string, error: unknown): void {
  const code = error instanceof TreelineError ? error.code : 'failed';
  store.append({ type: 'message.refused', session, message, code, why: errorText(error) });
}

/** Nothing runs that could take them. */
export function refuseMessages(context: StewardContext, { id, name, messages }: Session): void {
  const why = new TreelineError('not-running', `“${name}” has ended; resume it with your message instead.`);
  for (const message of messages) refuseMessage(context, id, message.id, why);
}
