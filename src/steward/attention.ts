import { isLive, isOpen, isOpenRun } from '../store/lifecycle.ts';
import type { Session, Turn } from '../store/model.ts';

/** Whether something of the session goes on or is still to be done. */
export function needsAttention(session: Session | undefined): boolean {
  if (session === undefined) return false;
  const { turns, runs, messages } = session;
  return (
    turns.some((turn) => isOpen(turn) || isUnjudged(turn) || isStillborn(turn)) ||
    runs.some((run) => isOpenRun(session, run)) ||
    messages.length > 0
  );
}

/** Whether something of these sessions goes on, or is still to be done by somebody who acts. */
export function isAnythingOpen(sessions: readonly Session[]): boolean {
  return sessions.some(
    (session) => needsAttention(session) || session.wish !== undefined || session.move !== undefined,
  );
}

/** A turn that has a place, and whose agent does not have the prompt yet. */
export function isStarting(turn: Turn): boolean {
  return isLive(turn) && turn.begunAt === undefined;
}

/** A turn whose run ended before the agent had the prompt: it is withdrawn. */
export function isStillborn({ begunAt, endedAt, withdrawn }: Turn): boolean {
  return endedAt !== undefined && begunAt === undefined && withdrawn === undefined;
}

/** A turn that is over, and of which nobody has said what it came to. */
export function isUnjudged(turn: Turn): boolean {
  return turn.begunAt !== undefined && turn.endedAt !== undefined && turn.judgement === undefined;
}
