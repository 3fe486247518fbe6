import { describe, expect, test } from 'vitest';
import { resolvConfFrom } from './resolv-conf.ts';

const none = { servers: [], search: [], options: [] };

describe('resolv.conf of a container', () => {
  test("is the host's, without servers on its loopback", () => {
    const host =
      '# made by hand\nnameserver 127.0.0.53\nnameserver 10.0.0.2\nnameserver ::1\nsearch a.example b.example\noptions edns0 ndots:2\n';
    expect(resolvConfFrom(host, none)).toBe('nameserver 10.0.0.2\nsearch a.example b.example\noptions edns0 ndots:2\n');
  });

  test("has Docker's servers if no server is left", () => {
    expect(resolvConfFrom('nameserver 127.0.0.1\n', none)).toBe('nameserver 8.8.8.8\nnameserver 8.8.4.4\n');
  });

  test('each option replaces the same setting of the host', () => {
    const host = 'nameserver 10.0.0.2\nsearch a.example\noptions edns0\n';
    expect(resolvConfFrom(host, { ...none, servers: ['1.1.1.1'] })).toBe(
      'nameserver 1.1.1.1\nsearch a.example\noptions edns0\n',
    );
    expect(resolvConfFrom(host, { ...none, search: ['.'], options: ['ndots:1'] })).toBe(
      'nameserver 10.0.0.2\noptions ndots:1\n',
    );
  });
});
