import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { findRepository } from '../../../src/git/repository.ts';
import { watchRepository } from '../../../src/git/watch-repository.ts';
import { git, tempRepo, until } from '../support.ts';

test('a hint for every kind of change, and none without', async (t) => {
  const repo = await tempRepo(t);
  const repository = (await findRepository(repo))!;
  const linked = path.join(path.dirname(repo), 'linked');
  let hints = 0;
  const dispose = watchRepository(repository, () => hints++, { gatherMs: 20, pollMs: 60_000, onError: (error) => assert.fail(String(error)) }); // prettier-ignore
  t.after(dispose);
  // Nothing announces that the watches stand: hints of the first change in a deep folder do.
  const steps: [string, () => Promise<unknown>][] = [
    ['a worktree is added', () => git(repo, 'worktree', 'add', '-q', '-b', 'a/b', linked)],
    ['a branch in a folder', () => git(repo, 'branch', 'a/c')],
    ['a commit in the linked worktree', () => git(linked, 'commit', '-q', '--allow-empty', '-m', 'x')],
    ['its HEAD moves', () => git(linked, 'checkout', '-q', '--detach')],
    ['its index changes', () => writeFile(path.join(linked, 'n'), '').then(() => git(linked, 'add', 'n'))],
    ['the main HEAD moves', () => git(repo, 'checkout', '-q', '-b', 'other')],
    ['refs are packed', () => git(repo, 'pack-refs', '--all')],
    ['a remote branch', () => git(repo, 'update-ref', 'refs/remotes/origin/x', 'HEAD')],
    ['a branch goes', () => git(repo, 'branch', '-q', '-D', 'a/c')],
    ['the worktree goes', () => git(repo, 'worktree', 'remove', '--force', linked)],
  ];
  for (const [what, change] of steps) {
    await quiet(() => hints);
    const before = hints;
    await change();
    await until(() => hints > before, { what });
  }
  await quiet(() => hints);
  const before = hints;
  // Reads give no hint: a listener that asks git would otherwise wake itself.
  await git(repo, '--no-optional-locks', 'status');
  await git(repo, 'worktree', 'list');
  await delay(200);
  assert.equal(hints, before);
  dispose();
  await git(repo, 'branch', 'late');
  await delay(100);
  assert.equal(hints, before);
});

/** Until no hint came for 100 ms: the events of the step before have all arrived. */
async function quiet(count: () => number): Promise<void> {
  for (let seen = -1; seen !== count();) {
    seen = count();
    await delay(100);
  }
}
