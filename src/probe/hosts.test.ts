import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressesInHosts } from './hosts.ts';

const HOSTS = '# names\n127.0.0.1\tlocalhost db # not this\n ::1 localhost\r\n10.0.0.2 DB db.example\n\n10.0.0.3\n';

test.each([
  ['localhost', ['127.0.0.1', '::1']],
  ['db', ['127.0.0.1', '10.0.0.2']],
  ['db.EXAMPLE', ['10.0.0.2']],
  ['this', []],
  ['10.0.0.3', []],
])('finds the addresses of %s', (name, addresses) => {
  expect(addressesInHosts(HOSTS, name)).toEqual(addresses);
});

test('never throws', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, name) => void addressesInHosts(text, name)));
});
