import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  boolean,
  listOf,
  mapOf,
  natural,
  nonEmpty,
  nullable,
  number,
  oneOf,
  optional,
  parseJson,
  positive,
  record,
  shape,
  string,
  type Read,
} from '../../../src/platform/check.ts';

function refuses(read: Read<unknown>, value: unknown, message: RegExp): void {
  assert.throws(
    () => read(value, 'it'),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'invalid');
      assert.match(error.message, message);
      return true;
    },
  );
}

describe('a reader', () => {
  it('takes its own kind and names what is wrong with another', () => {
    assert.equal(string('', 'it'), '');
    assert.equal(nonEmpty('a', 'it'), 'a');
    assert.equal(boolean(false, 'it'), false);
    assert.equal(number(-0.5, 'it'), -0.5);
    assert.equal(natural(0, 'it'), 0);
    assert.equal(positive(1, 'it'), 1);
    assert.equal(nullable(string)(null, 'it'), null);
    assert.equal(oneOf(['a', 'b'])('b', 'it'), 'b');
    refuses(string, 1, /^it must be a text, but it is a number of another form\.$/);
    refuses(string, undefined, /it is missing/);
    refuses(nonEmpty, '', /not empty/);
    refuses(boolean, 'true', /true or false/);
    for (const value of [NaN, Infinity, '1', null]) refuses(number, value, /a number/);
    for (const value of [-1, 0.5, 2 ** 60]) refuses(natural, value, /whole number/);
    refuses(positive, 0, /above 0/);
    refuses(nullable(string), undefined, /a text/);
    refuses(oneOf(['a', 'b']), 'c', /one of a, b/);
    for (const value of [null, [], 'x']) refuses(record, value, /an object/);
  });

  it('never shows the value', () => {
    refuses(oneOf(['a']), 'the secret', /^((?!secret).)*$/);
  });
});

describe('a shape', () => {
  const read = shape({ name: string, age: optional(natural), tags: listOf(nonEmpty) });

  it('takes its fields and leaves the others', () => {
    assert.deepEqual(read({ name: 'a', tags: ['x'], more: 1 }, 'it'), { name: 'a', tags: ['x'] });
    assert.deepEqual(read({ name: 'a', tags: [], age: 3 }, 'it'), { name: 'a', tags: [], age: 3 });
  });

  it('names the place of what is wrong', () => {
    refuses(read, { tags: [] }, /^it\.name must be a text, but it is missing/);
    refuses(read, { name: 'a', tags: ['x', ''] }, /^it\.tags\[1\] must be/);
    refuses(read, { name: 'a', tags: [], age: null }, /^it\.age must be .* null/);
  });

  it('knows own fields only', () => {
    refuses(shape({ constructor: record }), {}, /missing/);
    const hostile: unknown = JSON.parse('{"__proto__":{"name":"a","tags":[]}}');
    refuses(read, hostile, /missing/);
  });
});

describe('a map', () => {
  it('has values of one kind', () => {
    assert.deepEqual(mapOf(string)({ a: 'x' }, 'env'), { a: 'x' });
    refuses(mapOf(string), { a: 1 }, /^it\.a must be a text/);
  });

  it('takes __proto__ as a key like any other', () => {
    const map = mapOf(string)(JSON.parse('{"__proto__":"x"}'), 'it');
    assert.deepEqual(Object.keys(map), ['__proto__']);
    assert.equal(Object.getPrototypeOf(map), Object.prototype);
  });
});

describe('JSON', () => {
  it('is parsed and read in one', () => {
    assert.deepEqual(parseJson('[1,2]', listOf(number), 'it'), [1, 2]);
    assert.throws(() => parseJson('[1,', listOf(number), 'spec.json'), {
      code: 'invalid',
      message: /spec\.json is not/,
    });
  });
});
