import { CHUNK, RowCache } from './cache.ts';
import type { PageMessage, Row, RowDelta, RowFilter, RowPage } from '../src/protocol/timeline.ts';

/** How many requests for rows are under way at most. */
const IN_FLIGHT = 2;
/** Rows around the visible ones that are fetched before they are seen. */
const PREFETCH = CHUNK / 2;

/** How long (ms) a row to begin at is waited for. */
const READING = 10_000;

/** When a list whose first rows were refused is asked for again (ms): after the first refusal, and at most, as it doubles. */
const RETRY = 1000;
const LONGEST_RETRY = 30_000;

/** Where a list begins that is loaded anew: at its end, or at the first row that is not before `seq`. */
export type Start = 'end' | { readonly seq: number };

/** A newly loaded list, and the position that it was loaded for. */
export interface Opened {
  readonly position: number;
  readonly start: Start;
}

interface Loading {
  readonly cache: RowCache;
  readonly start: Start;
  /** Between these positions (and their seqs) stands the row that is looked for. */
  low: { position: number; seq: number };
  high: { position: number; seq: number };
  /** Deltas that overtook the first answer. */
  readonly early: RowDelta[];
  /** How often it was looked for. */
  steps: number;
  /** Positions moved meanwhile: shown all the same when it is there (a lively session would never be), and loaded again. */
  again: boolean;
  /** The host could not answer: it is asked for again after a pause. */
  refused: boolean;
}

export interface FeedEvents {
  /** Rows came, changed, or were added at the end. `appended`: how many. */
  changed(appended: number): void;
  /** Another list is shown now. */
  opened(opened: Opened): void;
}

/**
 * The page's side of the rows: asks the host for what is to be seen, and applies what comes. While another list is being
 * loaded (a new filter, positions that moved) the one before stays, so that nothing flickers; answers for an earlier
 * list are dropped.
 */
export class Feed {
  readonly #post: (message: PageMessage) => void;
  readonly #events: FeedEvents;
  #filter: RowFilter = { groups: [], query: '' };
  #request = 0;
  /** Answers and deltas for requests before this one are about an earlier list. */
  #since = 0;
  readonly #pending = new Map<number, number>();
  #shown = new RowCache();
  #loading: Loading | undefined;
  #greatest = 0;
  /** How often the host has refused since its last answer. */
  #refusals = 0;
  /** A row to begin at that is not there yet: a host that has just started is still reading. */
  #awaited: { readonly seq: number; readonly until: number } | undefined;
  /** Where the reader is, for a list that has to be loaded again. */
  #where: () => Start = () => 'end';

  constructor(post: (message: PageMessage) => void, events: FeedEvents) {
    this.#post = post;
    this.#events = events;
  }

  get filter(): RowFilter {
    return this.#filter;
  }

  get total(): number {
    return this.#shown.total;
  }

  /** The highest number that any row had. */
  get greatestSeq(): number {
    return this.#greatest;
  }

  get isLoading(): boolean {
    return this.#loading !== undefined;
  }

  /** Whether the row to begin at is still to come. */
  get awaits(): boolean {
    return this.#loading !== undefined || (this.#awaited !== undefined && performance.now() < this.#awaited.until);
  }

  /** Tells the feed how to find out where the reader is. */
  follow(where: () => Start): void {
    this.#where = where;
  }

  at(position: number): Row | undefined {
    return this.#shown.at(position);
  }

  positionOf(seq: number): number | undefined {
    return this.#shown.positionOf(seq);
  }

