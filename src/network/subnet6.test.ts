import { describe, expect, test } from 'vitest';
import {
  address6Bytes,
  address6Text,
  holdsAddress6,
  localSubnet6,
  overlaps6,
  parseAddress6,
  parseSubnet6,
  spanOf6,
  subnet6Text,
} from './subnet6.ts';

const subnet = (text: string) => parseSubnet6(text) ?? { base: 0n, prefix: 0 };

describe('addresses of IPv6', () => {
  test.each([
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['FD00:0:0:1:0:0:0:2', 'fd00:0:0:1::2'],
    ['fd00:1:0:0:1:0:0:1', 'fd00:1::1:0:0:1'],
    ['1:2:3:4:5:6:0:8', '1:2:3:4:5:6:0:8'],
    ['::ffff:10.1.2.3', '::ffff:a01:203'],
  ])('%s is written as %s', (text, canonical) => {
    expect(address6Text(parseAddress6(text) ?? -1n)).toBe(canonical);
  });

  test.each(['', '10.0.0.1', '1::2::3', 'fe80::1%eth0', '1:2:3', 'g::'])('%j is none', (text) => {
    expect(parseAddress6(text)).toBeUndefined();
    expect(address6Bytes(text)).toBeUndefined();
  });

  test('bytes are in network order', () => {
    expect(address6Bytes('fd00::102')?.toString('hex')).toBe('fd000000000000000000000000000102');
  });
});

describe('networks of IPv6', () => {
  test('have a canonical text, and no host bits', () => {
    expect(subnet6Text(subnet('fd00:0:0:1::5/64'))).toBe('fd00:0:0:1::/64');
    for (const text of ['fd00::', 'fd00::/129', '10.0.0.0/8', 'fd00::/64/1'])
      expect(parseSubnet6(text)).toBeUndefined();
  });

  test('hold addresses, and overlap', () => {
    expect(holdsAddress6(subnet('fd00::/64'), parseAddress6('fd00::ffff:1') ?? 0n)).toBe(true);
    expect(holdsAddress6(subnet('fd00::/64'), parseAddress6('fd00:0:0:1::') ?? 0n)).toBe(false);
    expect(overlaps6(subnet('fd00::/48'), subnet('fd00:0:0:7::/64'))).toBe(true);
    expect(overlaps6(subnet('fd00::/64'), subnet('fd00:0:0:1::/64'))).toBe(false);
  });

  test('have a span for machines', () => {
    const texts = ({ first, last }: { first: bigint; last: bigint }) => [address6Text(first), address6Text(last)];
    expect(texts(spanOf6(subnet('fd00::/120')))).toEqual(['fd00::1', 'fd00::ff']);
    expect(texts(spanOf6(subnet('fd00::/64'), subnet('fd00::80/121')))).toEqual(['fd00::80', 'fd00::ff']);
  });

  test('are local if healthctl chooses them', () => {
    expect(subnet6Text(localSubnet6('0123456789abcd'))).toBe('fd01:2345:6789:abcd::/64');
  });
});
