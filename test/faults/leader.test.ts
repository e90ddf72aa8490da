/** The window that acts for the others dies, gives way, stands still or is far away: all that was asked for is done, and done once. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { journalFile, stewardSocketPath } from '../../src/platform/paths.ts';
import { selfId } from '../../src/platform/process-id.ts';
import { RULES } from '../../src/store/facts.ts';
import { Journal } from '../../src/store/journal.ts';
import { isOpen, lastTurn } from '../../src/store/lifecycle.ts';
import { judged, reached } from '../unit/sessions/support.ts';
import type { WindowProcess } from '../unit/sessions/window-process.ts';
import { tempDir, until } from '../unit/support.ts';
import {
  assertConsistent,
  faultWorld,
  patience,
  seeded,
  session,
  storeOf,
  told,
  trials,
  type FaultWindow,
  type FaultWorld,
} from './support.ts';
import { moveAway } from './far-sockets.ts';
import { facts, keepers, lead, marked, worktrees } from './truth.ts';
import type { Random } from './random.ts';
import { quoted } from '../../src/words/saying.ts';

const TRIALS = trials(4);

/** A window that acts, in a process of its own, and one in this process that asks. */
async function two(world: FaultWorld): Promise<{ readonly first: WindowProcess; readonly window: FaultWindow }> {
  const first = await world.openProcess();
  await until(() => lead(world.storage)?.by.process.pid === first.pid, { what: 'the first window acts' });
  return { first, window: await world.open() };
}

/** Resolves when this process acts; it must come to that soon after `from`. */
async function takenOver(storage: string, from: number): Promise<void> {
  await until(() => lead(storage)?.by.process.pid === process.pid, {
    timeoutMs: 60_000,
    what: 'the other window acts',
  });
  const took = performance.now() - from;
  assert.ok(took < patience(2000), `the other window acts within 2 s: ${Math.round(took)} ms`);
}

const lines = (file: string): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []);

interface Deed {
  /** Random instants are from 0 to this many ms after the asking. */
  readonly within: number;
  /** Asks, from the window that does not act. */
  readonly ask: (window: FaultWindow, trial: number) => Promise<unknown>;
  /** What must be so when it was done. */
  readonly holds: (window: FaultWindow, trial: number) => Promise<void>;
}

/** Has the acting window killed in the middle of what the other one asks for, again and again. */
async function kills(world: FaultWorld, random: Random, { within, ask, holds }: Deed): Promise<number> {
  let longest = 0;
  for (let trial = 1; trial <= TRIALS; trial++) {
    const { first, window } = await two(world);
    const asked = ask(window, trial);
    asked.catch(() => undefined);
    await sleep(random.between(0, within)); // The instant is the point of the test.
    await first.kill();
    const from = performance.now();
    await takenOver(world.storage, from);
    await asked;
    longest = Math.max(longest, performance.now() - from);
    await holds(window, trial);
    await assertConsistent(world.repo, window.sessions);
    await window.treeline.dispose();
  }
  return Math.round(longest);
}

/** Leads in this process's name, whoever leads now. */
async function takeOver(world: FaultWorld): Promise<void> {
  const store = storeOf(world.storage);
  const journal = new Journal(journalFile(store), { role: 'window', process: await selfId() });
  journal.append({
    type: 'steward.leads',
    host: 'window',
    version: '0.1.0',
    rules: RULES,
    socket: stewardSocketPath(store),
    token: 'token',
    replaces: lead(world.storage)!.id,
  });
  journal.dispose();
}

