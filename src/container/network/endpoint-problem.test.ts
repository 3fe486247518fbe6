import { expect, test } from 'vitest';
import type { NetworkRecord } from '../../network/network-record.ts';
import { plainEndpoint } from '../../record/endpoint-config.ts';
import { endpointProblem } from './endpoint-problem.ts';

const network: NetworkRecord = {
  ...{ id: 'n', name: 'app', created: '', subnet: '10.1.0.0/24', ipRange: '10.1.0.128/25', gateway: '10.1.0.1' },
  ...{ bridge: 'b', internal: false, labels: {} },
};
const INVALID = 'invalid endpoint settings:\n';

test.each([
  ['nothing asked', {}, undefined],
  ['an address', { ipv4Address: '10.1.0.9' }, undefined],
  [
    'outside',
    { ipv4Address: '10.2.0.9' },
    `${INVALID}no configured subnet or ip-range contain the IP address 10.2.0.9`,
  ],
  [
    'no address',
    { ipv4Address: '10.2.0' },
    `${INVALID}* invalid IPv4 address: 10.2.0\n* no configured subnet or ip-range contain the IP address 10.2.0`,
  ],
  [
    'unspecified',
    { ipv4Address: '0.0.0.0' },
    /^invalid endpoint settings:\n\* invalid IPv4 address: 0\.0\.0\.0\n\* no/,
  ],
  ['IPv6', { ipv6Address: 'fd00::1' }, /user specified IP address is supported only/],
  ['a hardware address', { mac: '02:00:00:00:00:01' }, undefined],
  ['a wrong one', { mac: '02:00:00:00:00' }, 'invalid MAC address 02:00:00:00:00'],
])('on a network with a given subnet: %s', (_what, over, problem) => {
  const found = endpointProblem(network, { ...plainEndpoint('app'), ...over });
  if (problem instanceof RegExp) expect(found).toMatch(problem);
  else expect(found).toBe(problem);
});

test('an address needs a subnet that somebody gave, and a network of the user', () => {
  const asked = { ...plainEndpoint('app'), ipv4Address: '10.1.0.9' };
  expect(endpointProblem({ ...network, isSubnetChosen: true }, asked)).toBe(
    `${INVALID}user specified IP address is supported only when connecting to networks with user configured subnets`,
  );
  expect(endpointProblem(undefined, { ...asked, network: 'bridge', aliases: ['x'] })).toBe(
    `${INVALID}* user specified IP address is supported on user defined networks only\n* network-scoped alias is supported only for containers in user defined networks\n* user specified IP address is supported only when connecting to networks with user configured subnets`,
  );
  expect(endpointProblem(undefined, asked)).toBeUndefined();
});
