import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { untilDrained } from './exec-output.ts';

function setUp(quietSinceMs: () => number | undefined) {
  const clock = createFakeClock();
  let close = (): void => {};
  const done = new Promise<void>((resolve) => {
    close = resolve;
  });
  let isOver = false;
  const signal = new AbortController().signal;
  const over = untilDrained([{ done, quietSinceMs }], clock, signal).then(() => {
    isOver = true;
  });
  return { clock, close, over, isOver: () => isOver };
}

describe('untilDrained', () => {
  test('ends when the outputs end, and leaves no timer', async () => {
    const drain = setUp(() => 0);
    await drain.clock.advance(500);
    expect(drain.isOver()).toBe(false);
    drain.close();
    await drain.over;
    await drain.clock.advance(0);
    expect(drain.clock.sleepers).toBe(0);
  });

  test('ends after 2 s of silence, because a child may hold the output open', async () => {
    const drain = setUp(() => 0);
    await drain.clock.advance(1_900);
    expect(drain.isOver()).toBe(false);
    await drain.clock.advance(200);
    expect(drain.isOver()).toBe(true);
  });

  test('does not end while the user is slow to read the output', async () => {
    const drain = setUp(() => undefined);
    await drain.clock.advance(60_000);
    expect(drain.isOver()).toBe(false);
    drain.close();
    await drain.over;
  });
});
