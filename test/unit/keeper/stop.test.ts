/** Stops and sweeps: afterwards no process of the run is left, whatever it did. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { patience } from '../../support/patience.mts';
import { tempDir, until } from '../support.ts';
import { started } from './support.ts';
import type { TestRun, RunOptions } from './support.ts';
import type { ExitRecord } from '../../../src/store/model.ts';

/** Why no terminal multiplexer can be had here, or false. */
const noTmux = hasPrograms() ? false : 'it takes tmux and script on Linux';

function hasPrograms(): boolean {
  try {
    for (const args of [
      ['tmux', '-V'],
      ['script', '--version'],
    ]) {
      execFileSync('/usr/bin/env', args, { stdio: 'ignore' });
    }
    return process.platform === 'linux';
  } catch {
    return false;
  }
}

/** What a stop may take beyond the grace periods: ms. */
const SLACK = 1000;

/** Starts the agent, waits until it printed `ready`, stops it, and checks that nothing is left, in time. */
async function stopped(
  t: TestContext,
  agent: string | readonly string[],
  options: RunOptions = {},
): Promise<{ run: TestRun; exit: ExitRecord }> {
  const { run, keeper } = await started(t, agent, options);
  await run.printed('ready');
  assert.notEqual((await run.left()).length, 0);
  const exit = await keeper.stop();
  assert.deepEqual(await run.left(), []);
  const { interrupt, terminate } = run.spec.grace;
  const took = exit.endedAt - (exit.stop?.requestedAt ?? 0);
  assert.ok(took <= patience(interrupt + terminate + SLACK), `${took} ms`);
  return { run, exit };
}

const steps = (exit: ExitRecord): string[] => (exit.stop?.steps ?? []).map(({ signal }) => signal);

test('a stop begins with SIGINT, and an agent that hears it ends in its own way', async (t) => {
  const agent = `process.on('SIGINT', () => { console.log('bye'); process.exit(5) }); console.log('ready'); setInterval(() => {}, 1000)`;
  const { run, exit } = await stopped(t, agent, { grace: { interrupt: 20_000, terminate: 20_000 } });
  assert.deepEqual(steps(exit), ['SIGINT']);
  assert.deepEqual([exit.code, exit.signal, exit.survivors], [5, null, []]);
  assert.equal(run.text('o'), 'ready\nbye\n');
  assert.match(run.notes(), /Stop requested[^]*Sent SIGINT/);
});

test('an agent that ignores SIGINT gets SIGTERM', async (t) => {
  const agent = `process.on('SIGINT', () => {}); console.log('ready'); setInterval(() => {}, 1000)`;
  const { exit } = await stopped(t, agent, { grace: { interrupt: 200, terminate: 20_000 } });
  assert.deepEqual(steps(exit), ['SIGINT', 'SIGTERM']);
  assert.equal(exit.signal, 'SIGTERM');
});

test('an agent that ignores both gets SIGKILL', async (t) => {
  const agent = `for (const s of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(s, () => {}); console.log('ready'); setInterval(() => {}, 1000)`;
  const { exit } = await stopped(t, agent, { grace: { interrupt: 200, terminate: 200 } });
  assert.deepEqual(steps(exit), ['SIGINT', 'SIGTERM', 'SIGKILL']);
  assert.equal(exit.signal, 'SIGKILL');
});

test('children of the agent end with it', async (t) => {
  await stopped(
    t,
    ['bash', '-c', 'trap "" INT TERM; sleep 1000 & (sleep 1000 & sleep 1000) & echo ready; wait; wait; wait'],
    {
      grace: { interrupt: 100, terminate: 100 },
    },
  );
});

test('a grandchild with a session of its own and closed descriptors ends too', async (t) => {
  const { exit } = await stopped(t, [
    'bash',
    '-c',
    '(setsid sleep 1000 <&- >&- 2>&- &); sleep 0.3; echo ready; sleep 1000',
  ]);
  assert.match(exit.survivors.map(({ command }) => command).join(), /sleep 1000/);
});

