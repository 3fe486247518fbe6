import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { parseTmpfs, parseVolume } from './mount-flags.ts';

const usage = (message: string) => expect.objectContaining({ code: 'USAGE', message });
const parse = (text: string) => parseVolume(text, '/home/me');

describe('-v', () => {
  const usual = { source: '/a', destination: '/b', readOnly: false, propagation: 'rprivate' };
  test.each([
    ['/a:/b', usual],
    ['/a:/b:rw', usual],
    ['/a:/b:', usual],
    ['/a/./c/..//:/x/../b/', usual],
    ['/a:/b:ro', { ...usual, readOnly: true }],
    ['/a:/b:ro,rslave', { ...usual, readOnly: true, propagation: 'rslave' }],
    ['/a:/b:z', { ...usual, relabel: 'shared' }],
    ['/a:/b:Z,ro,cached', { ...usual, readOnly: true, relabel: 'private' }],
    ['./a:/b', { ...usual, source: '/home/me/a' }],
    ['.:/b', { ...usual, source: '/home/me' }],
    ['../a:/b', { ...usual, source: '/home/a' }],
    ['/:/b', { ...usual, source: '/' }],
  ])('%s', (text, expected) => expect(parse(text)).toEqual(expected));

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
    [
      'a/b:/c',
      'create a/b: "a/b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    ],
    ['data:/c', 'named volumes are not supported yet: "data"'],
    ['/data', 'anonymous volumes are not supported yet: "/data"'],
  ])('%j: %s', (text, message) => expect(() => parse(text)).toThrow(usage(message)));

  test('volumes say what to do', () => {
    expect(() => parse('data:/c')).toThrow(
      expect.objectContaining({ hint: 'give the absolute path of a host directory, e.g. -v /host/directory:/c' }),
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
  ])('%s', (text, options) => expect(parseTmpfs(text)).toEqual({ destination: '/run', options }));

  test.each([
    ['run', "invalid mount path: 'run' mount path must be absolute"],
    ['/', "invalid specification: destination can't be '/'"],
    ['/run:bogus', 'invalid tmpfs option ["bogus"]'],
    ['/run:lowerdir=/x', 'invalid tmpfs option ["lowerdir" "/x"]'],
    ['/run:size', 'invalid tmpfs option ["size"]'],
  ])('%s: %s', (text, message) => expect(() => parseTmpfs(text)).toThrow(usage(message)));
});

test('property: what is accepted is absolute and clean, the rest is a HealthctlError', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom('/a', '/a/../b', '.', 'ro', 'z', 'size=1', '', '/'));
  const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(':'));
  fc.assert(
    fc.property(text, (given) => {
      for (const parseText of [parse, parseTmpfs]) {
        try {
          const { destination } = parseText(given);
          expect(destination).toMatch(/^\/./);
          expect(destination.split('/')).not.toContain('..');
        } catch (error) {
          expect(error).toBeInstanceOf(HealthctlError);
        }
      }
    }),
  );
});
