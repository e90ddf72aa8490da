/** Files that somebody deletes, empties or replaces while an agent runs: its session stays, can be stopped, and shows what is so. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';

import { isRecord } from '../../src/platform/check.ts';
import { journalFile, runFolder } from '../../src/platform/paths.ts';
import { judged, reached } from '../unit/sessions/support.ts';
import { until } from '../unit/support.ts';
import { assertConsistent, faultWorld, session, storeOf, told, type FaultWindow, type FaultWorld } from './support.ts';
import { keepers, marked } from './truth.ts';

interface Running {
  readonly id: string;
  readonly folder: string;
  /** Lets the agent print a last line and end. */
  readonly end: () => void;
}

/** An agent that has printed `go` and waits for the word to end. */
async function running({ storage }: FaultWorld, window: FaultWindow): Promise<Running> {
  const flag = path.join(storage, 'end');
  const { id } = await window.sessions.spawn({ agent: 'scripted', prompt: `print go\nuntil ${flag}\nprint later` });
  await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine === 'go');
  return { id, folder: runFolder(storeOf(storage), id, 1), end: () => writeFileSync(flag, '') };
}

suite('files that are lost while an agent runs', { timeout: 120_000 }, () => {
  const journals: Record<string, (file: string) => void> = {
    'the journal is deleted': (file) => rmSync(file),
    'the journal is emptied': (file) => truncateSync(file),
    'the journal is moved away': (file) => renameSync(file, `${file}.away`),
    'the whole store is deleted': (file) => rmSync(path.dirname(file), { recursive: true }),
  };
  for (const [name, damage] of Object.entries(journals)) {
    test(`${name}: the session is there, is stopped, and is there for the next window`, async (t) => {
      const world = await faultWorld(t);
      const window = await world.open();
      const { id } = await running(world, window);
      const before = session(window, id);
      damage(journalFile(storeOf(world.storage)));
      await until(() => window.log.some((line) => line.includes('written back into the journal')), {
        what: 'it is told',
      });
      assert.deepEqual(session(window, id), before);
      await window.sessions.stop(id);
      assert.deepEqual(marked([id]), []);
      await reached(window.sessions, id, judged);
      assert.equal(session(window, id).status, 'stopped');
      assert.match(await told(window, id), /turn-end: Stopped \(/);
      await window.treeline.dispose();
      const next = await world.open();
      assert.equal(session(next, id).status, 'stopped');
      await assertConsistent(world.repo, next.sessions);
    });
  }

  test('the folder of its turn: the end is shown as it was, and that the output is gone', async (t) => {
    const world = await faultWorld(t);
    const window = await world.open();
    for (const how of ['stopped', 'idle'] as const) {
      const { id, folder, end } = await running(world, window);
      rmSync(folder, { recursive: true });
      if (how === 'stopped') await window.sessions.stop(id);
      else end();
      await reached(window.sessions, id, judged);
      assert.equal(session(window, id).status, how);
      const ending = how === 'stopped' ? 'Stopped \\(' : 'Exited with code 0';
      assert.match(
        await told(window, id),
        new RegExp(`keeper: The folder with the agent’s logs was deleted.*turn-end: ${ending}`, 's'),
      );
    }
    await assertConsistent(world.repo, window.sessions);
  });

  test('a folder where its end is to be recorded: the end is shown, and the session goes on', async (t) => {
    const world = await faultWorld(t);
    const window = await world.open();
    const { id, folder, end } = await running(world, window);
    mkdirSync(path.join(folder, 'exit.json'));
    end();
    await reached(window.sessions, id, judged);
    assert.equal(session(window, id).status, 'idle');
    assert.match(
      await told(window, id),
      /output: later[^]*How the agent ended could not be recorded[^]*turn-end: Exited with code/,
    );
    await window.sessions.resume(id, { prompt: 'print again' });
    await reached(window.sessions, id, (one) => one.turns.length === 2 && judged(one));
    assert.match(await told(window, id), /output: again/);
  });

  test('pipes that nobody opens, in place of the journal and of its output: nothing waits for them', async (t) => {
    const world = await faultWorld(t);
    const window = await world.open();
    const { id, folder, end } = await running(world, window);
    const journal = journalFile(storeOf(world.storage));
    for (const file of [journal, path.join(folder, 'stdout.log'), path.join(folder, 'exit.json')]) {
      rmSync(file, { force: true });
      execFileSync('mkfifo', [file]);
    }
    await until(() => window.log.some((line) => /session history .* could not be/.test(line)), { what: 'it is told' });
    assert.equal(session(window, id).status, 'working');
    await assert.rejects(window.sessions.rename(id, 'Other'), /session history .* could not be/);
    rmSync(journal);
    end();
    await reached(window.sessions, id, judged);
    assert.equal(session(window, id).status, 'idle');
    assert.match(await told(window, id), /turn-end: Exited with code/);
  });

  test('its output, at the last moment: no row shows a piece of another file', async (t) => {
    const world = await faultWorld(t);
    const window = await world.open();
    const { id, folder, end } = await running(world, window);
    const file = path.join(folder, 'stdout.log');
    rmSync(file);
    writeFileSync(file, 'something else\nentirely\n');
    end();
    await reached(window.sessions, id, judged);
    const output = (await told(window, id)).split('\n').filter((line) => line.startsWith('output: '));
    assert.deepEqual(output, ['output: something else', 'output: entirely']);
  });

  test('the way to its keeper, for the next window: told once, shown as working, and a stop stops it', async (t) => {
    const world = await faultWorld(t);
    const first = await world.openProcess();
    const { id } = await first.spawn({ agent: 'scripted', prompt: 'print go\nwait' });
    await first.kill();
    const spec: unknown = JSON.parse(
      readFileSync(path.join(runFolder(storeOf(world.storage), id, 1), 'spec.json'), 'utf8'),
    );
    assert.ok(isRecord(spec) && typeof spec['socket'] === 'string');
    rmSync(spec['socket']);
    // It would put back what is only gone.
    mkdirSync(spec['socket']);
    t.after(() => rmSync(String(spec['socket']), { recursive: true, force: true }));
    const window = await world.open();
    const about = (): readonly string[] => window.log.filter((line) => line.includes(id));
    await until(() => about().length > 0, { what: 'the trouble is told' });
    assert.match(
      about()[0] ?? '',
      /error: The process that records ses_\S+ \(\d+\) runs and does not answer, which is tried again; stop the session/,
    );
    assert.equal(session(window, id).status, 'working');
    await window.sessions.stop(id);
    assert.deepEqual([...marked([id]), ...keepers(world.storage)], []);
    assert.equal(session(window, id).status, 'stopped');
    assert.match(await told(window, id), /turn-end: The background process ended before the stop was complete/);
    assert.equal(about().filter((line) => line.startsWith('error')).length, 1, about().join('\n'));
  });
});
