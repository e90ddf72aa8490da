import { isQueued, lastTurn } from '../store/lifecycle.ts';
import type { Session, Turn } from '../store/model.ts';

export interface QueuedTurn {
  readonly session: Session;
  readonly turn: Turn;
}

/** Every turn that waits for a place, in the order in which the journal has them. Only a session's last turn can wait. */
export function queue(sessions: readonly Session[]): QueuedTurn[] {
  const queued = sessions.flatMap((session) => {
    const turn = lastTurn(session);
    return turn !== undefined && isQueued(turn) ? [{ session, turn }] : [];
  });
  return queued.sort((a, b) => a.turn.place - b.turn.place);
}
