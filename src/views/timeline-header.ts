import type { Header } from '../protocol/timeline.ts';
import { lastTurn } from '../store/lifecycle.ts';
import type { Session } from '../store/model.ts';
import type { Activity } from '../protocol/rows.ts';
import { textOf } from '../words/saying.ts';
import { oneLine } from './plain.ts';
import type { Abilities } from './session-words.ts';
import { statusLabel } from './words.ts';
import type { Translate } from './words.ts';

/** The head of a session's page. */
export function timelineHeader(session: Session, activity: Activity | undefined, can: Abilities, t: Translate): Header {
  const turn = lastTurn(session);
  return {
    session: session.id,
    name: oneLine(session.name),
    status: session.status,
    statusLabel: statusLabel(session.status, t),
    evidence: oneLine(textOf(session.evidence.detail, t)),
    evidenceAt: session.evidence.at,
    agent: oneLine(session.agent.name),
    branch: session.branch,
    worktree: session.worktree,
    turn: session.turns.length,
    retrying: activity?.retrying ?? false,
    can,
    ...(activity !== undefined && { rows: activity.rows }),
    ...(activity?.model !== undefined && { model: oneLine(activity.model) }),
    ...(turn?.begunAt !== undefined && { startedAt: turn.begunAt }),
    ...(turn?.endedAt !== undefined && { endedAt: turn.endedAt }),
    ...(activity?.usage !== undefined && { usage: activity.usage }),
    ...(activity?.cost !== undefined && { cost: activity.cost }),
  };
}
