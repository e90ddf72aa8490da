/** Two windows in two processes: one acts, and the other asks. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import type { RepositorySessions } from '../../../src/sessions/service-types.ts';
import type { Session } from '../../../src/store/model.ts';
import { BOUND, judged, reached, world } from '../sessions/support.ts';
import { git, until } from '../support.ts';

/** Resolves with the session that comes next, as soon as anything is known of it. */
function next(sessions: RepositorySessions): Promise<Session> {
  const known = new Set(sessions.list().map(({ id }) => id));
  const { promise, resolve } = Promise.withResolvers<Session>();
  const dispose = sessions.onDidChange(() => {
    const session = sessions.list().find(({ id }) => !known.has(id));
    if (session !== undefined) {
      dispose();
      resolve(session);
    }
  });
  return promise;
}

suite('a window that another one acts for', () => {
  test('shows what the agents print, of sessions of both, and their ends', BOUND, async (t) => {
    const { open, openProcess } = await world(t);
    const leading = await openProcess();
    const { sessions } = await open();
    const mine = await sessions.spawn({ agent: 'scripted', prompt: 'print mine\nwait' });
    const theirs = await leading.spawn({ agent: 'scripted', prompt: 'print theirs\nwait' });
    await reached(sessions, mine.id, () => sessions.activity(mine.id)?.lastLine === 'mine');
    await reached(sessions, theirs.id, () => sessions.activity(theirs.id)?.lastLine === 'theirs');
    assert.equal((await leading.activity(mine.id))?.lastLine, 'mine');
    await Promise.all([sessions.stop(mine.id), sessions.stop(theirs.id)]);
    for (const { id } of [mine, theirs]) assert.equal((await reached(sessions, id, judged)).status, 'stopped');
    assert.deepEqual(
      [sessions.speaksFor(sessions.get(mine.id)!), sessions.speaksFor(sessions.get(theirs.id)!)],
      [true, false],
    );
  });

  test(
    'acts itself when that one is killed: it holds what runs, starts what waits, and speaks for it',
    BOUND,
    async (t) => {
      const { open, openProcess, settings } = await world(t);
      settings.maxConcurrent = 1;
      const leading = await openProcess();
      const { sessions } = await open();
      const first = await leading.spawn({ agent: 'scripted', prompt: 'print ready\nwait' });
      const second = await leading.spawn({ agent: 'scripted', prompt: 'print second' });
      assert.equal(second.status, 'queued');
      await reached(sessions, first.id, () => sessions.activity(first.id)?.lastLine === 'ready');
      await leading.kill();
      assert.equal((await sessions.stop(first.id))?.stop === undefined, false);
      assert.equal((await reached(sessions, second.id, judged)).status, 'idle');
      assert.ok(sessions.speaksFor(sessions.get(second.id)!), 'who asked for it is gone');
    },
  );

  test('has its worktrees archived, restored and deleted, and hears why where it is refused', BOUND, async (t) => {
    const { open, openProcess } = await world(t);
    await openProcess();
    const { sessions } = await open();
    const { id, worktree } = await sessions.spawn({ agent: 'scripted', prompt: 'write a.txt hello' });
    await reached(sessions, id, judged);
    const user = spawn('sleep', ['60'], { cwd: worktree });
    t.after(() => user.kill('SIGKILL'));
    await once(user, 'spawn');
    if (process.platform === 'linux') {
      await assert.rejects(sessions.archive(id), { code: 'worktree-busy', message: new RegExp(`\\(${user.pid}\\)`) });
      assert.deepEqual([sessions.get(id)?.wish, existsSync(worktree)], [undefined, true]);
    }
    user.kill('SIGKILL');
    await once(user, 'exit');
    assert.equal((await sessions.archive(id)).status, 'archived');
    writeFileSync(worktree, 'in the way');
    await assert.rejects(sessions.unarchive(id), { code: 'path-taken' });
    const elsewhere = `${worktree}-2`;
    assert.equal((await sessions.unarchive(id, elsewhere)).session.worktree, elsewhere);
    assert.ok(existsSync(path.join(elsewhere, 'a.txt')));
    await sessions.archive(id);
    assert.ok((await sessions.purge(id)).archive?.purgedAt);
  });
});

suite('a message', () => {
  test('that is sent while the worktree is still being made is delivered when the agent runs', BOUND, async (t) => {
    const { repo, open, openProcess, settings } = await world(t);
    settings.warmWorktrees = 0;
    await writeFile(path.join(repo, '.gitattributes'), '*.slow filter=slow\n');
    await writeFile(path.join(repo, 'a.slow'), 'slow\n');
    await git(repo, 'add', '--all');
    await git(repo, 'commit', '--quiet', '--message', 'A slow file');
    const go = path.join(repo, '../go');
    await git(repo, 'config', 'filter.slow.smudge', `while [ ! -e '${go}' ]; do sleep 0.05; done; cat`);
    await openProcess();
    const { sessions } = await open();
    const coming = next(sessions);
    const spawned = sessions.spawn({ agent: 'lines', prompt: 'print first' });
    const { id } = await coming;
    await reached(sessions, id, ({ status }) => status === 'preparing');
    const sent = sessions.send(id, 'print second');
    await reached(sessions, id, ({ messages }) => messages.length === 1);
    writeFileSync(go, '');
    await spawned;
    await sent;
    await reached(sessions, id, () => sessions.activity(id)?.lastLine === 'second');
    assert.deepEqual(sessions.get(id)?.messages, []);
    await sessions.stop(id);
  });

  test(
    'is refused, with the reason, once the session has ended, also when it ends before the delivery',
    BOUND,
    async (t) => {
      const { open, openProcess, settings } = await world(t);
      settings.maxConcurrent = 1;
      await openProcess();
      const { sessions } = await open();
      const first = await sessions.spawn({ agent: 'lines', prompt: 'print first' });
      const second = await sessions.spawn({ agent: 'lines', prompt: 'print second' });
      assert.equal(second.status, 'queued');
      const sent = sessions.send(second.id, 'print never');
      const refused = assert.rejects(sent, { code: 'not-running', message: /has ended\. Resume it/ });
      await until(() => sessions.get(second.id)?.messages.length === 1, { what: 'the message waits' });
      await sessions.stop(second.id);
      await refused;
      await sessions.stop(first.id);
      await assert.rejects(sessions.send(first.id, 'print never'), { code: 'not-running' });
      assert.deepEqual(sessions.get(second.id)?.messages, []);
    },
  );
});
