import { describe, expect, test } from 'vitest';
import { globToRegExp, matchesReference } from './list.ts';

describe('matchesReference', () => {
  const name = 'docker.io/library/busybox:1.36';
  test.each([
    ['busybox', true],
    ['busybox:1.36', true],
    ['busybox:*', true],
    ['busy*', true],
    ['b?sybox', true],
    ['b[a-z]sybox:1.[0-9]6', true],
    ['b[^u]sybox', false],
    ['busybox:1', false],
    ['*/busybox', false],
    ['docker.io/library/busybox', false],
  ])('matches or not: %s', (pattern, matches) => expect(matchesReference(name, pattern)).toBe(matches));

  test('* does not match a slash', () => {
    expect(matchesReference('docker.io/foo/bar:1', '*')).toBe(false);
    expect(matchesReference('docker.io/foo/bar:1', '*/*')).toBe(true);
  });
});

test.each(['[', 'a[b', '\\', '[z-a]'])('refuses the pattern %j', (pattern) => {
  expect(() => globToRegExp(pattern)).toThrow(
    expect.objectContaining({ code: 'INVALID', message: 'syntax error in pattern' }),
  );
});

test('special characters of regular expressions have no meaning', () => {
  expect(globToRegExp('a.b+c(d)').test('a.b+c(d)')).toBe(true);
  expect(globToRegExp('a.b').test('axb')).toBe(false);
  expect(globToRegExp('a\\*b').test('a*b')).toBe(true);
  expect(globToRegExp('a\\*b').test('axb')).toBe(false);
});
