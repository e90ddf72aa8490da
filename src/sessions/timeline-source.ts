import { join } from 'node:path';

import type { Session, Turn } from '../store/model.ts';
import type { TimelineSource } from '../timeline/timelines.ts';

/** What the timeline needs to know to read a session's output. @param store the repository's store folder. */
export function timelineSource(store: string, session: Session): TimelineSource {
  return {
    session: session.id,
    folder: join(store, 'sessions', session.id),
    format: session.agent.format,
    turns: session.turns.filter(hasOutput).map((turn) => ({
      number: turn.number,
      run: turn.claim?.run ?? 1,
      text: turn.text,
      over: turn.endedAt !== undefined || turn.withdrawn !== undefined,
      resumes: turn.resumes,
      ...(turn.agentSession !== undefined && { agentSession: turn.agentSession }),
      ...(turn.exit !== undefined && { exit: turn.exit }),
      ...(turn.withdrawn !== undefined && { withdrawn: turn.withdrawn.message }),
    })),
  };
}

/** A turn is part of the timeline from its claim on: before that it has no folder that anybody could rely on. */
function hasOutput(turn: Turn): boolean {
  return turn.claim !== undefined;
}
