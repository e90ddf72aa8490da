/** kill -9 of what a turn consists of, and the restart of the machine. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { errorText } from '../../src/platform/errors.ts';
import { journalFile } from '../../src/platform/paths.ts';
import { isOpen } from '../../src/store/lifecycle.ts';
import type { Session } from '../../src/store/model.ts';
import { textOf } from '../../src/words/saying.ts';
import { judged, reached } from '../unit/sessions/support.ts';
import { until } from '../unit/support.ts';
import {
  assertConsistent,
  bystander,
  faultWorld,
  patience,
  seeded,
  session,
  storeOf,
  told,
  trials,
  type FaultWindow,
} from './support.ts';
import { journalled, keepers, marked, runs, worktrees } from './truth.ts';

/** An agent that works with a tool, and goes on when that has ended. */
const WORK = 'write kept.txt kept\nprint go\nrun sleep 300\nprint the tool is gone\nwait';

const VICTIMS = ['keeper', 'agent', 'both', 'tool'] as const;
type Victim = (typeof VICTIMS)[number];

/** Kills -9, as far as it is there by now. */
function kill(victim: Victim, storage: string, id: string): void {
  const running = marked([id]);
  const tool = running.filter(({ command }) => command.startsWith('sleep'));
  const agent = running.filter(({ command }) => command.includes('scripted-agent'));
  const keeper = keepers(storage).filter((one) => one.session === id);
  const victims = { keeper, agent, both: [...keeper, ...agent], tool }[victim];
  assert.ok(victims.length > 0, `there is a ${victim} to kill`);
  for (const { pid } of victims) process.kill(pid, 'SIGKILL');
}

/** What must be seen after the death, and be so. */
async function assertTold(window: FaultWindow, id: string, victim: Victim): Promise<void> {
  const shown = session(window, id);
  const timeline = await told(window, id);
  if (victim === 'tool') {
    assert.equal(shown.status, 'working');
    assert.ok(marked([id]).length > 0, 'the agent goes on without its tool');
    return;
  }
  assert.deepEqual(marked([id]), [], `${shown.status}, and nothing of it runs`);
  if (victim === 'agent') {
    assert.equal(shown.status, 'failed');
    assert.match(timeline, /turn-end: Ended by SIGKILL.* Treeline did not send this signal/);
  } else {
    assert.equal(shown.status, 'lost');
    assert.match(
      timeline,
      /keeper: The background process ended unexpectedly\. Treeline is closing the turn instead\./,
    );
    assert.match(timeline, /turn-end: The background process ended unexpectedly, so how the agent ended is unknown\./);
    // With its keeper gone nobody read on what it printed; so it is ended, and that is said.
    if (victim === 'keeper') {
      assert.match(timeline, /keeper: The agent \(process \d+\) was still running without its background process/);
    }
  }
  assert.match(timeline, /go/, 'what was printed before is there');
}

const isTrue = (victim: Victim, { sessions }: FaultWindow, id: string): boolean =>
  victim === 'tool'
    ? sessions.activity(id)?.lastLine === 'the tool is gone'
    : { keeper: 'lost', both: 'lost', agent: 'failed' }[victim] === sessions.get(id)?.status;