suite('kill -9 of the window that acts, while another one asks', { timeout: 600_000 }, () => {
  test(`at ${TRIALS} random instants of a spawn: every session works, and its prompt was run once`, async (t) => {
    const world = await faultWorld(t);
    world.settings.maxConcurrent = TRIALS;
    let id = '';
    const longest = await kills(world, seeded(t), {
      within: 500,
      ask: async ({ sessions }) => {
        ({ id } = await sessions.spawn({ agent: 'scripted', prompt: 'write kept.txt kept\nprint go\nwait' }));
      },
      holds: async (window) => {
        const { worktree } = session(window, id);
        await until(() => existsSync(path.join(worktree, 'kept.txt')), { what: 'the agent works' });
        await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine === 'go');
        assert.deepEqual(lines(path.join(worktree, 'kept.txt')), ['kept']);
        assert.equal(session(window, id).status, 'working');
        assert.equal(marked([id]).length, 1, 'one agent');
        assert.equal(keepers(world.storage).filter((one) => one.session === id).length, 1);
      },
    });
    t.diagnostic(`at most ${longest} ms from the death to the working agent`);
  });

  test(`at ${TRIALS} random instants of messages: each reaches the agent once, in order`, async (t) => {
    const world = await faultWorld(t);
    const opening = await world.open();
    const { id } = await opening.sessions.spawn({ agent: 'lines', prompt: 'print ready' });
    const file = path.join(opening.sessions.turnFolder(id, 1), 'stdout.log');
    await opening.treeline.dispose();
    const sent: string[] = [];
    const longest = await kills(world, seeded(t), {
      within: 300,
      ask: async ({ sessions }, trial) => {
        for (let n = 0; n < 5; n++) {
          sent.push(`> message ${trial} ${n}`);
          await sessions.send(id, `message ${trial} ${n}`);
        }
      },
      holds: async () => {
        await until(() => lines(file).includes(sent.at(-1)!), { what: 'the agent has read everything' });
        assert.deepEqual(
          lines(file).filter((line) => line.startsWith('> ')),
          sent,
        );
      },
    });
    t.diagnostic(`at most ${longest} ms from the death to the delivery`);
  });

  test(`at ${TRIALS} random instants of a stop: it is carried out, and nothing is left`, async (t) => {
    const world = await faultWorld(t);
    const random = seeded(t);
    let id = '';
    for (let trial = 0; trial < TRIALS; trial++) {
      const { first, window } = await two(world);
      ({ id } = await window.sessions.spawn({ agent: 'scripted', prompt: 'deaf\nprint go\nwait' }));
      await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine === 'go');
      const asked = window.sessions.stop(id);
      await sleep(random.between(0, 700));
      await first.kill();
      const from = performance.now();
      await takenOver(world.storage, from);
      const exit = await asked;
      assert.ok(exit?.stop, 'the record says that it was stopped');
      assert.deepEqual(marked([id]), []);
      assert.equal((await reached(window.sessions, id, judged)).status, 'stopped');
      await assertConsistent(world.repo, window.sessions);
      await window.treeline.dispose();
    }
  });

  test(`at ${TRIALS} random instants of a resume: each prompt was run once`, async (t) => {
    const world = await faultWorld(t);
    const opening = await world.open();
    const { id, worktree } = await opening.sessions.spawn({ agent: 'scripted', prompt: 'write ran.txt 0' });
    await reached(opening.sessions, id, judged);
    await opening.treeline.dispose();
    await kills(world, seeded(t), {
      within: 500,
      ask: ({ sessions }, trial) => sessions.resume(id, { prompt: `write ran.txt ${trial}\nprint done ${trial}` }),
      holds: async (window, trial) => {
        const ended = await reached(window.sessions, id, judged);
        assert.equal(ended.status, 'idle');
        assert.equal(ended.turns.length, trial + 1);
        assert.deepEqual(
          lines(path.join(worktree, 'ran.txt')),
          Array.from({ length: trial + 1 }, (_, n) => String(n)),
        );
        assert.match(await told(window, id), new RegExp(`output: done ${trial}`));
      },
    });
  });

  test(`at ${TRIALS} random instants of an archive, its undo and a purge: each is done`, async (t) => {
    const world = await faultWorld(t);
    const random = seeded(t);
    const opening = await world.open();
    const { id, worktree } = await opening.sessions.spawn({ agent: 'scripted', prompt: 'write .env secret' });
    await reached(opening.sessions, id, judged);
    await opening.treeline.dispose();
    await kills(world, random, {
      within: 150,
      ask: ({ sessions }, trial) => (trial % 2 === 1 ? sessions.archive(id) : sessions.unarchive(id)),
      holds: async (window, trial) => {
        const archived = trial % 2 === 1;
        const { move, wish, archive } = session(window, id);
        assert.deepEqual([move, wish, archive !== undefined], [undefined, undefined, archived]);
        assert.deepEqual(await worktrees(world.repo), archived ? [] : [worktree]);
        if (!archived) assert.equal(readFileSync(path.join(worktree, '.env'), 'utf8'), 'secret\n');
      },
    });
    for (let trial = 0; trial < trials(3); trial++) {
      const { first, window } = await two(world);
      const { id: gone } = await window.sessions.spawn({ agent: 'scripted', prompt: 'write .env secret' });
      await reached(window.sessions, gone, judged);
      const { archive } = await window.sessions.archive(gone);
      const asked = window.sessions.purge(gone);
      await sleep(random.between(0, 100));
      await first.kill();
      await takenOver(world.storage, performance.now());
      assert.ok((await asked).archive?.purgedAt);
      assert.equal(existsSync(archive!.files), false);
      await window.treeline.dispose();
    }
  });

  test(`at ${TRIALS} random instants of judging: every turn is judged, and once`, async (t) => {
    const world = await faultWorld(t);
    const random = seeded(t);
    for (let trial = 0; trial < TRIALS; trial++) {
      const { first, window } = await two(world);
      const { id } = await window.sessions.spawn({ agent: 'scripted', prompt: 'burst 2000\nprint the end' });
      await until(() => facts(world.storage).some((one) => one.session === id && one.type === 'run.exited'), {
        what: 'the agent has ended',
      });
      await sleep(random.between(0, 200));
      await first.kill();
      await takenOver(world.storage, performance.now());
      const ended = await reached(window.sessions, id, judged);
      assert.equal(ended.status, 'idle');
      assert.deepEqual(ended.turns[0]?.judgement?.summary, quoted('the end'));
      const judgements = facts(world.storage).filter((one) => one.session === id && one.type === 'turn.judged');
      assert.equal(judgements.length, 1);
      await window.treeline.dispose();
    }
  });

  for (const how of ['its window is closed', 'a newer version comes'] as const) {
    test(`at ${TRIALS} random instants of giving way, since ${how}: what waits is done, once`, async (t) => {
      const world = await faultWorld(t);
      const random = seeded(t);
      world.settings.maxConcurrent = 1;
      for (let trial = 0; trial < TRIALS; trial++) {
        const version = how === 'its window is closed' ? '0.1.0' : '0.0.9';
        const first = await world.openProcess({ version });
        const asked = await Promise.all(
          [0, 1, 2].map((n) => first.spawn({ agent: 'scripted', prompt: `write ran.txt ${n}\nsleep 100` })),
        );
        const opening = world.open();
        const window = how === 'its window is closed' ? await opening : undefined;
        if (window !== undefined) first.close().catch(() => undefined);
        await sleep(random.between(0, window === undefined ? 800 : 300));
        await first.kill();
        const from = performance.now();
        const { sessions, treeline } = window ?? (await opening);
        await takenOver(world.storage, from);
        for (const [n, { id, worktree }] of asked.entries()) {
          const ended = await reached(sessions, id, judged);
          assert.equal(ended.status, 'idle');
          assert.deepEqual(lines(path.join(worktree, 'ran.txt')), [String(n)]);
        }
        await assertConsistent(world.repo, sessions);
        await treeline.dispose();
      }
    });
  }
});

