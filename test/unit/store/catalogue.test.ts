import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import initSqlJs from 'sql.js';
import type { Log } from '../../../src/platform/log.ts';
import { Catalogue, type CatalogueSource } from '../../../src/store/catalogue.ts';
import { JournalReader } from '../../../src/store/journal-reader.ts';
import { Journal, type FactEntry } from '../../../src/store/journal.ts';
import { State } from '../../../src/store/state.ts';
import { tempDir } from '../support.ts';
import { randomFacts, seeded, window } from './facts.ts';

const wasm = createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm');

class Folder {
  readonly file: string;
  readonly journalFile: string;
  readonly journal: Journal;
  readonly notes: string[] = [];
  readonly #log: Log;

  constructor(t: TestContext, folder: string) {
    this.file = path.join(folder, 'catalogue.db');
    this.journalFile = path.join(folder, 'journal.jsonl');
    this.journal = new Journal(this.journalFile, window);
    const note = (message: string): number => this.notes.push(message);
    this.#log = { debug: note, info: note, warn: note, error: note };
    t.after(() => this.journal.dispose());
  }

  catalogue(): Catalogue {
    return new Catalogue(this.file, this.journalFile, wasm, this.#log);
  }

  /** A full replay of the journal, and a way to go on with it. */
  replay(): CatalogueSource & { readOn(): Set<string> } {
    const reader = new JournalReader(this.journalFile);
    const state = new State();
    const readOn = (): Set<string> => {
      const changed = new Set<string>();
      for (let more = true; more;) {
        const reading = reader.read();
        for (const id of state.apply(reading.facts)) changed.add(id);
        more = reading.more;
      }
      reader.dispose();
      return changed;
    };
    readOn();
    return { state: () => state, position: () => reader.position, readOn };
  }

  append(entries: readonly FactEntry[]): void {
    for (let i = 0; i < entries.length; i += 100) this.journal.append(...entries.slice(i, i + 100));
  }
}

async function folder(t: TestContext, facts = 400): Promise<Folder> {
  const made = new Folder(t, await tempDir(t));
  made.append(randomFacts(seeded(11), facts, 20));
  return made;
}

describe('the catalogue', () => {
  it('gives back the state that it was given', async (t) => {
    const made = await folder(t);
    const source = made.replay();
    await made.catalogue().save(source);
    const snapshot = await made.catalogue().load();
    assert.ok(snapshot);
    assert.deepEqual(snapshot.sessions, source.state().list().toReversed());
    assert.deepEqual(snapshot.position, source.position());
    assert.deepEqual(made.notes, []);
    assert.equal(statSync(made.file).mode & 0o777, 0o600);
  });

  it('and the rest of the journal give what a full replay gives, wherever it was saved', async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const made = new Folder(t, await tempDir(t));
    const entries = randomFacts(seeded(seed), 600, 8);
    const catalogue = made.catalogue();
    const source = made.replay();
    for (let from = 0; from < entries.length; from += 150) {
      made.append(entries.slice(from, from + 75));
      catalogue.changed(source.readOn());
      rmSync(made.file, { force: true });
      await catalogue.save(source);
      made.append(entries.slice(from + 75, from + 150));

      const snapshot = await made.catalogue().load();
      assert.ok(snapshot, `seed ${seed}: ${made.notes.join()}`);
      const state = new State(snapshot.sessions);
      const reader = new JournalReader(made.journalFile, snapshot.position);
      state.apply(reader.read().facts);
      reader.dispose();
      const full = made.replay().state();
      assert.deepEqual(state.list(), full.list(), `seed ${seed}`);
      assert.equal(state.live, full.live);
    }
  });

  it('answers in SQL, always up to date', async (t) => {
    const made = await folder(t);
    const source = made.replay();
    const catalogue = made.catalogue();
    const count = async (sql: string, ...params: string[]): Promise<unknown> =>
      (await catalogue.query(sql, params, source))[0]?.['n'];
    const { state } = source;
    assert.equal(await count('SELECT count(*) AS n FROM sessions'), state().size);
    const turns = (): number =>
      state()
        .list()
        .reduce((sum, session) => sum + session.turns.length, 0);
    assert.equal(await count('SELECT count(*) AS n FROM turns'), turns());
    made.append(randomFacts(seeded(12), 300, 3));
    catalogue.changed(source.readOn());
    assert.equal(await count('SELECT count(*) AS n FROM turns'), turns());
    const [newest] = state().list();
    assert.equal(await count('SELECT name AS n FROM sessions WHERE id = ?', newest!.id), newest!.name);
    await assert.rejects(count('SELECT nonsense'));
    assert.equal(await count('SELECT count(*) AS n FROM sessions'), state().size, 'also after a wrong question');
  });

  it('is written again when enough has changed, or when it was deleted, and else left alone', async (t) => {
    const made = await folder(t);
    const source = made.replay();
    const catalogue = made.catalogue();
    const written = (): bigint => statSync(made.file, { bigint: true }).ino;
    await catalogue.save(source);
    const first = written();
    made.append(randomFacts(seeded(13), 20));
    catalogue.changed(source.readOn());
    await catalogue.save(source);
    assert.equal(written(), first, 'a small tail is replayed sooner than it is saved');
    made.append(randomFacts(seeded(14), 400));
    catalogue.changed(source.readOn());
    await catalogue.save(source);
    assert.notEqual(written(), first);
    rmSync(made.file);
    await catalogue.save(source);
    assert.deepEqual((await made.catalogue().load())?.sessions, source.state().list().toReversed());
    assert.deepEqual(
      readdirSync(path.dirname(made.file)).sort(),
      ['catalogue.db', 'journal.jsonl'],
      'no temporary file stays',
    );
  });

  it('is not saved while the state and its place in the journal do not go together', async (t) => {
    const made = await folder(t);
    const { state } = made.replay();
    await made.catalogue().save({ state, position: () => undefined });
    assert.throws(() => statSync(made.file));
  });

  it('that cannot be written is a note, and no more', async (t) => {
    const made = await folder(t);
    const catalogue = new Catalogue(path.join(made.file, 'not', 'there'), made.journalFile, wasm, {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => made.notes.push(message),
      error: () => undefined,
    });
    await catalogue.save(made.replay());
    assert.match(made.notes.join(), /could not be saved/);
  });
});

