import { expect, test } from 'vitest';
import { parseUnixTime } from './unix-time.ts';

test.each([
  ['', undefined],
  ['1796008996', 1_796_008_996_000],
  ['1796008996.123', 1_796_008_996_123],
  ['1796008996.000000001', 1_796_008_996_000],
])('the time %j', (text, ms) => {
  expect(parseUnixTime(text)).toBe(ms);
});

test.each(['yesterday', '1.x', '2026-01-01T00:00:00Z'])('the time %s is refused in words of Go', (text) => {
  expect(() => parseUnixTime(text)).toThrow('strconv.ParseInt: parsing ');
});
