import { expect, test } from 'vitest';
import { groupIdOf } from './group-id.ts';

test('accepts a number, whether there is such a group or not', () => {
  expect([groupIdOf('0'), groupIdOf('4711', '/nonexistent')]).toEqual([0, 4711]);
});

test('a name is looked up', () => {
  expect(groupIdOf('root')).toBe(0);
});

test.each(['no-such-group', 'roo', 'root:x', ''])('%j is no group', (group) => {
  expect(() => groupIdOf(group)).toThrow(
    expect.objectContaining({ code: 'CONFIG', message: `socket_group: there is no group ${JSON.stringify(group)}` }),
  );
});
