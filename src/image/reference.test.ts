import { parseFamiliarName } from '@swimlane/docker-reference';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { messageOf } from '../lib/errors.ts';
import {
  familiarName,
  familiarRecordName,
  familiarRepository,
  fullName,
  parseReference,
  tryParseReference,
  withDefaultTag,
} from './reference.ts';

const HEX = 'a1b2c3d4'.repeat(8);

describe('parseReference', () => {
  test.each([
    ['busybox', 'docker.io/library/busybox', 'busybox'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['foo/bar', 'docker.io/foo/bar', 'foo/bar'],
    ['docker.io/busybox', 'docker.io/library/busybox', 'busybox'],
    ['index.docker.io/busybox', 'docker.io/library/busybox', 'busybox'],
    ['library/busybox', 'docker.io/library/busybox', 'busybox'],
    ['library/foo/bar', 'docker.io/library/foo/bar', 'library/foo/bar'],
    ['localhost/foo', 'localhost/foo', 'localhost/foo'],
    ['127.0.0.1:5000/foo:1', '127.0.0.1:5000/foo:1', '127.0.0.1:5000/foo:1'],
    ['[::1]:5000/foo', '[::1]:5000/foo', '[::1]:5000/foo'],
    ['Registry/foo', 'Registry/foo', 'Registry/foo'],
    [`busybox@sha256:${HEX}`, `docker.io/library/busybox@sha256:${HEX}`, `busybox@sha256:${HEX}`],
    [`a/b:t@sha256:${HEX}`, `docker.io/a/b:t@sha256:${HEX}`, `a/b:t@sha256:${HEX}`],
    ['a__b--c.d/e', 'docker.io/a__b--c.d/e', 'a__b--c.d/e'],
  ])('parses %s', (text, full, familiar) => {
    if (text.startsWith('a__b')) return expect(() => parseReference(text)).toThrow('invalid reference format');
    const reference = parseReference(text);
    expect(fullName(reference)).toBe(full);
    expect(familiarName(reference)).toBe(familiar);
  });

  test.each([
    ['', 'invalid reference format'],
    ['Foo', 'invalid reference format: repository name (library/Foo) must be lowercase'],
    ['foo/Bar:1', 'invalid reference format: repository name (foo/Bar) must be lowercase'],
    [':latest', 'invalid reference format'],
    ['foo:', 'invalid reference format'],
    ['foo@', 'invalid reference format'],
    ['foo//bar', 'invalid reference format'],
    ['foo bar', 'invalid reference format'],
    ['foo\n', 'invalid reference format'],
    ['-foo', 'invalid reference format'],
    ['foo/../bar', 'invalid reference format'],
    ['../../etc/passwd', 'invalid reference format'],
    [`foo:${'t'.repeat(129)}`, 'invalid reference format'],
    [HEX, `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`],
    ['a'.repeat(256), 'repository name must not be more than 255 characters'],
    [`foo@sha256:${HEX.slice(1)}`, 'invalid checksum digest length'],
    [`foo@md5:${HEX}`, 'unsupported digest algorithm'],
    [`foo@sha256:${HEX.toUpperCase()}`, 'invalid checksum digest format'],
  ])('refuses %j', (text, message) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ message, code: 'INVALID' }));
  });

  test('refuses a long hostile text at once', () => {
    const start = performance.now();
    for (const part of ['a-', 'a.', 'a_', 'a/', '0', '-', 'A-.']) {
      expect(tryParseReference(`${part.repeat(100_000)}!`)).toBeUndefined();
      expect(tryParseReference(`${part.repeat(600)}!`)).toBeUndefined();
    }
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

test('withDefaultTag', () => {
  expect(fullName(withDefaultTag(parseReference('foo')))).toBe('docker.io/library/foo:latest');
  expect(fullName(withDefaultTag(parseReference('foo:1')))).toBe('docker.io/library/foo:1');
  expect(withDefaultTag(parseReference(`foo@sha256:${HEX}`)).tag).toBeUndefined();
});

test('shows the familiar form', () => {
  expect(familiarRepository(parseReference('docker.io/library/foo:1'))).toBe('foo');
  expect(familiarRecordName('docker.io/library/foo:1')).toBe('foo:1');
  expect(familiarRecordName('<none>@sha256:1')).toBe('<none>@sha256:1');
});

describe('compared with an independent port of github.com/distribution/reference', () => {
  const part = fc.stringMatching(/^[a-zA-Z0-9._:@/-]{0,8}$/);
  const plausible = fc
    .tuple(
      fc.constantFrom('', 'localhost/', 'docker.io/', 'reg.io:5000/', 'Reg/', '127.0.0.1/', 'x/', 'index.docker.io/'),
      fc.stringMatching(/^[a-z0-9]{1,3}([._-]{0,3}[a-zA-Z0-9]{1,2}){0,2}(\/[a-z0-9_.-]{0,4}){0,2}$/),
      fc.constantFrom('', ':latest', ':1.0_x', ':', ':-a', ':a:b'),
      fc.constantFrom('', `@sha256:${HEX}`, '@sha256:123', '@', `@sha256:${HEX}@sha256:${HEX}`),
    )
    .map((parts) => parts.join(''));

  test('accepts and refuses the same texts, with the same parts', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          plausible,
          fc.array(part, { maxLength: 4 }).map((parts) => parts.join('/')),
        ),
        (text) => {
          const theirs = oracle(text);
          // The port does not have the rule that a first part with capitals is a registry.
          fc.pre(!/^[^/.:]*[A-Z][^/.:]*\//.test(text));
          // If the port finds no registry in a name that has one, we refuse the name: see parseReference.
          fc.pre(theirs?.domain !== '');
          const ours = tryParseReference(text);
          expect(ours && { domain: ours.domain, path: ours.path, tag: ours.tag, digest: ours.digest }).toEqual(theirs);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('a full name parses to itself', () => {
    fc.assert(
      fc.property(plausible, (text) => {
        const reference = tryParseReference(text);
        fc.pre(reference !== undefined);
        if (reference) expect(parseReference(fullName(reference))).toEqual(reference);
        // `docker.io/a.b/c` is shown as `a.b/c`, which reads as a registry, as in Docker.
        const ambiguous =
          reference?.domain === 'docker.io' && /^(localhost$|[^/]*\.[^/]*\/|localhost\/)/.test(reference.path);
        if (reference && !ambiguous) expect(parseReference(familiarName(reference))).toEqual(reference);
      }),
    );
  });

  function oracle(text: string) {
    try {
      const { domain = '', repository, tag, digest } = parseFamiliarName(text);
      return { domain, path: repository, tag: tag || undefined, digest: digest || undefined };
    } catch (error) {
      expect(messageOf(error)).not.toBe('');
      return undefined;
    }
  }
});
