import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { selfId } from '../../../src/platform/process-id.ts';
import { RULES, type RepositoryFact } from '../../../src/store/facts.ts';
import { isVacant, leadsElsewhere, NOBODY, reduceLeadership } from '../../../src/store/leadership.ts';
import type { Lead, Leadership } from '../../../src/store/model.ts';
import { leads, otherWindow, repositoryFact, window } from './facts.ts';

const play = (...facts: RepositoryFact[]): Leadership => facts.reduce(reduceLeadership, NOBODY);
const retiring = (lead: string): RepositoryFact => repositoryFact({ type: 'steward.retiring', lead }, otherWindow);
const left = (lead: string): RepositoryFact => repositoryFact({ type: 'steward.left', lead });

/** That a fact changes nothing. */
function assertVoid(now: Leadership, fact: RepositoryFact): void {
  assert.equal(reduceLeadership(now, fact), now, `${fact.type} is void`);
}

describe('the lead', () => {
  const one = repositoryFact(leads(), window);
  const other = repositoryFact(leads(), otherWindow);

  it('is that of the first in the journal, of two who want it at once', () => {
    const now = play(one, other);
    assert.deepEqual(now.lead, {
      fact: one.id,
      by: window.process,
      at: one.at,
      host: one.host,
      version: one.version,
      socket: one.socket,
      token: one.token,
    });
    assert.equal(now.rules, RULES);
    assert.deepEqual(play(other, one).lead?.by, otherWindow.process);
  });

  it('passes to who names the one that has it, once', () => {
    const next = repositoryFact(leads(one.id), otherWindow);
    const now = play(one, next);
    assert.equal(now.lead?.fact, next.id);
    assertVoid(now, repositoryFact(leads(one.id), window));
    assertVoid(now, one);
  });

  it('is all that changes with it: what else is known of the repository stays', () => {
    const known = { ...NOBODY, note: 'of a further type of facts' };
    const now = [one, retiring(one.id), left(one.id), other].reduce(reduceLeadership, known);
    assert.deepEqual(now, { ...known, ...play(other) });
  });

  it('is free when who has it left, and only then', () => {
    const now = play(one);
    assertVoid(now, left(other.id));
    const free = play(one, left(one.id));
    assert.deepEqual(free, { rules: RULES });
    assertVoid(free, left(one.id));
    assertVoid(free, repositoryFact(leads(one.id), otherWindow));
    assert.equal(reduceLeadership(free, other).lead?.fact, other.id);
  });

  it('is asked for once, and the next who has it is not asked by that', () => {
    const asked = retiring(one.id);
    const now = play(one, asked);
    assert.equal(now.lead?.retire, asked.id);
    assertVoid(now, retiring(one.id));
    assertVoid(now, retiring(other.id));
    const next = play(one, asked, repositoryFact(leads(one.id), otherWindow));
    assert.ok(next.lead !== undefined && next.lead.retire === undefined);
  });

  it('is never that of older rules where newer ones were in force', () => {
    const newer = repositoryFact(leads(undefined, RULES + 1), otherWindow);
    const now = play(newer);
    assert.equal(now.rules, RULES + 1);
    assertVoid(now, repositoryFact(leads(newer.id, RULES)));
    const free = play(newer, left(newer.id));
    assertVoid(free, one);
    assert.notEqual(reduceLeadership(free, repositoryFact(leads(undefined, RULES + 1))), free);
  });

  it('is vacant when its process is gone, and never when that is of another machine', async () => {
    const lead = (by: Lead['by']): Lead => ({ ...play(one).lead!, by });
    assert.ok(isVacant(undefined));
    assert.ok(isVacant(lead({ pid: 4_000_000, start: 'another boot:1' })));
    assert.ok(!isVacant(lead(await selfId())));
    const elsewhere = lead({ pid: 4_000_000, start: 'another boot:1', host: 'another machine' });
    assert.ok(!isVacant(elsewhere));
    assert.deepEqual([leadsElsewhere(elsewhere), leadsElsewhere(lead(await selfId()))], ['another machine', undefined]);
  });
});
