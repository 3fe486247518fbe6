import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { createTidier } from './tidier.ts';

const MB = 1e6;

function start() {
  const clock = createFakeClock();
  const released: number[] = [];
  const memory = { bytes: 80 * MB };
  const release = () => {
    released.push(clock.monotonic());
    memory.bytes = Math.min(memory.bytes, 70 * MB);
  };
  return { clock, released, memory, tidier: createTidier({ clock, release, residentBytes: () => memory.bytes }) };
}

test('releases ten seconds after the last of many starts, once', async () => {
  const { clock, released, tidier } = start();
  for (let i = 0; i < 5; i += 1) {
    tidier.onStarted();
    await clock.advance(4_000);
  }
  await clock.advance(1_000_000);
  expect(released).toEqual([26_000]);
});

test('not more often than once in a minute', async () => {
  const { clock, released, tidier } = start();
  for (let i = 0; i < 10; i += 1) {
    tidier.onStarted();
    await clock.advance(15_000);
  }
  expect(released).toEqual([10_000, 70_000, 130_000]);
});

test('releases what has grown by more than a fifth, at most once in a minute', async () => {
  const { clock, released, memory, tidier } = start();
  tidier.onStarted();
  await clock.advance(30_000);
  memory.bytes = 84 * MB;
  await clock.advance(200_000);
  expect(released).toEqual([10_000]);
  memory.bytes = 85 * MB;
  await clock.advance(60_000);
  memory.bytes = 200 * MB;
  await clock.advance(15_000);
  expect(released).toEqual([10_000, 250_000]);
  await clock.advance(31_000);
  expect(released).toEqual([10_000, 250_000, 310_000]);
});

test('nothing is released after the end, and nobody looks any more', async () => {
  const { clock, released, memory, tidier } = start();
  tidier.onStarted();
  await clock.advance(20_000);
  memory.bytes = 200 * MB;
  tidier.onStarted();
  tidier.stop();
  await clock.advance(1_000_000);
  expect(released).toEqual([10_000]);
  expect(clock.sleepers).toBe(0);
});
