import { describe, expect, test } from 'vitest';
import { resolvConfFrom, upstreamsFrom } from './resolv-conf.ts';

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

  test("on a user network asks the monitor's server first", () => {
    const host = 'nameserver 10.0.0.2\noptions rotate edns0\n';
    expect(resolvConfFrom(host, none, true)).toBe(
      'nameserver 127.0.0.11\nnameserver 10.0.0.2\noptions edns0 ndots:0\n',
    );
    const given = { servers: ['127.0.0.11', '1.1.1.1'], search: ['a.example'], options: ['ndots:2'] };
    expect(resolvConfFrom(host, given, true)).toBe(
      'nameserver 127.0.0.11\nnameserver 1.1.1.1\nsearch a.example\noptions ndots:2\n',
    );
  });
});

describe("the servers that the monitor's server asks", () => {
  const FALLBACK = ['8.8.8.8', '8.8.4.4'].map((address) => ({ address, isOfHost: false }));

  test("are the given ones, or the host's, those on its loopback from the host", () => {
    const host = 'nameserver 127.0.0.53\nnameserver 10.0.0.2\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver x\n';
    expect(upstreamsFrom(host, [])).toEqual([
      { address: '127.0.0.53', isOfHost: true },
      { address: '10.0.0.2', isOfHost: false },
      { address: '::1', isOfHost: true },
      { address: 'fe80::1%eth0', isOfHost: true },
    ]);
    expect(upstreamsFrom(host, ['127.0.0.1', '2001:db8::1'])).toEqual([
      { address: '127.0.0.1', isOfHost: false },
      { address: '2001:db8::1', isOfHost: false },
    ]);
    expect(upstreamsFrom('', [])).toEqual(FALLBACK);
  });

  test('are never itself', () => {
    const own = ['127.0.0.11', '::ffff:127.0.0.11', '::ffff:7f00:b', '0:0:0:0:0:ffff:7f00:000b'];
    expect(upstreamsFrom(own.map((address) => `nameserver ${address}\n`).join(''), own)).toEqual(FALLBACK);
  });
});
