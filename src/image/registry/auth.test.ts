import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChallenges } from './auth.ts';
import { isLocalHost } from './endpoint.ts';

describe('parseChallenges', () => {
  test.each([
    ['', []],
    ['Basic realm="x"', [{ scheme: 'basic', parameters: { realm: 'x' } }]],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/busybox:pull"',
      [
        {
          scheme: 'bearer',
          parameters: {
            realm: 'https://auth.docker.io/token',
            service: 'registry.docker.io',
            scope: 'repository:library/busybox:pull',
          },
        },
      ],
    ],
    [
      'Negotiate, Basic realm=x , Bearer Realm = "a\\"b" ',
      [
        { scheme: 'negotiate', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'x' } },
        { scheme: 'bearer', parameters: { realm: 'a"b' } },
      ],
    ],
    ['realm="no scheme"', []],
  ])('parses %s', (header, challenges) => expect(parseChallenges(header)).toEqual(challenges));

  test('ends for any header', () => {
    fc.assert(fc.property(fc.string(), (header) => Array.isArray(parseChallenges(header))));
    const start = performance.now();
    for (const part of ['a', ' ', ',', 'a=', '"', '\\', 'a="']) parseChallenges(part.repeat(16_000));
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

test.each([
  ['localhost', true],
  ['localhost:5000', true],
  ['127.0.0.1:5000', true],
  ['127.255.0.1', true],
  ['[::1]:5000', true],
  ['127.0.0.1.example.com', false],
  ['localhost.example.com', false],
  ['10.0.0.1', false],
  ['docker.io', false],
])('isLocalHost %s', (host, local) => expect(isLocalHost(host)).toBe(local));
