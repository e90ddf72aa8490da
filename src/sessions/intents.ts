import { TreelineError } from '../platform/errors.ts';
import { RULES } from '../store/facts.ts';
import { isVacant, leadsElsewhere } from '../store/leadership.ts';
import type { Session } from '../store/model.ts';
import { say } from '../words/saying.ts';
import type { Context } from './context.ts';
import { outcome, type Wanted } from './outcome.ts';

/** How long another machine may take to do what is asked of it before the user is told that it is another one: ms. */
const ELSEWHERE_WITHIN = 10_000;

/** What all that is wanted of sessions needs: somebody who acts, and the wait for what became of it. */
export class Intents {
  readonly context: Context;
  /** Has whoever acts, if it is this process, look at the facts again. */
  readonly nudge: () => void;

  constructor(context: Context, nudge: () => void) {
    this.context = context;
    this.nudge = nudge;
  }

  /** The session of this id. */
  need(id: string): Session {
    const session = this.context.store.get(id);
    if (session === undefined) {
      throw new TreelineError(say('no-session', { session: id }));
    }
    return session;
  }

  /** Refuses what nobody would act on. */
  requireSomebody(): void {
    const { lead, rules } = this.context.store.leadership;
    if (rules > RULES && isVacant(lead)) {
      throw new TreelineError(say('newer-version'));
    }
  }

  /** As the function of this name; where another machine acts, and does not, the user is told so. */
  outcome<T>(id: string, wanted: Wanted<T>): Promise<T> {
    const { store } = this.context;
    const over = (): TreelineError | undefined => {
      const host = leadsElsewhere(store.leadership.lead);
      return host === undefined ? undefined : new TreelineError(say('elsewhere.silent', { host }));
    };
    return outcome(store, id, { ...wanted, patience: { ms: ELSEWHERE_WITHIN, over } });
  }
}
