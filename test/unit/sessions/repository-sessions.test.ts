import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';

import { processIdSync } from '../../../src/platform/process-id.ts';
import { git } from '../support.ts';
import { BOUND, judged, reached, world } from './support.ts';
import { quoted } from '../../../src/words/saying.ts';

suite('sessions of a repository', () => {
  test('a spawn runs in a worktree of its own and ends idle', BOUND, async (t) => {
    const { repo, open } = await world(t);
    const { sessions } = await open();
    const spawned = await sessions.spawn({
      agent: 'scripted',
      prompt: '# Greet the world\nwrite hello.txt hello\nprint all done',
    });
    assert.equal(spawned.name, 'Greet the world');
    assert.match(spawned.branch, /^treeline\/greet-the-world-[0-9a-f]+$/);
    assert.ok(!spawned.worktree.startsWith(`${repo}/`), 'the worktree is outside the repository');

    const ended = await reached(sessions, spawned.id, judged);
    assert.equal(ended.status, 'idle');
    assert.deepEqual(ended.turns[0]?.judgement?.summary, quoted('all done'));
    assert.equal(readFileSync(path.join(spawned.worktree, 'hello.txt'), 'utf8'), 'hello\n');
    assert.equal(existsSync(path.join(repo, 'hello.txt')), false);
    assert.equal((await git(spawned.worktree, 'branch', '--show-current')).trim(), spawned.branch);
  });

  test('an agent that exits with an error is failed, with its exit code as evidence', BOUND, async (t) => {
    const { sessions } = await (await world(t)).open();
    const { id } = await sessions.spawn({ agent: 'scripted', prompt: 'err it broke\nexit 3' });
    const ended = await reached(sessions, id, judged);
    assert.equal(ended.status, 'failed');
    assert.equal(ended.turns[0]?.exit?.code, 3);
    assert.equal(ended.runs[0]?.agent?.reads, undefined, 'it takes no messages');
  });

  test(
    'stop ends a deaf agent and its daemon, and says by which signal; a second stop says the same',
    BOUND,
    async (t) => {
      const { sessions } = await (await world(t)).open();
      const { id, worktree } = await sessions.spawn({
        agent: 'scripted',
        prompt: 'deaf\ndaemon pid.txt\nprint ready\nwait',
      });
      await reached(sessions, id, () => sessions.activity(id)?.lastLine === 'ready');
      const exit = await sessions.stop(id);
      assert.equal(exit?.signal, 'SIGKILL');
      assert.deepEqual(exit.stop?.steps.map(({ signal }) => signal).slice(-1), ['SIGKILL']);
      const daemon = Number(readFileSync(path.join(worktree, 'pid.txt'), 'utf8'));
      assert.equal(processIdSync(daemon), undefined);
      assert.deepEqual(await sessions.stop(id), exit);
      assert.equal((await reached(sessions, id, judged)).status, 'stopped');
    },
  );

  test('resume starts the next turn in the same worktree and is refused while a turn runs', BOUND, async (t) => {
    const { sessions } = await (await world(t)).open();
    const { id, worktree } = await sessions.spawn({ agent: 'scripted', prompt: 'write a.txt 1\nprint ready\nwait' });
    await assert.rejects(sessions.resume(id, { prompt: 'more' }), { code: 'turn-runs' });
    await reached(sessions, id, () => sessions.activity(id)?.lastLine === 'ready');
    await sessions.stop(id);
    await sessions.resume(id, { prompt: 'write a.txt 2\nprint second' });
    const ended = await reached(sessions, id, (session) => session.turns.length === 2 && judged(session));
    assert.equal(ended.status, 'idle');
    assert.equal(readFileSync(path.join(worktree, 'a.txt'), 'utf8'), '1\n2\n');
  });

  test('resume brings back a missing worktree from its branch', BOUND, async (t) => {
    const { sessions } = await (await world(t)).open();
    const { id, worktree } = await sessions.spawn({
      agent: 'scripted',
      prompt: 'write kept.txt kept\nrun git add .\nrun git -c user.name=T -c user.email=t@example.org commit -qm kept',
    });
    await reached(sessions, id, judged);
    await rm(worktree, { recursive: true });
    await sessions.resume(id, { prompt: 'print back' });
    await reached(sessions, id, (session) => session.turns.length === 2 && judged(session));
    assert.equal(readFileSync(path.join(worktree, 'kept.txt'), 'utf8'), 'kept\n');
  });

  test('a follow-up message reaches a live agent that reads lines', BOUND, async (t) => {
    const { sessions } = await (await world(t)).open();
    const { id } = await sessions.spawn({ agent: 'lines', prompt: 'print first' });
    await reached(sessions, id, () => sessions.activity(id)?.lastLine === 'first');
    await assert.rejects(sessions.send(id, `print ${'x'.repeat(1024 * 1024)}`), { code: 'message-too-long' });
    assert.equal(sessions.get(id)?.runs[0]?.agent?.reads, 'lines', 'whatever the settings say by now');
    await sessions.send(id, 'print second');
    await reached(sessions, id, () => sessions.activity(id)?.lastLine === 'second');
    await sessions.send(id, 'exit 0');
    assert.equal((await reached(sessions, id, judged)).status, 'idle');
    await assert.rejects(sessions.send(id, 'print third'), { code: 'not-running' });
  });

  test('expected files are looked for when the turn ends', BOUND, async (t) => {
    const { sessions } = await (await world(t)).open();
    const { id } = await sessions.spawn({
      agent: 'scripted',
      prompt: 'write report.md done',
      expects: ['report.md', 'missing.md'],
    });
    const ended = await reached(sessions, id, judged);
    assert.deepEqual(ended.turns[0]?.exit?.expected, [
      { path: 'report.md', present: true },
      { path: 'missing.md', present: false },
    ]);
  });

  test('a missing agent is refused in one sentence and leaves nothing behind', BOUND, async (t) => {
    const { repo, open, settings } = await world(t);
    const { sessions } = await open();
    settings.programs = { claude: { command: 'no-such-program-here', args: [] } };
    await assert.rejects(sessions.spawn({ agent: 'claude', prompt: 'hi' }), { code: 'agent-missing' });
    assert.equal(sessions.list().length, 0);
    assert.equal((await git(repo, 'worktree', 'list')).trim().split('\n').length, 1);
    assert.equal((await git(repo, 'branch', '--list', 'treeline/*')).trim(), '');
  });

  test('a failing step is named and everything before it undone', BOUND, async (t) => {
    const { repo, open, settings } = await world(t);
    const { sessions } = await open();
    const broken = path.join(repo, '../broken-agent');
    await writeFile(broken, '#!/no/such/interpreter\n', { mode: 0o700 });
    settings.customAgents = settings.customAgents.map((agent) => ({ ...agent, command: [broken] }));
    await assert.rejects(sessions.spawn({ agent: 'scripted', prompt: 'hi' }), (error: Error) => {
      assert.match(error.message, /starting the agent failed/);
      assert.match(error.message, /Undone: the background process, the worktree .* and its branch /);
      return true;
    });
    assert.equal((await git(repo, 'branch', '--list', 'treeline/*')).trim(), '');
    assert.equal(sessions.list()[0]?.status, 'failed');
  });

  test('a cancelled spawn is undone', BOUND, async (t) => {
    const { repo, open } = await world(t);
    const { sessions } = await open();
    const abort = new AbortController();
    const spawn = sessions.spawn(
      { agent: 'scripted', prompt: 'wait' },
      {
        signal: abort.signal,
        progress: (step) => step === 'Making the worktree' && abort.abort(),
      },
    );
    await assert.rejects(spawn, { code: 'cancelled' });
    assert.equal((await git(repo, 'worktree', 'list')).trim().split('\n').length, 1);
    assert.equal(sessions.list()[0]?.status, 'stopped');
  });

  test('ten spawns at once from two windows all succeed with different branches and worktrees', BOUND, async (t) => {
    const { open, openProcess, settings } = await world(t);
    settings.maxConcurrent = 20;
    const [{ sessions: here }, there] = await Promise.all([open(), openProcess()]);
    const request = { agent: 'scripted', prompt: 'Same name\nprint ok' };
    const spawned = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? here : there).spawn(request)),
    );
    for (const part of ['id', 'branch', 'worktree'] as const) {
      assert.equal(new Set(spawned.map((session) => session[part])).size, 10, part);
    }
    for (const { id } of spawned) {
      assert.equal((await reached(here, id, judged)).status, 'idle');
    }
  });

  test('over the limit a spawn is queued, over all windows, and starts when there is a place', BOUND, async (t) => {
    const { open, openProcess, settings } = await world(t);
    settings.maxConcurrent = 1;
    const [{ sessions }, other] = [await open(), await openProcess()];
    const first = await sessions.spawn({ agent: 'scripted', prompt: 'wait' });
    assert.equal(first.status, 'working');
    const second = await other.spawn({ agent: 'scripted', prompt: 'print second' });
    assert.equal(second.status, 'queued');
    assert.equal(existsSync(second.worktree), false);
    await sessions.stop(first.id);
    assert.equal((await reached(sessions, second.id, judged)).status, 'idle');
  });

  test('what a window queued and did not live to start, another one starts', BOUND, async (t) => {
    const { open, openProcess, settings } = await world(t);
    settings.maxConcurrent = 1;
    const [{ sessions }, other] = [await open(), await openProcess()];
    const first = await sessions.spawn({ agent: 'scripted', prompt: 'wait' });
    const second = await other.spawn({ agent: 'scripted', prompt: 'print second' });
    await other.kill();
    await sessions.stop(first.id);
    assert.equal((await reached(sessions, second.id, judged)).status, 'idle');
  });

  test('a queued session starts when the limit is raised', BOUND, async (t) => {
    const { open, settings } = await world(t);
    settings.maxConcurrent = 1;
    const { treeline, sessions } = await open();
    const first = await sessions.spawn({ agent: 'scripted', prompt: 'wait' });
    const second = await sessions.spawn({ agent: 'scripted', prompt: 'print second' });
    assert.equal(second.status, 'queued');
    settings.maxConcurrent = 2;
    treeline.settingsChanged();
    assert.equal((await reached(sessions, second.id, judged)).status, 'idle');
    await sessions.stop(first.id);
  });

  test('a queued session can be stopped', BOUND, async (t) => {
    const { open, settings } = await world(t);
    settings.maxConcurrent = 1;
    const { sessions } = await open();
    const first = await sessions.spawn({ agent: 'scripted', prompt: 'wait' });
    const second = await sessions.spawn({ agent: 'scripted', prompt: 'print second' });
    assert.equal(await sessions.stop(second.id), undefined);
    assert.equal(sessions.get(second.id)?.status, 'stopped');
    await sessions.stop(first.id);
  });

  test('two windows that resume one session at once start exactly one turn', BOUND, async (t) => {
    const { open, openProcess } = await world(t);
    const [{ sessions: here }, there] = await Promise.all([open(), openProcess()]);
    const { id } = await here.spawn({ agent: 'scripted', prompt: 'print one' });
    await reached(here, id, judged);
    const results = await Promise.allSettled(
      [here, there].map((window, n) => window.resume(id, { prompt: `print from window ${n}` })),
    );
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const ended = await reached(here, id, (session) => session.turns.length === 2 && judged(session));
    const winner = results.findIndex(({ status }) => status === 'fulfilled');
    assert.deepEqual(ended.turns[1]?.judgement?.summary, quoted(`from window ${winner}`));
  });
});

