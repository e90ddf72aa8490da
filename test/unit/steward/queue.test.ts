import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionId } from '../../../src/platform/ids.ts';
import { queue } from '../../../src/steward/queue.ts';
import { State } from '../../../src/store/state.ts';
import { claimed, created, fact, leads, repositoryFact, requested } from '../store/facts.ts';

test('turns wait in the order of the journal, whatever their ids and the clocks of who asked for them', () => {
  const ids = [sessionId(), sessionId(), sessionId(), sessionId()];
  const state = new State();
  state.apply([repositoryFact(leads()), ...ids.map((id) => fact(id, created))]);
  const requests = ids.map((id) => fact(id, requested(1)));
  const later = requests.map(({ id }) => id).toSorted((a, b) => (a < b ? 1 : -1));
  state.apply(requests.map((request, i) => ({ ...request, id: later[i]!, at: request.at - i * 3_600_000 })));
  const waiting = (): string[] => queue(state.list()).map(({ session }) => session.id);
  assert.deepEqual(waiting(), ids);
  state.apply([fact(ids[1]!, claimed(1))]);
  assert.deepEqual(waiting(), [ids[0], ids[2], ids[3]], 'what was claimed waits no more');
});
