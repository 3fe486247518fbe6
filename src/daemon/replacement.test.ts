import { describe, expect, test } from 'vitest';
import { compareVersions, isReplacedBy } from './replacement.ts';

const ours = { version: '1.2.0', commit: 'abc', program: '/usr/lib/healthctl/bin/healthctl' };

test.each([
  ['a monitor like ours', {}, false],
  ['an older release', { version: '1.1.9' }, true],
  ['a newer release elsewhere, so that two releases do not replace each other for ever', { version: '1.3.0' }, false],
  ['an older build of our program', { commit: 'abb' }, true],
  ['another program of the same version', { commit: 'abb', program: '/opt/healthctl/bin/healthctl' }, false],
  ['a newer release at our own path, as after a downgrade', { version: '1.3.0', commit: 'abb' }, false],
])('decides whether to replace %s', (_, running, expected) => {
  expect(isReplacedBy({ ...ours, ...running }, ours)).toBe(expected);
});

test('compares a monitor that sends no build by its version, and replaces one without either', () => {
  expect(isReplacedBy({ version: '1.1.0' }, ours)).toBe(true);
  expect(isReplacedBy({ version: '1.2.0' }, ours)).toBe(false);
  expect(isReplacedBy({}, ours)).toBe(true);
});

describe('comparing versions', () => {
  test('follows Semantic Versioning', () => {
    const ordered = ['x', '0.9.0', '1.0.0-1', '1.0.0-2', '1.0.0-10', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-beta'];
    const all = [...ordered, '1.0.0', '1.0.1', '1.10.0', '2.0.0'];
    for (const [i, a] of all.entries())
      for (const [j, b] of all.entries()) expect([a, b, compareVersions(a, b)]).toEqual([a, b, Math.sign(i - j)]);
  });

  test('ignores the part after a plus sign', () => {
    expect(compareVersions('1.0.0+a', '1.0.0+b')).toBe(0);
  });
});
