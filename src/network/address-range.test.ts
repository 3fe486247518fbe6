import { describe, expect, test } from 'vitest';
import { gatewayFor, rangeFor, spanOf } from './address-range.ts';
import { addressText, parseSubnet, type Subnet, subnetText } from './subnet.ts';

const net = (text: string): Subnet => parseSubnet(text) ?? { base: -1, prefix: 0 };
const subnet = net('10.24.24.0/24');

describe('the address range of a network', () => {
  test.each(['10.24.24.0/25', '10.24.24.128/25', '10.24.24.0/24', '10.24.24.7/32'])('%s', (text) => {
    expect(subnetText(rangeFor(text, subnet))).toBe(text);
  });

  test.each([
    ['10.24.25.0/25', 'no matching subnet for range 10.24.25.0/25'],
    ['10.24.24.0', 'invalid CIDR address: 10.24.24.0'],
    ['x', 'invalid CIDR address: x'],
    ['fd00::/64', 'invalid CIDR address: fd00::/64'],
    [
      '10.24.24.0/23',
      'invalid network config: invalid ip-range 10.24.24.0/23: CIDR block is bigger than its parent subnet',
    ],
    ['10.24.24.0/32', 'invalid network config: invalid ip-range 10.24.24.0/32: no container can have an address of it'],
    ['10.24.24.5/25', 'invalid network config: invalid ip-range 10.24.24.5/25: it should be 10.24.24.0/25'],
  ])('refuses %s', (text, reason) => {
    const refusal = expect.objectContaining({ code: 'INVALID', message: expect.stringContaining(reason) });
    expect(() => rangeFor(text, subnet)).toThrow(refusal);
  });
});

describe('the addresses for containers', () => {
  test.each([
    ['10.24.24.0/24', undefined, '10.24.24.1', '10.24.24.254'],
    ['10.24.24.0/24', '10.24.24.0/25', '10.24.24.1', '10.24.24.127'],
    ['10.24.24.0/24', '10.24.24.128/25', '10.24.24.128', '10.24.24.254'],
    ['10.24.0.0/16', '10.24.5.0/24', '10.24.5.0', '10.24.5.255'],
    ['10.24.24.0/24', '10.24.24.7/32', '10.24.24.7', '10.24.24.7'],
  ])('in %s, range %s', (whole, range, first, last) => {
    const span = spanOf(net(whole), range === undefined ? undefined : net(range));
    expect([addressText(span.first), addressText(span.last)]).toEqual([first, last]);
  });
});

describe('the gateway', () => {
  test.each([
    [undefined, undefined, '10.24.24.1'],
    [undefined, '10.24.24.128/25', '10.24.24.128'],
    ['10.24.24.9', '10.24.24.128/25', '10.24.24.9'],
  ])('%s in the range %s', (given, range, expected) => {
    expect(gatewayFor(given, subnet, range === undefined ? undefined : net(range))).toBe(expected);
  });

  test.each([
    ['10.24.25.1', 'no matching subnet for gateway 10.24.25.1'],
    ['10.24.24.255', 'no matching subnet for gateway 10.24.24.255'],
    ['x', 'invalid gateway address: x'],
  ])('refuses %s', (text, message) => {
    expect(() => gatewayFor(text, subnet)).toThrow(expect.objectContaining({ code: 'INVALID', message }));
  });
});
