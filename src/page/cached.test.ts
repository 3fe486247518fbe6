import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { createCache } from './cached.ts';

function setUp() {
  const clock = createFakeClock();
  const cache = createCache(clock);
  let made = 0;
  return { clock, cache, get: (question = 'a') => cache.get(question, 1_000, async () => ++made) };
}

test('readers share an answer until it is too old', async () => {
  const { clock, get, cache } = setUp();
  expect(await Promise.all([get(), get(), get('b')])).toEqual([1, 1, 2]);
  await clock.advance(999);
  expect(await get()).toBe(1);
  await clock.advance(1);
  expect(await get()).toBe(3);
  cache.clear();
});

test('an answer that is too old takes no memory; what is cleared leaves no timer', async () => {
  const { clock, cache, get } = setUp();
  await get();
  await get('b');
  expect([cache.size, clock.sleepers]).toEqual([2, 2]);
  await clock.advance(1_000);
  expect([cache.size, clock.sleepers]).toEqual([0, 0]);
  await get();
  cache.clear();
  expect([cache.size, clock.sleepers]).toEqual([0, 0]);
});

test('a failure is not kept', async () => {
  const { clock, cache, get } = setUp();
  await expect(cache.get('a', 1_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect([await get(), clock.sleepers]).toEqual([1, 1]);
  cache.clear();
});

test('limits the number of answers: the oldest go first', async () => {
  const { clock, cache, get } = setUp();
  for (let index = 0; index < 100; index += 1) await get(`${index}`);
  expect([cache.size, clock.sleepers]).toEqual([64, 64]);
  expect([await get('99'), await get('0')]).toEqual([100, 101]);
  cache.clear();
});
