/** Agents that do not want to end, or leave something behind: after a stop, nothing of them is left. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { reached } from '../unit/sessions/support.ts';
import { until } from '../unit/support.ts';
import { assertConsistent, faultWorld, patience, scriptAgents, seeded, session, told, trials } from './support.ts';
import { keepers, marked, workingIn } from './truth.ts';

const STAY = 'setInterval(() => {}, 1000);';
const DEAF = `process.on('SIGINT', () => {}); process.on('SIGTERM', () => {});`;
const SPAWN = `const { spawn } = require('node:child_process');`;
/** Everything that a daemon does to be forgotten: a session of its own, closed descriptors, a parent that is gone. */
const DAEMON = `${SPAWN} spawn('sh', ['-c', 'trap "" INT TERM; sleep 300 & exec sleep 300'], { detached: true, stdio: 'ignore' }).unref();`;

/** Each prints `ready` when it has done its worst. */
const AGENTS = {
  deaf: `${DEAF} console.log('ready'); ${STAY}`,
  daemon: `${DEAF} ${DAEMON} console.log('ready'); ${STAY}`,
  // A daemon whose parent ended long before the stop.
  orphan: `${SPAWN}
    spawn(process.execPath, ['-e', ${JSON.stringify(DAEMON)}], { stdio: 'ignore' }).on('exit', () => console.log('ready'));
    ${STAY}`,
  // Processes that go on making others, as long as they live.
  storm: `${SPAWN}
    const child = 'trap "" INT TERM; i=0; while [ $i -lt 40 ]; do sleep 300 & i=$((i+1)); done; while :; do sleep 0.05 & wait $!; done';
    for (let n = 0; n < 4; n++) spawn('sh', ['-c', child], { stdio: 'ignore', detached: n % 2 === 0 });
    setTimeout(() => console.log('ready'), 300); ${STAY}`,
  // A tool that holds stdout open when the agent is gone.
  holder: `${SPAWN}
    spawn('sh', ['-c', 'trap "" INT TERM; while :; do echo more; sleep 0.1; done'], { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    console.log('ready'); ${STAY}`,
  // In a process group that is stopped, a signal is only taken up when it goes on.
  stopped: `console.log('ready'); setTimeout(() => process.kill(process.pid, 'SIGSTOP'), 50); ${STAY}`,
} as const;

const KINDS = Object.keys(AGENTS) as (keyof typeof AGENTS)[];

suite('agents that do not want to end', { timeout: 300_000 }, () => {
  for (const kind of KINDS) {
    test(`${kind}: nothing is left after a stop, within the grace and a second`, async (t) => {
      const random = seeded(t);
      const { repo, storage, open, settings } = await faultWorld(t);
      settings.customAgents = scriptAgents(AGENTS);
      const window = await open();
      let longest = 0;
      for (let trial = 0; trial < trials(3); trial++) {
        const { id, worktree } = await window.sessions.spawn({ agent: kind, prompt: 'Go.' });
        await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine !== undefined);
        await sleep(random.between(0, 300));
        const askedAt = performance.now();
        // Twice, and from two places: the second has nothing to do and says the same.
        const [exit, again] = await Promise.all([window.sessions.stop(id), window.sessions.stop(id)]);
        const took = performance.now() - askedAt;
        longest = Math.max(longest, took);
        assert.deepEqual(marked([id]), [], 'no process of the session is left');
        assert.deepEqual(workingIn(worktree), [], 'nobody works in the worktree');
        const { interrupt, terminate } = settings.grace;
        assert.ok(took < patience(interrupt + terminate + 1000), `it took ${Math.round(took)} ms`);
        assert.deepEqual(again, exit);
        assert.ok(exit?.stop, 'the record says that it was stopped');
        await reached(window.sessions, id, ({ status }) => status === 'stopped');
        assert.match(await told(window, id), /ready[^]*turn-end: Stopped \(/);
      }
      await until(() => keepers(storage).length === 0, { what: 'the keepers end too' });
      t.diagnostic(`at most ${Math.round(longest)} ms`);
      await assertConsistent(repo, window.sessions);
    });
  }

  test('all of them at once, stopped by the window that comes after the one that began', async (t) => {
    const { repo, open, openProcess, settings } = await faultWorld(t);
    settings.customAgents = scriptAgents(AGENTS);
    settings.maxConcurrent = KINDS.length;
    const first = await openProcess();
    const spawned = await Promise.all(KINDS.map((agent) => first.spawn({ agent, prompt: 'Go.' })));
    const ids = spawned.map(({ id }) => id);
    await first.kill();
    const window = await open();
    await Promise.all(ids.map((id) => reached(window.sessions, id, () => window.sessions.activity(id) !== undefined)));
    await Promise.all(ids.map((id) => window.sessions.stop(id)));
    assert.deepEqual(marked(ids), []);
    for (const { worktree } of spawned) assert.deepEqual(workingIn(worktree), []);
    for (const id of ids) assert.equal(session(window, id).status, 'stopped');
    await assertConsistent(repo, window.sessions);
  });
});
