import { isIPv6 } from 'node:net';

/** An IPv6 network: its first address as a number, and its prefix length. */
export interface Subnet6 {
  readonly base: bigint;
  /** 0 … 128. */
  readonly prefix: number;
}

const BITS = 128;
const GROUPS = 8;

/** Undefined for anything but an IPv6 address without a zone. */
export function parseAddress6(text: string): bigint | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = text.split('::', 2);
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const zeros = tail === undefined ? 0 : GROUPS - before.length - after.length;
  const groups = [...before, ...Array<number>(Math.max(zeros, 0)).fill(0), ...after];
  return groups.reduce((sum, group) => (sum << 16n) + BigInt(group), 0n);
}

/** Groups of 16 bits; the end may be an IPv4 address. */
function groupsOf(text: string): readonly number[] {
  return text
    .split(':')
    .filter((group) => group !== '')
    .flatMap((group) => {
      if (!group.includes('.')) return [Number.parseInt(group, 16)];
      const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
      return [a * 256 + b, c * 256 + d];
    });
}

/** The text of RFC 5952: the first of the longest runs of zeros is `::`. */
export function address6Text(address: bigint): string {
  const groups = Array.from({ length: GROUPS }, (_, index) => (address >> BigInt(112 - 16 * index)) & 0xffffn);
  let [start, length] = [0, 0];
  for (let at = 0; at < GROUPS; at += 1) {
    let run = 0;
    while (at + run < GROUPS && groups[at + run] === 0n) run += 1;
    if (run > length) [start, length] = [at, run];
  }
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** As plugins write it; a text that is no address stays unchanged. */
export function canonicalAddress6(text: string): string {
  const address = parseAddress6(text);
  return address === undefined ? text : address6Text(address);
}

/** In network order; undefined for anything but an IPv6 address. */
export function address6Bytes(text: string): Buffer | undefined {
  const address = parseAddress6(text);
  return address === undefined ? undefined : Buffer.from(address.toString(16).padStart(32, '0'), 'hex');
}

/** `fd00:1::/64`; with host bits, the network that contains the address. Undefined for anything else. */
export function parseSubnet6(text: string): Subnet6 | undefined {
  const [address = '', bits = '', ...more] = text.split('/');
  const base = parseAddress6(address);
  const prefix = Number(bits);
  if (base === undefined || more.length > 0 || !/^\d{1,3}$/.test(bits) || prefix > BITS) return undefined;
  return { base: base - (base % sizeOf(prefix)), prefix };
}

export function subnet6Text({ base, prefix }: Subnet6): string {
  return `${address6Text(base)}/${prefix}`;
}

/** Number of addresses. */
const sizeOf = (prefix: number): bigint => 1n << BigInt(BITS - prefix);

export function overlaps6(a: Subnet6, b: Subnet6): boolean {
  return a.base < b.base + sizeOf(b.prefix) && b.base < a.base + sizeOf(a.prefix);
}

export function holdsAddress6(subnet: Subnet6, address: bigint): boolean {
  return address >= subnet.base && address < subnet.base + sizeOf(subnet.prefix);
}

/** The first and last address for machines: in all of the subnet, or in a range of it. */
export function spanOf6(subnet: Subnet6, range: Subnet6 = subnet): { readonly first: bigint; readonly last: bigint } {
  const first = range.base > subnet.base ? range.base : subnet.base + 1n;
  return { first, last: range.base + sizeOf(range.prefix) - 1n };
}

/** A unique local network (RFC 4193) of 64 bits. @param random 14 hexadecimal digits */
export function localSubnet6(random: string): Subnet6 {
  return { base: BigInt(`0xfd${random}`) << 64n, prefix: 64 };
}
