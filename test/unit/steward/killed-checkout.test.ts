/** A window that is killed while git checks a large worktree out. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { withVariable } from '../../../src/platform/process-search.ts';
import { git, until } from '../support.ts';
import { reached, world } from '../sessions/support.ts';

const linux = { skip: process.platform !== 'linux' && 'processes are looked up in /proc', timeout: 120_000 };

suite('a window killed during a checkout', linux, () => {
  test('the git that it left is ended, and its worktree and branch are removed', async (t) => {
    const { repo, open, openProcess, settings } = await world(t);
    settings.warmWorktrees = 0;
    for (let n = 0; n < 60; n++) await writeFile(join(repo, `file${n}.txt`), `${n}\n`);
    await writeFile(join(repo, '.gitattributes'), '*.txt filter=slow\n');
    await git(repo, 'add', '--all');
    await git(repo, 'commit', '--quiet', '--message', 'Many files');
    // Three seconds for a checkout, so that every kill below is in the middle of one.
    await git(repo, 'config', 'filter.slow.smudge', 'sleep 0.05; cat');
    for (let round = 0; round < 6; round++) {
      const dying = await openProcess();
      const spawned = dying.spawn({ agent: 'scripted', prompt: 'print go' }).catch(() => undefined);
      // From here on until after the keeper has started.
      await until(() => existsSync(join(repo, '.git/worktrees')), { what: 'git is at work' });
      await sleep(Math.random() * 1500);
      await dying.kill();
      await spawned;

      const { sessions, treeline } = await open();
      for (const { id } of sessions.list()) {
        await reached(sessions, id, ({ status }) => ['lost', 'failed', 'stopped'].includes(status));
      }
      const mine = new Set(sessions.list().map(({ id }) => id));
      const marked = await withVariable('TREELINE_MARK');
      assert.deepEqual(
        marked.filter(({ value }) => mine.has(value.split('/')[0] ?? '')),
        [],
        'no process of the turn is left',
      );
      assert.equal((await git(repo, 'worktree', 'list')).split('\n').length, 1);
      assert.equal(await git(repo, 'branch', '--list', 'treeline/*'), '');
      assert.deepEqual(await readdir(join(repo, '.git/worktrees')).catch(() => []), []);
      assert.deepEqual(await readdir(`${repo}.worktrees`).catch(() => []), []);
      await treeline.dispose();
    }
  });
});
