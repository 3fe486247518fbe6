import { expect, test } from 'vitest';
import { endpointFrom } from './cni-result.ts';

const RESULT = {
  cniVersion: '0.4.0',
  interfaces: [
    { name: 'hctl0', mac: '2e:28:4c:2f:75:98' },
    { name: 'eth0', mac: 'f6:fc:a1:a9:d8:29', sandbox: '/proc/1/ns/net' },
  ],
  ips: [{ version: '4', interface: 1, address: '10.80.0.5/20', gateway: '10.80.0.1' }],
};

test('the address, and the interface in the container', () => {
  expect(endpointFrom(RESULT, 'eth0')).toEqual({
    address: '10.80.0.5',
    prefix: 20,
    gateway: '10.80.0.1',
    mac: 'f6:fc:a1:a9:d8:29',
  });
});

test.each([undefined, null, 'x', {}, { ips: [] }, { ips: [{ address: 5 }] }])('%j tells no address', (result) => {
  expect(endpointFrom(result, 'eth0')).toBeUndefined();
});
