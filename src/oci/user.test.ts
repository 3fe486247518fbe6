import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { resolveUser } from './user.ts';

const PASSWD = `root:x:0:0:root:/root:/bin/sh
# a comment
app:x:1000:1001:App:/srv/app:/bin/sh
  spaced:x:5:5::/:
7:x:70:70:a name that is a number:/seven:
app:x:9:9:a second one:/nine:
homeless:x:2000:2000
huge:x:4294967296:0:would wrap to root:/:
word:x:zero:0::/:
`;
const GROUP = `root:x:0:
adm:x:4:root,app
audio:x:29:app
# audio:x:30:app
app:x:1001:
wide:x:99999999999:app
`;

function resolve(user: string, groupAdd: readonly string[] = [], passwd: string | undefined = PASSWD) {
  return resolveUser({ user, groupAdd, passwd, group: GROUP });
}

describe('the user of a container', () => {
  test.each([
    ['', { uid: 0, gid: 0, additionalGids: [0, 4], home: '/root' }],
    ['root', { uid: 0, gid: 0, additionalGids: [0, 4], home: '/root' }],
    ['app', { uid: 1000, gid: 1001, additionalGids: [1001, 4, 29], home: '/srv/app' }],
    ['1000', { uid: 1000, gid: 1001, additionalGids: [1001, 4, 29], home: '/srv/app' }],
    ['+1000', { uid: 1000, gid: 1001, additionalGids: [1001, 4, 29], home: '/srv/app' }],
    ['4711', { uid: 4711, gid: 0, additionalGids: [0], home: '/' }],
    ['app:audio', { uid: 1000, gid: 29, additionalGids: [29], home: '/srv/app' }],
    ['app:4242', { uid: 1000, gid: 4242, additionalGids: [4242], home: '/srv/app' }],
    ['4711:audio', { uid: 4711, gid: 29, additionalGids: [29], home: '/' }],
    [':audio', { uid: 0, gid: 29, additionalGids: [29], home: '/root' }],
    ['app:', { uid: 1000, gid: 1001, additionalGids: [1001, 4, 29], home: '/srv/app' }],
    ['app:audio:more', { uid: 1000, gid: 29, additionalGids: [29], home: '/srv/app' }],
    ['7', { uid: 7, gid: 0, additionalGids: [0], home: '/' }],
    ['spaced', { uid: 5, gid: 5, additionalGids: [5], home: '/' }],
    ['homeless', { uid: 2000, gid: 2000, additionalGids: [2000], home: '/' }],
    ['2147483647', { uid: 2147483647, gid: 0, additionalGids: [0], home: '/' }],
  ])('%j', (user, expected) => expect(resolve(user)).toEqual(expected));

  test('without passwd and group, ids and root still work', () => {
    const bare = { groupAdd: ['5'], passwd: undefined, group: undefined };
    expect(resolveUser({ user: '', ...bare })).toEqual({ uid: 0, gid: 0, additionalGids: [0, 5], home: '/' });
    expect(resolveUser({ user: '5:6', ...bare })).toEqual({ uid: 5, gid: 6, additionalGids: [6, 5], home: '/' });
  });

  test('--group-add takes names and ids, each once', () => {
    expect(resolve('app', ['audio', '29', 'root', '12345', '12345']).additionalGids).toEqual([1001, 4, 29, 0, 12345]);
  });
});

describe('errors in users and groups', () => {
  test.each([
    ['foo', [], 'unable to find user foo: no matching entries in passwd file'],
    ['app:bar', [], 'unable to find group bar: no matching entries in group file'],
    ['app', ['bar'], 'unable to find group bar: no matching entries in group file'],
    ['-1', [], 'uids and gids must be in range 0-2147483647'],
    ['2147483648', [], 'uids and gids must be in range 0-2147483647'],
    ['0:4294967296', [], 'uids and gids must be in range 0-2147483647'],
    ['0', ['-5'], 'uids and gids must be in range 0-2147483647'],
    ['99999999999999999999', [], 'unable to find user 99999999999999999999: no matching entries in passwd file'],
    ['huge', [], 'unable to find user huge: no matching entries in passwd file'],
    ['word', [], 'unable to find user word: no matching entries in passwd file'],
    ['0:wide', [], 'unable to find group wide: no matching entries in group file'],
  ])('refuses %j with %j', (user, groupAdd, message) => {
    expect(() => resolve(user, groupAdd)).toThrow(expect.objectContaining({ code: 'INVALID', message }));
  });
});

test('property: hostile files give valid ids or a HealthctlError', () => {
  const line = fc
    .array(fc.oneof(fc.string(), fc.integer().map(String), fc.constant('app'), fc.constant('')))
    .map((parts) => parts.join(':'));
  const file = fc.oneof(
    fc.string(),
    fc.array(line).map((lines) => lines.join('\n')),
  );
  const user = fc.oneof(fc.string(), fc.constantFrom('', 'app', 'app:app', '0'), line);
  fc.assert(
    fc.property(user, fc.array(fc.string()), file, file, (name, groupAdd, passwd, group) => {
      try {
        const resolved = resolveUser({ user: name, groupAdd, passwd, group });
        for (const id of [resolved.uid, resolved.gid, ...resolved.additionalGids]) {
          expect(Number.isInteger(id) && id >= 0 && id < 2 ** 31).toBe(true);
          expect(Object.is(id, -0)).toBe(false);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(HealthctlError);
      }
    }),
  );
});
