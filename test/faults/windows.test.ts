import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { isOpen, lastTurn } from '../../src/store/lifecycle.ts';
import type { RepositorySessions } from '../../src/sessions/service-types.ts';
import { reached, world } from '../unit/sessions/support.ts';
import { until } from '../unit/support.ts';
import { Random } from './random.ts';
import { branches, marked, worktrees } from './truth.ts';

const TRIALS = Number(process.env['TREELINE_TRIALS'] ?? 12);

/** All turns of all sessions are over, or their agents really run. */
async function settled(sessions: RepositorySessions): Promise<void> {
  for (const { id } of sessions.list()) {
    await reached(sessions, id, (session) => {
      const turn = lastTurn(session);
      return turn === undefined || !isOpen(turn) || turn.agent !== undefined;
    });
  }
}

/** What git holds is explained by sessions, and what sessions show is so. */
async function assertConsistent(repo: string, sessions: RepositorySessions): Promise<void> {
  const all = sessions.list();
  for (const path of await worktrees(repo)) {
    assert.ok(
      all.some(({ worktree }) => worktree === path),
      `no session explains the worktree ${path}`,
    );
  }
  for (const name of await branches(repo)) {
    assert.ok(
      all.some(({ branch }) => branch === name),
      `no session explains the branch ${name}`,
    );
  }
  for (const session of all) {
    const runs = marked([session.id]).some(({ command }) => command.includes('scripted-agent'));
    const turn = lastTurn(session);
    const shown = turn !== undefined && isOpen(turn);
    assert.equal(shown, runs, `${session.id} is shown ${session.status}, and its agent ${runs ? 'runs' : 'does not'}`);
    if (session.turns.some((one) => one.agent !== undefined)) {
      assert.ok(existsSync(session.worktree), 'a worktree that an agent worked in is there');
    } else if (!shown) {
      assert.equal(existsSync(session.worktree), false, 'a half-made worktree was taken back');
    }
  }
}

suite('kill -9 of the extension host', { timeout: 300_000 }, () => {
  test(`at ${TRIALS} random instants of a spawn`, async (t) => {
    const random = new Random();
    t.diagnostic(`seed ${random.seed}`);
    const { repo, open, openProcess } = await world(t);
    const acknowledged: string[] = [];
    for (let trial = 0; trial < TRIALS; trial++) {
      const window = await openProcess();
      const spawn = window
        .spawn({ agent: 'scripted', prompt: 'write kept.txt kept\nwait' })
        .then(({ id }) => acknowledged.push(id))
        .catch(() => undefined);
      await sleep(random.between(0, 400)); // The instant is the point of the test.
      await window.kill();
      await spawn;
    }
    const { sessions } = await open();
    await settled(sessions);
    // A keeper whose window died before it said `start` ends by itself.
    await until(
      () =>
        marked(
          sessions
            .list()
            .filter((s) => !isOpen(lastTurn(s)!))
            .map((s) => s.id),
        ).length === 0,
      {
        what: 'no process of a session that is over',
      },
    );
    await assertConsistent(repo, sessions);
    for (const id of acknowledged) {
      assert.equal(sessions.get(id)?.status, 'working', 'an acknowledged session goes on');
    }
    await Promise.all(sessions.list().map(({ id }) => sessions.stop(id)));
    await assertConsistent(repo, sessions);
    assert.deepEqual(marked(sessions.list().map(({ id }) => id)), []);
  });

  test(`at ${TRIALS} random instants of a stop and of a resume`, async (t) => {
    const random = new Random();
    t.diagnostic(`seed ${random.seed}`);
    const { repo, open, openProcess } = await world(t);
    const { sessions } = await open();
    const { id, worktree } = await sessions.spawn({ agent: 'scripted', prompt: 'write kept.txt kept\nwait' });
    await until(() => existsSync(join(worktree, 'kept.txt')), { what: 'the agent wrote its file' });
    for (let trial = 0; trial < TRIALS; trial++) {
      const window = await openProcess();
      const turn = lastTurn(sessions.get(id)!);
      const running = turn !== undefined && isOpen(turn);
      const asked = running ? window.stop(id) : window.resume(id, { prompt: 'deaf\nwait' });
      asked.catch(() => undefined);
      await sleep(random.between(0, 600));
      await window.kill();
      await settled(sessions);
    }
    await sessions.stop(id);
    await assertConsistent(repo, sessions);
    assert.deepEqual(marked([id]), []);
    assert.ok(existsSync(join(worktree, 'kept.txt')), 'the work is still there');
    const numbers = sessions.get(id)?.turns.map((turn) => turn.number);
    assert.deepEqual(
      numbers,
      numbers?.map((_, index) => index + 1),
      'turns are numbered without a gap',
    );
  });
});
