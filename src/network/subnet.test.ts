import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addressText,
  chooseSubnet,
  holdsAddress,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
  subnetText,
} from './subnet.ts';

const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const subnet = fc.tuple(address, fc.integer({ min: 1, max: 32 })).map(([base, prefix]) => {
  const parsed = parseSubnet(`${addressText(base)}/${prefix}`);
  if (!parsed) throw new Error('no subnet');
  return parsed;
});
const net = (text: string): Subnet => parseSubnet(text) ?? { base: -1, prefix: 0 };

describe('subnets', () => {
  test('every formatted address is parsed', () => {
    fc.assert(fc.property(address, (value) => parseAddress(addressText(value)) === value));
  });

  test('every formatted subnet is parsed, and contains its original address', () => {
    fc.assert(
      fc.property(address, fc.integer({ min: 1, max: 32 }), (value, prefix) => {
        const parsed = net(`${addressText(value)}/${prefix}`);
        expect(parseSubnet(subnetText(parsed))).toEqual(parsed);
        expect(holdsAddress(parsed, value)).toBe(true);
      }),
    );
  });

  test('two subnets overlap if one contains the first address of the other', () => {
    fc.assert(
      fc.property(subnet, subnet, (a, b) => {
        expect(overlaps(a, b)).toBe(holdsAddress(a, b.base) || holdsAddress(b, a.base));
        expect(overlaps(a, b)).toBe(overlaps(b, a));
      }),
    );
  });

  test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0/8', '256.0.0.0/8', '10.0.0.0/8/8', '::1/64', '10.0.0.0/ 8'])(
    '%s is no subnet',
    (text) => expect(parseSubnet(text)).toBeUndefined(),
  );

  test('the chosen subnet overlaps with none in use', () => {
    fc.assert(
      fc.property(fc.array(subnet, { maxLength: 20 }), (taken) => {
        const chosen = chooseSubnet(taken);
        expect(chosen === undefined || taken.every((other) => !overlaps(chosen, other))).toBe(true);
      }),
    );
  });

  test('the first free subnet is chosen, and none if all are in use', () => {
    const chosen = chooseSubnet([]);
    expect(chosen && subnetText(chosen)).toBe('10.80.0.0/20');
    const next = chooseSubnet([net('10.80.0.0/20'), net('10.80.16.7/32')]);
    expect(next && subnetText(next)).toBe('10.80.32.0/20');
    expect(chooseSubnet([net('0.0.0.0/0')])).toBeUndefined();
  });
});
