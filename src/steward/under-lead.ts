import { TreelineError } from '../platform/errors.ts';
import type { Guard } from '../platform/guard.ts';
import { isHeldBy } from '../store/leadership.ts';
import { say } from '../words/saying.ts';
import type { StewardContext } from './context.ts';

/**
 * Guards what begins now: once somebody else has led, who may have claimed, begun or ended the same, it is not to go on here, not
 * even where this process has come to lead again. While nobody has, all claims and moves are as they were.
 */
export function underLead({ store, self }: Pick<StewardContext, 'store' | 'self'>): Guard {
  const began = store.leadership.lead?.fact;
  return () => {
    store.refresh();
    const { lead } = store.leadership;
    if (lead?.fact !== began || !isHeldBy(lead, self)) {
      throw new TreelineError(say('replaced'));
    }
  };
}

/** Whether something was given up because somebody else does it by now. */
export function isReplaced(error: unknown): boolean {
  return error instanceof TreelineError && error.code === 'replaced';
}
