import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { createDelayMeter } from './delay-meter.ts';

test('counts how late a timer fires, from the first start to the stop', async () => {
  const clock = createFakeClock();
  let lateMs = 0;
  const meter = createDelayMeter({ after: clock.after, monotonic: () => clock.monotonic() + lateMs });
  expect(clock.sleepers).toBe(0);
  meter.start();
  meter.start();
  await clock.advance(250);
  lateMs = 30;
  await clock.advance(250);
  expect([meter.counts.sum, meter.counts.buckets[0], meter.counts.buckets[5]]).toEqual([0.03, 1, 1]);
  meter.stop();
  meter.start(); // a text that was being made reads it after the stop
  expect(clock.sleepers).toBe(0);
});
