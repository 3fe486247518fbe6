import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { createTidier } from './tidier.ts';

function start() {
  const clock = createFakeClock();
  const released: number[] = [];
  return { clock, released, tidier: createTidier(clock, () => released.push(clock.monotonic())) };
}

test('releases ten seconds after the last of many starts, once', async () => {
  const { clock, released, tidier } = start();
  for (let i = 0; i < 5; i += 1) {
    tidier.onStarted();
    await clock.advance(4_000);
  }
  await clock.advance(100_000);
  expect(released).toEqual([26_000]);
  expect(clock.sleepers).toBe(0);
});

test('not more often than once in a minute', async () => {
  const { clock, released, tidier } = start();
  for (let i = 0; i < 10; i += 1) {
    tidier.onStarted();
    await clock.advance(15_000);
  }
  expect(released).toEqual([10_000, 70_000, 130_000]);
});

test('nothing is released after the end', async () => {
  const { clock, released, tidier } = start();
  tidier.onStarted();
  tidier.stop();
  await clock.advance(100_000);
  expect(released).toEqual([]);
});
