import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { parseCustomAgents } from '../../../src/agents/custom/settings.ts';
import { journalFile } from '../../../src/platform/paths.ts';
import { processIdSync } from '../../../src/platform/process-id.ts';
import type { Session } from '../../../src/store/model.ts';
import { demoAgents } from '../../demo/setting.mjs';
import { reached, world, type World } from '../sessions/support.ts';

const LIMIT = { timeout: 120_000 };

async function liveWorld(t: TestContext): Promise<World> {
  const place = await world(t);
  const { agents, problems } = parseCustomAgents(demoAgents({ speed: 20, live: true }));
  assert.deepEqual(problems, []);
  place.settings.customAgents = agents;
  return place;
}

const judgedTurn = (number: number) => (session: Session) => session.turns[number - 1]?.judgement !== undefined;

suite('an agent that serves many turns in one run', () => {
  test(
    'ends its turns by its own word, gets the next prompt in the same process, and is stopped while it waits',
    LIMIT,
    async (t) => {
      const { open } = await liveWorld(t);
      const { sessions } = await open();
      const { id } = await sessions.spawn({ agent: 'demo-live', prompt: 'Write one file' });
      const first = await reached(sessions, id, judgedTurn(1));
      assert.equal(first.status, 'idle');
      const agent = first.runs[0]?.agent?.process ?? assert.fail('the agent had started');
      assert.ok(processIdSync(agent.pid), 'the process lives on after its turn');

      await sessions.resume(id, { prompt: 'Write another file' });
      const second = await reached(sessions, id, judgedTurn(2));
      assert.deepEqual([second.runs.length, second.turns[1]?.claim?.run, second.status], [1, 1, 'idle']);
      assert.equal(processIdSync(agent.pid)?.start, agent.start, 'it is the same process');

      await sessions.stop(id);
      assert.equal(processIdSync(agent.pid), undefined, 'a stop ends it though no turn is under way');
      assert.ok(sessions.get(id)?.runs[0]?.exit);
    },
  );

  test('gets its messages and its next prompt also after the journal was deleted', LIMIT, async (t) => {
    const { open } = await liveWorld(t);
    const { sessions } = await open();
    const { id } = await sessions.spawn({ agent: 'demo-live', prompt: 'Write one file' });
    await reached(sessions, id, judgedTurn(1));
    rmSync(journalFile(sessions.store));
    // It works until it is told that it is enough: the message does not come too late.
    await sessions.resume(id, { prompt: 'Wait, then write another file' });
    await sessions.send(id, 'That is enough');
    const session = await reached(sessions, id, judgedTurn(2));
    assert.deepEqual([session.runs.length, session.messages.length, session.status], [1, 0, 'idle']);
    await sessions.stop(id);
  });

  test('that takes no further prompt: who resumes it is told so, and nothing is left waiting', LIMIT, async (t) => {
    const { sessions } = await (await world(t)).open();
    const hello = 'print {"treeline":{"hello":{"turns":false}}}';
    const over = 'print {"treeline":{"turn":"ended","outcome":"completed","summary":"One is enough"}}';
    const { id } = await sessions.spawn({ agent: 'lines', prompt: `${hello}\n${over}` });
    await reached(sessions, id, judgedTurn(1));
    await assert.rejects(sessions.resume(id, { prompt: 'print more' }), { code: 'one-turn' });
    const { turns, runs } = await reached(sessions, id, (now) => now.turns[1]?.withdrawn !== undefined);
    assert.deepEqual([turns[1]?.withdrawn?.code, runs.length], ['one-turn', 1]);
    await sessions.stop(id);
  });

  test('goes on when the window that acts for it is killed', LIMIT, async (t) => {
    const { open, openProcess } = await liveWorld(t);
    const other = await openProcess();
    const { id } = await other.spawn({ agent: 'demo-live', prompt: 'Write one file' });
    const { sessions } = await open();
    await other.kill();
    await reached(sessions, id, judgedTurn(1));
    await sessions.resume(id, { prompt: 'Write another file' });
    const session = await reached(sessions, id, judgedTurn(2));
    assert.equal(session.runs.length, 1, 'the same run serves it');
    const sent = readFileSync(path.join(sessions.turnFolder(id, 2), 'stdin.log'), 'utf8')
      .trim()
      .split('\n');
    assert.equal(sent.filter((line) => line.includes('Write another file')).length, 1, 'its prompt was delivered once');
    await sessions.stop(id);
  });
});
