import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AUTHORITY } from '../../testbed/certificates.ts';
import {
  grpcItems,
  httpItems,
  isNativeType,
  type NativeTest,
  parseEndpoint,
  parseHeader,
  parseHttpUrl,
  parseNativeTest,
  parseStatuses,
} from './native-test.ts';

const native = ([type = '', ...items]: readonly string[]) => {
  if (!isNativeType(type)) throw new Error(type);
  return parseNativeTest(type, items);
};

describe('parseNativeTest', () => {
  const http = {
    ...{ kind: 'http', tls: undefined, host: 'localhost', port: 80, path: '/', authority: 'localhost' },
    ...{ headers: [], statuses: [{ from: 200, to: 399 }] },
  } as const satisfies NativeTest;
  const tls = { name: 'localhost', verify: false, ca: undefined };
  const https = { ...http, port: 443, tls };
  const grpc = { kind: 'grpc', host: 'a', port: 1, service: '', authority: 'a:1', tls: undefined } as const;
  const pem = AUTHORITY;

  test.each<[readonly string[], NativeTest]>([
    [['HTTP', 'http://localhost'], http],
    [['HTTP', 'http://localhost:8080/a?b#c'], { ...http, port: 8080, path: '/a?b', authority: 'localhost:8080' }],
    [['HTTP', 'HTTPS://[::1]/'], { ...http, tls: { ...tls, name: '::1' }, host: '::1', port: 443, authority: '[::1]' }],
    [['HTTP', 'https://localhost', `ca=${pem}`], { ...https, tls: { ...tls, ca: pem, verify: true } }],
    [['HTTP', 'https://localhost', `ca=${pem}`, 'verify=false'], { ...https, tls: { ...tls, ca: pem } }],
    [
      ['HTTP', 'https://localhost', 'header=host: app.example.org:8443'],
      { ...https, headers: [['host', 'app.example.org:8443']], tls: { ...tls, name: 'app.example.org' } },
    ],
    [
      ['HTTP', 'https://localhost', 'header=Host: [::1]:80'],
      { ...https, headers: [['Host', '[::1]:80']], tls: { ...tls, name: '::1' } },
    ],
    [['HTTP', 'https://localhost', 'header=Host: no name'], { ...https, headers: [['Host', 'no name']], tls }],
    [['HTTP', 'http://localhost:443'], { ...http, port: 443, authority: 'localhost:443' }],
    [
      ['HTTP', 'http://localhost', 'header=A: b=c', 'header=A:d', 'status=204', 'verify=true'],
      {
        ...http,
        statuses: [{ from: 204, to: 204 }],
        headers: [
          ['A', 'b=c'],
          ['A', 'd'],
        ],
      },
    ],
    [['TCP', 'db:5432'], { kind: 'tcp', host: 'db', port: 5432 }],
    [['TCP', '[fe80::1]:1'], { kind: 'tcp', host: 'fe80::1', port: 1 }],
    [['GRPC', '127.0.0.1:50051'], { ...grpc, host: '127.0.0.1', port: 50_051, authority: '127.0.0.1:50051' }],
    [['GRPC', 'a:1', 'my.Service'], { ...grpc, service: 'my.Service' }],
    [['GRPC', 'a:1', ''], grpc],
    [['GRPC', 'a:1', 'tls=true'], { ...grpc, tls: { ...tls, name: 'a' } }],
    [['GRPC', '[::1]:1', 'tls=true'], { ...grpc, host: '::1', authority: '[::1]:1', tls: { ...tls, name: '::1' } }],
    [
      ['GRPC', 'a:1', 'b', 'tls=true', `ca=${pem}`, 'authority=app.example.org:443'],
      {
        ...{ ...grpc, service: 'b', authority: 'app.example.org:443' },
        tls: { name: 'app.example.org', verify: true, ca: pem },
      },
    ],
    [['GRPC', 'a:1', 'service=tls=true'], { ...grpc, service: 'tls=true' }],
  ])('parses %o', (items, value) => {
    expect(native(items)).toEqual({ kind: 'ok', value });
  });

  test.each<[readonly string[], string]>([
    [['HTTP'], '"" does not begin with http:// or https://'],
    [['HTTP', 'localhost:80/'], '"localhost:80/" does not begin with http:// or https://'],
    [['HTTP', 'http://'], '"http://" is not a URL'],
    [['HTTP', 'http://a:b@localhost/'], 'a URL with a user is not taken: give a header Authorization'],
    [['HTTP', 'http://localhost:0/'], '"0" is not a port from 1 to 65535'],
    [
      ['HTTP', 'http://localhost', 'x'],
      '"x" is none of header=NAME: VALUE, status=FROM-TO, ca=CERTIFICATES and verify=true',
    ],
    [['HTTP', 'http://localhost', `ca=${AUTHORITY}`], 'ca= is for https:// alone'],
    [['HTTP', 'https://a', 'ca=/etc/ca.pem'], 'ca=: there is no certificate in PEM (-----BEGIN CERTIFICATE-----)'],
    [['HTTP', 'http://localhost', 'header=x'], '"x" is not a header: give \'NAME: VALUE\''],
    [['HTTP', 'http://localhost', 'header=x: a\r\nb: c'], 'the value of header x is not plain ASCII'],
    [['HTTP', 'http://localhost', 'header=Content-Length: 5'], 'the header Content-Length cannot be set'],
    [['HTTP', 'http://localhost', 'status='], '"" is not a range of statuses: give one like 200-399 or 200,204'],
    [['TCP'], 'TCP takes one item, HOST:PORT'],
    [['TCP', 'a:1', 'b:2'], 'TCP takes one item, HOST:PORT'],
    [['TCP', 'db'], '"db" is not HOST:PORT'],
    [['TCP', ':80'], '":80" is not HOST:PORT'],
    [['TCP', 'db:http'], '"http" is not a port from 1 to 65535'],
    [['TCP', 'db:65536'], '"65536" is not a port from 1 to 65535'],
    [['TCP', '::1:80'], '"::1" is not a host: write an IPv6 address as [::1]'],
    [['TCP', '[::g]:80'], '"[::g]" is not an IPv6 address'],
    [['TCP', 'a b:80'], '"a b" is not a host'],
    [['GRPC'], 'GRPC takes HOST:PORT, a service and options'],
    [['GRPC', 'a:1', 'b', 'c'], '"c" is none of tls=true, verify=true, ca=CERTIFICATES and authority=NAME'],
    [['GRPC', 'a:1', 'tls=yes'], '"tls=yes" is none of tls=true, verify=true, ca=CERTIFICATES and authority=NAME'],
    [['GRPC', 'a:1', 'verify=true'], 'verify=true and ca= need tls=true'],
    [['GRPC', 'a:1', `ca=${AUTHORITY}`], 'verify=true and ca= need tls=true'],
    [['GRPC', 'a:1', 'authority=a b'], '"a b" is not a name: give NAME or NAME:PORT'],
    [['GRPC', 'a:1', 'b\n'], '"b\\n" is not the name of a service'],
  ])('refuses %o', (items, reason) => {
    expect(native(items)).toEqual({ kind: 'malformed', reason });
  });

  test('never throws, and a path never has a line break', () => {
    const items = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constant('http://localhost')), { maxLength: 4 });
    fc.assert(fc.property(fc.constantFrom('HTTP', 'TCP', 'GRPC'), items, (type, rest) => void native([type, ...rest])));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = parseHttpUrl(`http://localhost/${text}`);
        if (parsed.kind === 'ok') expect(parsed.value.path).toMatch(/^\/[\x21-\x7e]*$/);
      }),
    );
  });
});

