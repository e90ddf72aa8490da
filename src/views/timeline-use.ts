import type { Dispose } from '../platform/emitter.ts';
import { TreelineError } from '../platform/errors.ts';
import { timelineSource } from '../sessions/timeline-source.ts';
import type { Timelines } from '../timeline/timelines.ts';
import { findSession } from './services.ts';
import type { Found, Services } from './services.ts';

/** Keeps a session's timeline open, so that it can be asked, until the result is called. */
export function openTimeline({ treeline }: Pick<Services, 'treeline'>, { session, repository }: Found): Dispose {
  return treeline.timelines.open(timelineSource(repository.store, session));
}

/** Asks a session's timeline something, whether or not anybody has it open. Throws TreelineError for an unknown session. */
export async function askTimeline<T>(
  services: Pick<Services, 'treeline'>,
  session: string,
  ask: (timelines: Timelines) => Promise<T>,
): Promise<T> {
  const found = findSession(services.treeline, session);
  if (found === undefined) {
    throw new TreelineError('no-session', `There is no session ${session} in the repositories that are open here.`);
  }
  const close = openTimeline(services, found);
  try {
    // A timeline that was closed until now is read first: the judgement of its last turn waits for that.
    const over = found.session.turns.findLast(({ begunAt, endedAt }) => begunAt !== undefined && endedAt !== undefined);
    if (over !== undefined) {
      await services.treeline.timelines.judge(session, over.number);
    }
    return await ask(services.treeline.timelines);
  } finally {
    close();
  }
}