test('a grandchild with its own session and an emptied environment ends, when its parents still were there at the stop', async (t) => {
  await stopped(t, [
    'bash',
    '-c',
    'env -i setsid bash -c "trap true INT TERM; echo ready; while :; do /bin/sleep 1; done" & wait; wait',
  ]);
});

test('a fork storm ends', async (t) => {
  // Each process has its own session and keeps starting others, up to a number that the machine can bear.
  const storm =
    'trap "" INT TERM; echo ready; n=0; while [ $n -lt 40 ]; do setsid bash -c "trap \\"\\" INT TERM; setsid sleep 1000 & setsid sleep 1000 & sleep 1000" & n=$((n+1)); done; wait';
  const { run, exit } = await stopped(t, ['bash', '-c', storm], { grace: { interrupt: 100, terminate: 100 } });
  assert.ok(exit.survivors.length > 0 && exit.survivors.length <= 50);
  assert.match(run.notes(), /Stopping processes left running/);
});

test('processes that hand over from one to the next all the time are caught', async (t) => {
  // Each has its own session, no living parent, and is gone a moment after it has started the next.
  const hop = 'echo hop >> hops; sleep 0.01; setsid bash hop.sh </dev/null >/dev/null 2>&1 &';
  const { run } = await stopped(t, [
    'bash',
    '-c',
    `echo '${hop}' > hop.sh; bash hop.sh; until [ $(grep -c hop hops) -gt 5 ]; do sleep 0.05; done; echo ready; sleep 1000`,
  ]);
  const hops = (): number => statSync(path.join(run.spec.worktree, 'hops')).size;
  const before = hops();
  await delay(300);
  assert.equal(hops(), before);
});

test('a tool that holds stdout open after the end of the agent does not hold the run', async (t) => {
  const { run, keeper } = await started(t, ['bash', '-c', 'setsid sleep 1000 & echo done; exit 0']);
  const exit = await keeper.ended;
  assert.equal(exit.code, 0);
  assert.equal(exit.survivors.length, 1);
  assert.equal(run.text('o'), 'done\n');
  assert.deepEqual(await run.left(), []);
});

test('a tool that nobody can find does not hold the run either, and nothing of the agent is lost', async (t) => {
  // No parent, no session, no marker: it cannot be told from a stranger's process, so it is left alone.
  const agent = ['bash', '-c', '(env -i setsid sleep 3 &); sleep 0.2; printf "%060000d" 1; exit 0'];
  const { run, keeper } = await started(t, agent);
  const exit = await keeper.ended;
  assert.equal(exit.code, 0);
  assert.equal(run.bytes('o').length, 60_000);
  assert.match(run.notes(), /unknown process keeps/);
});

test('a tool in the background that emptied its environment is found by the session that the agent led', async (t) => {
  const { run, keeper } = await started(t, ['bash', '-c', 'env -i sleep 1000 >/dev/null 2>&1 & exit 0']);
  const exit = await keeper.ended;
  assert.equal(exit.survivors.length, 1);
  assert.deepEqual(await run.left(), []);
});

test('what is left running after a natural end is asked to end before it is killed', async (t) => {
  const agent = [
    'bash',
    '-c',
    '(trap "echo cleaned; exit" TERM; echo up; while :; do sleep 0.05; done) & sleep 0.3; exit 0',
  ];
  const { run, keeper } = await started(t, agent);
  await keeper.ended;
  assert.match(run.text('o'), /up\ncleaned\n/);
});

test('several clients stop at once, and again after the end: all get the same record, signals go out once', async (t) => {
  const agent = `process.on('SIGINT', () => setTimeout(() => process.exit(0), 200)); console.log('ready'); setInterval(() => {}, 1000)`;
  const { run, keeper } = await started(t, agent, { grace: { interrupt: 20_000, terminate: 1000 } });
  await run.printed('ready');
  const others = await Promise.all([run.connect(), run.connect()]);
  const all = [keeper, ...others];
  const [first, ...rest] = await Promise.all(all.flatMap((one) => [one.stop(), one.stop(), one.ended]));
  assert.deepEqual(steps(first!), ['SIGINT']);
  for (const exit of rest) assert.deepEqual(exit, first);
  assert.equal(run.facts().filter(({ type }) => type === 'run.exited').length, 1);
  assert.deepEqual(await keeper.stop(), first);
});

