import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { age, byteSize, duration } from '../../../src/views/age.ts';
import { iconless, linkless, markdownText, oneLine, shorten } from '../../../src/views/plain.ts';
import { countGroups, statusIcon, summary } from '../../../src/views/words.ts';
import { STATUS_LOOKS } from '../../../src/protocol/statuses.ts';
import type { Status } from '../../../src/store/model.ts';
import { NOW, t } from './fixtures.ts';

describe('words', () => {
  it('puts each status into its group', () => {
    const groups: Record<Status, string> = {
      queued: 'working',
      preparing: 'working',
      starting: 'working',
      working: 'working',
      stopping: 'working',
      'needs-input': 'needs-attention',
      'needs-permission': 'needs-attention',
      idle: 'idle',
      stopped: 'ended',
      failed: 'ended',
      lost: 'ended',
      archived: 'archived',
    };
    for (const [status, group] of Object.entries(groups)) {
      assert.equal(STATUS_LOOKS[status as Status].group, group);
    }
    assert.deepEqual(statusIcon('working'), { icon: 'loading~spin', color: 'charts.blue' });
    assert.deepEqual(statusIcon('failed'), { icon: 'error', color: 'testing.iconFailed' });
  });

  it('sums sessions up for the status bar', () => {
    assert.equal(
      summary(countGroups(['working', 'queued', 'needs-input', 'idle']), t),
      '2 working · 1 needs attention',
    );
    assert.equal(summary(countGroups(['needs-input', 'needs-permission']), t), '2 need attention');
    assert.equal(summary(countGroups(['idle']), t), '1 session');
    assert.equal(summary(countGroups(['idle', 'failed']), t), '2 sessions');
  });

  it('says how long ago, coarsely and in the reader’s language', () => {
    const ago = (ms: number, locale = 'en'): string => age(NOW - ms, NOW, locale, t);
    assert.equal(ago(59_999), 'now');
    assert.equal(ago(60_000), '1 min');
    assert.equal(ago(3_599_999), '59 min');
    assert.equal(ago(7_200_000), '2 hr');
    assert.equal(ago(3 * 86_400_000), '3 days');
    assert.equal(ago(-5000), 'now');
    assert.equal(ago(7_200_000, 'de'), '2 Std.');
    assert.equal(duration(12_345, 'en'), '12 sec');
    assert.equal(byteSize(0, 'en'), '0 byte');
    assert.equal(byteSize(4_200_000, 'en'), '4.2 MB');
  });

  it('makes text of others harmless', () => {
    assert.equal(oneLine('a\n\u001b[31mb\u202ec'), 'a [31mb c');
    assert.ok(!iconless('$(bug)').includes('$('));
    assert.equal(
      markdownText('*a* <b> [c](d) `e` &amp;\n# f'),
      '\\*a\\* \\<b\\> \\[c\\]\\(d\\) \\`e\\` \\&amp\\; \\# f',
    );
    assert.ok(!linkless('[run](command:x)').includes(']('));
  });

  it('cuts between graphemes', () => {
    assert.equal(shorten('abc', 3), 'abc');
    assert.equal(shorten('abcd', 3), 'ab…');
    const family = '👨‍👩‍👧';
    assert.equal(shorten(`a${family}b`, family.length + 1), 'a…');
    assert.equal(shorten(`a${family}bc`, family.length + 2), `a${family}…`);
  });
});
