import assert from 'node:assert/strict';
import test from 'node:test';
import { Revisions } from '../../../src/timeline/revisions.ts';
import { seeded } from '../../support/seeded.mts';

test('the number of rows at any revision follows from the updates, also when old ones are forgotten', () => {
  const random = seeded(3);
  const revisions = new Revisions(5);
  const rowsAt: number[] = [0, 1, 2, 3, 4, 5];
  const last = new Map<number, number>();
  let rows = 5;
  for (let i = 0; i < 300_000; i++) {
    if (random() < 0.3) {
      revisions.append();
      rows += 1;
      last.set(rows, revisions.rev);
    } else {
      const seq = 1 + Math.floor(random() * rows);
      revisions.update(seq);
      last.set(seq, revisions.rev);
    }
    rowsAt.push(rows);
  }
  assert.equal(revisions.rev, rowsAt.length - 1);
  assert.equal(revisions.rowsAt(revisions.rev + 1), undefined);
  assert.equal(revisions.rowsAt(100), undefined, 'forgotten');
  for (let i = 0; i < 1000; i++) {
    const rev = revisions.rev - Math.floor(random() * 40_000);
    assert.equal(revisions.rowsAt(rev), rowsAt[rev]);
    const seq = 1 + Math.floor(random() * rows);
    if (last.get(seq)! > revisions.rev - 40_000) assert.equal(revisions.of(seq), last.get(seq));
  }
  const since = revisions.rev - 1000;
  const changed = revisions.changedSince(since);
  assert.deepEqual(
    changed,
    changed.toSorted((a, b) => a - b),
  );
  for (const seq of changed) assert.ok(last.get(seq)! > since);
});
