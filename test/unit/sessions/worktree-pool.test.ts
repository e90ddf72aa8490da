import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { poolSize } from '../../../src/git/pool.ts';
import { git, until } from '../support.ts';
import { judged, reached, world } from './support.ts';

const PATIENCE = 30_000;

test('after a session got its worktree, one is kept ready for the next; none when the setting says so', async (t) => {
  const place = await world(t);
  const { treeline, sessions } = await place.open();
  const { repository } = sessions;
  const pool = path.join(repository.commonDir, 'treeline-warm');
  const count = (): number =>
    existsSync(pool) ? readdirSync(pool).filter((name) => /^[0-9a-f]{12}$/.test(name)).length : 0;
  const ready = (): boolean => count() > 0;
  assert.equal(await poolSize(repository), 0);

  const first = await sessions.spawn({ agent: 'scripted', prompt: 'print one' });
  await until(ready, { timeoutMs: PATIENCE, what: 'a worktree is ready' });
  const registered = readdirSync(path.join(repository.commonDir, 'worktrees'));
  assert.equal(registered.length, 1, 'git knows only the session’s');

  const [entry = '', ...others] = readdirSync(pool);
  assert.deepEqual(others, [], 'one was spawned, and one is kept');
  const second = await sessions.spawn({ agent: 'scripted', prompt: 'print two\nwrite two.txt two' });
  assert.ok(!existsSync(path.join(pool, entry)), 'it was given out');
  await reached(sessions, second.id, judged);
  assert.equal(await git(second.worktree, 'status', '--porcelain'), '?? two.txt');
  assert.equal(await git(second.worktree, 'branch', '--show-current'), second.branch);
  assert.notEqual(first.worktree, second.worktree);

  await until(ready, { timeoutMs: PATIENCE, what: 'the next one is ready' });
  // More at once than are ready: the rest are git's work, and no reason to give up. As many, up to the setting, are ready next time.
  place.settings.warmWorktrees = 2;
  for (let burst = 0; burst < 2; burst++) {
    const prompts = ['print a', 'print b', 'print c'];
    await Promise.all(prompts.map((prompt) => sessions.spawn({ agent: 'scripted', prompt })));
    await until(() => count() === 2, { timeoutMs: PATIENCE, what: 'two are ready after a burst' });
  }

  place.settings.warmWorktrees = 0;
  treeline.tidyPools();
  await until(() => !existsSync(pool), { what: 'none is kept' });
  const third = await sessions.spawn({ agent: 'scripted', prompt: 'print three' });
  await reached(sessions, third.id, judged);
  assert.equal(await poolSize(repository), 0);
});