suite('a window that comes back', () => {
  test('the agent went on, and the new window sees all that it printed and its exit', BOUND, async (t) => {
    const { open } = await world(t);
    const first = await open();
    const { id } = await first.sessions.spawn({
      agent: 'scripted',
      prompt: 'print before\nsleep 1500\nprint after\nwrite done.txt yes',
    });
    await first.treeline.dispose();

    const second = await open();
    assert.equal(second.sessions.get(id)?.status, 'working');
    const ended = await reached(second.sessions, id, judged);
    assert.equal(ended.status, 'idle');
    const page = await second.treeline.timelines.page(id, { groups: [], query: '' }, 0, 100).catch(() => undefined);
    assert.ok(page === undefined || page.rows.some((row) => row.text.text === 'before'));
    assert.equal(readFileSync(path.join(ended.worktree, 'done.txt'), 'utf8'), 'yes\n');
  });

  test('a keeper that was killed leaves no process, and the session says so', BOUND, async (t) => {
    const { open } = await world(t);
    const { sessions } = await open();
    const { id } = await sessions.spawn({ agent: 'scripted', prompt: 'deaf\nprint ready\nwait' });
    await reached(sessions, id, () => sessions.activity(id)?.lastLine === 'ready');
    const run = sessions.get(id)?.runs[0];
    process.kill(run?.keeper?.process.pid ?? assert.fail('the keeper had started'), 'SIGKILL');
    const ended = await reached(sessions, id, (session) => session.turns[0]?.exit !== undefined);
    assert.equal(ended.status, 'lost');
    assert.equal(processIdSync(run?.agent?.process.pid ?? assert.fail('the agent had started')), undefined);
  });
});