suite('who acts', { timeout: 600_000 }, () => {
  test('windows that open at the same instant, on a fresh store and beside one that died: exactly one acts', async (t) => {
    const world = await faultWorld(t);
    world.settings.maxConcurrent = 20;
    let dead: string | undefined;
    for (let trial = 0; trial < trials(4); trial++) {
      const windows = await Promise.all([world.openProcess(), world.openProcess(), world.openProcess()]);
      const acting = await until(() => (lead(world.storage)?.id === dead ? undefined : lead(world.storage)), {
        what: 'one acts',
      });
      assert.ok(windows.some(({ pid }) => pid === acting.by.process.pid));
      const spawned = await Promise.all(
        windows.map((window, n) => window.spawn({ agent: 'scripted', prompt: `write ran.txt ${n}` })),
      );
      const ids = spawned.map(({ id }) => id);
      await until(
        async () => (await windows[0].list()).filter((one) => ids.includes(one.id) && judged(one)).length === 3,
        { what: 'all are over' },
      );
      for (const [n, { worktree }] of spawned.entries()) {
        assert.deepEqual(lines(path.join(worktree, 'ran.txt')), [String(n)]);
      }
      assert.equal(lead(world.storage)?.id, acting.id, 'it went on acting');
      const claims = facts(world.storage).filter(
        (one) => one.type === 'turn.claimed' && ids.includes(one.session ?? ''),
      );
      assert.deepEqual(
        claims.map(({ by }) => by.process.pid),
        ids.map(() => acting.by.process.pid),
        'nobody else took a turn',
      );
      // Whoever acts dies last, so that nobody takes its place.
      const last = windows.find(({ pid }) => pid === acting.by.process.pid)!;
      for (const window of windows) if (window !== last) await window.kill();
      await last.kill();
      dead = acting.id;
    }
  });

  test('a window that stood still and was replaced: what it does when it goes on counts for nothing', async (t) => {
    const world = await faultWorld(t);
    const random = seeded(t);
    world.settings.maxConcurrent = 20;
    for (let trial = 0; trial < TRIALS; trial++) {
      const { first, window } = await two(world);
      const asked = window.sessions.spawn({ agent: 'scripted', prompt: 'write kept.txt kept\nprint go\nwait' });
      await sleep(random.between(0, 500));
      process.kill(first.pid, 'SIGSTOP');
      // It is found out by its silence, after ten seconds; once is enough.
      if (trial > 0) await takeOver(world);
      const { id, worktree } = await asked;
      await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine === 'go');
      process.kill(first.pid, 'SIGCONT');
      await until(async () => (await first.list()).find((one) => one.id === id)?.status === 'working', {
        what: 'the other window shows it',
      });
      // What it had in hand is let go by then, or let go now.
      await first.close();
      assert.equal(lead(world.storage)?.by.process.pid, process.pid);
      assert.equal(session(window, id).status, 'working');
      assert.ok(isOpen(lastTurn(session(window, id))!));
      assert.equal(marked([id]).length, 1, 'one agent');
      assert.deepEqual(lines(path.join(worktree, 'kept.txt')), ['kept']);
      await assertConsistent(world.repo, window.sessions);
      await first.kill();
      await window.treeline.dispose();
    }
  });

  test('another machine on the same files: nobody here takes its place, its agents or its word', async (t) => {
    const world = await faultWorld(t);
    const far = await tempDir(t);
    t.after(moveAway(far));
    const env = { TREELINE_HOST: 'far-away', TMPDIR: far, XDG_RUNTIME_DIR: far };
    const there = await world.openProcess({ env });
    await until(() => lead(world.storage)?.by.process.host === 'far-away', { what: 'the other machine acts' });
    const window = await world.open();
    await until(() => window.log.some((line) => line.includes('are run by far-away')), { what: 'who acts is told' });
    const { id, worktree } = await window.sessions.spawn({ agent: 'scripted', prompt: 'write kept.txt kept\nwait' });
    await until(() => existsSync(path.join(worktree, 'kept.txt')), { what: 'the agent works' });
    const pids = (): number[] => [...keepers(world.storage), ...marked([id])].map(({ pid }) => pid).toSorted();
    const before = pids();

    // It stands still: from here that looks as if it were gone.
    process.kill(there.pid, 'SIGSTOP');
    const asked = window.sessions.stop(id);
    await assert.rejects(asked, /are run by far-away, which has not answered yet/);
    assert.equal(lead(world.storage)?.by.process.host, 'far-away');
    assert.deepEqual(pids(), before, 'its processes are left alone');
    assert.equal(session(window, id).runs[0]?.exit, undefined);
    await assert.rejects(window.sessions.resume(id, { prompt: 'print no' }), { code: 'turn-runs' });
    await assert.rejects(window.sessions.archive(id), { code: 'turn-runs' });
    assert.deepEqual(lines(path.join(worktree, 'kept.txt')), ['kept'], 'no second agent was started');

    // It goes on, and does what was asked meanwhile.
    process.kill(there.pid, 'SIGCONT');
    await reached(window.sessions, id, judged);
    assert.equal(session(window, id).status, 'stopped');
    // The journal says that the agent has ended a moment before its keeper has.
    await until(() => pids().length === 0, { what: 'none of its processes is left' });

    // It leaves: from then on this machine acts.
    await there.close();
    await takenOver(world.storage, performance.now());
    const { id: own } = await window.sessions.spawn({ agent: 'scripted', prompt: 'print done' });
    assert.equal((await reached(window.sessions, own, judged)).status, 'idle');
    await window.treeline.dispose();
  });

  test('files of which each call takes 50 ms: all works, also when the window that acts dies', async (t) => {
    const world = await faultWorld(t);
    const random = seeded(t);
    const slow = {
      env: { TREELINE_TEST_SLOW: '50', TREELINE_TEST_SLOW_BELOW: world.storage },
      execArgv: ['--import', path.join(import.meta.dirname, 'slow-files.ts')],
    };
    const [first, second] = [await world.openProcess(slow), await world.openProcess(slow)];
    const { id, worktree } = await second.spawn({ agent: 'lines', prompt: 'write kept.txt 0' });
    const asked = [1, 2, 3].map((n) => second.send(id, `write kept.txt ${n}`));
    await sleep(random.between(0, 3000));
    await first.kill();
    await until(() => lead(world.storage)?.by.process.pid === second.pid, {
      timeoutMs: patience(10_000),
      what: 'the other one acts',
    });
    await Promise.all(asked);
    await until(() => lines(path.join(worktree, 'kept.txt')).length === 4, { what: 'all is delivered' });
    assert.deepEqual(lines(path.join(worktree, 'kept.txt')).toSorted(), ['0', '1', '2', '3'], 'once');
    assert.ok((await second.stop(id))?.stop);
    assert.deepEqual(marked([id]), []);
    assert.ok((await second.archive(id)).archive);
    await second.unarchive(id);
    await second.resume(id, { prompt: 'write kept.txt 4' });
    await until(() => lines(path.join(worktree, 'kept.txt')).length === 5, { what: 'the resumed agent works' });
    await second.stop(id);
    assert.deepEqual(marked([id]), []);
  });
});