  /** Loads a list and shows it when its first rows are there. `greet`: it is the page's first request. */
  open(filter: RowFilter, start: Start, { greet = false } = {}): void {
    this.#filter = filter;
    this.#awaited = undefined;
    this.#since = this.#request + 1;
    this.#pending.clear();
    const unfiltered = filter.groups.length === 0 && filter.query === '';
    this.#loading = {
      cache: new RowCache(),
      start,
      low: { position: -1, seq: 0 },
      high: { position: Infinity, seq: Infinity },
      early: [],
      steps: 0,
      again: false,
      refused: false,
    };
    if (greet) {
      this.#ask({ type: 'ready', filter, count: 2 * CHUNK }, -1);
    } else if (start !== 'end' && unfiltered) {
      // Without a filter, a row's position is its number less one.
      this.#askChunk(Math.floor(Math.max(0, start.seq - 1) / CHUNK));
    } else {
      this.#ask({ type: 'rows', filter, from: -2 * CHUNK, count: 2 * CHUNK }, -1);
    }
  }

  /** Another session: nothing of the one before is shown any longer. */
  clear(): void {
    this.#shown = new RowCache();
    this.#loading = undefined;
    this.#awaited = undefined;
    this.#pending.clear();
    this.#since = this.#request + 1;
    this.#greatest = 0;
    this.#refusals = 0;
  }

  /** Rows `first` to `last` are in view. */
  want(first: number, last: number): void {
    if (this.#loading !== undefined) {
      return;
    }
    this.#shown.trim((first + last) / 2);
    const asked = new Set(this.#pending.values());
    const missing = [
      ...this.#shown.missing(first, last + 1),
      ...this.#shown.missing(first - PREFETCH, last + 1 + PREFETCH),
    ];
    for (const number of missing) {
      if (this.#pending.size < IN_FLIGHT && !asked.has(number)) {
        asked.add(number);
        this.#askChunk(number);
      }
    }
  }

  page(request: number, page: RowPage): void {
    if (!this.#pending.delete(request)) {
      return;
    }
    this.#refusals = 0;
    this.#note(page.rows);
    const loading = this.#loading;
    const cache = loading?.cache ?? this.#shown;
    if (cache.put(page) === 'moved') {
      this.#reopen();
    } else if (loading === undefined) {
      this.#events.changed(0);
    } else {
      for (const delta of loading.early.splice(0)) {
        loading.again ||= cache.apply(delta) === 'moved';
      }
      this.#seek(loading, page);
    }
  }

  delta(request: number, delta: RowDelta): void {
    if (request < this.#since) {
      return;
    }
    this.#note(delta.appended);
    const loading = this.#loading;
    if (loading !== undefined) {
      if (loading.cache.isEmpty) {
        loading.early.push(delta);
      } else {
        loading.again ||= loading.cache.apply(delta) === 'moved';
      }
      return;
    }
    const before = this.#shown.total;
    const applied = this.#shown.apply(delta);
    if (applied === 'moved') {
      this.#reopen();
    } else {
      this.#events.changed(Math.max(0, this.#shown.total - before));
      const { seq, until } = this.#awaited ?? { seq: Infinity, until: 0 };
      if (this.#greatest >= seq && performance.now() < until) {
        this.#reopen();
      }
    }
  }

  #reopen(): void {
    this.open(this.#filter, this.#loading?.start ?? this.#awaited ?? this.#where());
  }

  /** One step of the search for the row to begin at: rows stand in the order of their numbers. */
  #seek(loading: Loading, page: RowPage): void {
    const { start, cache } = loading;
    const first = page.rows[0];
    const last = page.rows.at(-1);
    if (start === 'end' || first === undefined || last === undefined) {
      this.#show(loading, cache.total - 1);
      return;
    }
    const found = page.rows.findIndex((row) => row.seq >= start.seq);
    const begins = page.from === 0 || first.seq === start.seq || loading.low.position === page.from - 1;
    if (found > 0 || (found === 0 && begins)) {
      this.#show(loading, page.from + found);
      return;
    }
    if (found === 0) {
      loading.high = { position: page.from, seq: first.seq };
    } else {
      loading.low = { position: page.from + page.rows.length - 1, seq: last.seq };
    }
    const { low, high } = loading;
    const upper = Math.min(high.position, cache.total);
    if (low.position + 1 >= upper) {
      this.#show(loading, Math.min(upper, cache.total - 1));
      return;
    }
    loading.steps += 1;
    const upperSeq = Number.isFinite(high.seq) ? high.seq : this.#greatest + 1;
    // Interpolation is quick where rows are spread evenly, and halving bounds it where they are not.
    const share = loading.steps % 2 === 1 ? (start.seq - low.seq) / Math.max(1, upperSeq - low.seq) : 0.5;
    const guess = Math.round(low.position + share * (upper - low.position));
    const within = Math.max(low.position + 1, Math.min(guess, upper - 1));
    this.#ask({ type: 'rows', filter: this.#filter, from: Math.max(0, within - CHUNK / 2), count: CHUNK }, -1);
  }

  #show(loading: Loading, position: number): void {
    const { start } = loading;
    this.#shown = loading.cache;
    this.#loading = undefined;
    if (start !== 'end' && start.seq > this.#greatest) {
      this.#awaited = { seq: start.seq, until: performance.now() + READING };
    }
    this.#events.opened({ position: Math.max(0, position), start: loading.start });
    if (loading.again) {
      this.#reopen();
    }
  }

  /**
   * The host could not answer: what is under way is asked for again when it is wanted again, and a list that is being loaded,
   * for which nobody would ask, after a pause. Which question it was is not said: an answer that still comes is taken.
   */
  failed(): void {
    const loading = this.#loading;
    if (loading === undefined) {
      this.#pending.clear();
    } else if (!loading.refused) {
      loading.refused = true;
      const pause = Math.min(RETRY * 2 ** this.#refusals, LONGEST_RETRY);
      this.#refusals += 1;
      setTimeout(() => {
        if (this.#loading === loading) {
          this.#reopen();
        }
      }, pause);
    }
  }

  #note(rows: readonly Row[]): void {
    this.#greatest = Math.max(this.#greatest, rows.at(-1)?.seq ?? 0);
  }

  #askChunk(number: number): void {
    this.#ask({ type: 'rows', filter: this.#filter, from: number * CHUNK, count: CHUNK }, number);
  }

  #ask(
    message:
      | Omit<Extract<PageMessage, { type: 'ready' }>, 'request'>
      | Omit<Extract<PageMessage, { type: 'rows' }>, 'request'>,
    chunk: number,
  ): void {
    this.#request += 1;
    this.#pending.set(this.#request, chunk);
    this.#post({ ...message, request: this.#request });
  }
}
