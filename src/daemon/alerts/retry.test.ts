import fc from 'fast-check';
import { expect, test } from 'vitest';
import { T0 } from '../../../test/builders/health.ts';
import { type PostOutcome, retryAfterMsOf, retryDelayMs, verdictOf } from './retry.ts';

const answered = (status: number): PostOutcome => ({ kind: 'answered', status, retryAfter: undefined, text: '' });

test.each([
  [200, 'delivered'],
  [204, 'delivered'],
  [301, 'refused'],
  [308, 'refused'],
  [400, 'refused'],
  [404, 'refused'],
  [408, 'failed'],
  [410, 'refused'],
  [425, 'failed'],
  [429, 'failed'],
  [500, 'failed'],
  [503, 'failed'],
])('status %i: %s', (status, verdict) => expect(verdictOf(answered(status))).toBe(verdict));

test('retries a request without an answer', () => {
  expect(verdictOf({ kind: 'failed', isReached: true, reason: 'closed' })).toBe('failed');
});

test('delays double up to five minutes, minus a random part of up to half', () => {
  const failures = [1, 2, 3, 4, 9, 10, 1_000];
  const full = [1_000, 2_000, 4_000, 8_000, 256_000, 300_000, 300_000];
  expect(failures.map((count) => retryDelayMs(count, 0))).toEqual(full);
  const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), share, fc.nat(3_600_000), (count, random, afterMs) => {
      const ms = retryDelayMs(count, random, afterMs);
      return ms >= afterMs && ms >= retryDelayMs(count, 0) / 2 && ms <= Math.max(afterMs, retryDelayMs(count, 0));
    }),
  );
});

test.each([
  [undefined, undefined],
  ['', undefined],
  ['soon', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['0', 0],
  [' 120 ', 120_000],
  ['999999999', 3_600_000],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ['Fri, 01 Jan 2027 00:00:00 GMT', 3_600_000],
  ['Thu, 99 Foo 2026 00:00:30 GMT', undefined],
])('Retry-After %j', (header, ms) => expect(retryAfterMsOf(header, T0)).toBe(ms));
