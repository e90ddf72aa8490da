import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { SqlJsStatic } from 'sql.js';
import type { Before, OutputReader } from '../agents/adapter.ts';
import { BUILD } from '../platform/build.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { TextPart } from '../protocol/names.ts';
import type { Judgement } from '../store/model.ts';
import { shownTexts } from './content.ts';
import { FilterList } from './filter-list.ts';
import { IndexDb, type Entry } from './index-db.ts';
import { groupBits, inGroups } from './kinds.ts';
import { LogReplaced } from './log-file.ts';
import { RowRenderer } from './renderer.ts';
import { Revisions } from './revisions.ts';
import type { Rows } from './row-maker.ts';
import { RunReader } from './run-reader.ts';
import { exitOf, fingerprint, sumFigures, type RunSummary, type TurnSummary } from './run-summary.ts';
import type { Activity, Row, RowDelta, RowFilter, RowPage } from './rows.ts';
import { loadSnapshot, saveSnapshot, SNAPSHOT_FILE, type SnapshotOf } from './snapshot.ts';
import { promptFileOf, runsOf, type RunSource, type TimelineSource } from './source.ts';

/** More changed or appended rows than this are not worth a delta: the reader asks for the pages that it shows. */
const MAX_DELTA = 500;
const MAX_PAGE = 1000;
/** Filters whose lists are kept. */
const MAX_LISTS = 4;

/** `more`: the time was up. `waiting`: all that is there was read, and a run goes on. `idle`: no run goes on. */
export type IngestState = 'more' | 'waiting' | 'idle';

/**
 * The timeline of one session: reads its runs one after the other, and answers what rows there are. The raw output is the
 * truth; a snapshot spares reading the runs that are over, and a run that goes on is read from its beginning again.
 */
export class SessionIndex {
  readonly #sql: SqlJsStatic;
  readonly #reader: OutputReader;
  readonly #renderer: RowRenderer;
  #source: TimelineSource;
  #db: IndexDb;
  #epoch = randomUUID();
  #revisions: Revisions;
  readonly #lists = new Map<string, FilterList>();
  #runs: readonly RunSource[];
  /** The runs that are in the index to their end, in order. */
  #done: RunSummary[] = [];
  #current: RunReader | undefined;
  #savedRuns = 0;

