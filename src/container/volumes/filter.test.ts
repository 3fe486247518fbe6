import { describe, expect, test } from 'vitest';
import { asksForSize, isFilterText, parseVolumeFilters, wantsAll } from './filter.ts';

const listed = (name: string, labels: Record<string, string> = {}, users: readonly string[] = [], size = 0) => ({
  size,
  volume: { name, labels, createdAt: '2026-01-01T00:00:00Z', options: {}, mountpoint: `/v/${name}/_data` },
  users,
});
const volumes = [
  listed('data', { tier: 'db' }, ['c1'], 2048),
  listed('cache', { tier: 'web', 'a=b': 'c' }, [], 1024),
  listed('plain'),
];
const names = (command: 'list' | 'prune', ...filters: string[]) =>
  volumes.filter(parseVolumeFilters(filters, command)).map(({ volume }) => volume.name);

describe('filters of volumes', () => {
  test.each([
    [[], ['data', 'cache', 'plain']],
    [['dangling=true'], ['cache', 'plain']],
    [['dangling=0'], ['data']],
    [['name=a'], ['data', 'cache', 'plain']],
    [['name=^ca'], ['cache']],
    [['name=('], []],
    [
      ['name=data', 'name=plain'],
      ['data', 'plain'],
    ],
    [['label=tier'], ['data', 'cache']],
    [['label=tier=db'], ['data']],
    [['label=tier', 'label=tier=web'], ['cache']],
    [['driver=local', 'dangling=false'], ['data']],
    [['driver=nfs'], []],
    [['size=1024'], ['cache']],
    [['size>=1024'], ['data', 'cache']],
    [['size>1k'], ['data']],
    [['size<2048'], ['cache', 'plain']],
    [['size <= 1024', 'Size > 0'], ['cache']],
    [['size=1024', 'size=2048'], []],
  ])('volume ls with %j', (filters, expected) => expect(names('list', ...filters)).toEqual(expected));

  test('volume prune', () => {
    expect(names('prune', 'label!=tier=db')).toEqual(['cache', 'plain']);
    expect(names('prune', 'label!=tier', 'all=1')).toEqual(['plain']);
    expect([['all=true'], ['all=0'], []].map(wantsAll)).toEqual([true, false, false]);
  });

  test.each([
    ['list', 'all=1', "invalid filter 'all'"],
    ['list', 'nope=1', "invalid filter 'nope'"],
    ['list', 'dangling=maybe', "invalid filter 'dangling=[maybe]'"],
    ['list', 'size>many', "invalid filter 'size>many'"],
    ['list', 'size=', "invalid filter 'size='"],
    ['list', 'size>', "invalid filter 'size>'"],
    ['list', 'size=>1', "invalid filter 'size=>1'"],
    ['list', 'size!=1', "invalid filter 'size!'"],
    ['prune', 'size>1', "invalid filter 'size'"],
    ['prune', 'dangling=true', "invalid filter 'dangling'"],
    ['prune', '=', "invalid filter ''"],
  ] as const)('refuses a filter: %s: %s', (command, filter, message) =>
    expect(() => parseVolumeFilters([filter], command)).toThrow(expect.objectContaining({ code: 'INVALID', message })),
  );

  test('the filter by size needs no =, and sizes are measured only for it', () => {
    expect(['size>1', 'size<1', 'size=1', 'name=a', 'name', 'size', 'sized>1'].map(isFilterText)).toEqual([
      ...[true, true, true, true],
      ...[false, false, false],
    ]);
    expect([['size>1'], ['name=size>1'], []].map(asksForSize)).toEqual([true, false, false]);
  });
});
