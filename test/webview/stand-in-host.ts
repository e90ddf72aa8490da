import assert from 'node:assert/strict';
import { isHostMessage, isPageMessage } from '../../src/protocol/check.ts';
import { KINDS } from '../../src/protocol/kinds.ts';
import { STRINGS } from '../../src/protocol/strings.ts';
import type { Header, HostMessage, PageMessage, Place, Row, RowFilter } from '../../src/protocol/timeline.ts';

/** What a test changes in a row; the rest is filled in. */
export type RowInit = Partial<Omit<Row, 'text'>> & { readonly text?: string; readonly cut?: number };

export function makeRow(seq: number, init: RowInit): Row {
  const { text = '', cut, ...rest } = init;
  return {
    seq,
    rev: seq,
    turn: 1,
    kind: 'text',
    at: Date.UTC(2026, 4, 12, 9, 0, 0) + seq * 1370,
    depth: 0,
    problem: false,
    log: { stream: 'o', offset: seq * 100, length: 99 },
    ...rest,
    text: { text, bytes: cut ?? Buffer.byteLength(text), cut: cut !== undefined },
  };
}

/**
 * Answers the page as the protocol says, from rows in memory. It stands in for the host in the page's own tests and
 * nowhere else; the true host has its own.
 */
export class StandInHost {
  readonly rows: Row[];
  /** What the page asked, in its order. Where its reader is, it tells whenever it comes to that: not among them. */
  readonly asked: PageMessage[] = [];
  readonly places: Place[] = [];
  header: Header | null;
  epoch = 'first';
  locale = 'en';
  /** ms before an answer is given. */
  delay = 0;
  /** An extension host that has died hears and says nothing. */
  dead = false;
  /** What it knows of where the reader was. */
  place: Place | undefined;
  filter: RowFilter | undefined;
  #rev: number;
  #sent: number;
  #request = 0;
  #filter: RowFilter = { groups: [], query: '' };
  #held: readonly Row[] | undefined;
  #deliver: (message: HostMessage) => void = () => undefined;

  constructor(rows: readonly Row[], header: Partial<Header> | null = {}) {
    this.rows = [...rows];
    this.#rev = rows.length;
    this.#sent = this.#rev;
    this.header = header === null ? null : { ...HEADER, ...header };
  }

  connect(deliver: (message: HostMessage) => void): void {
    this.#deliver = deliver;
  }

  receive(message: unknown): void {
    assert.ok(isPageMessage(message), `not a message of the page: ${JSON.stringify(message)}`);
    if (this.dead) {
      return;
    }
    if (message.type === 'ping') {
      this.#send({ type: 'pong' });
      return;
    }
    if (message.type === 'place') {
      this.places.push(message.place);
      return;
    }
    this.asked.push(message);
    if (message.type === 'ready') {
      this.#send({
        type: 'hello',
        state: {
          follow: false,
          filter: this.filter ?? message.filter,
          ...(this.header !== null && { session: this.header.session }),
          ...(this.place !== undefined && { place: this.place }),
        },
        header: this.header,
        strings: STRINGS,
        locale: this.locale,
      });
    }
    if (message.type !== 'ready' && message.type !== 'rows') {
      return;
    }
    const answer = (): void => {
      this.#request = message.request;
      this.#setFilter(message.filter);
      const rows = this.#filtered();
      const wanted = message.type === 'ready' ? -message.count : message.from;
      const from = wanted < 0 ? Math.max(0, rows.length + wanted) : Math.min(wanted, rows.length);
      this.#send({
        type: 'page',
        request: message.request,
        page: {
          epoch: this.epoch,
          rev: this.#rev,
          total: rows.length,
          from,
          rows: rows.slice(from, from + message.count),
        },
      });
    };
    if (this.delay === 0) {
      answer();
    } else {
      setTimeout(answer, this.delay);
    }
  }

  /** Adds rows at the end and tells the page. */
  append(...inits: readonly RowInit[]): void {
    const appended = inits.map((init, n) => makeRow(this.rows.length + 1 + n, { ...init, rev: (this.#rev += 1) }));
    const before = this.#filtered().length;
    this.rows.push(...appended);
    this.#held = undefined;
    this.#delta([], this.#filtered().slice(before), false);
  }

  /** Changes a row and tells the page. */
  change(seq: number, init: RowInit): void {
    const old = this.rows[seq - 1]!;
    const row = makeRow(seq, { ...old, text: old.text.text, ...init, rev: (this.#rev += 1) });
    this.rows[seq - 1] = row;
    this.#held = undefined;
    this.#delta([row], [], false);
  }

  /** Tells the page that positions moved. */
  reset(): void {
    this.#rev += 1;
    this.#delta([], [], true);
  }

  /** Loses a delta on the way. */
  skip(): void {
    this.#rev += 1;
    this.#sent = this.#rev;
  }

  /** Other rows in place of those before, as after a rebuild of the index. */
  rebuild(rows: readonly Row[]): void {
    this.rows.splice(0, this.rows.length, ...rows);
    this.epoch += '+';
    this.#held = undefined;
    this.#delta([], [], true);
  }

  setHeader(header: Partial<Header> | null): void {
    this.header = header === null ? null : { ...(this.header ?? HEADER), ...header };
    this.#send({ type: 'header', header: this.header });
  }

  say(message: HostMessage): void {
    this.#send(message);
  }

  #delta(changed: readonly Row[], appended: readonly Row[], reset: boolean): void {
    const since = this.#sent;
    this.#sent = this.#rev;
    const total = this.#filtered().length;
    this.#send({
      type: 'delta',
      request: this.#request,
      delta: { epoch: this.epoch, since, rev: this.#rev, total, changed, appended, reset },
    });
  }

  #send(message: HostMessage): void {
    assert.ok(isHostMessage(message), `not a message of the host: ${JSON.stringify(message).slice(0, 500)}`);
    this.#deliver(message);
  }

  #setFilter(filter: RowFilter): void {
    if (filter.query !== this.#filter.query || filter.groups.join() !== this.#filter.groups.join()) {
      this.#filter = filter;
      this.#held = undefined;
    }
  }

  #filtered(): readonly Row[] {
    const { groups } = this.#filter;
    const query = this.#filter.query.toLowerCase();
    this.#held ??=
      groups.length === 0 && query === ''
        ? this.rows
        : this.rows.filter(
            (row) =>
              (groups.length === 0 ||
                groups.includes(KINDS[row.kind].group) ||
                (row.problem && groups.includes('problems'))) &&
              [row.text.text, row.tool?.name, row.tool?.argument, row.tool?.output?.text].some(
                (text) => text?.toLowerCase().includes(query) === true,
              ),
          );
    return this.#held;
  }
}

const HEADER: Header = {
  session: 'ses_0196c0de-0000-7000-8000-000000000001',
  name: 'Fix the login redirect',
  status: 'working',
  statusLabel: 'Working',
  evidence: 'The agent is running (process 48213).',
  evidenceAt: Date.UTC(2026, 4, 12, 9, 0, 0),
  agent: 'Claude Code',
  model: 'claude-sonnet-4-5',
  branch: 'treeline/fix-login-redirect-1a2b',
  worktree: '/work/project.worktrees/fix-login-redirect-1a2b',
  turn: 1,
  startedAt: Date.UTC(2026, 4, 12, 9, 0, 0),
  endedAt: Date.UTC(2026, 4, 12, 9, 12, 40),
  usage: { input: 48_213, output: 3_120, cached: 41_000 },
  cost: 0.4213,
  retrying: false,
  can: { stop: true, resume: false, send: true, diff: true },
};
