import { expect, test } from 'vitest';
import { matchesPattern } from './pattern-filter.ts';

test.each<[string, boolean]>([
  ['web-1.test', true],
  ['web', true],
  ['^web', true],
  ['^eb', false],
  ['.*-[0-9]\\.test$', true],
  ['^(?:db|web)', true],
  ['WEB', false],
  ['(?i)WEB', true],
  ['', true],
  ['*', false],
  ['(', false],
])('matches web-1.test or not: %s', (pattern, expected) =>
  expect(matchesPattern(pattern, 'web-1.test')).toBe(expected),
);

test('an invalid regular expression matches itself', () => expect(matchesPattern('a(', 'a(')).toBe(true));
