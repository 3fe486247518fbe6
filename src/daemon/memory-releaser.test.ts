import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { createMemoryReleaser, type MemoryReleaser } from './memory-releaser.ts';

const MB = 1e6;

function start() {
  const clock = createFakeClock();
  const released: number[] = [];
  const memory = { bytes: 80 * MB };
  const release = () => {
    released.push(clock.monotonic());
    memory.bytes = Math.min(memory.bytes, 70 * MB);
  };
  return {
    clock,
    released,
    memory,
    memoryReleaser: createMemoryReleaser({ clock, release, residentBytes: () => memory.bytes }),
  };
}

/** Enough that a collection is worth its cost. */
function startMany(memoryReleaser: MemoryReleaser): void {
  for (let i = 0; i < 16; i += 1) memoryReleaser.onStarted();
}

test('releases ten seconds after the last of many starts, once', async () => {
  const { clock, released, memoryReleaser } = start();
  for (let i = 0; i < 20; i += 1) {
    memoryReleaser.onStarted();
    await clock.advance(4_000);
  }
  await clock.advance(1_000_000);
  expect(released).toEqual([86_000]);
});

test('does not release twice within a minute', async () => {
  const { clock, released, memoryReleaser } = start();
  for (let i = 0; i < 10; i += 1) {
    startMany(memoryReleaser);
    await clock.advance(15_000);
  }
  expect(released).toEqual([10_000, 70_000, 130_000]);
});

test('does not release after few starts, until there are many since the last release', async () => {
  const { clock, released, memoryReleaser } = start();
  for (let i = 0; i < 15; i += 1) {
    memoryReleaser.onStarted();
    await clock.advance(100_000);
  }
  expect(released).toEqual([]);
  memoryReleaser.onStarted();
  await clock.advance(100_000);
  expect(released).toEqual([1_510_000]);
  memoryReleaser.onStarted();
  await clock.advance(1_000_000);
  expect(released).toHaveLength(1);
});

test('releases ten seconds after the start of the monitor, even if few containers are started', async () => {
  const { clock, released, memoryReleaser } = start();
  memoryReleaser.onReady();
  await clock.advance(5_000);
  memoryReleaser.onStarted();
  await clock.advance(1_000_000);
  expect(released).toEqual([10_000]);
});

test('releases when memory has grown by more than a fifth, at most once a minute', async () => {
  const { clock, released, memory, memoryReleaser } = start();
  memoryReleaser.onReady();
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

test('releases nothing after its end, and leaves no timer', async () => {
  const { clock, released, memory, memoryReleaser } = start();
  memoryReleaser.onReady();
  await clock.advance(20_000);
  memory.bytes = 200 * MB;
  startMany(memoryReleaser);
  memoryReleaser.stop();
  await clock.advance(1_000_000);
  expect(released).toEqual([10_000]);
  expect(clock.sleepers).toBe(0);
});
