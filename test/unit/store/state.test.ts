import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionId } from '../../../src/platform/ids.ts';
import { isLive } from '../../../src/store/lifecycle.ts';
import type { Session } from '../../../src/store/model.ts';
import { State } from '../../../src/store/state.ts';
import { seeded } from '../../support/seeded.mts';
import {
  agentStarted,
  claimed,
  created,
  exited,
  fact,
  factOf,
  leads,
  randomFacts,
  repositoryFact,
  requested,
} from './facts.ts';

describe('the state', () => {
  it('lists the newest first, by the journal and not by the clocks', () => {
    const state = new State();
    const ids = [sessionId(), sessionId(), sessionId()];
    const at = [3_000, 1_000, 2_000];
    ids.forEach((id, i) => state.apply([{ ...fact(id, created), at: at[i]! }]));
    assert.deepEqual(
      state.list().map(({ id }) => id),
      ids.toReversed(),
    );
    assert.deepEqual([...state.ids()], ids);
    assert.equal(state.get(ids[1]!)?.createdAt, 1_000);
    assert.equal(state.get('ses_none'), undefined);
  });

  it('tells which sessions changed, and of void facts nothing', () => {
    const state = new State();
    const [a, b] = [sessionId(), sessionId()];
    const first = [fact(a, created), fact(b, created), fact(a, requested(1))];
    assert.deepEqual(state.apply(first), { changed: new Set([a, b]), counted: first });
    const [request, again] = [fact(b, requested(1)), fact(b, requested(1))];
    assert.deepEqual(state.apply([request, again]), { changed: new Set([b]), counted: [request, again] });
    const twice = fact(a, created);
    const nothing = { changed: new Set(), counted: [again, twice] };
    assert.deepEqual(state.apply([again, twice, fact(a, claimed(1))]), nothing, 'nobody leads');
    const lead = repositoryFact(leads());
    assert.deepEqual(state.apply([lead]), { changed: new Set(), counted: [lead] });
    assert.equal(state.size, 2);
  });

  it('keeps the limit over all sessions, by the order of the facts', () => {
    const state = new State();
    const ids = [sessionId(), sessionId(), sessionId()];
    state.apply([repositoryFact(leads()), ...ids.flatMap((id) => [fact(id, created), fact(id, requested(1))])]);
    state.apply(ids.map((id) => fact(id, claimed(1, 2))));
    const claims = (): boolean[] => ids.map((id) => state.get(id)?.turns[0]?.claim !== undefined);
    assert.deepEqual([claims(), state.live], [[true, true, false], 2]);
    assert.deepEqual(state.apply([fact(ids[2]!, claimed(1, 2))]).changed, new Set());
    // Room is made and taken within one batch.
    state.apply([fact(ids[0]!, exited(1)), fact(ids[2]!, claimed(1, 2))]);
    assert.deepEqual([claims(), state.live], [[true, true, true], 2]);
  });

  it('gives places in the queue by the order of the journal, whatever the ids and the clocks say', () => {
    const state = new State();
    const ids = [sessionId(), sessionId(), sessionId()];
    const requests = ids.map((id) => fact(id, requested(1)));
    const claimsFirst = requests
      .map(({ id }) => id)
      .toSorted()
      .toReversed();
    state.apply(ids.map((id) => fact(id, created)));
    state.apply(requests.map((one, i) => ({ ...one, id: claimsFirst[i]!, at: one.at - i * 3_600_000 })));
    const places = (of: State): (number | undefined)[] => ids.map((id) => of.get(id)?.turns.at(-1)?.place);
    assert.deepEqual(places(state), [0, 1, 2]);
    state.apply([repositoryFact(leads()), fact(ids[0]!, claimed(1)), fact(ids[0]!, agentStarted(1))]);
    state.apply([fact(ids[0]!, exited(1))]);
    const later = new State(state.data);
    later.apply([fact(ids[0]!, requested(2))]);
    assert.deepEqual(places(later), [3, 1, 2], 'also after a restart');
  });

  it('counts the live turns as a count over everything does', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const state = new State();
    for (const entry of randomFacts(seeded(seed), 3_000)) {
      state.apply([factOf(entry)]);
      const live = state.list().reduce((sum, { turns }) => sum + turns.filter(isLive).length, 0);
      assert.equal(state.live, live, `seed ${seed}`);
    }
  });

  it('hands out a list that never changes', () => {
    const state = new State();
    const id = sessionId();
    state.apply([fact(id, created)]);
    const held = state.list();
    assert.equal(state.list(), held, 'the same as long as nothing changes');
    state.apply([fact(id, { type: 'session.renamed', name: 'Other' }), fact(sessionId(), created)]);
    assert.deepEqual([held.length, held[0]?.name], [1, created.name]);
    assert.deepEqual([state.list().length, state.list()[1]?.name], [2, 'Other']);
  });

  it('hands out what a list made anew would be, whenever it is asked, and no list that was held changes', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seeded(seed);
    const state = new State();
    const held: { readonly list: readonly Session[]; readonly copy: readonly Session[] }[] = [];
    for (const entry of randomFacts(random, 3_000, 300)) {
      state.apply([factOf(entry)]);
      if (random() < 0.9) continue;
      const list = state.list();
      const anew = [...state.ids()].map((id) => state.get(id)!).reverse();
      assert.ok(list.length === anew.length && list.every((one, i) => one === anew[i]), `seed ${seed}`);
      held.push({ list, copy: anew });
    }
    assert.ok(held.length > 100);
    for (const { list, copy } of held) {
      assert.ok(list.length === copy.length && list.every((one, i) => one === copy[i]), `seed ${seed}`);
    }
  });

  it('goes on from a state that was saved', () => {
    const facts = randomFacts(seeded(7), 500).map((entry) => factOf(entry));
    const whole = new State();
    whole.apply(facts);
    for (const cut of [0, 100, 250, 499]) {
      const first = new State();
      first.apply(facts.slice(0, cut));
      const second = new State(first.data);
      second.apply(facts.slice(cut));
      assert.deepEqual(second.list(), whole.list());
      assert.equal(second.live, whole.live);
      assert.deepEqual(second.data, whole.data);
    }
  });
});
