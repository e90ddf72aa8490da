import type { Database, SqlJsStatic, Statement } from 'sql.js';
import { STREAM_KEYS, type StreamKey } from '../keeper/protocol.ts';
import { natural, nullable, string } from '../platform/check.ts';
import { readKind } from './kinds.ts';
import type { RowKind } from '../protocol/rows.ts';

/** Where a line stands in a run's logs; `nth` of its events of one kind. */
export interface Place {
  readonly stream: StreamKey;
  readonly offset: number;
  readonly length: number;
  readonly nth: number;
}

/** What the index holds of a row: where to find it, not what it says. */
export interface Entry {
  readonly turn: number;
  readonly kind: RowKind;
  readonly flags: number;
  readonly depth: number;
  readonly at: number;
  /** The line that it began with; null for what no log holds. A row that is made of many lines has the others as parts. */
  readonly place: Place | null;
  /** The line that revised it last: a tool call's result, the answer to a request, the last part of a message. */
  readonly last: (Place & { readonly at: number }) | null;
  /** JSON of what is shown, for a row that its log line alone does not give. */
  readonly kept: string | null;
}

/** Rows that wait for their insertion: a tool result mostly comes soon after its call, and then costs no update. */
const MAX_PENDING = 2048;

const INSERT_COLUMNS = 'seq, turn, kind, flags, depth, at, src, off, len, nth';
const LAST_COLUMNS = 'lsrc, loff, llen, lnth, lat';

/**
 * The tables of one session's timeline, in a sql.js database: it lives in memory and is exported as a whole, therefore a
 * row takes some 40 bytes. Rows are numbered from 1 without gaps.
 */
export class IndexDb {
  readonly #db: Database;
  readonly #insert: Statement;
  readonly #insertAll: Statement;
  readonly #insertPart: Statement;
  readonly #select: Statement;
  /** The kinds that rows have; a row holds the place of its kind's name in the table of kinds. */
  readonly #kinds: RowKind[];
  #pending: Entry[] = [];
  /** The flags of row n at n - 1: what filters look at. */
  #flags: Uint8Array;
  #count: number;