test('a stop that the waiting was aborted for goes on', async (t) => {
  const agent = `process.on('SIGINT', () => setTimeout(() => process.exit(0), 300)); console.log('ready'); setInterval(() => {}, 1000)`;
  const { run, keeper } = await started(t, agent, { grace: { interrupt: 20_000, terminate: 1000 } });
  await run.printed('ready');
  await assert.rejects(keeper.stop(AbortSignal.timeout(20)), { name: 'TimeoutError' });
  assert.equal((await keeper.ended).code, 0);
});

test('SIGTERM to the keeper stops the run, SIGINT and SIGHUP do nothing', async (t) => {
  const { run, keeper } = await started(t, `console.log('ready'); setInterval(() => {}, 1000)`);
  await run.printed('ready');
  const { pid } = run.fact('keeper.started').keeper;
  process.kill(pid, 'SIGINT');
  process.kill(pid, 'SIGHUP');
  await keeper.start();
  process.kill(pid, 'SIGTERM');
  const exit = await keeper.ended;
  assert.ok(exit.stop);
  assert.deepEqual(await run.left(), []);
});

test('a process of somebody else with the same folder and a similar marker is left alone', async (t) => {
  const { run, keeper } = await started(t, `console.log('ready'); setInterval(() => {}, 1000)`);
  const { spawn } = await import('node:child_process');
  const bystander = spawn('sleep', ['1000'], {
    cwd: run.spec.worktree,
    env: { ...process.env, TREELINE_MARK: `${run.spec.session}/${run.spec.run}1` },
  });
  t.after(() => bystander.kill('SIGKILL'));
  await run.printed('ready');
  await keeper.stop();
  assert.equal(bystander.exitCode, null);
  assert.equal(bystander.signalCode, null);
  await until(() => process.kill(bystander.pid!, 0), { what: 'the bystander lives' });
});

/** An agent that starts a tmux server, and what to ask that server with. */
async function multiplexer(t: TestContext): Promise<{
  readonly run: TestRun;
  readonly keeper: Awaited<ReturnType<typeof started>>['keeper'];
  readonly socket: string;
  readonly tmux: (...args: string[]) => string;
}> {
  const socket = path.join(await tempDir(t), 'tmux');
  const start = `tmux -f /dev/null -S ${socket} new-session -d -s agents "sleep 1000" && echo ready; sleep 1000`;
  const { run, keeper } = await started(t, ['bash', '-c', start]);
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-S', socket, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  await run.printed('ready');
  return { run, keeper, socket, tmux };
}

test('a multiplexer that the agent started ends with the turn', { skip: noTmux }, async (t) => {
  const { run, keeper, tmux } = await multiplexer(t);
  const exit = await keeper.stop();
  assert.match(exit.survivors.map(({ command }) => command).join(), /tmux/);
  assert.deepEqual(await run.left(), []);
  assert.throws(() => tmux('list-sessions'));
});

test('a multiplexer that the user has joined goes on with his windows, and is told', { skip: noTmux }, async (t) => {
  const { run, keeper, socket, tmux } = await multiplexer(t);
  // A terminal of the user's, outside of the run.
  const attach = `tmux -S ${socket} new-session -s mine "sleep 1001"`;
  const terminal = spawn('script', ['-qfc', attach, '/dev/null'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, TERM: 'xterm' },
  });
  const closed = once(terminal, 'exit');
  // The server is ended with all that carries the turn's mark, and its terminal follows.
  t.after(() => closed);
  await until(() => tmux('list-clients').includes('mine'), { what: 'the user is in' });
  const server = tmux('display-message', '-p', '#{pid}').trim();
  const exit = await keeper.stop();
  assert.match(tmux('list-windows', '-t', 'mine'), /1 panes/);
  assert.match(tmux('list-clients'), /mine/);
  assert.doesNotMatch(exit.survivors.map(({ command }) => command).join(), /tmux/);
  assert.match(run.notes(), new RegExp(`Left running because a terminal .*: ${server} \\(tmux`));
});
