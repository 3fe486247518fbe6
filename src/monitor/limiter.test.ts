import { expect, test } from 'vitest';
import { createLimiter } from './limiter.ts';

const never = new AbortController().signal;

test('gives slots in the order of requests, and never more than there are', async () => {
  const limiter = createLimiter(2);
  const order: number[] = [];
  let busy = 0;
  const work = async (n: number) => {
    const release = await limiter.acquire(never);
    busy += 1;
    expect(busy).toBeLessThanOrEqual(2);
    order.push(n);
    await Promise.resolve();
    busy -= 1;
    release?.();
    release?.(); // a second release has no effect
  };
  await Promise.all([1, 2, 3, 4, 5].map(work));
  expect(order).toEqual([1, 2, 3, 4, 5]);
  expect([limiter.inUse, limiter.waiting]).toEqual([0, 0]);
});

test('a cancelled request leaves the queue and delays no other', async () => {
  const limiter = createLimiter(1);
  const first = await limiter.acquire(never);
  const impatient = new AbortController();
  const second = limiter.acquire(impatient.signal);
  const third = limiter.acquire(never);
  impatient.abort();
  expect(await second).toBeUndefined();
  first?.();
  const release = await third;
  expect(limiter.inUse).toBe(1);
  release?.();
  expect(limiter.inUse).toBe(0);
  expect(await limiter.acquire(AbortSignal.abort())).toBeUndefined();
});
