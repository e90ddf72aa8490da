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

const filter = { groups: [], query: '' };
const of = (session: string) => ({ session, follow: false, filter });

test('a title leads to its session, and to where its reader was, after a reload', () => {
  const kept = new Kept();
  const before = new PanelMemory(kept);
  before.note('Fix the login', of('ses_1'));
  before.note('Write a test', of('ses_2'));
  before.note('Fix the login', of('ses_1'));
  assert.equal(kept.writes, 2, 'what is known already is not written again');
  const place = { anchor: { seq: 7, y: -3.5 }, expanded: [3, 9] };
  before.note('Fix the login', { ...of('ses_1'), place });
  const after = new PanelMemory(kept);
  assert.deepEqual(after.find('Fix the login', new Set()), { ...of('ses_1'), place });
  assert.deepEqual(after.of('ses_2'), { title: 'Write a test', state: of('ses_2') });
  assert.equal(after.find('Never seen', new Set()), undefined);
});

test('of two sessions with one title, the one that is not open yet is meant', () => {
  const memory = new PanelMemory(new Kept());
  memory.note('Same', of('ses_1'));
  memory.note('Same', of('ses_2'));
  assert.equal(memory.find('Same', new Set())?.session, 'ses_2');
  assert.equal(memory.find('Same', new Set(['ses_2']))?.session, 'ses_1');
  assert.equal(memory.find('Same', new Set(['ses_1', 'ses_2'])), undefined);
});

test('the timeline that follows the selection is one, whatever is selected', () => {
  const memory = new PanelMemory(new Kept());
  memory.note('Timeline: One', { ...of('ses_1'), follow: true });
  memory.note('Timeline: Two', { ...of('ses_2'), follow: true });
  assert.equal(memory.find('Timeline: One', new Set()), undefined);
  assert.equal(memory.find('Timeline: Two', new Set(['ses_2']))?.session, 'ses_2');
  assert.equal(memory.of('selection')?.title, 'Timeline: Two');
  assert.equal(memory.find('Timeline: Two', new Set(['selection'])), undefined);
});

test('what is strange in the store is passed over, and what is old is dropped', () => {
  const kept = new Kept();
  kept.value = [{ title: 1 }, null, { title: 'Bad', state: {} }, { title: 'Good', state: of('ses_1') }];
  const memory = new PanelMemory(kept);
  assert.equal(memory.find('Bad', new Set()), undefined);
  assert.equal(memory.find('Good', new Set())?.session, 'ses_1');
  for (let n = 0; n < 100; n += 1) memory.note(`Title ${n}`, of(`ses_${n + 2}`));
  assert.equal(memory.find('Good', new Set()), undefined);
  assert.equal((kept.value as unknown[]).length, 100);
});
