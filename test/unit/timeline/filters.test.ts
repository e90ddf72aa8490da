import assert from 'node:assert/strict';
import test from 'node:test';
import { ROW_GROUPS } from '../../../src/protocol/names.ts';
import { ALL_ROWS, type Row, type RowFilter } from '../../../src/protocol/rows.ts';
import type { SessionIndex } from '../../../src/timeline/session-index.ts';
import { tempDir } from '../support.ts';
import { seeded } from '../../support/seeded.mts';
import { allRows, drain, openIndex, source, RunWriter } from './support.ts';

/** What a page that shows a filter holds, kept up to date by deltas alone. */
class Reader {
  readonly filter: RowFilter;
  readonly #index: SessionIndex;
  rows: Row[] = [];
  #rev = 0;
  #epoch = '';
  resets = 0;

  constructor(index: SessionIndex, filter: RowFilter) {
    this.#index = index;
    this.filter = filter;
    this.#load();
  }

  follow(): void {
    const delta = this.#index.delta(this.#rev, this.filter);
    if (delta.reset || delta.epoch !== this.#epoch) {
      this.resets += 1;
      this.#load();
      return;
    }
    assert.equal(delta.since, this.#rev);
    for (const row of delta.changed) {
      const place = this.rows.findIndex(({ seq }) => seq === row.seq);
      assert.notEqual(place, -1, `row ${row.seq} changed, and was not there`);
      this.rows[place] = row;
    }
    assert.equal(this.rows.length, delta.total - delta.appended.length);
    this.rows.push(...delta.appended);
    this.#rev = delta.rev;
  }

  #load(): void {
    this.rows = [];
    for (;;) {
      const page = this.#index.page(this.filter, this.rows.length, 1000);
      this.rows.push(...page.rows);
      this.#rev = page.rev;
      this.#epoch = page.epoch;
      if (this.rows.length >= page.total) return;
    }
  }
}

/** The groups of a row, found out from the row alone. */
function expectedIn(row: Row, { groups, query }: RowFilter): boolean {
  const kinds: Partial<Record<Row['kind'], string>> = {
    text: 'messages',
    'turn-start': 'messages',
    result: 'messages',
    todo: 'messages',
    sent: 'messages',
    thinking: 'thinking',
    tool: 'tools',
    files: 'files',
    warning: 'problems',
    error: 'problems',
  };
  const group = kinds[row.kind] ?? 'system';
  const inGroup = groups.length === 0 || groups.some((one) => one === group || (one === 'problems' && row.problem));
  const shown = JSON.stringify([row.text.text, row.tool, row.changes, row.todo]).toLowerCase();
  return inGroup && (query === '' || shown.includes(query.toLowerCase()));
}

const WORDS = ['apple', 'Äpfel', 'pear', 'PEAR tree', 'plum', 'naïve', 'zebra'];

