import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { activated, finished, reaches, steps, untilEvent, workspaceFolder } from './support.ts';
import type { Activated } from './support.ts';

describe('the exported API', () => {
  let api: Activated;
  before(async () => (api = await activated()));

  it('spawns an agent in a worktree of its own and tells of its work', async () => {
    const session = await finished(api, 'First', ['say', 'hello there'], ['write', 'made.txt', 'x']);
    assert.equal(api.version, 1);
    assert.equal(session.name, 'First');
    assert.equal(session.repository, workspaceFolder());
    assert.ok(existsSync(path.join(session.worktree, 'made.txt')));
    assert.ok(!session.worktree.startsWith(workspaceFolder() + path.sep));
    assert.equal(session.turns.length, 1);
    assert.equal(session.turns[0]!.exit!.code, 0);
    assert.equal(session.turns[0]!.outcome, 'completed');
    const { events, total } = await api.events(session.id);
    assert.equal(total, events.length);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
    );
    assert.deepEqual(
      events.filter(({ kind }) => kind !== 'keeper').map(({ kind, text }) => [kind, text]),
      [
        ['turn-start', session.turns[0]!.prompt],
        ['output', 'hello there'],
        ['turn-end', events.at(-1)!.text],
      ],
    );
    assert.deepEqual(await api.events(session.id, { from: -1, count: 1 }), {
      total,
      from: total - 1,
      events: events.slice(-1),
    });
    assert.ok((await api.sessions()).some(({ id }) => id === session.id));
  });

  it('resumes, sends to and stops an agent', async () => {
    const first = await finished(api, 'Second', ['say', 'one']);
    const { id } = await api.resume(first.id, { prompt: steps(['say', 'two'], ['wait']) });
    await reaches(api, id, 'working');
    await assert.rejects(api.resume(id, { prompt: 'x' }), { code: 'turn-runs' });
    await api.send(id, 'listen');
    await untilEvent(
      (look) => api.onDidChange(look),
      async () => {
        const { events } = await api.events(id);
        return events.some(({ text }) => text === 'heard listen') || undefined;
      },
      'the agent hears the message',
    );
    const exit = await api.stop(id);
    assert.ok(exit?.stop);
    assert.equal((await reaches(api, id, 'stopped')).turns.length, 2);
    assert.deepEqual(await api.stop(id), exit);
  });

  it('refuses what is wrong with a sentence and a code', async () => {
    await assert.rejects(api.spawn({ agent: 'nobody', prompt: 'x' }), { code: 'unknown-agent' });
    await assert.rejects(api.spawn({ agent: 'script', prompt: '' }), { code: 'invalid' });
    await assert.rejects(api.spawn({ agent: 'script', prompt: 'x', repository: '/nowhere' }), {
      code: 'no-repository',
    });
    await assert.rejects(api.stop('ses_none'), { code: 'no-session' });
    assert.equal(await api.session('ses_none'), undefined);
  });
});
