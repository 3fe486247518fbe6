import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Change, PHASES, type Phase } from './model.ts';
import { flapsOf, restartsOf, spansOf, startsOf, uptimeOf } from './timeline.ts';

const to = (atMs: number, phase: Phase, sinceMs?: number): Change => ({
  ...{ kind: 'phase', atMs, key: 'default/a', phase, sinceMs, exitCode: undefined, reason: '' },
});
const gap = (atMs: number, toMs: number): Change => ({ kind: 'gap', atMs, toMs });
const shown = (changes: readonly Change[], untilMs: number) =>
  spansOf(changes, untilMs).map(({ fromMs, toMs, phase }) => `${fromMs}-${toMs} ${phase}`);

describe('spans', () => {
  test('last until the next phase', () => {
    expect(shown([to(0, 'starting'), to(10, 'healthy'), to(30, 'unhealthy')], 50)).toEqual([
      '0-10 starting',
      '10-30 healthy',
      '30-50 unhealthy',
    ]);
  });
  test('a repeated phase continues the same span, and has its beginning', () => {
    expect(shown([to(100, 'healthy', 7), to(200, 'healthy', 7)], 300)).toEqual(['7-300 healthy']);
  });
  test('a time without a monitor is unchecked, unless the phase is the same afterwards', () => {
    expect(shown([to(0, 'healthy'), gap(10, 20), to(20, 'unhealthy')], 30)).toEqual([
      '0-10 healthy',
      '10-20 unchecked',
      '20-30 unhealthy',
    ]);
    expect(shown([to(0, 'healthy'), gap(10, 20), to(20, 'healthy')], 30)).toEqual(['0-30 healthy']);
    expect(shown([to(0, 'stopped'), gap(10, 20), to(25, 'starting')], 30)).toEqual(['0-25 stopped', '25-30 starting']);
  });
  test('an end because of a removal does not count', () => {
    expect(shown([to(0, 'healthy'), to(50, 'ended'), to(90, 'gone')], 100)).toEqual(['0-90 healthy', '90-100 gone']);
    expect(shown([to(0, 'healthy'), to(50, 'ended'), to(50_000, 'gone')], 60_000)).toHaveLength(3);
  });
  test('cover the time from the first change on, for any sequence', () => {
    const change = fc.oneof(
      fc.record({ atMs: fc.nat(100), phase: fc.constantFrom(...PHASES) }).map(({ atMs, phase }) => to(atMs, phase)),
      fc.tuple(fc.nat(100), fc.nat(10)).map(([atMs, length]) => gap(atMs, atMs + length)),
    );
    fc.assert(
      fc.property(fc.array(change), (unsorted) => {
        const changes = unsorted.sort((a, b) => a.atMs - b.atMs);
        const spans = spansOf(changes, 200);
        for (const [index, span] of spans.entries()) {
          expect(span.toMs).toBe(spans[index + 1]?.fromMs ?? 200);
          expect(span.phase).not.toBe(spans[index + 1]?.phase);
        }
      }),
    );
  });
});

test('a start takes until health, whatever the status in between; one that ended before does not count', () => {
  const spans = spansOf(
    [
      ...[to(0, 'starting'), to(10, 'healthy'), to(20, 'unhealthy'), to(25, 'healthy'), to(30, 'stopped')],
      ...[to(40, 'starting'), to(45, 'unhealthy'), to(60, 'healthy'), to(70, 'ended')],
      ...[to(80, 'starting'), to(85, 'ended'), to(90, 'healthy')],
    ],
    100,
  );
  expect(startsOf(spans)).toEqual([
    { ms: 10, wasUnhealthy: false },
    { ms: 20, wasUnhealthy: true },
  ]);
});

describe('uptime', () => {
  const spans = spansOf(
    [to(0, 'starting'), to(10, 'healthy'), to(30, 'unhealthy'), to(40, 'healthy'), to(70, 'ended'), to(80, 'stopped')],
    100,
  );
  test('counts only the time in which the container should serve', () => {
    expect(uptimeOf(spans, { fromMs: 0, toMs: 100 })).toBeCloseTo(50 / 70);
    expect(uptimeOf(spans, { fromMs: 0, toMs: 30 })).toBe(1);
    expect(uptimeOf(spans, { fromMs: 35, toMs: 45 })).toBe(0.5);
    expect(uptimeOf(spans, { fromMs: 80, toMs: 100 })).toBeUndefined();
  });
  test('counts a flap for each end of being healthy', () => {
    expect(flapsOf(spans, { fromMs: 0, toMs: 100 })).toBe(2);
    expect(flapsOf(spans, { fromMs: 0, toMs: 29 })).toBe(0);
  });
  test('counts the restarts of the period', () => {
    const restart = (atMs: number): Change => ({
      kind: 'action',
      atMs,
      key: 'default/a',
      action: 'restart',
      reason: '',
    });
    expect(restartsOf([restart(1), restart(5), to(5, 'healthy')], { fromMs: 2, toMs: 9 })).toBe(1);
  });
});
