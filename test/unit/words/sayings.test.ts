import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { saying } from '../../../src/store/read-saying.ts';
import { quoted, say, some, textOf } from '../../../src/words/saying.ts';
import { PARTS, SAYINGS } from '../../../src/words/table.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const PLACE = /\{([^{}]*)\}/g;

suite('the table of sayings', () => {
  test('has each code once', () => {
    const codes = PARTS.flatMap((part) => Object.keys(part));
    assert.equal(codes.length, Object.keys(SAYINGS).length);
    assert.deepEqual(
      codes.filter((code, i) => codes.indexOf(code) !== i),
      [],
    );
  });

  test('names its parameters so that they can be filled, in every language', () => {
    for (const [code, template] of Object.entries(SAYINGS)) {
      assert.notEqual(template, '');
      for (const [, place = ''] of template.matchAll(PLACE)) {
        const [name = '', kind] = place.split(':');
        assert.match(name, /^[a-z]\w*$/i, code);
        assert.ok([undefined, 'duration', 'list', 'sentences'].includes(kind), `${code}: ${place}`);
        // VS Code looks a place up in the list of arguments, also where there are none.
        assert.ok(name !== 'code' && !(name in []), `${code}: ${place} means something else`);
      }
    }
  });

  test('has nothing that nobody says', () => {
    const files = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' });
    const sources = files.filter((name) => name.endsWith('.ts') && !/^words.(?!saying)/.test(name));
    const text = sources.map((name) => readFileSync(path.join(root, 'src', name), 'utf8')).join('\n');
    const unsaid = Object.keys(SAYINGS).filter((code) => {
      const [family = ''] = code.split('.');
      // Some are said by the name of what is refused: `mounted.${what}`.
      return !text.includes(`'${code}'`) && !text.includes(`\`${family}.\${`);
    });
    assert.deepEqual(unsaid, []);
  });

  test('has no word of the makers', () => {
    for (const template of Object.values(SAYINGS)) {
      assert.doesNotMatch(template.replace(PLACE, ''), /\b(keeper|steward|journal|facts?|driver|intents?)\b/i);
    }
  });
});

suite('a saying', () => {
  test('takes the parameters that its template names, and no others', () => {
    assert.equal(textOf(say('exited', { exit: 3 })), 'The agent exited with code 3.');
    assert.equal(textOf(say('completed')), 'Completed.');
    // @ts-expect-error: one is missing.
    say('exited', {});
    // @ts-expect-error: a duration is a number of ms.
    say('stopped-after', { after: 'long' });
    // @ts-expect-error: there is no such code.
    say('nobody-says-this', {});
    // @ts-expect-error: this one has none.
    say('completed', { text: 'x' });
  });

  test('holds others, lists, durations, and what somebody else said as it is', () => {
    const step = say('step.agent');
    const after = [say('undone', { steps: [say('made.recorder'), say('made.agent')] })];
    const failed = say('start-failed', { name: 'A {name}', step, reason: 'spawn {step} EIO.', after });
    assert.equal(
      textOf(failed),
      '“A {name}” could not be started: starting the agent failed. spawn {step} EIO. Undone: the background process, the agent.',
    );
    assert.equal(textOf({ ...failed, after: [] }).endsWith('spawn {step} EIO.'), true);
    assert.equal(
      textOf(say('cannot-end', { pids: some(['1', '2', '3'], 2) })),
      'Could not be ended: 1, 2, and 1 more.',
    );
    const ago = (after: number): string => textOf(say('stopped-after', { after }));
    assert.deepEqual(
      [960, 61_000, 240_000, 8_000_000].map(ago),
      ['1.0 s', '61 s', '4 min', '2 h 13 min'].map((one) => `Stopped after ${one}.`),
    );
    assert.equal(textOf(quoted('rm -rf {x}')), 'rm -rf {x}');
  });

  test('is told in the language of whoever reads, its parts too', () => {
    const german: Readonly<Record<string, string>> = {
      [SAYINGS['stopped-after']]: 'Nach {after:duration} angehalten.',
      [SAYINGS.minutes]: '{minutes} Minuten',
    };
    const told = textOf(say('stopped-after', { after: 240_000 }), (template) => german[template] ?? template);
    assert.equal(told, 'Nach 4 Minuten angehalten.');
  });

  test('of a newer build is kept whole, and told as far as it can be', () => {
    const stored = { code: 'eaten-by-whales', whales: 2, reason: 'They were hungry.', more: { deep: [true, null] } };
    assert.deepEqual(saying(stored, 'why'), stored);
    assert.equal(textOf(stored), 'They were hungry.');
    assert.match(textOf({ code: 'eaten-by-whales' }), /newer version of Treeline recorded this \(eaten-by-whales\)/);
    // A code that is known, with other parameters.
    assert.match(textOf({ code: 'exited', status: 3 }), /newer version/);
    assert.match(textOf({ code: 'exited', exit: { odd: true } }), /newer version/);
    assert.match(textOf({ code: 'constructor' }), /newer version/);
    for (const wrong of ['The agent exited.', { reason: 'x' }, { code: '' }, { code: 3 }, null, []]) {
      assert.throws(() => saying(wrong, 'why'), { code: 'invalid' });
    }
  });
});
