import { describe, expect, test } from 'vitest';
import { binarySize, bytesSize, humanDuration, humanSize, localTimestamp } from './units.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [-5 * SECOND, 'Less than a second'],
  [0, 'Less than a second'],
  [999, 'Less than a second'],
  [SECOND, '1 second'],
  [1_999, '1 second'],
  [45 * SECOND, '45 seconds'],
  [59_999, '59 seconds'],
  [MINUTE, 'About a minute'],
  [2 * MINUTE - 1, 'About a minute'],
  [3 * MINUTE, '3 minutes'],
  [HOUR - 1, '59 minutes'],
  [HOUR, 'About an hour'],
  [89 * MINUTE, 'About an hour'],
  [90 * MINUTE, '2 hours'],
  [24 * HOUR, '24 hours'],
  [47 * HOUR, '47 hours'],
  [2 * DAY, '2 days'],
  [14 * DAY - HOUR, '13 days'],
  [14 * DAY, '2 weeks'],
  [59 * DAY, '8 weeks'],
  [60 * DAY, '2 months'],
  [364 * DAY, '12 months'],
  [729 * DAY, '24 months'],
  [730 * DAY, '2 years'],
  [1_460 * DAY, '4 years'],
])('humanDuration(%d) is %s', (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

describe('sizes', () => {
  test.each([
    [0, '0B'],
    [999, '999B'],
    [1_000, '1kB'],
    [1_024, '1.024kB'],
    [1_048_576, '1.049MB'],
    [2.75e6, '2.75MB'],
    [999_950, '1000kB'],
    [3.42e12, '3.42TB'],
    [5.372e15, '5.372PB'],
    [2.22e27, '2220YB'],
  ])('humanSize(%d) is %s', (bytes, text) => {
    expect(humanSize(bytes)).toBe(text);
  });

  test.each([
    [0, '0.0 B'],
    [1023, '1023.0 B'],
    [102_400, '100.0 KiB'],
    [1_572_864, '1.5 MiB'],
  ])('binarySize(%d) is %s', (bytes, text) => {
    expect(binarySize(bytes)).toBe(text);
  });

  test('humanSize with three digits', () => {
    expect(humanSize(1_048_576, 3)).toBe('1.05MB');
    expect(humanSize(2_220_000, 3)).toBe('2.22MB');
    expect(humanSize(999_950, 3)).toBe('1e+03kB');
  });

  test.each([
    [1_024, '1KiB'],
    [1_048_576, '1MiB'],
    [1_572_864, '1.5MiB'],
    [1_181_116_006, '1.1GiB'],
    [1_023, '1023B'],
  ])('bytesSize(%d) is %s', (bytes, text) => {
    expect(bytesSize(bytes)).toBe(text);
  });
});

test.each([
  ['UTC', '2023-11-14 22:13:20 +0000 UTC'],
  ['America/New_York', '2023-11-14 17:13:20 -0500 EST'],
  ['Asia/Kolkata', '2023-11-15 03:43:20 +0530 +0530'],
])('localTimestamp in %s', (zone, text) => {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    expect(localTimestamp(1_700_000_000_000)).toBe(text);
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});
