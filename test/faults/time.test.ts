/** Clocks that jump, a machine that sleeps, and a file system that tells of no change. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { journalFile } from '../../src/platform/paths.ts';
import type { Fact } from '../../src/store/facts.ts';
import { lastTurn } from '../../src/store/lifecycle.ts';
import { ALL_ROWS } from '../../src/protocol/rows.ts';
import { timelineSource } from '../../src/sessions/timeline-source.ts';
import { age } from '../../src/views/age.ts';
import { judged, reached } from '../unit/sessions/support.ts';
import { until } from '../unit/support.ts';
import { deafen } from './deaf-watch.ts';
import { assertConsistent, faultWorld, patience, rows, session, stdout, storeOf, told, trials } from './support.ts';
import { keepers, marked } from './truth.ts';

const HOUR = 3_600_000;
const LINES = Array.from({ length: 20 }, (_, n) => `line ${n}`);
/** Lasts over the jump of the keeper's clock. */
const STEADY = LINES.map((line) => `print ${line}\nsleep 60`).join('\n');

suite('clocks', { timeout: 120_000 }, () => {
  for (const [name, jump] of [
    ['back by three hours', -3 * HOUR],
    ['forward by eight hours, as after a sleep', 8 * HOUR],
  ] as const) {
    test(`set ${name} in the middle of a turn: order, status and figures stay sound`, async (t) => {
      process.env['TREELINE_TEST_JUMP'] = String(jump);
      t.after(() => delete process.env['TREELINE_TEST_JUMP']);
      const keeper = path.join(import.meta.dirname, 'jumping-keeper.ts');
      const { repo, storage, open } = await faultWorld(t, { keeper });
      const window = await open();
      const { id } = await window.sessions.spawn({ agent: 'scripted', prompt: STEADY });
      const ended = await reached(window.sessions, id, judged);
      assert.equal(ended.status, 'idle');
      const [turn] = ended.turns;
      const exit = turn?.exit;
      assert.ok(exit?.startedAt);
      assert.ok(Math.abs(exit.endedAt - exit.startedAt - jump) < HOUR, 'the clock did jump in the turn');

      const all = await rows(window, id);
      assert.deepEqual(
        all.map(({ seq }) => seq),
        all.map((_, n) => n + 1),
        'rows are in the order in which they came',
      );
      assert.deepEqual(
        all.filter(({ kind }) => kind === 'output').map(({ text }) => text.text),
        LINES,
      );
      for (const { end, tool } of all) {
        assert.ok((end?.durationMs ?? 0) >= 0 && (tool?.durationMs ?? 0) >= 0, 'no duration is negative');
      }
      assert.doesNotMatch(await told(window, id), /-\d+(\.\d+)? (s|min|h)\b/);

      // The next turn's facts are older by the clock, and newer in fact.
      await window.sessions.resume(id, { prompt: 'print again\nwait' });
      const now = await reached(window.sessions, id, ({ status }) => status === 'working');
      assert.equal(lastTurn(now)?.number, 2);
      const at = now.evidence.at;
      for (const seen of [at - 24 * HOUR, at - 1, at, at + 5000]) {
        assert.doesNotMatch(
          age(at, seen, 'en', (text) => text),
          /-/,
          'an age is never negative',
        );
      }
      // The window's own clock goes back as well, and it is opened again: the same sessions in the same states.
      await window.treeline.dispose();
      const { now: real } = Date;
      Date.now = () => real() - 5 * HOUR;
      try {
        const again = await open();
        assert.equal(session(again, id).status, 'working');
        await again.sessions.stop(id);
        await reached(again.sessions, id, judged);
        assert.equal(session(again, id).status, 'stopped');
        assert.deepEqual(marked([id]), []);
        await assertConsistent(repo, again.sessions);
      } finally {
        Date.now = real;
      }
      const facts = readFileSync(journalFile(storeOf(storage)), 'utf8')
        .trimEnd()
        .split('\n');
      const times = facts.map((line) => (JSON.parse(line) as Fact).at);
      assert.ok(
        times.some((time, n) => n > 0 && time < (times[n - 1] ?? 0) - HOUR),
        'facts did go back in time',
      );
    });
  }
});

suite('sleep', { timeout: 120_000 }, () => {
  test('keeper, agent and window stand still in the middle of a turn, then all goes on', async (t) => {
    const { repo, storage, open, openProcess } = await faultWorld(t);
    const window = await open();
    const other = await openProcess();
    for (let trial = 0; trial < trials(2); trial++) {
      const { id } = await other.spawn({ agent: 'scripted', prompt: STEADY });
      await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine !== undefined);
      const asleep = [...keepers(storage), ...marked([id]), { pid: other.pid }].map(({ pid }) => pid);
      for (const pid of asleep) process.kill(pid, 'SIGSTOP');
      await sleep(4500);
      assert.equal(session(window, id).status, 'working', 'a turn that sleeps is not taken for lost');
      // In another order than they fell asleep.
      for (const pid of asleep.toReversed()) process.kill(pid, 'SIGCONT');
      assert.equal((await reached(window.sessions, id, judged)).status, 'idle');
      assert.equal(stdout(window, id).toString(), `${LINES.join('\n')}\n`);
      assert.ok((await other.list()).some((one) => one.id === id));
      await other.resume(id, { prompt: 'print after the sleep' });
      await reached(window.sessions, id, (one) => one.turns.length === 2 && judged(one));
      assert.match(await told(window, id), /output: after the sleep/);
    }
    await assertConsistent(repo, window.sessions);
  });
});

suite('a file system that cannot be watched', { timeout: 120_000 }, () => {
  for (const how of ['silent', 'refused'] as const) {
    test(`${how}: sessions, status and output of another window arrive within 2 s all the same`, async (t) => {
      process.env['TREELINE_TEST_DEAF'] = how;
      const hear = deafen(how);
      t.after(() => {
        hear();
        delete process.env['TREELINE_TEST_DEAF'];
      });
      const { open, openProcess } = await faultWorld(t, { worker: path.join(import.meta.dirname, 'deaf-worker.ts') });
      const window = await open();
      const other = await openProcess();
      const took: number[] = [];
      const within = async (what: string, seen: () => boolean | Promise<boolean>): Promise<void> => {
        const from = performance.now();
        await until(seen, { timeoutMs: patience(10_000), what });
        took.push(Math.round(performance.now() - from));
        assert.ok((took.at(-1) ?? 0) < patience(2000), `${what} after ${took.at(-1)} ms`);
      };
      for (let trial = 0; trial < trials(2); trial++) {
        const { id } = await other.spawn({ agent: 'lines', prompt: 'print first' });
        await within('the session', () => window.sessions.get(id)?.status === 'working');
        await within('its output', () => window.sessions.activity(id)?.lastLine === 'first');
        const close = window.treeline.timelines.open(timelineSource(window.sessions.store, session(window, id)));
        for (let n = 0; n < 4; n++) {
          await window.sessions.send(id, `print message ${n}`);
          await within('a row of its timeline', async () => {
            const page = await window.treeline.timelines.page(id, ALL_ROWS, -3, 3);
            return page.rows.some(({ text }) => text.text === `message ${n}`);
          });
        }
        close();
        await other.stop(id);
        await within('the stop', () => window.sessions.get(id)?.status === 'stopped');
      }
      t.diagnostic(`at most ${Math.max(...took)} ms`);
    });
  }
});
