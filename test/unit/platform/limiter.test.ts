import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Limiter } from '../../../src/platform/limiter.ts';

describe('a limiter', () => {
  it('runs no more tasks at a time than the limit, and goes on after a failure', async () => {
    const limiter = new Limiter(2);
    let running = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running -= 1;
      if (most === 1) throw new Error('once');
    };
    const results = await Promise.allSettled(Array.from({ length: 9 }, () => limiter.run(task)));
    assert.equal(most, 2);
    assert.equal(results.length, 9);
    await limiter.run(() => Promise.resolve());
  });

  it('lets who waits leave, and serves the others in their order', async () => {
    const limiter = new Limiter(1);
    const order: string[] = [];
    const first = Promise.withResolvers<undefined>();
    const abort = new AbortController();
    const running = limiter.run(() => first.promise);
    const leaving = limiter.run(() => Promise.resolve(order.push('left')), { signal: abort.signal });
    const second = limiter.run(() => Promise.resolve(order.push('second')));
    const third = limiter.run(() => Promise.resolve(order.push('third')), { signal: abort.signal });
    abort.abort(new Error('no more'));
    await assert.rejects(leaving, /no more/);
    await assert.rejects(third, /no more/);
    await assert.rejects(
      limiter.run(() => Promise.resolve(order.push('late')), { signal: abort.signal }),
      /no more/,
    );
    first.resolve(undefined);
    await Promise.all([running, second, limiter.run(() => Promise.resolve(order.push('last')))]);
    assert.deepEqual(order, ['second', 'last']);
  });

  it('goes on beside a task that takes too long, and counts its place once', async () => {
    const limiter = new Limiter(1);
    const hangs = Promise.withResolvers<undefined>();
    const slow = limiter.run(() => hangs.promise, { longest: 1 });
    await limiter.run(() => Promise.resolve());
    hangs.resolve(undefined);
    await slow;
    let running = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running -= 1;
    };
    await Promise.all([limiter.run(task), limiter.run(task), limiter.run(task)]);
    assert.equal(most, 1);
  });
});