suite('kill -9 of what a turn consists of', { timeout: 300_000 }, () => {
  test('at random instants, while a window is open: it shows the truth within 2 s', async (t) => {
    const random = seeded(t);
    const { storage, repo, open } = await faultWorld(t);
    const window = await open();
    const took: Record<string, number> = {};
    for (let trial = 0; trial < trials(12); trial++) {
      const victim = VICTIMS[trial % VICTIMS.length] as Victim;
      const { id } = await window.sessions.spawn({ agent: 'scripted', prompt: WORK });
      await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine === 'go');
      await until(() => marked([id]).some(({ command }) => command.startsWith('sleep')), { what: 'the tool runs' });
      await sleep(random.between(0, 200));
      const killedAt = performance.now();
      kill(victim, storage, id);
      // Ending an agent that lost its keeper may take its grace of a second.
      await until(() => isTrue(victim, window, id), { timeoutMs: 30_000, what: `the truth after the ${victim} died` });
      took[victim] = Math.max(took[victim] ?? 0, performance.now() - killedAt);
      assert.ok(performance.now() - killedAt < patience(2000), `within 2 s: ${Math.round(took[victim])} ms`);
      await assertTold(window, id, victim);
      await window.sessions.stop(id);
    }
    t.diagnostic(
      `at most ${Object.entries(took)
        .map(([victim, ms]) => `${victim} ${Math.round(ms)} ms`)
        .join(', ')}`,
    );
    await assertConsistent(repo, window.sessions);
  });

  test('while no window is open: the next one shows the truth and ends what is left', async (t) => {
    const random = seeded(t);
    const { storage, repo, settings, open, openProcess } = await faultWorld(t);
    settings.maxConcurrent = trials(6);
    // One for all: a window that opened in between would begin to put right what was killed before.
    const first = await openProcess();
    const ids: string[] = [];
    for (let trial = 0; trial < trials(6); trial++) {
      const { id } = await first.spawn({ agent: 'scripted', prompt: WORK });
      await until(() => marked([id]).some(({ command }) => command.startsWith('sleep')), { what: 'the tool runs' });
      ids.push(id);
    }
    await first.kill();
    const dead: { id: string; victim: Victim }[] = [];
    for (const id of ids) {
      await sleep(random.between(0, 100));
      const victim = random.pick(['keeper', 'agent', 'both'] as const);
      kill(victim, storage, id);
      dead.push({ id, victim });
    }
    await until(() => keepers(storage).length === 0, { what: 'the keepers of agents that died end by themselves' });
    const window = await open();
    for (const { id, victim } of dead) {
      await reached(window.sessions, id, judged);
      await assertTold(window, id, victim);
    }
    await assertConsistent(repo, window.sessions);
  });

  test('the keeper at random instants of a spawn: it is refused and undone, or shown as lost', async (t) => {
    const random = seeded(t);
    const { storage, repo, open } = await faultWorld(t);
    const window = await open();
    let refused = 0;
    for (let trial = 0; trial < trials(10); trial++) {
      const before = new Set(window.sessions.list().map(({ id }) => id));
      const spawn = window.sessions.spawn({ agent: 'scripted', prompt: 'print go\nwait' }).then(
        () => true,
        (error: unknown) => {
          assert.match(errorText(error), /could not be started: .* failed\. .*Undone: /s);
          return false;
        },
      );
      const keeper = await until(() => keepers(storage).find((one) => !before.has(one.session)), { what: 'a keeper' });
      await sleep(random.between(0, 500));
      process.kill(keeper.pid, 'SIGKILL');
      const spawned = await spawn;
      if (!spawned) refused += 1;
      const id = keeper.session;
      await reached(window.sessions, id, ({ status }) => status === 'lost' || status === 'failed');
      assert.deepEqual(marked([id]), []);
      if (!spawned) assert.ok(!(await worktrees(repo)).includes(session(window, id).worktree));
    }
    t.diagnostic(`${refused} refused, the others lost`);
    await assertConsistent(repo, window.sessions);
  });

  test('the keeper, when its agent runs and nobody has heard of it: refused, undone, and no agent', async (t) => {
    const keeper = path.join(import.meta.dirname, 'dying-keeper.ts');
    const { repo, open } = await faultWorld(t, { keeper });
    const window = await open();
    await assert.rejects(window.sessions.spawn({ agent: 'scripted', prompt: 'deaf\nprint go\nwait' }), (error) => {
      assert.match(errorText(error), /starting the agent failed\. .*Undone: the agent, .*the worktree/s);
      return true;
    });
    const [refused] = window.sessions.list();
    assert.equal(refused?.status, 'failed');
    assert.deepEqual(marked([refused.id]), []);
    assert.deepEqual(await worktrees(repo), []);
    await assertConsistent(repo, window.sessions);
  });
});

