import { describe, expect, test } from 'vitest';
import { compareVersions, isReplacedBy } from './replacement.ts';

const ours = { version: '1.2.0', commit: 'abc', program: '/usr/lib/healthctl/bin/healthctl' };

test.each([
  ['one like ours', {}, false],
  ['an older release', { version: '1.1.9' }, true],
  ['a newer release: two releases do not end each other with every command', { version: '1.3.0' }, false],
  ['our program, built anew since', { commit: 'abb' }, true],
  ['another program of the same version', { commit: 'abb', program: '/opt/healthctl/bin/healthctl' }, false],
  ['a newer release from our own place: somebody went back', { version: '1.3.0', commit: 'abb' }, false],
])('%s', (_, running, expected) => {
  expect(isReplacedBy({ ...ours, ...running }, ours)).toBe(expected);
});

test('a monitor that does not send its build or version', () => {
  expect(isReplacedBy({ version: '1.1.0' }, ours)).toBe(true);
  expect(isReplacedBy({ version: '1.2.0' }, ours)).toBe(false);
  expect(isReplacedBy({}, ours)).toBe(true);
});

describe('versions', () => {
  test('are ordered by Semantic Versioning', () => {
    const ordered = ['x', '0.9.0', '1.0.0-1', '1.0.0-2', '1.0.0-10', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-beta'];
    const all = [...ordered, '1.0.0', '1.0.1', '1.10.0', '2.0.0'];
    for (const [i, a] of all.entries())
      for (const [j, b] of all.entries()) expect([a, b, compareVersions(a, b)]).toEqual([a, b, Math.sign(i - j)]);
  });

  test('ignores the part after a plus sign', () => {
    expect(compareVersions('1.0.0+a', '1.0.0+b')).toBe(0);
  });
});