  /** Begins with the turns of the snapshot that are still as they were. */
  constructor(sql: SqlJsStatic, reader: OutputReader, source: TimelineSource, log: Pick<Log, 'warn'>) {
    this.#sql = sql;
    this.#reader = reader;
    this.#source = source;
    this.#runs = runsOf(source);
    this.#renderer = new RowRenderer(
      () => this.#source,
      reader,
      (run) => this.#before(run),
    );
    this.#db = this.#load(log) ?? new IndexDb(sql);
    this.#revisions = new Revisions(this.#db.count);
    this.#savedRuns = this.#done.length;
  }

  get source(): TimelineSource {
    return this.#source;
  }

  /** Takes a new list of turns; what is in the index already stays as it is, unless a turn is another run's by now. */
  update(source: TimelineSource): void {
    this.#source = source;
    this.#runs = runsOf(source);
    const known = [
      ...this.#done.map(({ run }) => run),
      ...(this.#current === undefined ? [] : [this.#current.run.number]),
    ];
    if (known.some((run, i) => this.#runs[i]?.number !== run)) this.#restart();
  }

  /** Reads what has arrived, until `deadline` (a `performance.now()`). */
  ingest(deadline: number): IngestState {
    try {
      return this.#ingest(deadline);
    } catch (error) {
      if (!(error instanceof LogReplaced)) throw error;
      this.#restart();
      return 'more';
    } finally {
      this.#db.flush();
    }
  }

  /** The judgement of a turn that is in the index to its end, also while its run goes on. */
  judgement(turn: number): Judgement | undefined {
    return this.#ended().find(({ number }) => number === turn)?.judgement;
  }

  /** The folder of the run that goes on, or that comes next. */
  get currentFolder(): string | undefined {
    return this.#runs[this.#done.length]?.folder;
  }

  activity(): Activity {
    const ended = this.#ended();
    const reader = this.#current;
    const seen = reader?.seen ?? {};
    const number = reader?.turn ?? ended.at(-1)?.number;
    const goesOn = reader?.turn !== undefined;
    const before = goesOn ? ended.filter((turn) => turn.number !== number) : ended;
    const judgement = number === undefined ? undefined : this.judgement(number);
    const named = ended.findLast((turn) => turn.agentSession !== undefined);
    const agentSession =
      seen.agentSession !== undefined && goesOn && number !== undefined
        ? { id: seen.agentSession, turn: number }
        : named?.agentSession !== undefined
          ? { id: named.agentSession, turn: named.number }
          : undefined;
    const { usage, cost } = sumFigures(goesOn ? [...before, seen] : before);
    const lastEventAt = reader?.lastOutputAt ?? ended.findLast((one) => one.lastOutputAt !== undefined)?.lastOutputAt;
    const lastLine = reader?.lastLine || ended.at(-1)?.lastLine;
    const model = seen.model ?? ended.findLast((one) => one.model !== undefined)?.model;
    return {
      session: this.#source.session,
      epoch: this.#epoch,
      rev: this.#revisions.rev,
      rows: this.#db.count,
      retrying: seen.retrying === true,
      ...(number !== undefined && { turn: { number, ...(judgement !== undefined && { ended: judgement }) } }),
      ...(lastEventAt !== undefined && { lastEventAt }),
      ...(lastLine !== undefined && lastLine !== '' && { lastLine }),
      ...(model !== undefined && { model }),
      ...(agentSession !== undefined && { agentSession }),
      ...(usage !== undefined && { usage }),
      ...(cost !== undefined && { cost }),
    };
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
      throw new TreelineError('no-row', `The timeline no longer has row ${seq}. Open the timeline again.`);
    }
    return this.#renderer.whole(this.#db.entry(seq), part, () => this.#db.parts(seq));
  }

  /** Saves the runs that are over, when there are more of them than in the last snapshot. */
  async save(): Promise<void> {
    if (this.#done.length <= this.#savedRuns) return;
    this.#savedRuns = this.#done.length;
    await saveSnapshot(this.#snapshotFile, this.#db.export(), this.#snapshotOf);
  }

  /** Frees everything; nothing may be called after it. */
  close(): void {
    this.#current?.close();
    this.#renderer.close();
    this.#db.close();
  }

  /** Closes the logs of a session in which nothing happens. */
  rest(): void {
    this.#renderer.close();
  }

  #ingest(deadline: number): IngestState {
    for (;;) {
      const run = this.#runs[this.#done.length];
      if (run === undefined) return 'idle';
      this.#current ??= new RunReader(run, {
        reader: this.#reader,
        rows: this.#rows,
        promptFile: (turn) => promptFileOf(this.#source, turn),
        before: this.#before(run.number),
      });
      this.#current.update(run);
      const state = this.#current.read(run.over, deadline);
      if (state !== 'done') return state;
      this.#finish(this.#current);
      if (performance.now() >= deadline) return 'more';
    }
  }

  #finish(reader: RunReader): void {
    const { run } = reader;
    const print = fingerprint(run);
    reader.end(exitOf(run));
    reader.close();
    this.#current = undefined;
    const summary: RunSummary = { run: run.number, fingerprint: print, turns: reader.ended };
    this.#done.push(summary);
    this.#db.flush();
    this.#db.putRun(run.number, JSON.stringify(summary));
  }

  /** The turns that are over, in their order. */
  #ended(): readonly TurnSummary[] {
    return [...this.#done.flatMap(({ turns }) => turns), ...(this.#current?.ended ?? [])];
  }

  /** What the runs before used up in the same conversation: back to the turn that began it. */
  #before(run: number): Before {
    if (this.#runs.find(({ number }) => number === run)?.turns[0]?.resumes !== true) return {};
    const earlier = this.#done.filter((one) => one.run < run).flatMap(({ turns }) => turns);
    const parts: TurnSummary[] = [];
    for (const [i, turn] of [...earlier.entries()].reverse()) {
      parts.push(turn);
      const previous = earlier[i - 1]?.agentSession;
      const other = previous !== undefined && turn.agentSession !== undefined && previous !== turn.agentSession;
      if (!turn.resumes || other) break;
    }
    const last = earlier.at(-1);
    const untold = last?.agentSession !== undefined && last.usage === undefined;
    return { ...sumFigures(parts), ...(untold && { untold }) };
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

  #restart(): void {
    this.#current?.close();
    this.#current = undefined;
    this.#renderer.close();
    this.#db.close();
    this.#db = new IndexDb(this.#sql);
    this.#revisions = new Revisions(0);
    this.#epoch = randomUUID();
    this.#lists.clear();
    this.#done = [];
    this.#savedRuns = 0;
  }

  #load(log: Pick<Log, 'warn'>): IndexDb | undefined {
    try {
      const content = loadSnapshot(this.#snapshotFile, this.#snapshotOf);
      return content && this.#adopt(new IndexDb(this.#sql, content));
    } catch (error) {
      this.#done = [];
      log.warn(`${this.#snapshotFile} cannot be used and is made anew: ${errorText(error)}`);
      return undefined;
    }
  }

  /** Keeps of a snapshot the runs whose files are still the same. */
  #adopt(db: IndexDb): IndexDb {
    let last = 0;
    for (const [i, stored] of db.runs().entries()) {
      const run = this.#runs[i];
      const summary = JSON.parse(stored.summary) as RunSummary;
      if (run?.number !== stored.number || !run.over || fingerprint(run) !== summary.fingerprint) break;
      this.#done.push(summary);
      last = stored.last;
    }
    db.truncate(last);
    return db;
  }

  get #snapshotFile(): string {
    return path.join(this.#source.folder, SNAPSHOT_FILE);
  }

  get #snapshotOf(): SnapshotOf {
    const { session, format } = this.#source;
    return { build: BUILD, session, format };
  }
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
