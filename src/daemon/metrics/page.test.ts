import { expect, test } from 'vitest';
import { someFigures } from '../../../test/builders/metrics.ts';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { createContainerMetrics } from '../../metrics/container-metrics.ts';
import { expositionOf } from '../../metrics/exposition.ts';
import type { KnownContainer } from '../../monitor/host-model.ts';
import { createMetricsPage } from './page.ts';

function setUp(containers = 0, costMs = 0) {
  const clock = createFakeClock();
  let nowMs = 0;
  const calls = { observed: 0, pauses: 0, longestMs: 0, figures: 0 };
  let sliceStartMs = 0;
  const page = createMetricsPage({
    clock: { after: clock.after, monotonic: () => nowMs },
    recorder: {
      observe: () => {
        calls.observed += 1;
        nowMs += costMs;
      },
      containers: { series: [], size: 0 },
    },
    model: { all: () => Array.from({ length: containers }, () => ({}) as KnownContainer) },
    figures: () => {
      calls.figures += 1;
      return someFigures();
    },
    pause: async () => {
      calls.pauses += 1;
      calls.longestMs = Math.max(calls.longestMs, nowMs - sliceStartMs);
      sliceStartMs = nowMs;
    },
  });
  return { page, clock, calls };
}

test('scrapers within a second get one text, each in its format', async () => {
  const { page, clock, calls } = setUp();
  const [first, second] = await Promise.all([page.read('text'), page.read('text')]);
  expect(second.parts).toBe(first.parts);
  await page.read('openmetrics');
  expect(calls.figures).toBe(2);
  await clock.advance(1_000);
  await page.read('text');
  expect(calls.figures).toBe(3);
  page.stop();
  expect(clock.sleepers).toBe(0);
});

test('the length is that of the parts', async () => {
  const { page } = setUp();
  const { parts, byteLength } = await page.read('openmetrics');
  const text = Buffer.concat(parts);
  expect([text.length, text.toString().endsWith('# EOF\n')]).toEqual([byteLength, true]);
  page.stop();
});

test('a long text has the same bytes, and lets other work run', async () => {
  const containerLabels = Array.from({ length: 10 }, (_, index) => `l${index}`);
  const recorder = createContainerMetrics({ maxContainers: 99, containerLabels }, { now: () => 0, exists: () => true });
  const labels = Object.fromEntries(containerLabels.map((name) => [name, 'ö'.repeat(200)]));
  for (let index = 0; index < 25; index += 1)
    recorder.addRestart({ ...{ namespace: 'default', id: `c${index}`, name: `web${index}`, image: 'demo', labels } });
  let [nowMs, pauses] = [0, 0];
  const clock = createFakeClock();
  const page = createMetricsPage({
    clock: { after: clock.after, monotonic: () => nowMs++ },
    recorder: { observe: () => {}, containers: recorder },
    model: { all: () => [] },
    figures: () => someFigures(),
    pause: async () => {
      pauses += 1;
    },
  });
  const { parts, byteLength } = await page.read('text');
  const expected = [...expositionOf({ containers: [...recorder.series], monitor: someFigures() }, 'text')].join('');
  expect([Buffer.concat(parts).toString() === expected, byteLength]).toEqual([true, Buffer.byteLength(expected)]);
  expect(parts.some(({ length }) => length > 1 << 16)).toBe(true);
  expect(pauses).toBeGreaterThan(5);
  page.stop();
});

test('other work runs every few milliseconds', async () => {
  const { page, calls } = setUp(1_000, 0.25);
  await page.read('text');
  expect(calls).toMatchObject({ observed: 1_000, longestMs: 2 });
  expect(calls.pauses).toBeGreaterThan(100);
  page.stop();
});

test('buffers are used again after the last reader of an old text', async () => {
  const { page, clock } = setUp();
  const [first, second] = [await page.read('text'), await page.read('text')];
  first.release();
  first.release();
  await clock.advance(1_000);
  const third = await page.read('text');
  expect(third.parts[0]?.buffer).not.toBe(first.parts[0]?.buffer);
  const kept = `${second.parts[0]}`;
  second.release();
  await clock.advance(1_000);
  const fourth = await page.read('text');
  expect(fourth.parts[0]?.buffer).toBe(first.parts[0]?.buffer);
  expect(`${fourth.parts[0]}`).toBe(kept);
  page.stop();
  expect(clock.sleepers).toBe(0);
});

test('a reader that ends after the stop leaves no timer', async () => {
  const { page, clock } = setUp();
  const text = await page.read('text');
  await clock.advance(1_000);
  page.stop();
  text.release();
  await clock.advance(1);
  expect(clock.sleepers).toBe(0);
});
