import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gapsIn, type Period } from './event-log.ts';

test.each<[known: [number, number][], gaps: [number, number][]]>([
  [[], [[10, 20]]],
  [[[0, 30]], []],
  [[[10, 20]], []],
  [[[0, 12]], [[12, 20]]],
  [[[15, 30]], [[10, 15]]],
  [
    [
      [0, 12],
      [14, 16],
      [18, 40],
    ],
    [
      [12, 14],
      [16, 18],
    ],
  ],
  [[[0, 5]], [[10, 20]]],
  [[[25, 30]], [[10, 20]]],
])('with known periods %j, the range 10 to 20 has the gaps %j', (known, gaps) => {
  const periods = known.map(([fromMs, toMs]) => ({ fromMs, toMs }));
  expect(gapsIn(periods, { fromMs: 10, toMs: 20 })).toEqual(gaps.map(([fromMs, toMs]) => ({ fromMs, toMs })));
});

test('accepts periods out of order, as after the clock was set back', () => {
  expect(
    gapsIn(
      [
        { fromMs: 14, toMs: 18 },
        { fromMs: 8, toMs: 16 },
      ],
      { fromMs: 10, toMs: 20 },
    ),
  ).toEqual([{ fromMs: 18, toMs: 20 }]);
});

test('every moment is either in a gap or in a known period', () => {
  const periods = fc.array(fc.nat(100), { maxLength: 12 }).map((bounds) => {
    const sorted = [...new Set(bounds)].sort((a, b) => a - b);
    return sorted.flatMap((fromMs, index): Period[] => {
      const toMs = sorted[index + 1];
      return index % 2 === 0 && toMs !== undefined ? [{ fromMs, toMs }] : [];
    });
  });
  fc.assert(
    fc.property(periods, fc.nat(100), fc.nat(100), (known, a, b) => {
      const range = { fromMs: Math.min(a, b), toMs: Math.max(a, b) };
      const gaps = gapsIn(known, range);
      const covers = (list: readonly Period[], at: number) => list.some(({ fromMs, toMs }) => at > fromMs && at < toMs);
      for (let at = range.fromMs + 0.5; at < range.toMs; at += 1) expect(covers(gaps, at)).toBe(!covers(known, at));
    }),
  );
});
