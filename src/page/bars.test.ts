import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addToCell, type Cell, emptyCell } from '../history/cell.ts';
import type { Phase } from '../history/model.ts';
import type { Span } from '../history/timeline.ts';
import { addToBars, barLetters, barPeriod, emptyBars } from './bars.ts';
import { RANGES } from './wire.ts';

const span = (fromMs: number, toMs: number, phase: Phase): Span => ({
  ...{ fromMs, toMs, phase, exitCode: undefined, reason: '' },
});
const cell = (fromMs: number, exitCode = 0): Cell => {
  const made = emptyCell(fromMs);
  addToCell(made, { atMs: fromMs, durationMs: 5, lagMs: 0, status: 'healthy', exitCode, output: '' });
  return made;
};

test('bars begin at whole multiples of their width, and the last is the present one', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(RANGES)), fc.integer({ min: 1e12, max: 2e12 }), (range, nowMs) => {
      const { fromMs, toMs, count } = barPeriod(range, nowMs);
      expect([fromMs % range.barMs, toMs - fromMs]).toEqual([0, count * range.barMs]);
      expect(toMs > nowMs && toMs - nowMs <= range.barMs).toBe(true);
    }),
  );
});

test('a bar counts the checks that began in it', () => {
  const bars = emptyBars(3);
  for (const one of [cell(99), cell(100), cell(150, 1), cell(200), cell(399), cell(400)])
    addToBars(bars, one, { fromMs: 100, barMs: 100 });
  expect([bars.succeeded, bars.failed, bars.durations.count]).toEqual([[1, 1, 1], [1, 0, 0], 4]);
});

test.each<[string, readonly Span[], readonly number[]]>([
  ['hhh', [span(0, 300, 'healthy')], [0, 0, 0]],
  ['hfh', [span(0, 300, 'healthy')], [0, 2, 0]],
  ['huh', [span(0, 110, 'healthy'), span(110, 120, 'unhealthy'), span(120, 300, 'healthy')], [0, 0, 0]],
  ['hee', [span(0, 150, 'healthy'), span(150, 300, 'ended')], [0, 0, 0]],
  ['.sh', [span(100, 200, 'starting'), span(200, 300, 'healthy')], [0, 0, 0]],
  ['pp.', [span(0, 199, 'paused'), span(199, 300, 'stopped')], [0, 0, 0]],
  ['...', [], [0, 0, 0]],
])('letters %s', (letters, spans, failed) => {
  expect(barLetters(spans, { failed: [...failed] }, { fromMs: 0, barMs: 100 })).toBe(letters);
});
