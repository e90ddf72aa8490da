import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { SqlJsStatic } from 'sql.js';
import type { OutputReader } from '../agents/adapter.ts';
import { BUILD } from '../platform/build.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { TextPart } from '../protocol/names.ts';
import { say, type Translation } from '../words/saying.ts';
import { shownTexts } from './content.ts';
import { FilterList } from './filter-list.ts';
import { IndexDb, type Entry } from './index-db.ts';
import { groupBits, inGroups } from './kinds.ts';
import { RowRenderer } from './renderer.ts';
import { Revisions } from './revisions.ts';
import { RowMaker, type Rows } from './row-maker.ts';
import type { Row, RowCount, RowDelta, RowFilter, RowPage } from '../protocol/rows.ts';
import { fingerprint, type RunSummary } from './run-summary.ts';
import { SessionReader, type ReadState, type SessionRows } from './session-reader.ts';
import { loadSnapshot, saveSnapshot, SNAPSHOT_FILE, type SnapshotOf } from './snapshot.ts';
import { runsOf, type TimelineSource } from './source.ts';

/** More changed or appended rows than this are not worth a delta: the reader asks for the pages that it shows. */
const MAX_DELTA = 500;
const MAX_PAGE = 1000;
/** Filters whose lists are kept. */
const MAX_LISTS = 4;

/**
 * The rows of one session, made while its runs are read, and what is asked about them. The raw output is the truth; a snapshot
 * spares reading the runs that are over, and a run that goes on is read from its beginning again.
 */
export class SessionIndex {
  /** What reads its runs. */
  readonly reader: SessionReader;
  readonly #sql: SqlJsStatic;
  readonly #renderer: RowRenderer;
  readonly #snapshot: { readonly file: string; readonly of: SnapshotOf };
  #db: IndexDb;
  #epoch = randomUUID();
  #revisions: Revisions;
  readonly #lists = new Map<string, FilterList>();
  #savedRuns = 0;

  /**
   * Begins with the turns of the snapshot that are still as they were.
   * @param translate the language of whoever reads the rows.
   */
  constructor(
    sql: SqlJsStatic,
    reader: OutputReader,
    source: TimelineSource,
    log: Pick<Log, 'warn'>,
    translate: Translation = (template) => template,
  ) {
    const { session, folder, format } = source;
    this.#sql = sql;
    this.#snapshot = { file: path.join(folder, SNAPSHOT_FILE), of: { build: BUILD, session, format } };
    const { db, done } = this.#load(source, log) ?? { db: new IndexDb(sql), done: [] };
    this.#db = db;
    this.#revisions = new Revisions(db.count);
    this.#savedRuns = done.length;
    const rows: SessionRows = {
      ofRun: () => new RowMaker(this.#rows),
      done: (summary) => this.#done(summary),
      restart: () => this.#restart(),
    };
    this.reader = new SessionReader(reader, source, { rows, done });
    this.#renderer = new RowRenderer(
      () => this.reader.source,
      reader,
      (run) => this.reader.before(run),
      translate,
    );
  }

  get source(): TimelineSource {
    return this.reader.source;
  }

  /** Takes a new list of turns; what is in the index already stays as it is, unless a turn is another run's by now. */
  update(source: TimelineSource): void {
    this.reader.update(source);
  }

  /** Reads what has arrived, until `deadline` (a `performance.now()`). */
  ingest(deadline: number): ReadState {
    try {
      return this.reader.read(deadline);
    } finally {
      this.#db.flush();
    }
  }