describe('parsers of option values', () => {
  const port = fc.integer({ min: 1, max: 65_535 });

  test('reads back every host and port', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.domain(), fc.ipV4(), fc.constant('localhost'), fc.constant('my_db')),
        port,
        (host, at) => {
          expect(parseEndpoint(`${host}:${at}`)).toEqual({ kind: 'ok', value: { host, port: at } });
        },
      ),
    );
    fc.assert(
      fc.property(fc.ipV6(), port, (host, at) => {
        expect(parseEndpoint(`[${host}]:${at}`)).toEqual({ kind: 'ok', value: { host, port: at } });
      }),
    );
  });

  test('reads back every range of statuses', () => {
    const status = fc.integer({ min: 100, max: 599 });
    const range = fc.tuple(status, status).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 5 }), (ranges) => {
        const text = ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
        expect(parseStatuses(text)).toEqual({ kind: 'ok', value: ranges });
      }),
    );
    for (const text of ['399-200', '99', '600', '200-', '2xx', '200-299-399', 'all'])
      expect(parseStatuses(text).kind).toBe('malformed');
  });

  test('a header never has a line break', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = parseHeader(text);
        if (parsed.kind === 'ok') expect(parsed.value.join(': ')).not.toMatch(/[\r\n\0]/);
      }),
    );
  });

  test('command line options become items of the test', () => {
    const given = { url: 'http://a', headers: ['A: b', 'C: d'], status: '200', verify: true };
    expect(httpItems(given)).toEqual(['http://a', 'header=A: b', 'header=C: d', 'status=200', 'verify=true']);
    expect(httpItems({ url: 'u', headers: [], status: undefined, verify: false })).toEqual(['u']);
    expect(httpItems({ url: 'u', headers: [], status: undefined, ca: 'PEM' })).toEqual(['u', 'ca=PEM']);
    expect(grpcItems('a:1/b', { tls: true, ca: 'PEM', verify: true, authority: 'c' })).toEqual([
      ...['a:1', 'b', 'tls=true', 'ca=PEM', 'verify=true', 'authority=c'],
    ]);
    expect(grpcItems('a:1')).toEqual(['a:1']);
    expect(grpcItems('a:1/')).toEqual(['a:1']);
    expect(grpcItems('a:1/b/c')).toEqual(['a:1', 'b/c']);
  });

  test('reads back every service, even one that looks like an option', () => {
    const option = fc.constantFrom('tls=true', 'ca=', 'verify=', 'authority=a', 'service=b', 'tls');
    const name = fc.stringMatching(/^[!-~]{1,20}$/);
    fc.assert(
      fc.property(fc.oneof(option, name), fc.boolean(), (service, tls) => {
        expect(native(['GRPC', ...grpcItems(`a:1/${service}`, { tls })])).toMatchObject({
          value: { service, tls: tls ? { name: 'a' } : undefined },
        });
      }),
    );
  });

  test('a requested server name has only characters of a host name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = native(['HTTP', 'https://localhost', `header=Host: ${text}`]);
        if (parsed.kind === 'ok') expect(parsed.value).toMatchObject({ tls: { name: expect.stringMatching(NAME) } });
      }),
    );
    fc.assert(
      fc.property(fc.domain(), fc.constantFrom('', ':443', '.', '.:1'), (name, rest) => {
        const parsed = native(['HTTP', 'https://localhost', `header=Host: ${name}${rest}`]);
        expect(parsed).toMatchObject({ value: { tls: { name } } });
      }),
    );
  });
});

const NAME = /^[\w.-]+$|^[\da-f:.]+$/i;