test('deltas and pages of any filter agree with a full look at every moment', async (t) => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = seeded(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
    const folder = await tempDir(t);
    const turn = new RunWriter(folder);
    const index = await openIndex(source(folder, 'codex', false));
    const filters: RowFilter[] = [
      ALL_ROWS,
      { groups: ['problems'], query: '' },
      { groups: ['messages', 'tools'], query: '' },
      { groups: [], query: 'pea' },
      // Found in the list of the one before.
      { groups: [], query: 'PEAR t' },
      { groups: ['tools'], query: 'äpfel' },
      // More than are kept at once.
      { groups: ['system', pick(ROW_GROUPS)], query: '' },
    ];
    const readers = filters.map((filter) => new Reader(index, filter));
    let calls = 0;
    const write = (): void => {
      const words = `${pick(WORDS)} ${pick(WORDS)}`;
      const kind = random();
      const item =
        kind < 0.3
          ? { type: 'item.completed', item: { id: 'm', type: 'agent_message', text: words } }
          : kind < 0.4
            ? { type: 'item.completed', item: { id: 'r', type: 'reasoning', text: words } }
            : kind < 0.6
              ? { type: 'item.started', item: { id: `c${calls++}`, type: 'command_execution', command: pick(WORDS) } }
              : {
                  type: random() < 0.3 ? 'item.updated' : 'item.completed',
                  item: {
                    id: `c${Math.floor(random() * Math.max(1, calls))}`,
                    type: 'command_execution',
                    command: pick(WORDS),
                    aggregated_output: words,
                    exit_code: random() < 0.5 ? 1 : 0,
                  },
                };
      turn.chunk('o', `${JSON.stringify(item)}\n`);
      if (random() < 0.05) turn.chunk('e', `${words}\n`);
      if (random() < 0.03) turn.chunk('o', '{"type":"error","message":"pear is broken"}\n');
    };
    for (let step = 0; step < 60; step++) {
      for (let n = Math.floor(random() * 12); n > 0; n--) write();
      drain(index);
      const rows = allRows(index);
      for (const reader of readers) {
        if (random() < 0.5) continue;
        reader.follow();
        const wanted = rows.filter((row) => expectedIn(row, reader.filter));
        assert.deepEqual(reader.rows, wanted, `seed ${seed}, step ${step}, ${JSON.stringify(reader.filter)}`);
        const from = Math.floor(random() * wanted.length);
        assert.deepEqual(index.page(reader.filter, from, 7).rows, wanted.slice(from, from + 7));
        assert.deepEqual(index.page(reader.filter, -5, 5).rows, wanted.slice(-5));
      }
    }
    assert.ok(readers[0]!.resets === 0, 'nothing moves in the whole timeline');
    index.close();
  }
});

test('a reader that is far behind, ahead or of another time is told to begin anew', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  const index = await openIndex(source(folder, 'text', false));
  turn.chunk('o', Array.from({ length: 2000 }, (_, i) => `${i}\n`).join(''));
  drain(index);
  assert.equal(index.delta(0, ALL_ROWS).reset, true);
  assert.equal(index.delta(999_999, ALL_ROWS).reset, true);
  const { rev } = index.page(ALL_ROWS, 0, 0);
  assert.deepEqual(
    { ...index.delta(rev, ALL_ROWS), epoch: '' },
    { epoch: '', rev, since: rev, total: 2001, changed: [], appended: [], reset: false },
  );
  index.close();
});

test('page positions are counted from both ends and bounded', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  turn.chunk('o', 'a\nb\nc\n');
  const index = await openIndex(source(folder, 'text', false));
  drain(index);
  const seqs = (from: number, count: number): (number | number[])[] => {
    const page = index.page(ALL_ROWS, from, count);
    return [page.from, page.rows.map(({ seq }) => seq)];
  };
  assert.deepEqual(seqs(0, 2), [0, [1, 2]]);
  assert.deepEqual(seqs(-2, 2), [2, [3, 4]]);
  assert.deepEqual(seqs(-99, 2), [0, [1, 2]]);
  assert.deepEqual(seqs(99, 2), [4, []]);
  assert.deepEqual(seqs(3, 0), [3, []]);
  index.close();
});

test('a list is made in steps, and a longer query is looked for in the list of a shorter one', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  const index = await openIndex(source(folder, 'text', false));
  turn.chunk('o', Array.from({ length: 3000 }, (_, i) => `${i % 10 === 0 ? 'Pear' : 'plum'} ${i}\n`).join(''));
  drain(index);
  const steps = (query: string): number => {
    let count = 1;
    while (!index.prepare({ groups: [], query }, 0)) count += 1;
    return count;
  };
  const first = steps('pe');
  assert.ok(first > 100, `${first} steps`);
  assert.ok(steps('pear 1') < first / 5);
  turn.chunk('o', 'a pear 1\n');
  drain(index);
  const page = index.page({ groups: [], query: 'pear 1' }, 0, 1000);
  assert.equal(page.total, 1 + 10 + 100 + 1);
  assert.equal(page.rows.at(-1)!.text.text, 'a pear 1');
  index.close();
});
