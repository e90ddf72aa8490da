import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Placements, groupsOf, parentOf, placeOf } from '../../../src/views/placement.ts';
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
