import { isOpen, lastTurn } from '../store/lifecycle.ts';
import type { Session, Turn } from '../store/model.ts';

export interface OpenTurn {
  readonly session: Session;
  readonly turn: Turn;
}

/** Every open turn, in the order in which they were asked for. Only a session's last turn can be open. */
export function openTurns(sessions: readonly Session[]): OpenTurn[] {
  const open = sessions.flatMap((session) => {
    const turn = lastTurn(session);
    return turn !== undefined && isOpen(turn) ? [{ session, turn }] : [];
  });
  return open.sort((a, b) => (a.turn.request < b.turn.request ? -1 : 1));
}
