import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { createBufferPool } from './buffer-pool.ts';

test('gives buffers again, and frees them if none is given back for two minutes', async () => {
  const clock = createFakeClock();
  const pool = createBufferPool(8, clock);
  const first = pool.take();
  pool.giveBack([first]);
  await clock.advance(119_999);
  expect(pool.take()).toBe(first);
  pool.giveBack([first]);
  expect(clock.sleepers).toBe(1);
  await clock.advance(120_000);
  expect(pool.take()).not.toBe(first);
  pool.stop();
});
