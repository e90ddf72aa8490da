/** What stands in a journal, read without the store. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { journalFile } from '../../src/platform/paths.ts';
import type { Fact } from '../../src/store/facts.ts';

export function factsIn(store: string): Fact[] {
  const text = readFileSync(journalFile(store), 'utf8');
  // What follows the last newline is still being written.
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Fact);
}

export type Leads = Extract<Fact, { readonly type: 'steward.leads' }>;

/** Resolves with the last fact by which somebody leads, as soon as `wanted` is true of it. */
export async function whenLeads(store: string, wanted: (lead: Leads) => boolean): Promise<Leads> {
  for (;;) {
    const lead = factsIn(store).findLast((fact): fact is Leads => fact.type === 'steward.leads');
    if (lead !== undefined && wanted(lead)) return lead;
    await delay(20);
  }
}

/** When the lead was given up last: ms since the epoch. */
export function leftAt(store: string): number {
  return factsIn(store).findLast(({ type }) => type === 'steward.left')?.at ?? NaN;
}
