/** A window that is killed while git checks a large worktree out. */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { withVariable } from '../../../src/platform/process-search.ts';
import { judged, reached, world } from '../sessions/support.ts';
import { git, until } from '../support.ts';
import { quoted } from '../../../src/words/saying.ts';

const linux = { skip: process.platform !== 'linux' && 'processes are looked up in /proc', timeout: 280_000 };

const FILES = 60;

suite('a window killed during a checkout', () => {
  test(
    'the git that it left is ended, its half of a worktree taken back, and the session started anew',
    linux,
    async (t) => {
      const { repo, open, openProcess, settings } = await world(t);
      settings.warmWorktrees = 0;
      for (let n = 0; n < FILES; n++) await writeFile(path.join(repo, `file${n}.txt`), `${n}\n`);
      await writeFile(path.join(repo, '.gitattributes'), '*.txt filter=slow\n');
      await git(repo, 'add', '--all');
      await git(repo, 'commit', '--quiet', '--message', 'Many files');
      // Three seconds for a checkout, so that every kill below is in the middle of one.
      await git(repo, 'config', 'filter.slow.smudge', 'sleep 0.05; cat');
      const registered = (): Promise<string[]> => readdir(path.join(repo, '.git/worktrees')).catch(() => []);
      for (let round = 1; round <= 6; round++) {
        const dying = await openProcess();
        const spawned = dying.spawn({ agent: 'scripted', prompt: 'print go' }).catch(() => undefined);
        // From here on until after the keeper has started.
        await until(async () => (await registered()).length === round, { what: 'git is at work' });
        await sleep(Math.random() * 1500);
        await dying.kill();
        await spawned;

        const { sessions, treeline } = await open();
        assert.equal(sessions.list().length, round);
        for (const { id, worktree } of sessions.list()) {
          const ended = await reached(sessions, id, judged);
          assert.deepEqual([ended.status, ended.turns[0]?.judgement?.summary], ['idle', quoted('go')]);
          assert.equal((await readdir(worktree)).filter((name) => /^file\d+\.txt$/.test(name)).length, FILES);
          assert.equal(await git(worktree, 'status', '--porcelain'), '');
        }
        const mine = new Set(sessions.list().map(({ id }) => id));
        const left = async (): Promise<unknown[]> =>
          (await withVariable('TREELINE_MARK')).filter(({ value }) => mine.has(value.split('/')[0] ?? ''));
        await until(async () => (await left()).length === 0, { what: 'no process of the turn is left' });
        // The repository's own worktree is one more.
        assert.equal((await git(repo, 'worktree', 'list')).split('\n').length, round + 1);
        assert.equal((await git(repo, 'branch', '--list', 'treeline/*')).split('\n').length, round);
        assert.equal((await registered()).length, round);
        assert.equal((await readdir(`${repo}.worktrees`)).length, round);
        await treeline.dispose();
      }
    },
  );
});
