import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { parseTmpfs, parseVolume } from './mount-flags.ts';
import type { MountRequest } from './mounts.ts';

const usage = (message: string) => expect.objectContaining({ code: 'USAGE', message });
const parse = (text: string) => parseVolume(text, '/home/me');

describe('-v', () => {
  const usual = { source: '/a', destination: '/b', readOnly: false, propagation: 'rprivate', mode: '' };
  test.each([
    ['/a:/b', usual],
    ['/a:/b:rw', { ...usual, mode: 'rw' }],
    ['/a:/b:', usual],
    ['/a/./c/..//:/x/../b/', usual],
    ['/a:/b:ro', { ...usual, mode: 'ro', readOnly: true }],
    ['/a:/b:ro,rslave', { ...usual, mode: 'ro,rslave', readOnly: true, propagation: 'rslave' }],
    ['/a:/b:z', { ...usual, mode: 'z', relabel: 'shared' }],
    ['/a:/b:Z,ro,cached', { ...usual, mode: 'Z,ro,cached', readOnly: true, relabel: 'private' }],
    ['./a:/b', { ...usual, source: '/home/me/a' }],
    ['.:/b', { ...usual, source: '/home/me' }],
    ['../a:/b', { ...usual, source: '/home/a' }],
    ['/:/b', { ...usual, source: '/' }],
  ])('reads the bind %s', (text, expected) => expect(parse(text)).toEqual({ kind: 'bind', bind: expected }));

  const volume = { destination: '/b', readOnly: false, noCopy: false, labels: {} };
  test.each([
    ['/b', volume],
    ['/x/../b/', volume],
    ['data:/b', { ...volume, name: 'data', mode: '' }],
    ['my_data.1-a:/b:ro', { ...volume, name: 'my_data.1-a', readOnly: true, mode: 'ro' }],
    ['data:/b:nocopy,z', { ...volume, name: 'data', noCopy: true, mode: 'nocopy,z' }],
  ])('reads the volume %s', (text, expected) => expect(parse(text)).toEqual({ kind: 'volume', volume: expected }));

  test.each([
    ['', "invalid volume specification: ''"],
    [':/b', "invalid volume specification: ':/b'"],
    ['/a:ro', "invalid volume specification: '/a:ro'"],
    ['/a:/b:ro:x', "invalid volume specification: '/a:/b:ro:x'"],
    ['/a:/b:nonsense', 'invalid mode: nonsense'],
    ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
    ['/a:/', "invalid volume specification: '/a:/': invalid specification: destination can't be '/'"],
    ['/a:/x/..', "invalid volume specification: '/a:/x/..': invalid specification: destination can't be '/'"],
    ['/a:b', "invalid volume specification: '/a:b': invalid mount path: 'b' mount path must be absolute"],
    ['data', "invalid volume specification: 'data': invalid mount path: 'data' mount path must be absolute"],
    ['/', "invalid volume specification: '/': invalid specification: destination can't be '/'"],
    [
      'data:/c:rshared',
      `invalid volume specification: 'data:/c:rshared': invalid mount config for type "volume": field BindOptions must not be specified`,
    ],
    [
      '/a:/c:nocopy',
      `invalid volume specification: '/a:/c:nocopy': invalid mount config for type "bind": field VolumeOptions must not be specified`,
    ],
  ])('refuses %j: %s', (text, message) => expect(() => parse(text)).toThrow(usage(message)));

  test.each(['a/b', '_x', '-x', 'a\\b', 'äb', 'a'.repeat(256)])('refuses the volume name %j', (name) =>
    expect(() => parse(`${name}:/c`)).toThrow(
      expect.objectContaining({
        code: 'INVALID',
        message: `create ${name}: "${name.replace('\\', '\\\\')}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
      }),
    ),
  );

  test('a volume name has two characters or more', () => {
    expect(() => parse('a:/c')).toThrow(
      'create a: volume name is too short, names should be at least two alphanumeric characters',
    );
  });
});

describe('--tmpfs', () => {
  test.each([
    ['/run', ['noexec', 'nosuid', 'nodev', 'rprivate']],
    ['/run:', ['noexec', 'nosuid', 'nodev', 'rprivate']],
    ['/run:defaults,rw', ['noexec', 'nosuid', 'nodev', 'rprivate', 'rw']],
    ['/run:exec,suid,dev', ['rprivate', 'exec', 'suid', 'dev']],
    ['/run:size=64m,mode=1777,size=1m', ['noexec', 'nosuid', 'nodev', 'rprivate', 'mode=1777', 'size=1m']],
    ['/run:ro,rw,shared', ['noexec', 'nosuid', 'nodev', 'rw', 'shared']],
  ])('reads %s', (text, options) => expect(parseTmpfs(text)).toEqual({ destination: '/run', options }));

  test.each([
    ['run', "invalid mount path: 'run' mount path must be absolute"],
    ['/', "invalid specification: destination can't be '/'"],
    ['/run:bogus', 'invalid tmpfs option ["bogus"]'],
    ['/run:lowerdir=/x', 'invalid tmpfs option ["lowerdir" "/x"]'],
    ['/run:size', 'invalid tmpfs option ["size"]'],
  ])('refuses %s: %s', (text, message) => expect(() => parseTmpfs(text)).toThrow(usage(message)));
});

/** The mount point that a text asks for. */
function destinationOf(mount: MountRequest): string {
  if (mount.kind === 'bind') return mount.bind.destination;
  return mount.kind === 'volume' ? mount.volume.destination : mount.tmpfs.destination;
}

test('property: an accepted path is absolute and clean; anything else gives a HealthctlError', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom('/a', '/a/../b', '.', 'ro', 'z', 'size=1', '', '/'));
  const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(':'));
  const parsers = [(given: string) => destinationOf(parse(given)), (given: string) => parseTmpfs(given).destination];
  fc.assert(
    fc.property(text, (given) => {
      for (const destinationIn of parsers) {
        try {
          const destination = destinationIn(given);
          expect(destination).toMatch(/^\/./);
          expect(destination.split('/')).not.toContain('..');
        } catch (error) {
          expect(error).toBeInstanceOf(HealthctlError);
        }
      }
    }),
  );
});
