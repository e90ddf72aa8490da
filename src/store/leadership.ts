import { hostName, isAliveNow, isSame, type ProcessId } from '../platform/process-id.ts';
import type { RepositoryFact } from './facts.ts';
import type { Lead, Leadership } from './model.ts';

export const NOBODY: Leadership = { rules: 0 };

/**
 * One step from a fact to who leads after it. Of several that want to lead at once, the first in the journal does: each names
 * whom it replaces, and the others name somebody who leads no more.
 */
export function reduceLeadership(now: Leadership, fact: RepositoryFact): Leadership {
  const { lead } = now;
  switch (fact.type) {
    case 'steward.leads': {
      if (lead?.fact !== fact.replaces || fact.rules < now.rules) return now;
      const { id, at, host, version, socket, token, rules } = fact;
      return { ...now, lead: { fact: id, by: fact.by.process, at, host, version, socket, token }, rules };
    }
    case 'steward.retiring':
      return lead?.fact === fact.lead && lead.retire === undefined
        ? { ...now, lead: { ...lead, retire: fact.id } }
        : now;
    case 'steward.left': {
      if (lead?.fact !== fact.lead) return now;
      const { lead: _left, ...rest } = now;
      return rest;
    }
  }
}

/**
 * Whether nobody leads, or who leads is gone. A process of another machine is never taken for dead, because nobody here can
 * see it.
 */
export function isVacant(lead: Lead | undefined): boolean {
  return lead === undefined || !isAliveNow(lead.by);
}

/** Whether this process leads. */
export function isHeldBy(lead: Lead | undefined, self: ProcessId): boolean {
  return lead !== undefined && isSame(lead.by, self);
}

/** The other machine that leads; undefined where it is this one, or nobody. */
export function leadsElsewhere(lead: Lead | undefined): string | undefined {
  return lead?.by.host === undefined || lead.by.host === hostName() ? undefined : lead.by.host;
}