describe('a catalogue file', () => {
  it('that is garbage, cut, of another schema or another journal is passed over, and replaced by the next', async (t) => {
    const made = await folder(t);
    const source = made.replay();
    await made.catalogue().save(source);
    const good = readFileSync(made.file);
    const journal = readFileSync(made.journalFile);
    const SQL = await initSqlJs({ wasmBinary: new Uint8Array(readFileSync(wasm)).buffer });
    const changed = (sql: string): Uint8Array => {
      // A copy: sql.js works in the array that it is given.
      const db = new SQL.Database(Uint8Array.from(good));
      db.run(sql);
      return db.export();
    };
    const cases: [string, () => void][] = [
      ['empty', () => writeFileSync(made.file, '')],
      ['text', () => writeFileSync(made.file, 'this is no database')],
      [
        'random',
        () =>
          writeFileSync(
            made.file,
            Uint8Array.from({ length: 50_000 }, (_, i) => i * i * 7),
          ),
      ],
      ['NULs', () => writeFileSync(made.file, Buffer.alloc(good.length))],
      ['cut in half', () => writeFileSync(made.file, good.subarray(0, good.length / 2))],
      ['cut in its head', () => writeFileSync(made.file, good.subarray(0, 60))],
      ['of another kind', () => writeFileSync(made.file, changed('DROP TABLE sessions'))],
      [
        'of an older schema',
        () => writeFileSync(made.file, changed(`UPDATE meta SET value = '0' WHERE key = 'schema'`)),
      ],
      ['without a row', () => writeFileSync(made.file, changed('DELETE FROM sessions WHERE place = 3'))],
      ['without its last row', () => writeFileSync(made.file, changed('DELETE FROM sessions WHERE place > 10'))],
      [
        'edited',
        () => writeFileSync(made.file, changed(`UPDATE sessions SET record = replace(record, 'main', 'evil')`)),
      ],
      [
        'at another place',
        () =>
          writeFileSync(
            made.file,
            changed(`UPDATE meta SET value = '{"offset":0,"recent":[],"newer":0}' WHERE key = 'position'`),
          ),
      ],
      ['of a longer journal', () => writeFileSync(made.journalFile, journal.subarray(0, journal.length / 2))],
      ['of another journal', () => writeFileSync(made.journalFile, Buffer.concat([Buffer.from('\n'), journal]))],
      ['of no journal', () => rmSync(made.journalFile)],
    ];
    for (const [name, damage] of cases) {
      writeFileSync(made.file, good);
      writeFileSync(made.journalFile, journal);
      assert.ok(await made.catalogue().load(), 'sound before');
      made.notes.length = 0;
      damage();
      const catalogue = made.catalogue();
      assert.equal(await catalogue.load(), undefined, name);
      assert.match(made.notes.join(), /rebuilt from the journal/, name);
      const now = made.replay();
      await catalogue.save(now);
      assert.deepEqual((await made.catalogue().load())?.sessions, now.state().list().toReversed(), name);
    }
  });

  it('with a few bytes changed anywhere is passed over, or gives what was saved', { timeout: 60_000 }, async (t) => {
    const made = await folder(t, 150);
    const source = made.replay();
    await made.catalogue().save(source);
    const good = readFileSync(made.file);
    const sessions = source.state().list().toReversed();
    const seed = Math.floor(Math.random() * 2 ** 31);
    t.diagnostic(`seed ${seed}`);
    const random = seeded(seed);
    const catalogue = made.catalogue();
    let refused = 0;
    for (let run = 0; run < 150; run++) {
      const bytes = Buffer.from(good);
      for (let i = 0; i < 4; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      writeFileSync(made.file, bytes);
      const snapshot = await catalogue.load();
      if (snapshot === undefined) refused++;
      else assert.deepEqual(snapshot, { sessions, position: source.position() }, `seed ${seed}, run ${run}`);
    }
    assert.ok(refused > 0);
  });

  it('is still good when the journal has only grown', async (t) => {
    const made = await folder(t);
    await made.catalogue().save(made.replay());
    appendFileSync(made.journalFile, 'a torn line');
    assert.ok(await made.catalogue().load());
  });
});
