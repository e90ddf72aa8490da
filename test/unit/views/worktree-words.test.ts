import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  compareWorktrees,
  worktreeAccessibleLabel,
  worktreeDescription,
  worktreeLabel,
} from '../../../src/views/worktree-words.ts';
import type { SeenWorktree } from '../../../src/views/worktree-words.ts';
import { t } from './fixtures.ts';

const clean = { ahead: 0, behind: 0, changed: 0 };
const seen = (path: string, change: Partial<SeenWorktree> = {}): SeenWorktree => ({
  worktree: { path, main: false, bare: false, branch: 'b', head: 'c'.repeat(40) },
  ...change,
});

describe('worktrees', () => {
  it('come dirty first, then with commits to move, then the main one, then by path', () => {
    const list = [
      seen('/b', { status: clean }),
      seen('/a', { status: clean }),
      seen('/main', { status: clean, worktree: { path: '/main', main: true, bare: false } }),
      seen('/ahead', { status: { ...clean, ahead: 1 } }),
      seen('/dirty', { status: { ...clean, changed: 3 } }),
    ];
    assert.deepEqual(
      list.sort(compareWorktrees).map(({ worktree }) => worktree.path),
      ['/dirty', '/ahead', '/main', '/a', '/b'],
    );
  });

  it('are named after their session or folder, with what differs', () => {
    const one = seen('/w/fix', { status: { ahead: 2, behind: 1, changed: 3 } });
    assert.equal(worktreeLabel(one), 'fix');
    assert.equal(worktreeLabel({ ...one, session: 'Fix it' }), 'Fix it');
    assert.equal(worktreeDescription(one, t), '3 changed · ↑2 · ↓1 · b');
    assert.equal(worktreeAccessibleLabel(one, t), '3 changed, fix, b, 2 ahead, 1 behind');
    assert.equal(
      worktreeDescription({ worktree: { path: '/x', main: false, bare: false, head: 'd'.repeat(40) } }, t),
      'detached at dddddddddd',
    );
  });
});
