import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heights } from '../../webview/heights.ts';

/** The same, plainly. */
class Plain {
  readonly sizes: number[] = [];

  top(index: number): number {
    return this.sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
  }

  at(y: number): number {
    let rest = y;
    const found = this.sizes.findIndex((size) => {
      rest -= size;
      return rest < 0;
    });
    return found === -1 ? Math.max(0, this.sizes.length - 1) : found;
  }
}

test('answers as a plain list of heights does, while rows are added, measured and removed', () => {
  const heights = new Heights(24);
  const plain = new Plain();
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  for (let step = 0; step < 400; step += 1) {
    const grown = random(8) === 0 ? Math.max(0, plain.sizes.length - random(40)) : plain.sizes.length + random(30);
    while (plain.sizes.length < grown) plain.sizes.push(24);
    plain.sizes.length = grown;
    heights.resize(grown);
    for (let change = random(20); change > 0 && grown > 0; change -= 1) {
      const index = random(grown);
      plain.sizes[index] = 10 + random(300);
      heights.set(index, plain.sizes[index]);
    }
    const index = random(grown + 1);
    assert.equal(heights.top(index), plain.top(index));
    assert.equal(heights.total, plain.top(grown));
    const y = random(Math.max(1, heights.total)) - 10;
    assert.equal(heights.at(y), plain.at(Math.max(0, y)), `at ${y} of ${grown} rows`);
  }
});

test('an empty list has no height, and row 0 everywhere', () => {
  const heights = new Heights(24);
  assert.equal(heights.total, 0);
  assert.equal(heights.at(100), 0);
});
