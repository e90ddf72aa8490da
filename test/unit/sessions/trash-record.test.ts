import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { TrashRecord } from '../../../src/sessions/trash-record.ts';
import { tempDir } from '../support.ts';

const DAY = 86_400_000;
const START = 20_000 * DAY;

test('only days on which it was opened count, however the clock goes', async (t) => {
  const store = await tempDir(t);
  const record = new TrashRecord(store);
  const archived = START + 1000;
  for (const day of [0, 0.5, 1, 1.1, 2]) await record.open(START + day * DAY);
  assert.equal(record.daysSince(archived), 2);
  // A holiday, and a clock that jumps ahead by a year: one day each.
  await record.open(START + 20 * DAY);
  assert.equal(record.daysSince(archived), 3);
  await record.open(START + 365 * DAY);
  assert.equal(record.daysSince(archived), 4);
  // Put right again: the day has been counted.
  await record.open(START + 20.2 * DAY);
  assert.equal(record.daysSince(archived), 4);
  const next = new TrashRecord(store);
  await next.open(START + 21 * DAY);
  assert.equal(next.daysSince(archived), 5);
});

test('the answer is remembered; a damaged file counts as none', async (t) => {
  const store = await tempDir(t);
  const record = new TrashRecord(store);
  await record.open(START);
  assert.equal(record.answer, undefined);
  await record.setAnswer('delete');
  const next = new TrashRecord(store);
  await next.open(START + DAY);
  assert.equal(next.answer, 'delete');
  writeFileSync(path.join(store, 'trash.json'), '{"days":[1');
  await next.open(START + 2 * DAY);
  assert.equal(next.answer, undefined);
  assert.equal(next.daysSince(START), 1);
});
