import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import { textOf } from '../../../src/words/saying.ts';
import { judged, reached, world } from '../sessions/support.ts';

const LIMIT = { timeout: 120_000 };

suite('what somebody replaced', () => {
  test('a link in the place of a worktree: a purge says that its files are still there', LIMIT, async (t) => {
    const { repo, open } = await world(t);
    const { sessions } = await open();
    const { id, worktree } = await sessions.spawn({ agent: 'scripted', prompt: 'write kept.txt yes' });
    await reached(sessions, id, judged);
    const moved = path.join(path.dirname(repo), 'moved-by-hand');
    await rename(worktree, moved);
    await symlink(moved, worktree);
    await sessions.archive(id);
    const { evidence } = await sessions.purge(id);
    assert.match(textOf(evidence.detail), /Only a link was deleted\. The files in .*moved-by-hand are still there\./);
    assert.ok(existsSync(path.join(moved, 'kept.txt')));
  });

  test('a new .git in the place of the old one: a resume says that the files are there', LIMIT, async (t) => {
    const { repo, open } = await world(t);
    const { sessions } = await open();
    const { id } = await sessions.spawn({ agent: 'scripted', prompt: 'write kept.txt yes' });
    await reached(sessions, id, judged);
    const git = path.join(repo, '.git');
    await rename(git, `${git}-old`);
    execFileSync('git', ['init', '-q', repo]);
    await writeFile(path.join(repo, 'new.txt'), 'new');
    execFileSync('git', ['-C', repo, 'add', '.']);
    execFileSync('git', ['-C', repo, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'new']);
    await assert.rejects(
      sessions.resume(id, { prompt: 'go on' }),
      /files in .* are there, but the repository no longer has the branch/,
    );
  });
});
