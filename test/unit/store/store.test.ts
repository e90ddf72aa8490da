import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTick } from 'node:timers/promises';
import { sessionId } from '../../../src/platform/ids.ts';
import type { Log } from '../../../src/platform/log.ts';
import { catalogueFile, journalFile } from '../../../src/platform/paths.ts';
import type { Writer } from '../../../src/store/facts.ts';
import { Journal } from '../../../src/store/journal.ts';
import type { Session } from '../../../src/store/model.ts';
import { Store } from '../../../src/store/store.ts';
import { tempDir, until } from '../support.ts';
import { seeded } from '../../support/seeded.mts';
import { claimed, created, leads, otherWindow, randomFacts, requested, window } from './facts.ts';

interface Opened {
  readonly store: Store;
  readonly notes: string[];
}

async function open(t: TestContext, folder: string, by: Writer = window): Promise<Opened> {
  const notes: string[] = [];
  const note = (message: string): number => notes.push(message);
  const log: Log = { debug: () => undefined, info: note, warn: note, error: note };
  const store = Store.open(folder, by, log);
  t.after(() => store.dispose());
  await store.ready;
  return { store, notes };
}

/** The next change that the store tells of. */
function nextChange(store: Store): Promise<ReadonlySet<string>> {
  return new Promise((resolve) => {
    const end = store.onDidChange((ids) => {
      end();
      resolve(ids);
    });
  });
}

/** Holds the process while only unref'd timers are left. */
function stayAlive(t: TestContext): void {
  const timer = setInterval(() => undefined, 1_000);
  t.after(() => clearInterval(timer));
}

const byId = (one: Session, other: Session): number => one.id.localeCompare(other.id);

