import path from 'node:path';
import { runOf } from '../store/lifecycle.ts';
import type { Session } from '../store/model.ts';
import type { TimelineSource, TurnSource } from '../timeline/source.ts';

/**
 * What the timeline needs to know to read a session's output. A turn is part of it from its claim on: before that, it has no
 * run that anybody could rely on.
 * @param store the repository's store folder.
 */
export function timelineSource(store: string, session: Session): TimelineSource {
  return {
    session: session.id,
    folder: path.join(store, 'sessions', session.id),
    format: session.agent.format,
    turns: session.turns.flatMap((turn): TurnSource[] => {
      const run = runOf(session, turn);
      if (run === undefined) return [];
      const { number, text, resumes, agentSession, withdrawn } = turn;
      const exit = turn.exit ?? run.exit;
      return [
        {
          number,
          run: run.number,
          text,
          over: exit !== undefined || withdrawn !== undefined,
          resumes,
          ...(turn.endedAt !== undefined && { ended: true }),
          ...(agentSession !== undefined && { agentSession }),
          ...(exit !== undefined && { exit }),
          ...(withdrawn !== undefined && { withdrawn: withdrawn.why }),
        },
      ];
    }),
  };
}
