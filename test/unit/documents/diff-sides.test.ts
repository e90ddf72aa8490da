import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sidesOf } from '../../../src/documents/diff-sides.ts';
import type { ChangeKind, FileChange } from '../../../src/git/types.ts';

const base = 'b'.repeat(40);
const change = (kind: ChangeKind, more: Partial<FileChange> = {}): FileChange => ({
  path: 'd/new.txt',
  kind,
  binary: false,
  ...more,
});
const left = { from: 'commit', commit: base, path: 'd/new.txt' };
const right = { from: 'file', path: '/w/d/new.txt' };

describe('the sides of a diff', { skip: process.platform === 'win32' }, () => {
  it('are the base and the worktree, where the file is in both', () => {
    for (const kind of ['modified', 'type-changed', 'conflicted'] as const) {
      assert.deepEqual(sidesOf(change(kind), { base }, '/w'), { left, right });
    }
    assert.deepEqual(sidesOf(change('renamed', { from: 'old.txt' }), { base }, '/w'), {
      left: { ...left, path: 'old.txt' },
      right,
    });
  });

  it('lack one where the file came or went', () => {
    assert.deepEqual(sidesOf(change('added'), { base }, '/w'), { right });
    assert.deepEqual(sidesOf(change('untracked'), { base }, '/w'), { right });
    assert.deepEqual(sidesOf(change('deleted'), { base }, '/w'), { left });
  });

  it('are text for a submodule, and two commits where the worktree is gone', () => {
    assert.deepEqual(sidesOf(change('submodule'), { base }, '/w').right, { from: 'submodule', path: 'd/new.txt' });
    const tip = 'c'.repeat(40);
    assert.deepEqual(sidesOf(change('modified'), { base, tip }, '/w').right, { ...left, commit: tip });
  });
});
