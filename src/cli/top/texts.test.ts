import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareText, shortSpan, sizeText, tookText } from './texts.ts';

const [S, M, H, D] = [1_000, 60_000, 3_600_000, 86_400_000];

test.each([
  [-5 * S, '0s'],
  [119 * S, '119s'],
  [2 * M, '2m'],
  [119 * M, '119m'],
  [2 * H, '2h'],
  [3 * H + 20 * M, '3h20m'],
  [23 * H + 59 * M, '23h'],
  [2 * D + 4 * H, '2d4h'],
  [9 * D + 23 * H, '9d23h'],
  [400 * D, '400d'],
])('a span of %d ms is %s', (ms, text) => {
  expect(shortSpan(ms)).toBe(text);
});

test('durations, shares, sizes', () => {
  expect([7.4, 999.4, 999.6, 1_204, 9_996, 12_540, 130_000].map(tookText)).toEqual([
    '7ms',
    '999ms',
    '1.00s',
    '1.20s',
    '10.0s',
    '12.5s',
    '130s',
  ]);
  expect([0, 0.004, 0.9994, 0.9996, 12].map(shareText)).toEqual(['0.0%', '0.4%', '99.9%', '100%', '1200%']);
  expect([0, 999, 1000, 1536, 12.5 * 2 ** 20, 999 * 2 ** 20, 1000 * 2 ** 20].map(sizeText)).toEqual([
    '0B',
    '999B',
    '1.0K',
    '1.5K',
    '12.5M',
    '999M',
    '1.0G',
  ]);
});

test('all of them fit five columns', () => {
  const fits = (text: string): void => {
    expect(text.length).toBeLessThanOrEqual(5);
  };
  fc.assert(fc.property(fc.integer({ min: 0, max: 9_999 * D }), (ms) => fits(shortSpan(ms))));
  fc.assert(fc.property(fc.double({ min: 0, max: 9_999 * S, noNaN: true }), (ms) => fits(tookText(ms))));
  fc.assert(fc.property(fc.double({ min: 0, max: 99, noNaN: true }), (share) => fits(shareText(share))));
  fc.assert(fc.property(fc.double({ min: 0, max: 2 ** 59, noNaN: true }), (bytes) => fits(sizeText(bytes))));
});
