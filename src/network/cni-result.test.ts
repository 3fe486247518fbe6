import { expect, test } from 'vitest';
import { endpointFrom, hostInterfaceFrom } from './cni-result.ts';

const RESULT = {
  cniVersion: '0.4.0',
  interfaces: [
    { name: 'hctl0', mac: '2e:28:4c:2f:75:98' },
    { name: 'veth1a2b3c4d', mac: '2e:28:4c:2f:75:99' },
    { name: 'eth0', mac: 'f6:fc:a1:a9:d8:29', sandbox: '/proc/1/ns/net' },
  ],
  ips: [{ version: '4', interface: 2, address: '10.80.0.5/20', gateway: '10.80.0.1' }],
};

test('finds address and interface in the container', () => {
  expect(endpointFrom(RESULT, 'eth0')).toEqual({
    address: '10.80.0.5',
    prefix: 20,
    gateway: '10.80.0.1',
    mac: 'f6:fc:a1:a9:d8:29',
  });
});

test.each([undefined, null, 'x', {}, { ips: [] }, { ips: [{ address: 5 }] }])('finds no address in %j', (result) => {
  expect(endpointFrom(result, 'eth0')).toBeUndefined();
});

test('finds the interface on the host', () => {
  expect(hostInterfaceFrom(RESULT, 'hctl0')).toBe('veth1a2b3c4d');
  const [bridge, , inContainer] = RESULT.interfaces;
  expect(hostInterfaceFrom({ ...RESULT, interfaces: [bridge, inContainer] }, 'hctl0')).toBeUndefined();
});

test.each([undefined, null, 'x', {}, { interfaces: [{ name: 5 }] }])(
  'finds no interface on the host in %j',
  (result) => {
    expect(hostInterfaceFrom(result, 'hctl0')).toBeUndefined();
  },
);
