import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PanelMemory } from '../../../src/views/panel-memory.ts';

/** A memento that outlives a window. */
class Kept {
  value: unknown;
  writes = 0;

  get(): unknown {
    return this.value;
  }

  update(_key: string, value: unknown): void {
    this.writes += 1;
    this.value = JSON.parse(JSON.stringify(value));
  }
}

test('a title leads to its session after a reload', () => {
  const kept = new Kept();
  const before = new PanelMemory(kept);
  before.note('Fix the login', 'ses_1');
  before.note('Write a test', 'ses_2');
  before.note('Fix the login', 'ses_1');
  assert.equal(kept.writes, 2);
  const after = new PanelMemory(kept);
  assert.equal(after.find('Fix the login', new Set()), 'ses_1');
  assert.equal(after.find('Never seen', new Set()), undefined);
});

test('of two sessions with one title, the one that is not open yet is meant', () => {
  const memory = new PanelMemory(new Kept());
  memory.note('Same', 'ses_1');
  memory.note('Same', 'ses_2');
  assert.equal(memory.find('Same', new Set()), 'ses_2');
  assert.equal(memory.find('Same', new Set(['ses_2'])), 'ses_1');
});

test('what is strange in the store is passed over, and what is old is dropped', () => {
  const kept = new Kept();
  kept.value = [{ title: 1 }, null, { title: 'Good', session: 'ses_1' }];
  const memory = new PanelMemory(kept);
  assert.equal(memory.find('Good', new Set()), 'ses_1');
  for (let n = 0; n < 100; n += 1) memory.note(`Title ${n}`, `ses_${n}`);
  assert.equal(memory.find('Good', new Set()), undefined);
  assert.equal((kept.value as unknown[]).length, 100);
});
