import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { isOpen, lastTurn } from '../../src/store/lifecycle.ts';
import { judged, reached } from '../unit/sessions/support.ts';
import { until } from '../unit/support.ts';
import { assertConsistent, faultWorld, seeded, settled, trials } from './support.ts';
import { marked, worktrees } from './truth.ts';

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
        .spawn({ agent: 'scripted', prompt: 'write kept.txt kept\nprint go\nwait' })
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
    // Whatever is in the journal was wanted: it works, whoever died while it was made, and its prompt was run once.
    for (const { id, worktree } of sessions.list()) {
      await reached(sessions, id, () => sessions.activity(id)?.lastLine === 'go');
      assert.equal(sessions.get(id)?.status, 'working');
      assert.equal(readFileSync(path.join(worktree, 'kept.txt'), 'utf8'), 'kept\n');
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
    await until(() => existsSync(path.join(worktree, 'kept.txt')), { what: 'the agent wrote its file' });
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
    assert.ok(existsSync(path.join(worktree, 'kept.txt')), 'the work is still there');
    const numbers = sessions.get(id)?.turns.map((turn) => turn.number);
    assert.deepEqual(
      numbers,
      numbers?.map((_, index) => index + 1),
      'turns are numbered without a gap',
    );
  });

  test(`at ${TRIALS} random instants of a message`, async (t) => {
    const random = seeded(t);
    const { repo, open, openProcess } = await faultWorld(t);
    const { sessions } = await open();
    const { id, worktree } = await sessions.spawn({ agent: 'lines', prompt: 'write kept.txt kept' });
    await until(() => existsSync(path.join(worktree, 'kept.txt')), { what: 'the agent has read its prompt' });
    const folder = sessions.turnFolder(id, 1);
    const lines = (name: string): readonly string[] =>
      readFileSync(path.join(folder, name), 'utf8').trimEnd().split('\n');
    const acknowledged: string[] = [];
    for (let trial = 0; trial < TRIALS; trial++) {
      const window = await openProcess();
      const killed = sleep(random.between(0, 60)).then(() => window.kill());
      // One after the other, until the window dies in the middle of one.
      for (let n = 0; n < 10_000; n++) {
        const text = `message ${trial} ${n}`;
        const taken = await window.send(id, text).then(
          () => true,
          () => false,
        );
        if (!taken) break;
        acknowledged.push(text);
      }
      await killed;
      assert.equal(sessions.get(id)?.status, 'working');
    }
    // What the agent has read by then it has answered by then.
    await sessions.send(id, 'the last');
    await until(() => lines('stdout.log').includes('> the last'), { what: 'the agent has read everything' });
    const recorded = lines('stdin.log').map((line) => (JSON.parse(line) as { text: string }).text);
    const answered = lines('stdout.log').map((line) => line.replace(/^> /, ''));
    t.diagnostic(`${acknowledged.length} acknowledged, ${recorded.length} recorded`);
    assert.deepEqual(
      acknowledged.filter((text) => !answered.includes(text)),
      [],
      'what was acknowledged has reached the agent',
    );
    const sent = answered.filter((text) => text.startsWith('message'));
    assert.equal(new Set(sent).size, sent.length, 'once');
    assert.deepEqual(
      sent.filter((text) => !recorded.includes(text)),
      [],
      'and all that reached it is recorded',
    );
    await sessions.stop(id);
    await assertConsistent(repo, sessions);
  });

  test(`at ${TRIALS} random instants of an archive and of its undo`, async (t) => {
    const random = seeded(t);
    const { repo, open, openProcess } = await faultWorld(t);
    const { sessions } = await open();
    const { id, worktree } = await sessions.spawn({
      agent: 'scripted',
      prompt: 'write kept.txt kept\nwrite .env secret',
    });
    await reached(sessions, id, judged);
    for (let trial = 0; trial < TRIALS; trial++) {
      const window = await openProcess();
      const asked = sessions.get(id)?.archive === undefined ? window.archive(id) : window.unarchive(id);
      asked.catch(() => undefined);
      await sleep(random.between(0, 150));
      await window.kill();
      // The window that stays finishes it, or it never began.
      await until(() => sessions.get(id)?.move === undefined, { what: 'no move is half done' });
      const archived = sessions.get(id)?.archive !== undefined;
      assert.equal(existsSync(worktree), !archived);
      assert.deepEqual(await worktrees(repo), archived ? [] : [worktree]);
    }
    if (sessions.get(id)?.archive !== undefined) await sessions.unarchive(id);
    assert.equal(readFileSync(path.join(worktree, 'kept.txt'), 'utf8'), 'kept\n');
    assert.equal(readFileSync(path.join(worktree, '.env'), 'utf8'), 'secret\n');
    await assertConsistent(repo, sessions);
  });
});
