import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTick } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sessionId } from '../../../src/platform/ids.ts';
import type { Fact } from '../../../src/store/facts.ts';
import { JournalReader } from '../../../src/store/journal-reader.ts';
import { Journal } from '../../../src/store/journal.ts';
import type { Turn } from '../../../src/store/model.ts';
import { State } from '../../../src/store/state.ts';
import { tempDir } from '../support.ts';
import { created, idsOf, requested, window } from './facts.ts';

const script = fileURLToPath(new URL('./writer.ts', import.meta.url));

type Writer = ChildProcessByStdio<Writable, Readable, null>;

/** Starts writers that wait for each other; gives what each wrote. */
async function writeAtOnce(t: TestContext, count: number, args: readonly string[]): Promise<string[][]> {
  const writers = Array.from({ length: count }, (): Writer => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    return child;
  });
  await Promise.all(writers.map((writer) => once(writer.stdout, 'data')));
  const outputs = writers.map((writer) => text(writer.stdout));
  for (const writer of writers) writer.stdin.end('go\n');
  return (await Promise.all(outputs)).map((output) =>
    output
      .trim()
      .split('\n')
      .filter((line) => line !== ''),
  );
}

/** A reader with its own state, that looks whenever `pause` lets it. */
function follow(file: string, pause: () => Promise<unknown>) {
  const reader = new JournalReader(file);
  const state = new State();
  const facts: Fact[] = [];
  let damaged = 0;
  const over = new AbortController();
  const look = (): void => {
    for (let more = true; more;) {
      const reading = reader.read();
      facts.push(...reading.facts);
      damaged += reading.damaged.length;
      state.apply(reading.facts);
      more = reading.more;
    }
  };
  const running = (async () => {
    while (!over.signal.aborted) {
      look();
      await pause();
    }
    look();
    reader.dispose();
    return { facts, state, damaged };
  })();
  return {
    end: () => {
      over.abort();
      return running;
    },
  };
}

async function journalWith(t: TestContext, sessions: readonly string[]): Promise<string> {
  const file = path.join(await tempDir(t), 'journal.jsonl');
  const journal = new Journal(file, window);
  journal.append(...sessions.map((session) => ({ session, ...created })));
  journal.dispose();
  return file;
}

const often = (): Promise<unknown> => nextTick();
const seldom = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60));

describe('several processes', () => {
  it('lose and tear nothing, 8 with 500 facts each, and all readers see one order', { timeout: 60_000 }, async (t) => {
    const sessions = [sessionId(), sessionId()];
    const file = await journalWith(t, sessions);
    const readers = [follow(file, often), follow(file, seldom)];
    const written = await writeAtOnce(t, 8, [file, 'rename', '500', ...sessions]);
    const [first, second] = await Promise.all(readers.map((reader) => reader.end()));
    assert.ok(first && second);
    const order = idsOf(first.facts);
    assert.equal(order.length, 2 + 8 * 500);
    assert.deepEqual(idsOf(second.facts), order);
    assert.deepEqual(second.state.list(), first.state.list());
    assert.equal(first.damaged + second.damaged, 0);
    for (const ids of written) {
      const own = new Set(ids);
      assert.deepEqual(
        order.filter((id) => own.has(id)),
        ids,
        'each writer’s facts are in its own order',
      );
    }
    // A test of races that ran one after the other shows nothing.
    const writers = first.facts.map(({ by }) => by.process.pid);
    const changes = writers.filter((pid, i) => i > 0 && pid !== writers[i - 1]).length;
    assert.ok(changes > 16, `the writers took turns ${changes} times`);
  });

  it('request one turn at once, and exactly one wins, the same for all', { timeout: 60_000 }, async (t) => {
    const sessions = Array.from({ length: 40 }, () => sessionId());
    const file = await journalWith(t, sessions);
    const readers = [follow(file, often), follow(file, seldom)];
    const written = await writeAtOnce(t, 2, [file, 'request', '1', ...sessions]);
    const [first, second] = await Promise.all(readers.map((reader) => reader.end()));
    assert.ok(first && second);
    const all = written.flat();
    assert.equal(all.length, 80);
    for (const session of sessions) {
      const turns: readonly Turn[] | undefined = first.state.get(session)?.turns;
      assert.equal(turns?.length, 1);
      assert.ok(all.includes(turns[0]!.request));
      assert.deepEqual(second.state.get(session)?.turns, turns);
    }
  });

  it('lead one at a time, and only who leads claims, no more turns than the limit', { timeout: 60_000 }, async (t) => {
    const sessions = Array.from({ length: 12 }, () => sessionId());
    const file = await journalWith(t, sessions);
    const journal = new Journal(file, window);
    journal.append(...sessions.map((session) => ({ session, ...requested(1) })));
    journal.dispose();
    const readers = [follow(file, often), follow(file, seldom)];
    const written = (await writeAtOnce(t, 4, [file, 'claim', '5', ...sessions])).flat();
    const [first, second] = await Promise.all(readers.map((reader) => reader.end()));
    assert.ok(first && second);
    assert.equal(written.length, 4 * 13);
    assert.equal(first.state.live, 5);
    const leader = first.state.leadership.lead;
    assert.ok(leader && written.includes(leader.fact), 'one of them leads');
    assert.deepEqual(second.state.leadership, first.state.leadership);
    assert.deepEqual(second.state.list(), first.state.list());
    const claims = first.state.list().flatMap(({ turns }) => turns[0]?.claim ?? []);
    assert.equal(claims.length, 5);
    assert.ok(claims.every(({ by }) => by.pid === leader.by.pid));
  });

  it(
    'leave a journal that the others can go on with when they are killed in the middle',
    { timeout: 60_000 },
    async (t) => {
      const sessions = [sessionId()];
      const file = await journalWith(t, sessions);
      const journal = new Journal(file, window);
      for (let run = 0; run < 5; run++) {
        const child = spawn(process.execPath, [script, file, 'rename', '100000', ...sessions], {
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        t.after(() => child.kill('SIGKILL'));
        await once(child.stdout, 'data');
        const reader = new JournalReader(file);
        child.stdin.write('go\n');
        const before = reader.read().facts.length;
        while (reader.read().facts.length === 0 && child.exitCode === null) await nextTick();
        child.kill('SIGKILL');
        await once(child, 'exit');
        assert.ok(before > 0);
        const own = journal.append({ session: sessions[0]!, type: 'session.renamed', name: `after ${run}` });
        for (let more = true; more;) more = reader.read().more;
        assert.ok(reader.hasRead(own[0]!.id));
        reader.dispose();
      }
      journal.dispose();
    },
  );
});