suite('the machine restarts', { timeout: 120_000 }, () => {
  test('all is gone and its pids belong to others: the sessions are shown lost, the others are left alone', async (t) => {
    const { storage, open, openProcess, repo } = await faultWorld(t);
    const first = await openProcess();
    const ids: string[] = [];
    for (const prompt of [WORK, 'print go\nwait', 'deaf\nprint go\nwait']) {
      ids.push((await first.spawn({ agent: 'scripted', prompt })).id);
    }
    await until(() => ids.every((id) => marked([id]).length > 0), { what: 'all agents run' });
    await first.kill();
    for (const { pid } of [...keepers(storage), ...marked(ids)]) process.kill(pid, 'SIGKILL');

    // Every pid that the journal knows is given to a process that has nothing to do with it.
    const others = new Map<string, number>();
    const journal = journalFile(storeOf(storage));
    const text = readFileSync(journal, 'utf8');
    for (const [, pid = ''] of text.matchAll(/"pid":(\d+)/g)) {
      if (!others.has(pid)) others.set(pid, (await bystander(t)).pid!);
    }
    writeFileSync(
      journal,
      text.replace(/"pid":(\d+)/g, (_, pid: string) => `"pid":${String(others.get(pid))}`),
    );

    const window = await open();
    for (const id of ids) {
      const lost = await reached(window.sessions, id, ({ status }) => status === 'lost');
      assert.match(textOf(lost.evidence.detail), /ended unexpectedly/);
      assert.match(await told(window, id), /keeper: The background process ended unexpectedly/);
    }
    assert.deepEqual(marked(ids), []);
    for (const pid of others.values()) assert.doesNotThrow(() => process.kill(pid, 0), 'a stranger was ended');
    await assertConsistent(repo, window.sessions);

    // And work can go on where it was.
    const [id] = ids as [string];
    await window.sessions.resume(id, { prompt: 'write kept.txt again' });
    const ended = await reached(window.sessions, id, (one) => one.turns.length === 2 && judged(one));
    assert.equal(ended.status, 'idle');
    assert.equal(readFileSync(`${ended.worktree}/kept.txt`, 'utf8'), 'kept\nagain\n');
  });

  test('in the middle of a spawn: what was half made is made anew by the next window, or told as lost', async (t) => {
    const random = seeded(t);
    const { storage, open, openProcess, repo } = await faultWorld(t);
    const seen = { working: 0, lost: 0, none: 0 };
    for (let trial = 0; trial < trials(5); trial++) {
      const first = await openProcess();
      const spawn = first.spawn({ agent: 'scripted', prompt: 'print go\nwait' }).catch(() => undefined);
      await sleep(random.between(0, 500));
      await first.kill();
      await spawn;
      for (const { pid } of [...keepers(storage), ...marked(journalled(storage))]) process.kill(pid, 'SIGKILL');
      const window = await open();
      const [newest] = window.sessions.list();
      const one = newest?.turns.some(isOpen) === true ? newest : undefined;
      if (one === undefined) seen.none += 1;
      else {
        // Only where its agent had started is there something to lose.
        const { status } = await reached(
          window.sessions,
          one.id,
          (now) => /^(working|lost|failed)$/.test(now.status) && !isHalf(now),
        );
        assert.ok(status === 'working' || status === 'lost', status);
        seen[status] += 1;
      }
      await assertConsistent(repo, window.sessions);
      if (one !== undefined) await window.sessions.stop(one.id);
      assert.deepEqual(marked(journalled(storage)), []);
      await window.treeline.dispose();
    }
    t.diagnostic(JSON.stringify(seen));
  });
});

/** A turn that was working when all was killed is shown so until that is found out. */
function isHalf(one: Session): boolean {
  const run = one.runs.at(-1);
  return one.status === 'working' && (run?.agent === undefined || !runs(run.agent.process.pid));
}