  /** @param content of a database that this build exported; throws when it is not complete. */
  constructor(sql: SqlJsStatic, content?: Uint8Array) {
    this.#db = new sql.Database(content);
    try {
      if (content === undefined) this.#create();
      const [[count, flags] = []] =
        this.#db.exec("SELECT (SELECT count(*) FROM rows), (SELECT value FROM meta WHERE key = 'flags')")[0]?.values ??
        [];
      this.#count = natural(count, 'rows');
      const known = flags instanceof Uint8Array ? flags : new Uint8Array();
      if (known.length !== this.#count) throw new Error('The rows are not complete.');
      this.#flags = new Uint8Array(Math.max(1024, known.length));
      this.#flags.set(known);
      this.#kinds = (this.#db.exec('SELECT name FROM kinds ORDER BY code')[0]?.values ?? []).map(([name]) =>
        readKind(name, 'kind'),
      );
      this.#insert = this.#db.prepare(`INSERT INTO rows (${INSERT_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)`);
      this.#insertAll = this.#db.prepare(
        `INSERT OR REPLACE INTO rows (${INSERT_COLUMNS}, ${LAST_COLUMNS}, kept) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
      );
      this.#insertPart = this.#db.prepare('INSERT OR IGNORE INTO parts VALUES (?,?,?,?)');
      this.#select = this.#db.prepare(
        `SELECT turn, kind, depth, at, src, off, len, nth, ${LAST_COLUMNS}, kept FROM rows WHERE seq = ?`,
      );
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #create(): void {
    this.#db.exec(`
      CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
      CREATE TABLE kinds (code INTEGER PRIMARY KEY, name TEXT NOT NULL);
      CREATE TABLE runs (number INTEGER PRIMARY KEY, last INTEGER NOT NULL, summary TEXT NOT NULL);
      CREATE TABLE rows (
        seq INTEGER PRIMARY KEY, turn INTEGER NOT NULL, kind INTEGER NOT NULL, flags INTEGER NOT NULL,
        depth INTEGER NOT NULL, at INTEGER NOT NULL, src INTEGER, off INTEGER, len INTEGER, nth INTEGER,
        lsrc INTEGER, loff INTEGER, llen INTEGER, lnth INTEGER, lat INTEGER, kept TEXT);
      CREATE TABLE parts (seq INTEGER NOT NULL, off INTEGER NOT NULL, len INTEGER NOT NULL, nth INTEGER NOT NULL,
        PRIMARY KEY (seq, off, nth)) WITHOUT ROWID;`);
  }

  get count(): number {
    return this.#count;
  }

  flags(seq: number): number {
    return this.#flags[seq - 1] ?? 0;
  }

  /** Appends a row and returns its seq. */
  append(entry: Entry): number {
    if (this.#pending.length >= MAX_PENDING) this.flush();
    this.#pending.push(entry);
    if (this.#count === this.#flags.length) {
      const larger = new Uint8Array(this.#count * 2);
      larger.set(this.#flags);
      this.#flags = larger;
    }
    this.#flags[this.#count] = entry.flags;
    this.#count += 1;
    return this.#count;
  }

  replace(seq: number, entry: Entry): void {
    this.#flags[seq - 1] = entry.flags;
    const pending = seq - 1 - (this.#count - this.#pending.length);
    if (pending >= 0) this.#pending[pending] = entry;
    else this.#put(seq, entry, true);
  }

  /** Row `seq`, which must be there. */
  entry(seq: number): Entry {
    const pending = this.#pending[seq - 1 - (this.#count - this.#pending.length)];
    if (pending !== undefined) return pending;
    const [turn, kind, depth, at, src, off, len, nth, lsrc, loff, llen, lnth, lat, kept] = this.#select.get([seq]);
    this.#select.reset();
    const number = (value: unknown): number => natural(value, 'row');
    const placeOf = (...[stream, offset, length, count]: readonly unknown[]): Place => ({
      stream: STREAM_KEYS[number(stream)] ?? 'o',
      offset: number(offset),
      length: number(length),
      nth: number(count),
    });
    return {
      turn: number(turn),
      kind: this.#kinds[number(kind)] ?? 'raw',
      flags: this.flags(seq),
      depth: number(depth),
      at: number(at),
      place: off === null ? null : placeOf(src, off, len, nth),
      last: loff === null ? null : { ...placeOf(lsrc, loff, llen, lnth), at: number(lat) },
      kept: nullable(string)(kept, 'row'),
    };
  }

  /** Writes what is pending, in one transaction. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    const first = this.#count - pending.length + 1;
    this.#pending = [];
    this.#db.exec('BEGIN');
    for (const [i, entry] of pending.entries()) this.#put(first + i, entry, false);
    this.#db.exec('COMMIT');
  }

  #put(seq: number, entry: Entry, again: boolean): void {
    const { turn, flags, depth, at, place, last, kept } = entry;
    const base = [seq, turn, this.#codeOf(entry.kind), flags, depth, at, ...columnsOf(place)];
    if (last === null && kept === null && !again) this.#insert.run(base);
    else this.#insertAll.run([...base, ...columnsOf(last), last?.at ?? null, kept]);
  }

  /** Adds lines of stdout that a row is made of beside its first one. */
  addParts(seq: number, places: readonly Place[]): void {
    this.#db.exec('BEGIN');
    for (const { offset, length, nth } of places) this.#insertPart.run([seq, offset, length, nth]);
    this.#db.exec('COMMIT');
  }

  /** The lines that a row is made of beside its first one, in their order. */
  parts(seq: number): readonly Place[] {
    return (
      this.#db.exec('SELECT off, len, nth FROM parts WHERE seq = ? ORDER BY off, nth', [seq])[0]?.values ?? []
    ).map(([offset, length, nth]) => ({
      stream: 'o',
      offset: natural(offset, 'part'),
      length: natural(length, 'part'),
      nth: natural(nth, 'part'),
    }));
  }

  /** Forgets them: the row has come to say something else. */
  dropParts(seq: number): void {
    this.#db.run('DELETE FROM parts WHERE seq = ?', [seq]);
  }

  #codeOf(kind: RowKind): number {
    const known = this.#kinds.indexOf(kind);
    if (known !== -1) return known;
    this.#db.run('INSERT INTO kinds VALUES (?,?)', [this.#kinds.length, kind]);
    return this.#kinds.push(kind) - 1;
  }

  /** The summaries (JSON) of the runs that are in the index to their end, with the seq of their last row. */
  runs(): { readonly number: number; readonly last: number; readonly summary: string }[] {
    return (this.#db.exec('SELECT number, last, summary FROM runs ORDER BY number')[0]?.values ?? []).map(
      ([number, last, summary]) => ({
        number: natural(number, 'run'),
        last: natural(last, 'run'),
        summary: string(summary, 'run'),
      }),
    );
  }

  /** Notes that all rows of a run are there. */
  putRun(number: number, summary: string): void {
    this.#db.run('INSERT OR REPLACE INTO runs VALUES (?,?,?)', [number, this.#count, summary]);
  }

  /** Forgets the rows after `last`. */
  truncate(last: number): void {
    this.flush();
    this.#db.run('DELETE FROM rows WHERE seq > ?', [last]);
    this.#db.run('DELETE FROM parts WHERE seq > ?', [last]);
    this.#db.run('DELETE FROM runs WHERE last > ?', [last]);
    this.#count = last;
  }

  /** The whole database as a file's content. */
  export(): Uint8Array {
    this.flush();
    this.#db.run("INSERT OR REPLACE INTO meta VALUES ('flags', ?)", [this.#flags.slice(0, this.#count)]);
    return this.#db.export();
  }

  close(): void {
    this.#db.close();
  }
}

function columnsOf(place: Place | null): (number | null)[] {
  return place === null
    ? [null, null, null, null]
    : [STREAM_KEYS.indexOf(place.stream), place.offset, place.length, place.nth];
}
