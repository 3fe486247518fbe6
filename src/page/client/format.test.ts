import { describe, expect, test } from 'vitest';
import { barSummary, imageText, percentText, spanText } from './format.ts';
import { hashOf, routeFrom } from './route.ts';

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [3_600_000, '1 h'],
  [3_660_000, '1 h 1 min'],
  [90_000_000, '1 d 1 h'],
  [-5, '0 ms'],
])('shows %i ms as %s', (ms, text) => {
  expect(spanText(ms)).toBe(text);
});

test('shows 100 % only for always', () => {
  expect([1, 0.999999, 0.5, 0, null].map(percentText)).toEqual(['100 %', '99.99 %', '50.00 %', '0.00 %', '–']);
});

test('shows texts', () => {
  expect(barSummary('hhuf', '90 minutes')).toBe(
    'Results of 90 minutes, of 4 bars: 1 unhealthy, 1 with failed checks, 2 healthy',
  );
  expect(imageText('docker.io/library/nginx:1')).toBe('nginx:1');
  expect(imageText('docker.io/a/b')).toBe('a/b');
});

describe('routes', () => {
  test.each([
    { view: { kind: 'containers' }, range: '90m' },
    { view: { kind: 'container', key: 'default/a%b?c#d' }, range: '7d' },
    { view: { kind: 'host' }, range: '24h' },
  ] as const)('%j survives a round trip', (route) => {
    expect(routeFrom(hashOf(route))).toEqual(route);
  });
  test.each(['', '#', '#/nothing', '#/container', '#/container/%zz', '#/containers?range=1y'])(
    '%j is the list',
    (hash) => {
      expect(routeFrom(hash)).toEqual({ view: { kind: 'containers' }, range: '90m' });
    },
  );
});
