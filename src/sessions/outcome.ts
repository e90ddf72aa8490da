import { TreelineError } from '../platform/errors.ts';
import type { Fact } from '../store/facts.ts';
import type { Session } from '../store/model.ts';
import type { Store } from '../store/store.ts';
import { say } from '../words/saying.ts';

export interface Wanted<T> {
  /** Writes the fact that asks for it. Who acts may have answered by the time that it is written: that answer is heard as well. */
  readonly ask?: () => void;
  /** What the session as it is now came to; undefined while that is not known. Throws where it is a refusal. */
  readonly of: (session: Session) => T | undefined;
  /** A fact that settles it and leaves no trace in the session: throws where it is a refusal. */
  readonly onFact?: (fact: Fact) => void;
  /** When to look once more though no fact has come: ms from now. */
  readonly lookAfter?: number;
  /** Asked after this many ms whether to wait no longer: what it gives is thrown. */
  readonly patience?: { readonly ms: number; readonly over: () => TreelineError | undefined };
}

/**
 * Waits for what became of something that was asked for by a fact. Rejects with what `of` and `onFact` throw; `no-session` when
 * the journal has lost the session.
 */
export function outcome<T>(store: Store, id: string, { ask, of, onFact, lookAfter, patience }: Wanted<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const attempt = (work: () => T | undefined): void => {
    try {
      const result = work();
      if (result !== undefined) resolve(result);
    } catch (error) {
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const look = (): void =>
    attempt(() => {
      const session = store.get(id);
      if (session === undefined) {
        throw new TreelineError(say('no-session', { session: id }));
      }
      return of(session);
    });
  const hear = (facts: readonly Fact[]): void => {
    for (const fact of facts) {
      attempt(() => {
        onFact?.(fact);
        return undefined;
      });
    }
  };
  // What was read while it was being asked is heard after that: only then is it known what to listen for.
  let early: Fact[] | undefined = [];
  const disposables = [
    store.onDidChange((ids) => {
      if (ids.has(id)) look();
    }),
    store.onFacts((facts) => {
      if (early === undefined) hear(facts);
      else early.push(...facts);
    }),
  ];
  const timer = lookAfter === undefined ? undefined : setTimeout(look, lookAfter);
  const late = (): void =>
    attempt(() => {
      const why = patience?.over();
      if (why !== undefined) throw why;
      return undefined;
    });
  const limit = patience === undefined ? undefined : setTimeout(late, patience.ms);
  attempt(() => {
    ask?.();
    return undefined;
  });
  hear(early);
  early = undefined;
  look();
  return promise.finally(() => {
    clearTimeout(timer);
    clearTimeout(limit);
    for (const dispose of disposables) dispose();
  });
}
