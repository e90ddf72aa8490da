import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTransient } from '../../../src/git/git-error.ts';

// As git has said them, with other paths.
const passing = [
  "fatal: Unable to create '/repo/.git/packed-refs.lock': File exists.\n\nAnother git process seems to be running",
  'fatal: failed to read /repo/.git/worktrees/x/commondir: Success',
  "error: cannot lock ref 'refs/heads/x': unable to create directory for .git/refs/heads/x",
  "fatal: Invalid path '/repo/.git/worktrees/w2': No such file or directory\n",
  "fatal: Invalid path '/two\nlines/.git/worktrees/w2': No such file or directory\n",
];

const lasting = [
  "fatal: Invalid path '/nowhere/else': No such file or directory\n",
  "fatal: '/repo.worktrees/x' already exists",
  'fatal: not a git repository (or any of the parent directories): .git',
];

test('a failure that another git causes by being in the middle of something is tried again, and no other', () => {
  for (const stderr of passing) assert.ok(isTransient(stderr), stderr);
  for (const stderr of lasting) assert.ok(!isTransient(stderr), stderr);
});
