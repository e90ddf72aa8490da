/** Several windows and many writers at the same time. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';

import { errorText } from '../../src/platform/errors.ts';
import { journalFile } from '../../src/platform/paths.ts';
import type { SessionFact } from '../../src/store/facts.ts';
import { isOpen, lastTurn } from '../../src/store/lifecycle.ts';
import type { Session } from '../../src/store/model.ts';
import { reached } from '../unit/sessions/support.ts';
import { until } from '../unit/support.ts';
import { assertConsistent, faultWorld, seeded, session, storeOf, trials } from './support.ts';
import { marked } from './truth.ts';

const WRITER = path.join(import.meta.dirname, '../unit/store/writer.ts');
const WRITERS = 8;
const FACTS = 2000;

suite('several windows', { timeout: 300_000 }, () => {
  test(`${WRITERS} writers × ${FACTS} facts while agents work and two windows look: none lost, none torn, one order`, async (t) => {
    const { storage, repo, open, openProcess, settings } = await faultWorld(t);
    settings.maxConcurrent = 20;
    const [here, there] = await Promise.all([open(), openProcess()]);
    const spawned = await Promise.all(
      [0, 1].map(() => here.sessions.spawn({ agent: 'scripted', prompt: 'print ready\nwait' })),
    );
    const ids = spawned.map(({ id }) => id);
    const journal = journalFile(storeOf(storage));
    const writers = Array.from({ length: WRITERS }, (): ChildProcess => {
      const argv = [WRITER, journal, 'rename', String(FACTS), ...ids];
      const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
      t.after(() => child.kill('SIGKILL'));
      return child;
    });
    await Promise.all(writers.map(({ stdout }) => once(stdout!, 'data')));
    const outputs = writers.map(({ stdout }) => text(stdout!));
    for (const { stdin } of writers) stdin!.end('go\n');
    // The product goes on beneath it: more sessions come and end, from both windows.
    const more = await Promise.all(
      Array.from({ length: 4 }, (_, n) =>
        (n % 2 === 0 ? here.sessions : there).spawn({ agent: 'scripted', prompt: 'print done' }),
      ),
    );
    const written = (await Promise.all(outputs)).map((output) => output.trim().split('\n'));

    const lines = readFileSync(journal, 'utf8').split('\n');
    assert.equal(lines.pop(), '', 'the last line has its end');
    // A writer that found another one's line half written put a line end before its own: a blank line says nothing.
    const facts = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as SessionFact);
    const order = facts.map(({ id }) => id);
    assert.equal(new Set(order).size, order.length, 'no fact is there twice');
    for (const own of written) {
      assert.equal(own.length, FACTS);
      const mine = new Set(own);
      assert.deepEqual(
        order.filter((id) => mine.has(id)),
        own,
        'all that a writer was told is written is there, in its order',
      );
    }
    for (const { id } of more) await reached(here.sessions, id, (one) => one.turns[0]?.judgement !== undefined);

    // What all readers made of it: a window that saw it happen, another one, and one that comes later.
    const plain = (list: readonly Session[]): unknown => JSON.parse(JSON.stringify(list));
    let shown: unknown;
    await until(
      async () => {
        shown = plain(await there.list());
        return JSON.stringify(shown) === JSON.stringify(plain(here.sessions.list()));
      },
      { what: 'both windows show the same' },
    );
    for (const id of ids) {
      const named = facts.findLast((fact) => fact.session === id && fact.type === 'session.renamed');
      assert.equal(session(here, id).name, named?.type === 'session.renamed' ? named.name : '');
      assert.equal(session(here, id).status, 'working');
    }
    const later = await openProcess();
    assert.deepEqual(plain(await later.list()), shown);
    assert.ok(here.log.every((line) => !line.includes('damaged')));
    await Promise.all(ids.map((id) => here.sessions.stop(id)));
    await assertConsistent(repo, here.sessions);
  });

  test('three windows resume a session at the same instant: exactly one turn starts, the others are told', async (t) => {
    const random = seeded(t);
    const { repo, open, openProcess } = await faultWorld(t);
    const [here, second, third] = await Promise.all([open(), openProcess(), openProcess()]);
    const windows = [here.sessions, second, third];
    const { id, worktree } = await here.sessions.spawn({ agent: 'scripted', prompt: 'write won.txt first' });
    const wins = new Map<number, number>();
    const won = ['first'];
    for (let trial = 1; trial <= trials(8); trial++) {
      await reached(here.sessions, id, (one) => one.turns.length === trial && !isOpen(lastTurn(one)!));
      for (const window of [second, third]) {
        await until(async () => !isOpen(lastTurn((await window.list()).find((one) => one.id === id)!)!), {
          what: 'the other windows know that it is over',
        });
      }
      const shuffled = windows.map((window, n) => ({ window, n })).sort(() => random.next() - 0.5);
      const asked = await Promise.allSettled(
        shuffled.map(({ window, n }) => window.resume(id, { prompt: `write won.txt ${trial} by ${n}\nprint here` })),
      );
      const winners = shuffled.filter((_, n) => asked[n]?.status === 'fulfilled');
      assert.equal(winners.length, 1, 'exactly one has its way');
      for (const one of asked) {
        if (one.status === 'rejected') assert.equal((one.reason as { code: string }).code, 'turn-runs');
      }
      const [winner] = winners;
      wins.set(winner!.n, (wins.get(winner!.n) ?? 0) + 1);
      won.push(`${trial} by ${winner!.n}`);
      const ended = await reached(
        here.sessions,
        id,
        (one) => one.turns.length === trial + 1 && !isOpen(lastTurn(one)!),
      );
      assert.equal(ended.turns.length, trial + 1);
      assert.deepEqual(marked([id]), []);
    }
    assert.equal(readFileSync(path.join(worktree, 'won.txt'), 'utf8'), `${won.join('\n')}\n`, 'and each ran once');
    t.diagnostic(`wins by window: ${JSON.stringify([...wins.entries()])}`);
    await assertConsistent(repo, here.sessions);
  });

  test('two windows stop, and one resumes, at the same instant: all agree on what happened', async (t) => {
    const random = seeded(t);
    const { repo, open, openProcess } = await faultWorld(t);
    const [here, there] = await Promise.all([open(), openProcess()]);
    const { id } = await here.sessions.spawn({ agent: 'scripted', prompt: 'print ready\nwait' });
    for (let trial = 1; trial <= trials(5); trial++) {
      const running = lastTurn(session(here, id))!.number;
      const order = [
        () => here.sessions.stop(id),
        () => there.stop(id),
        () => here.sessions.resume(id, { prompt: 'print no\nwait' }).catch(errorText),
      ].sort(() => random.next() - 0.5);
      await Promise.all(order.map((ask) => ask()));
      const over = await reached(here.sessions, id, (one) => one.turns[running - 1]?.exit !== undefined);
      assert.ok(over.turns[running - 1]?.exit?.stop);
      // Whoever was refused may ask again; exactly one turn more runs then.
      if (!isOpen(lastTurn(session(here, id))!)) await here.sessions.resume(id, { prompt: 'print yes\nwait' });
      await until(
        async () => {
          const shown = (await there.list()).find((one) => one.id === id);
          return shown?.status === 'working' && shown.turns.length === session(here, id).turns.length;
        },
        { what: 'the other window shows the turn that runs' },
      );
      assert.equal(marked([id]).length, 1);
    }
    await there.stop(id);
    await assertConsistent(repo, here.sessions);
  });
});
