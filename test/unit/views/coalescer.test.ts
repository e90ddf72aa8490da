import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Coalescer } from '../../../src/views/coalescer.ts';
import { DeltaPump } from '../../../src/views/delta-pump.ts';

describe('gathering and pacing', () => {
  it('hands a burst on together, and not more often than the interval', async () => {
    const flushed: { at: number; keys: string[] }[] = [];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const coalescer = new Coalescer<string>(50, (keys) => {
      flushed.push({ at: performance.now(), keys: [...keys] });
      if (flushed.length === 1) {
        coalescer.add(['b']);
        coalescer.add(['c', 'b']);
      } else {
        resolve(undefined);
      }
    });
    coalescer.add(['a']);
    coalescer.add(['a']);
    await promise;
    assert.deepEqual(
      flushed.map(({ keys }) => keys),
      [['a'], ['b', 'c']],
    );
    // A timer may fire a few ms early by another clock; one without pacing fires at once.
    assert.ok(flushed[1]!.at - flushed[0]!.at >= 40);
  });

  it('drops what waits when it is disposed of', async () => {
    const coalescer = new Coalescer<string>(1, () => assert.fail('flushed'));
    coalescer.add(['a']);
    coalescer.dispose();
    await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('makes one more round for all requests that come during one', async () => {
    let rounds = 0;
    const first = Promise.withResolvers<undefined>();
    const second = Promise.withResolvers<undefined>();
    const errors: unknown[] = [];
    const pump = new DeltaPump(
      async () => {
        rounds += 1;
        if (rounds === 1) {
          await first.promise;
          throw new Error('first');
        }
        second.resolve(undefined);
      },
      0,
      (error) => errors.push(error),
    );
    pump.request();
    pump.request();
    pump.request();
    assert.equal(rounds, 1);
    first.resolve(undefined);
    await second.promise;
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(rounds, 2);
    assert.equal(errors.length, 1);
  });
});
