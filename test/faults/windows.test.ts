import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { isOpen, lastTurn } from '../../src/store/lifecycle.ts';
import { until } from '../unit/support.ts';
import { assertConsistent, faultWorld, seeded, settled, trials } from './support.ts';
import { marked } from './truth.ts';

const TRIALS = trials(8);

suite('kill -9 of the extension host', { timeout: 300_000 }, () => {
  test(`at ${TRIALS} random instants of a spawn`, async (t) => {
    const random = seeded(t);
    const { repo, open, openProcess, settings } = await faultWorld(t);
    // All go on when they are spawned: none may wait for a place.
    settings.maxConcurrent = TRIALS;
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
    const random = seeded(t);
    const { repo, open, openProcess } = await faultWorld(t);
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