describe('the store', () => {
  it('holds what was appended when append returns', async (t) => {
    const { store } = await open(t, path.join(await tempDir(t), 'store'));
    assert.deepEqual(store.list(), []);
    const id = sessionId();
    const change = nextChange(store);
    store.append(leads(), { session: id, ...created }, { session: id, ...requested(1) });
    assert.equal(store.get(id)?.turns.length, 1);
    assert.equal(store.list().length, 1);
    const [claim] = store.append({ session: id, ...claimed(1) });
    assert.equal(store.get(id)?.turns[0]?.claim?.fact, claim?.id);
    assert.equal(store.live, 1);
    assert.deepEqual(await change, new Set([id]), 'one event for the changes of one moment');
    await store.flush();
  });

  it('makes its folder and files for the user alone', { skip: process.platform === 'win32' }, async (t) => {
    const folder = path.join(await tempDir(t), 'deep', 'store');
    const { store } = await open(t, folder);
    store.append({ session: sessionId(), ...created });
    await store.dispose();
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const file of [journalFile(folder), catalogueFile(folder)]) {
      assert.equal(statSync(file).mode & 0o777, 0o600, file);
    }
  });

  it('shows at once what another window wrote', async (t) => {
    stayAlive(t);
    const folder = await tempDir(t);
    const [{ store: one }, { store: two }] = [await open(t, folder), await open(t, folder, otherWindow)];
    const id = sessionId();
    const change = nextChange(two);
    one.append({ session: id, ...created });
    assert.deepEqual(await change, new Set([id]));
    assert.deepEqual(two.list(), one.list());
  });

  it('tells each of two windows, as soon as it has asked, which of them won', async (t) => {
    const folder = await tempDir(t);
    const [{ store: one }, { store: two }] = [await open(t, folder), await open(t, folder, otherWindow)];
    const id = sessionId();
    one.append({ session: id, ...created });
    two.append(leads());
    one.append(leads());
    assert.deepEqual(
      [one, two].map(({ leadership }) => leadership.lead?.by),
      [otherWindow.process, otherWindow.process],
    );
    // Neither has read the other's request when it writes its own.
    const [first] = one.append({ session: id, ...requested(1) });
    const [second] = two.append({ session: id, ...requested(1) });
    assert.equal(one.get(id)?.turns[0]?.request, first?.id);
    assert.equal(two.get(id)?.turns[0]?.request, first?.id);
    assert.notEqual(second?.id, first?.id);
    two.append({ session: id, ...claimed(1) });
    one.append({ session: id, ...claimed(1) });
    assert.deepEqual(one.get(id)?.turns[0]?.claim?.by, otherWindow.process);
    assert.deepEqual(one.list(), two.list());
  });

  it('takes nothing before it is ready, and nothing after its end', async (t) => {
    const store = Store.open(await tempDir(t), window, console);
    t.after(() => store.dispose());
    const entry = { session: sessionId(), ...created };
    assert.throws(() => store.append(entry), { code: 'not-ready' });
    await store.ready;
    store.append(entry);
    await store.dispose();
    await store.dispose();
    assert.throws(() => store.append(entry), { code: 'not-ready' });
  });

  it('can be ended before it is ready', async (t) => {
    const folder = await tempDir(t);
    const store = Store.open(folder, window, console);
    await store.dispose();
    await store.ready;
    assert.equal(existsSync(catalogueFile(folder)), false);
  });

  it('comes back the same, with and without its databases', async (t) => {
    const folder = await tempDir(t);
    const first = await open(t, folder);
    for (const entry of randomFacts(seeded(21), 300, 12)) first.store.append(entry);
    const sessions = first.store.list();
    await first.store.dispose();
    assert.ok(existsSync(catalogueFile(folder)));
    const again = await open(t, folder);
    assert.deepEqual(again.store.list(), sessions);
    await again.store.dispose();
    rmSync(catalogueFile(folder));
    const rebuilt = await open(t, folder);
    assert.deepEqual(rebuilt.store.list(), sessions);
    assert.equal(rebuilt.store.live, first.store.live);
    await rebuilt.store.dispose();
    assert.ok(existsSync(catalogueFile(folder)), 'the catalogue is there again');
  });

  it('goes on when its catalogue is deleted, and writes it again', async (t) => {
    const folder = await tempDir(t);
    const { store, notes } = await open(t, folder);
    const file = catalogueFile(folder);
    store.append({ session: sessionId(), ...created });
    await until(() => existsSync(file), { what: 'the catalogue is saved when nothing happens' });
    rmSync(file);
    store.append({ session: sessionId(), ...created });
    await store.dispose();
    assert.ok(existsSync(file));
    assert.deepEqual(notes, []);
  });

  it('opens a large journal from its snapshot, or without it, to the same sessions', { timeout: 60_000 }, async (t) => {
    const folder = await tempDir(t);
    const journal = new Journal(path.join(folder, 'journal.jsonl'), window);
    const entries = randomFacts(seeded(22), 18_000, 300);
    for (let i = 0; i < entries.length; i += 1_000) journal.append(...entries.slice(i, i + 1_000));
    assert.ok(statSync(path.join(folder, 'journal.jsonl')).size > 4 * 1024 * 1024);

    const replayed = await open(t, folder);
    const sessions = replayed.store.list();
    replayed.store.append({ session: sessions[0]!.id, type: 'session.renamed', name: 'Last' });
    const expected = replayed.store.list();
    await replayed.store.dispose();

    const fromSnapshot = await open(t, folder);
    assert.deepEqual(fromSnapshot.notes, []);
    assert.deepEqual(fromSnapshot.store.list(), expected);
    assert.equal(fromSnapshot.store.live, replayed.store.live);
    await fromSnapshot.store.dispose();

    writeFileSync(catalogueFile(folder), 'garbage');
    const rebuilt = await open(t, folder);
    assert.match(rebuilt.notes.join(), /rebuilt from the journal/);
    assert.deepEqual(rebuilt.store.list(), expected);
    assert.equal(rebuilt.store.live, replayed.store.live);
    journal.dispose();
  });

  it('names damaged lines, copies them once, and shows all the rest', async (t) => {
    const folder = await tempDir(t);
    const first = await open(t, folder);
    const [a, b] = [sessionId(), sessionId()];
    first.store.append({ session: a, ...created });
    appendFileSync(path.join(folder, 'journal.jsonl'), 'a damaged line\n');
    first.store.append({ session: b, ...created });
    assert.equal(first.store.list().length, 2);
    assert.equal(first.store.damaged[0]?.text, 'a damaged line');
    assert.match(first.notes.join(), /1 damaged piece.*journal\.damaged\.jsonl/);
    const second = await open(t, folder, otherWindow);
    assert.equal(second.store.damaged.length, 1);
    const copies = readFileSync(path.join(folder, 'journal.damaged.jsonl'), 'utf8').trim().split('\n');
    assert.equal(copies.length, 1);
    assert.match(copies[0]!, /"offset":\d+.*"text":"a damaged line"/);
  });

  it('counts what another build wrote and this one does not know, and calls none of it damaged', async (t) => {
    const folder = await tempDir(t);
    const first = await open(t, folder);
    const [fact] = first.store.append({ session: sessionId(), ...created });
    const newer = { ...fact, v: 2, session: sessionId() };
    const other = { ...fact, type: 'session.dreamt', session: sessionId() };
    appendFileSync(path.join(folder, 'journal.jsonl'), `${JSON.stringify(newer)}\n${JSON.stringify(other)}\n`);
    first.store.append({ session: sessionId(), ...created });
    assert.deepEqual([first.store.unknown, first.store.list().length, first.notes], [2, 2, []]);
    assert.equal(existsSync(path.join(folder, 'journal.damaged.jsonl')), false);
  });

  it('tells facts as they come, with the state that they made, void ones too, but no acts of who does not lead', async (t) => {
    const { store } = await open(t, await tempDir(t));
    const seen: [string, number][] = [];
    const id = sessionId();
    store.onFacts((facts) => seen.push(...facts.map(({ type }): [string, number] => [type, store.list().length])));
    store.append({ session: id, ...created });
    store.append({ session: id, ...requested(7) }, { session: id, ...claimed(1) });
    assert.deepEqual(seen, [
      ['session.created', 1],
      ['turn.requested', 1],
    ]);
  });

  it('writes back what a journal that is deleted, cut or replaced has lost, and says so', async (t) => {
    stayAlive(t);
    const folder = await tempDir(t);
    const file = path.join(folder, 'journal.jsonl');
    const { store, notes } = await open(t, folder);
    const [a, b, c] = [sessionId(), sessionId(), sessionId()];
    store.append({ session: a, ...created }, { session: a, ...requested(1) });
    const kept = readFileSync(file);
    store.append({ session: b, ...created }, { session: a, type: 'session.renamed', name: 'Better' });
    const known = store.list();
    const damages: Record<string, () => void> = {
      deleted: () => rmSync(file),
      emptied: () => truncateSync(file),
      cut: () => truncateSync(file, statSync(file).size - 10),
      'replaced by an older copy': () => {
        writeFileSync(`${file}.new`, kept);
        renameSync(`${file}.new`, file);
      },
      'replaced by garbage': () => {
        rmSync(file);
        writeFileSync(file, 'garbage\n'.repeat(10));
      },
      'deleted with its folder': () => rmSync(folder, { recursive: true }),
    };
    for (const [name, damage] of Object.entries(damages)) {
      await nextTick();
      const change = nextChange(store);
      damage();
      await change;
      const byId = new Map(store.list().map((session) => [session.id, session]));
      assert.deepEqual([byId.get(a), byId.get(b)], known.toReversed(), name);
      assert.match(notes.splice(0).join(), /was replaced.*session\(s\) that it had lost were written back/s);
      const next = await open(t, folder, otherWindow);
      assert.deepEqual(next.store.list(), store.list(), `${name}: a window that opens shows the same`);
    }

    rmSync(folder, { recursive: true });
    store.append({ session: c, ...created }, { session: b, type: 'session.renamed', name: 'Other' });
    assert.deepEqual([store.get(a), store.get(b)?.name, store.get(c)?.id], [known[1], 'Other', c], 'also at once');
  });

  it('has from the catalogue what a journal that is deleted or cut while no window is open has lost', async (t) => {
    for (const [name, damage] of Object.entries({
      deleted: (file: string) => rmSync(file),
      cut: (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2)),
    })) {
      const folder = await tempDir(t);
      const file = path.join(folder, 'journal.jsonl');
      const { store } = await open(t, folder);
      const [a, b] = [sessionId(), sessionId()];
      store.append(leads(), { session: a, ...created }, { session: a, ...requested(1) }, { session: a, ...claimed(1) });
      store.append({ session: b, ...created }, { session: a, type: 'session.renamed', name: 'Better' });
      const known = store.list();
      await store.dispose();
      damage(file);
      const { store: next, notes } = await open(t, folder, otherWindow);
      assert.deepEqual(next.list().toSorted(byId), known.toSorted(byId), name);
      assert.match(notes.join(), /was deleted or cut.*were written back/s);
      // And what is added then is added to it, also for a window that has no catalogue.
      next.append({ session: b, type: 'session.renamed', name: 'Other' });
      const shown = next.list();
      await next.dispose();
      rmSync(catalogueFile(folder));
      assert.deepEqual((await open(t, folder)).store.list(), shown, name);
    }
  });

  it('shows what it showed as long as it cannot be written back', async (t) => {
    stayAlive(t);
    const folder = await tempDir(t);
    const file = path.join(folder, 'journal.jsonl');
    const { store, notes } = await open(t, folder);
    const id = sessionId();
    store.append({ session: id, ...created });
    const known = store.list();
    rmSync(file);
    symlinkSync(path.join(folder, 'nowhere', 'journal.jsonl'), file);
    await until(() => notes.some((note) => note.includes('could not be written')), { what: 'the trouble is told' });
    assert.deepEqual(store.list(), known);
    assert.throws(() => store.append({ session: id, type: 'session.renamed', name: 'Better' }), /could not be written/);
    rmSync(file);
    await until(() => existsSync(file), { what: 'the journal is there again' });
    store.append({ session: id, type: 'session.renamed', name: 'Better' });
    const next = await open(t, folder, otherWindow);
    assert.deepEqual(next.store.list(), store.list());
    assert.equal(next.store.get(id)?.name, 'Better');
  });

  it('shows what it showed while another journal is being read, and then all of both', async (t) => {
    stayAlive(t);
    const folder = await tempDir(t);
    const other = new Journal(path.join(folder, 'other.jsonl'), window);
    other.append(...Array.from({ length: 3_000 }, () => ({ session: sessionId(), ...created })));
    other.dispose();
    const { store } = await open(t, folder);
    store.append(...Array.from({ length: 10 }, () => ({ session: sessionId(), ...created })));
    const before = store.list();
    renameSync(path.join(folder, 'other.jsonl'), path.join(folder, 'journal.jsonl'));
    while (store.list().length === 10) {
      assert.deepEqual(store.list(), before);
      await nextTick();
    }
    assert.equal(store.list().length, 3_010);
  });

  it('says once that the journal cannot be read, and takes no facts that it could not see', async (t) => {
    const folder = await tempDir(t);
    mkdirSync(path.join(folder, 'journal.jsonl'));
    const { store, notes } = await open(t, folder);
    assert.equal(notes.filter((note) => note.includes('could not be read')).length, 1);
    assert.throws(() => store.append({ session: sessionId(), ...created }), /could not be (read|written)/);
  });
});