  get count(): RowCount {
    return { epoch: this.#epoch, rev: this.#revisions.rev, rows: this.#db.count };
  }

  /**
   * Brings the list of a filter up to date, as far as `deadline` lets it; true when `page` and `delta` can answer at once.
   * Without it they take the time they need.
   */
  prepare(filter: RowFilter, deadline: number): boolean {
    return this.#list(filter)?.advance(deadline) ?? true;
  }

  /** @param from the first row of the filtered timeline, from 0; negative: counted from the end. */
  page(filter: RowFilter, from: number, count: number): RowPage {
    const list = this.#list(filter);
    list?.advance(Infinity);
    const total = list?.length ?? this.#db.count;
    const first = Math.min(total, from < 0 ? Math.max(0, total + from) : from);
    const end = Math.min(total, first + Math.min(count, MAX_PAGE));
    const seqs = list?.slice(first, end) ?? range(first + 1, end);
    return { ...this.#head(total), from: first, rows: seqs.map((seq) => this.#row(seq)) };
  }

  delta(since: number, filter: RowFilter): RowDelta {
    const list = this.#list(filter);
    list?.advance(Infinity);
    const total = list?.length ?? this.#db.count;
    const head = { ...this.#head(total), since };
    const rows = this.#revisions.rowsAt(since);
    const none = { ...head, changed: [], appended: [], reset: true };
    if (rows === undefined || (list !== undefined && list.stableSince > since)) return none;
    const before = list?.place(rows + 1) ?? rows;
    const changed = this.#revisions.changedSince(since).filter((seq) => seq <= rows && (list?.has(seq) ?? true));
    if (total - before > MAX_DELTA || changed.length > MAX_DELTA) return none;
    const appended = list?.slice(before, total) ?? range(rows + 1, total);
    return {
      ...head,
      changed: changed.map((seq) => this.#row(seq)),
      appended: appended.map((seq) => this.#row(seq)),
      reset: false,
    };
  }

  row(seq: number): Row | undefined {
    return seq >= 1 && seq <= this.#db.count ? this.#row(seq) : undefined;
  }

  /** The whole text of a part of a row, read from the log. */
  text(seq: number, part: TextPart): string {
    if (seq < 1 || seq > this.#db.count) {
      throw new TreelineError(say('no-row', { row: seq }));
    }
    return this.#renderer.whole(this.#db.entry(seq), part, () => this.#db.parts(seq));
  }

  /** Saves the runs that are over, when there are more of them than in the last snapshot. */
  async save(): Promise<void> {
    if (this.reader.done <= this.#savedRuns) return;
    this.#savedRuns = this.reader.done;
    await saveSnapshot(this.#snapshot.file, this.#db.export(), this.#snapshot.of);
  }

  /** Frees all but the reader, which goes on without making rows. */
  leaveReader(): SessionReader {
    this.reader.dropRows();
    this.#free();
    return this.reader;
  }

  /** Frees everything; nothing may be called after it. */
  close(): void {
    this.reader.close();
    this.#free();
  }

  /** Closes the logs of a session in which nothing happens. */
  rest(): void {
    this.#renderer.close();
  }

  #free(): void {
    this.#renderer.close();
    this.#db.close();
  }

  readonly #rows: Rows = {
    append: (entry: Entry) => {
      this.#revisions.append();
      return this.#db.append(entry);
    },
    entry: (seq) => this.#db.entry(seq),
    replace: (seq, entry) => {
      this.#db.replace(seq, entry);
      this.#revisions.update(seq);
    },
    addParts: (seq, places) => this.#db.addParts(seq, places),
    dropParts: (seq) => this.#db.dropParts(seq),
  };

  #row(seq: number): Row {
    return this.#renderer.row(seq, this.#revisions.of(seq), this.#db.entry(seq));
  }

  #head(total: number) {
    return { epoch: this.#epoch, rev: this.#revisions.rev, total };
  }

  /** undefined when the filter lets everything through. */
  #list(filter: RowFilter): FilterList | undefined {
    const groups = groupBits(filter.groups);
    const query = filter.query.toLowerCase();
    if (groups === 0 && query === '') return undefined;
    const key = `${groups} ${query}`;
    const found = this.#lists.get(key);
    const list = found ?? new FilterList(this.#filtered(groups, query), this.#wider(groups, query));
    this.#lists.delete(key);
    this.#lists.set(key, list);
    const [oldest] = this.#lists.keys();
    if (this.#lists.size > MAX_LISTS && oldest !== undefined) this.#lists.delete(oldest);
    return list;
  }

  /** A list that holds whatever a query can find: that of its beginning, while somebody types. */
  #wider(groups: number, query: string): FilterList | undefined {
    const keys = [...this.#lists.keys()].filter((key) => {
      const space = key.indexOf(' ');
      const before = key.slice(space + 1);
      return Number(key.slice(0, space)) === groups && before !== '' && query.includes(before);
    });
    const lists = keys.flatMap((key) => this.#lists.get(key) ?? []);
    return lists.reduce<FilterList | undefined>((a, b) => (a !== undefined && a.length <= b.length ? a : b), undefined);
  }

  #filtered(groups: number, query: string) {
    const db = this.#db;
    const word = longestWord(query);
    const matches = (seq: number): boolean => {
      if (!inGroups(db.flags(seq), groups)) return false;
      return query === '' || (this.#renderer.mayShow(db.entry(seq), word) && contains(this.#row(seq), query));
    };
    return {
      revisions: this.#revisions,
      get count() {
        return db.count;
      },
      matches,
    };
  }

  #done(summary: RunSummary): void {
    this.#db.flush();
    this.#db.putRun(summary.run, JSON.stringify(summary));
  }

  #restart(): void {
    this.#renderer.close();
    this.#db.close();
    this.#db = new IndexDb(this.#sql);
    this.#revisions = new Revisions(0);
    this.#epoch = randomUUID();
    this.#lists.clear();
    this.#savedRuns = 0;
  }

  #load(source: TimelineSource, log: Pick<Log, 'warn'>): Loaded | undefined {
    const { file, of } = this.#snapshot;
    try {
      const content = loadSnapshot(file, of);
      return content && adopt(new IndexDb(this.#sql, content), source);
    } catch (error) {
      log.warn(`${file} cannot be used and is made anew: ${errorText(error)}`);
      return undefined;
    }
  }
}

/** An index, and the runs that are in it to their end. */
interface Loaded {
  readonly db: IndexDb;
  readonly done: readonly RunSummary[];
}

/** Keeps of a snapshot the runs whose files are still the same. */
function adopt(db: IndexDb, source: TimelineSource): Loaded {
  const runs = runsOf(source);
  const done: RunSummary[] = [];
  let last = 0;
  for (const [i, stored] of db.runs().entries()) {
    const run = runs[i];
    const summary = JSON.parse(stored.summary) as RunSummary;
    if (run?.number !== stored.number || !run.over || fingerprint(run) !== summary.fingerprint) break;
    done.push(summary);
    last = stored.last;
  }
  db.truncate(last);
  return { db, done };
}

function contains(row: Row, query: string): boolean {
  for (const text of shownTexts(row)) if (text.toLowerCase().includes(query)) return true;
  return false;
}

/** The longest run of letters and digits of ASCII: what stands in a JSON text as it is. */
function longestWord(query: string): string {
  return (query.match(/[a-z0-9]+/g) ?? []).reduce((a, b) => (a.length >= b.length ? a : b), '');
}

/** `from` to `to`, both included. */
function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}
