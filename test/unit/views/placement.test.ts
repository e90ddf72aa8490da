import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Placements, groupsOf, inGroup, parentOf, placeOf } from '../../../src/views/placement.ts';
import type { StatusGroup } from '../../../src/protocol/statuses.ts';
import { say } from '../../../src/words/saying.ts';
import { ended, session } from './fixtures.ts';

describe('where a session stands', () => {
  it('depends on layout and on how many repositories there are', () => {
    assert.equal(parentOf(placeOf(session(), 'r', 'flat', false)), undefined);
    assert.equal(parentOf(placeOf(session(), 'r', 'flat', true)), 'r');
    assert.equal(parentOf(placeOf(session(), 'r', 'grouped', false)), 'r#working');
    assert.equal(parentOf(placeOf(ended(), 'r', 'grouped', true)), 'r#idle');
  });

  it('has no group without sessions, and the groups in their order', () => {
    assert.deepEqual(groupsOf([ended(), session(), session({ status: 'failed' })]), ['working', 'idle', 'ended']);
    assert.deepEqual(groupsOf([]), []);
  });

  it('is behind those that came to rest later, and while it works behind those that are newer', () => {
    const at = (ms: number) => ({ evidence: { type: 'turn.exited', at: ms, detail: say('turn-finished') } }) as const;
    const sessions = [
      ended({ id: 'new', ...at(1) }),
      session({ id: 'newer', ...at(2) }),
      ended({ id: 'old', ...at(3) }),
      session({ id: 'older', ...at(4) }),
    ];
    const ids = (group: StatusGroup) => inGroup(sessions, group).map(({ id }) => id);
    assert.deepEqual(ids('idle'), ['old', 'new']);
    assert.deepEqual(ids('working'), ['newer', 'older']);
  });

  it('refreshes a session that stayed, the groups of one that moved, and the root when a group comes or goes', () => {
    const placements = new Placements();
    const at = (status: 'working' | 'idle') => placeOf(session({ status }), 'r', 'grouped', false);
    assert.deepEqual(placements.move('a', at('working')), [undefined]);
    assert.deepEqual(placements.move('a', at('working')), ['a']);
    assert.deepEqual(placements.move('b', at('working')), ['r#working']);
    assert.deepEqual(placements.move('c', at('idle')), [undefined]);
    assert.deepEqual(placements.move('b', at('idle')), ['r#working', 'r#idle']);
    assert.deepEqual(placements.move('a', at('idle')), [undefined, 'r#idle']);
    assert.deepEqual(placements.move('a', undefined), ['r#idle']);
    assert.deepEqual(placements.move('a', undefined), []);
  });
});
