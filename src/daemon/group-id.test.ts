import { expect, test } from 'vitest';
import { groupIdOf } from './group-id.ts';

test('accepts a number, whether the group exists or not', () => {
  expect([groupIdOf('0'), groupIdOf('4711', '/nonexistent')]).toEqual([0, 4711]);
});

test('looks up a name', () => {
  expect(groupIdOf('root')).toBe(0);
});

test.each(['no-such-group', 'roo', 'root:x', ''])('refuses %j', (group) => {
  expect(() => groupIdOf(group)).toThrow(
    expect.objectContaining({ code: 'CONFIG', message: `socket_group: there is no group ${JSON.stringify(group)}` }),
  );
});
