import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Database, SqlJsStatic, SqlValue } from 'sql.js';
import { readIfExists, writeAtomic } from '../platform/atomic-file.ts';
import { listOf, natural, parseJson, shape, string } from '../platform/check.ts';
import { errorText } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { FACT_VERSION } from './facts.ts';
import type { Position } from './journal-reader.ts';
import type { Session, Turn } from './lifecycle.ts';
import type { State } from './state.ts';

/**
 * The form of the tables and of the records in them. To be raised with every change of these, of `Session` and of the
 * reducer: a snapshot of another schema is rebuilt. A newer build also understands facts that an older one passed over.
 */
const SCHEMA = `2 for facts ${FACT_VERSION}`;

/** A snapshot costs as much as there is to store, so it waits until this much of the journal is not in it: bytes, or a share of the snapshot. */
const TAIL_BYTES = 64 * 1024;
const TAIL_SHARE = 1 / 8;

/** How much of each end of the journal a snapshot is tied to. */
const SEALED_BYTES = 4_096;

/** How long one slice of work may hold the event loop, in ms. */
const SLICE_MS = 8;

/** Records of some kilobytes would leave half of SQLite's usual small pages empty, and each page costs at a save. */
const TABLES = `
  PRAGMA page_size = 16384;
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sessions (
    place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, agent TEXT NOT NULL, branch TEXT NOT NULL,
    worktree TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL, evidence_at INTEGER NOT NULL,
    record TEXT NOT NULL, sum INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS turns (
    session TEXT NOT NULL, number INTEGER NOT NULL, requested_at INTEGER NOT NULL, started_at INTEGER,
    ended_at INTEGER, outcome TEXT, input_tokens INTEGER, output_tokens INTEGER, cost REAL,
    PRIMARY KEY (session, number)
  ) WITHOUT ROWID;
`;

const PUT_SESSION = 'INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';
const PUT_TURN = 'INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)';
const PUT_META = 'INSERT OR REPLACE INTO meta VALUES (?, ?)';

const readPosition = shape({ offset: natural, recent: listOf(string), newer: natural });

/** What the catalogue is to hold, as it is at the moment of asking. */
export interface CatalogueSource {
  state(): State;
  /** Up to where of the journal the state is; undefined while that is not settled. */
  position(): Position | undefined;
}

export interface Snapshot {
  /** Oldest first. */
  readonly sessions: readonly Session[];
  /** Up to where of the journal they are. */
  readonly position: Position;
}

/**
 * The sessions and turns of a repository as a sql.js database: for questions in SQL, and as a snapshot from which a window
 * opens without reading the whole journal. Whatever happens to its file, the journal makes a new one.
 */
export class Catalogue {
  readonly #file: string;
  readonly #journal: string;
  readonly #wasm: string;
  readonly #log: Log;
  #sql: Promise<SqlJsStatic> | undefined;
  #db: Database | undefined;
  /** Sessions whose rows are not up to date; `undefined` before there is a database: all of them. */
  #stale: Set<string> | undefined;
  /** The snapshot on disk, once this window has read or written one. */
  #saved: { readonly offset: number; readonly bytes: number } | undefined;
  #work: Promise<unknown> = Promise.resolve();

  /** @param wasm path of sql.js's sql-wasm.wasm */
  constructor(file: string, journal: string, wasm: string, log: Log) {
    this.#file = file;
    this.#journal = journal;
    this.#wasm = wasm;
    this.#log = log;
  }

