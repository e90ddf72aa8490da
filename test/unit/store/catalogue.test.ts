import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Log } from '../../../src/platform/log.ts';
import { catalogueFile } from '../../../src/platform/paths.ts';
import { Catalogue, type Snapshot } from '../../../src/store/catalogue.ts';
import { JournalReader } from '../../../src/store/journal-reader.ts';
import type { FactEntry } from '../../../src/store/facts.ts';
import { Journal } from '../../../src/store/journal.ts';
import { State } from '../../../src/store/state.ts';
import { tempDir } from '../support.ts';
import { seeded } from '../../support/seeded.mts';
import { randomFacts, window } from './facts.ts';

/** A state that follows the journal when it is told to. */
interface Replay {
  readonly state: State;
  readonly take: () => Snapshot;
  readonly readOn: () => void;
}

class Folder {
  readonly file: string;
  readonly journalFile: string;
  readonly journal: Journal;
  readonly notes: string[] = [];
  readonly #log: Log;

  constructor(t: TestContext, folder: string) {
    this.file = catalogueFile(folder);
    this.journalFile = path.join(folder, 'journal.jsonl');
    this.journal = new Journal(this.journalFile, window);
    const note = (message: string): number => this.notes.push(message);
    this.#log = { debug: note, info: note, warn: note, error: note };
    t.after(() => this.journal.dispose());
  }

  catalogue(): Catalogue {
    return new Catalogue(this.file, this.journalFile, this.#log);
  }

  /** A full replay of the journal, and a way to go on with it. */
  replay(): Replay {
    const reader = new JournalReader(this.journalFile);
    const state = new State();
    const readOn = (): void => {
      for (let more = true; more;) {
        const reading = reader.read();
        state.apply(reading.facts);
        more = reading.more;
      }
      reader.dispose();
    };
    readOn();
    const take = (): Snapshot => ({ state: state.data, position: reader.position });
    return { state, take, readOn };
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
    await made.catalogue().save(source.take);
    const snapshot = await made.catalogue().load();
    assert.ok(snapshot);
    assert.deepEqual(snapshot, source.take());
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
      source.readOn();
      rmSync(made.file, { force: true });
      await catalogue.save(source.take);
      made.append(entries.slice(from + 75, from + 150));

      const snapshot = await made.catalogue().load();
      assert.ok(snapshot, `seed ${seed}: ${made.notes.join()}`);
      const state = new State(snapshot.state);
      const reader = new JournalReader(made.journalFile, snapshot.position);
      state.apply(reader.read().facts);
      reader.dispose();
      const full = made.replay().state;
      assert.deepEqual(state.list(), full.list(), `seed ${seed}`);
      assert.equal(state.live, full.live);
      assert.deepEqual(state.data, full.data);
    }
  });

  it('is written again when enough has changed, or when it was deleted, and else left alone', async (t) => {
    const made = await folder(t);
    const source = made.replay();
    const catalogue = made.catalogue();
    const written = (): bigint => statSync(made.file, { bigint: true }).ino;
    await catalogue.save(source.take);
    const first = written();
    made.append(randomFacts(seeded(13), 20));
    source.readOn();
    await catalogue.save(source.take);
    assert.equal(written(), first, 'a small tail is replayed sooner than it is saved');
    made.append(randomFacts(seeded(14), 400));
    source.readOn();
    await catalogue.save(source.take);
    assert.notEqual(written(), first);
    rmSync(made.file);
    await catalogue.save(source.take);
    assert.deepEqual((await made.catalogue().load())?.state, source.take().state);
    assert.deepEqual(
      readdirSync(path.dirname(made.file)).sort(),
      [path.basename(made.file), 'journal.jsonl'],
      'no temporary file stays',
    );
  });

  it('leaves those of other builds alone while they are in use, and removes what is left of old ones', async (t) => {
    const made = await folder(t);
    const [used, forgotten] = ['0123456789ab', 'ba9876543210'].map((build) =>
      catalogueFile(path.dirname(made.file), build),
    ) as [string, string];
    for (const file of [used, forgotten]) writeFileSync(file, 'of another build');
    const long = Date.now() / 1000 - 30 * 24 * 3600;
    utimesSync(forgotten, long, long);
    await made.catalogue().save(made.replay().take);
    assert.deepEqual([existsSync(used), existsSync(forgotten), existsSync(made.file)], [true, false, true]);
    assert.equal(readFileSync(used, 'utf8'), 'of another build');
  });

  it('is not saved while the state and its place in the journal do not go together', async (t) => {
    const made = await folder(t);
    await made.catalogue().save(() => undefined);
    assert.throws(() => statSync(made.file));
  });

  it('that cannot be written is a note, and no more', async (t) => {
    const made = await folder(t);
    const catalogue = new Catalogue(path.join(made.file, 'not', 'there'), made.journalFile, {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => made.notes.push(message),
      error: () => undefined,
    });
    await catalogue.save(made.replay().take);
    assert.match(made.notes.join(), /could not be saved/);
  });
});

describe('a catalogue file', () => {
  it('that is garbage, cut, of another build or another journal is passed over, and replaced by the next', async (t) => {
    const made = await folder(t);
    const source = made.replay();
    await made.catalogue().save(source.take);
    const good = readFileSync(made.file);
    const journal = readFileSync(made.journalFile);
    const [head = '', ...records] = good.toString().trimEnd().split('\n');
    const write = (...lines: readonly string[]): void =>
      writeFileSync(made.file, lines.map((line) => `${line}\n`).join(''));
    const otherHead = (change: object): string => JSON.stringify({ ...(JSON.parse(head) as object), ...change });
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
      ['without its head', () => write(...records)],
      ['of another kind', () => write('{}', ...records)],
      ['of another build', () => write(otherHead({ schema: '0' }), ...records)],
      ['without a session', () => write(head, ...records.toSpliced(3, 1))],
      ['without its last sessions', () => write(head, ...records.slice(0, 10))],
      ['edited', () => write(head, ...records.map((line) => line.replace('main', 'evil')))],
      ['at another place', () => write(otherHead({ position: { offset: 0, recent: [], unknown: 0 } }), ...records)],
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
      await catalogue.save(now.take);
      assert.deepEqual((await made.catalogue().load())?.state, now.take().state, name);
    }
  });

  it('with a few bytes changed anywhere is passed over, or gives what was saved', { timeout: 60_000 }, async (t) => {
    const made = await folder(t, 150);
    const source = made.replay();
    await made.catalogue().save(source.take);
    const good = readFileSync(made.file);
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
      else assert.deepEqual(snapshot, source.take(), `seed ${seed}, run ${run}`);
    }
    assert.ok(refused > 0);
  });

  it('is still good when the journal has only grown', async (t) => {
    const made = await folder(t);
    await made.catalogue().save(made.replay().take);
    appendFileSync(made.journalFile, 'a torn line');
    assert.ok(await made.catalogue().load());
  });
});