  /** The snapshot on disk; undefined where there is none, or none that fits this journal and this build, whole and undamaged. */
  load(): Promise<Snapshot | undefined> {
    return this.#inTurn(async () => {
      try {
        const bytes = await readIfExists(this.#file);
        if (bytes === undefined) return undefined;
        const db = new (await this.#engine()).Database(bytes);
        const snapshot = await readSnapshot(db, this.#journal);
        this.#db = db;
        this.#stale = new Set();
        this.#saved = { offset: snapshot.position.offset, bytes: bytes.length };
        return snapshot;
      } catch (error) {
        this.#log.info(`The catalogue is rebuilt from the journal: ${errorText(error)}`);
        this.#drop();
        return undefined;
      }
    });
  }

  /** These sessions are other than before. */
  changed(ids: Iterable<string>): void {
    if (this.#stale === undefined) return;
    for (const id of ids) this.#stale.add(id);
  }

  /** Everything is other than before: the journal was replaced. */
  reset(): void {
    this.#stale = undefined;
    this.#saved = undefined;
  }

  /** Asks the database, brought up to date first. */
  query(sql: string, params: SqlValue[], source: CatalogueSource): Promise<Record<string, SqlValue>[]> {
    return this.#inTurn(async () => {
      const engine = await this.#engine();
      while (!this.#bringUp(engine, source.state())) await pause();
      return rows(this.#database(engine), sql, params);
    });
  }

  /**
   * Replaces the snapshot on disk, if enough has changed since the last one, or if there is none. To be called after
   * changes only. A failure is logged: the journal has it all.
   */
  save(source: CatalogueSource): Promise<void> {
    return this.#inTurn(async () => {
      try {
        if (!(await this.#isDue(source.position()?.offset ?? 0))) return;
        const engine = await this.#engine();
        while (!this.#bringUp(engine, source.state())) await pause();
        // From here to the export without a pause: rows, position and file are of one moment.
        const position = source.position();
        if (position === undefined) return;
        const bytes = exportSnapshot(this.#database(engine), position, source.state().size, this.#journal);
        await writeAtomic(this.#file, bytes);
        this.#saved = { offset: position.offset, bytes: bytes.length };
      } catch (error) {
        this.#log.warn(`The catalogue could not be saved, and will be rebuilt when needed: ${errorText(error)}`);
        this.#drop();
      }
    });
  }

  /** Whether there is a file at all. */
  exists(): boolean {
    return statSync(this.#file, { throwIfNoEntry: false }) !== undefined;
  }

  dispose(): Promise<void> {
    return this.#inTurn(() => {
      this.#drop();
      return Promise.resolve();
    });
  }

  /** One thing after the other: what awaits in the middle must find its database as it was. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.then(work);
    this.#work = result.catch(() => undefined);
    return result;
  }

  async #isDue(offset: number): Promise<boolean> {
    if (this.#saved === undefined) return true;
    if (offset - this.#saved.offset >= Math.max(TAIL_BYTES, this.#saved.bytes * TAIL_SHARE)) return true;
    return (await stat(this.#file).catch(() => undefined)) === undefined;
  }

  #engine(): Promise<SqlJsStatic> {
    this.#sql ??= Promise.all([import('sql.js'), readFile(this.#wasm)]).then(([module, wasm]) =>
      module.default({ wasmBinary: new Uint8Array(wasm).buffer }),
    );
    return this.#sql;
  }

  /** Forgets a database that may be damaged, and its engine with it: a wasm module that failed once is not to be trusted. */
  #drop(): void {
    this.#db = undefined;
    this.#sql = undefined;
    this.reset();
  }

  #database(engine: SqlJsStatic): Database {
    if (this.#db === undefined) {
      this.#db = new engine.Database();
      this.#db.run(TABLES);
    }
    return this.#db;
  }

  /** Writes some of the rows that are not up to date; whether there are none left. */
  #bringUp(engine: SqlJsStatic, state: State): boolean {
    if (this.#stale === undefined) {
      this.#db?.close();
      this.#db = undefined;
      this.#stale = new Set(state.ids());
    }
    if (this.#stale.size > 0) putSlice(this.#database(engine), state, this.#stale);
    return this.#stale.size === 0;
  }
}

function rows(db: Database, sql: string, params: SqlValue[]): Record<string, SqlValue>[] {
  const statement = db.prepare(sql, params);
  try {
    const found: Record<string, SqlValue>[] = [];
    while (statement.step()) found.push(statement.getAsObject());
    return found;
  } finally {
    statement.free();
  }
}

/** Writes rows for some milliseconds, in one transaction, and takes what is written off the list. */
function putSlice(db: Database, state: State, stale: Set<string>): void {
  const until = performance.now() + SLICE_MS;
  const putSession = db.prepare(PUT_SESSION);
  const putTurn = db.prepare(PUT_TURN);
  db.run('BEGIN');
  try {
    for (const id of stale) {
      const session = state.get(id);
      const place = state.place(id);
      if (session !== undefined && place !== undefined) {
        putSession.run(sessionRow(session, place));
        for (const turn of session.turns) putTurn.run(turnRow(session, turn));
      }
      stale.delete(id);
      if (performance.now() > until) break;
    }
    db.run('COMMIT');
  } catch (error) {
    db.run('ROLLBACK');
    throw error;
  } finally {
    putSession.free();
    putTurn.free();
  }
}

function sessionRow(session: Session, place: number): SqlValue[] {
  const { id, name, agent, branch, worktree, status, createdAt, evidence } = session;
  const record = JSON.stringify(session);
  return [place, id, name, agent.id, branch, worktree, status, createdAt, evidence.at, record, crc32(record)];
}

function turnRow(session: Session, turn: Turn): SqlValue[] {
  const { number, requestedAt, agent, exit, judgement } = turn;
  return [
    session.id,
    number,
    requestedAt,
    agent?.at ?? null,
    exit?.endedAt ?? null,
    judgement?.outcome ?? null,
    judgement?.usage?.input ?? null,
    judgement?.usage?.output ?? null,
    judgement?.cost ?? null,
  ];
}

function exportSnapshot(db: Database, position: Position, sessions: number, journal: string): Uint8Array {
  const meta = { schema: SCHEMA, sessions: String(sessions), position: JSON.stringify(position) };
  const seal = sealOf(meta.sessions, meta.position, journal, position.offset);
  db.run('BEGIN');
  for (const [key, value] of Object.entries({ ...meta, seal })) db.run(PUT_META, [key, value]);
  db.run('COMMIT');
  return db.export();
}

/** Throws where anything is not as this build wrote it: the rows carry check sums, since SQLite's pages carry none. */
async function readSnapshot(db: Database, journal: string): Promise<Snapshot> {
  const meta = new Map(db.exec('SELECT key, value FROM meta')[0]?.values.map(([key, value]) => [key, String(value)]));
  if (meta.get('schema') !== SCHEMA) throw new Error('it is of another schema');
  const text = meta.get('position') ?? '';
  const count = meta.get('sessions') ?? '';
  const position = parseJson(text, readPosition, 'its position');
  if (meta.get('seal') !== sealOf(count, text, journal, position.offset)) throw new Error('it is of another journal');
  const sessions: Session[] = [];
  const statement = db.prepare('SELECT place, record, sum FROM sessions ORDER BY place');
  try {
    let until = performance.now() + SLICE_MS;
    while (statement.step()) {
      const [place, record, sum] = statement.get();
      if (typeof record !== 'string' || place !== sessions.length || sum !== crc32(record)) {
        throw new Error('it is damaged');
      }
      // Written by this very build, and whole: what its check sum says, no second look at the fields could say better.
      sessions.push(JSON.parse(record) as Session);
      if (performance.now() > until) {
        await pause();
        until = performance.now() + SLICE_MS;
      }
    }
  } finally {
    statement.free();
  }
  if (count !== String(sessions.length)) throw new Error('it is damaged');
  return { sessions, position };
}

/**
 * Ties a snapshot to its journal: a digest of what it says of itself and of both ends of the journal up to `offset`.
 * Another journal, or a rewritten one, gives another.
 */
function sealOf(sessions: string, position: string, journal: string, offset: number): string {
  const hash = createHash('sha256').update(JSON.stringify([sessions, position]));
  if (offset > 0) {
    const fd = openSync(journal, 'r');
    try {
      for (const start of [0, Math.max(0, offset - SEALED_BYTES)]) {
        const piece = Buffer.alloc(Math.min(SEALED_BYTES, offset - start));
        if (readSync(fd, piece, 0, piece.length, start) < piece.length) throw new Error('the journal is shorter');
        hash.update(piece);
      }
    } finally {
      closeSync(fd);
    }
  }
  return hash.digest('hex');
}

function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
