import { networkInterfaces } from 'node:os';
import { HealthctlError } from '../lib/errors.ts';
import { randomHex } from '../lib/random.ts';
import { isBoolean, isText, objectOf, optional } from '../lib/shape.ts';
import {
  address6Text,
  holdsAddress6,
  localSubnet6,
  overlaps6,
  parseAddress6,
  parseSubnet6,
  type Subnet6,
  spanOf6,
  subnet6Text,
} from './subnet6.ts';

/** The IPv6 side of a network. */
export interface Addresses6 {
  /** `fd12:3456:789a:1::/64`. */
  readonly subnet: string;
  /** The part of the subnet for containers' addresses; absent: all of it. */
  readonly ipRange?: string;
  readonly gateway: string;
  /** Nobody asked for this subnet: nobody may ask for an address of it. */
  readonly isSubnetChosen?: boolean;
}

/** What a user gives; without a subnet one is chosen. */
export type AskedAddresses6 = Partial<Omit<Addresses6, 'isSubnetChosen'>>;

/** Leaves room for machines. */
const LONGEST_PREFIX = 126;

/** Throws INVALID and CONFLICT with Docker's texts. @param known the subnets of our other networks */
export function addresses6For(asked: AskedAddresses6, known: readonly string[]): Addresses6 {
  const refuse = (message: string) => new HealthctlError('INVALID', message);
  const taken = [...known, ...interfaceSubnets()].flatMap((text) => parseSubnet6(text) ?? []);
  const isChosen = asked.subnet === undefined;
  const subnet = isChosen ? chooseSubnet6(taken) : parseSubnet6(asked.subnet ?? '');
  if (!subnet || subnet.prefix > LONGEST_PREFIX)
    throw refuse(`invalid subnet ${asked.subnet}: it must be one of IPv6, like fd00:1::/64`);
  if (taken.some((other) => overlaps6(subnet, other)))
    throw new HealthctlError('CONFLICT', 'invalid pool request: Pool overlaps with other one on this address space', {
      hint: `${subnet6Text(subnet)} overlaps with a network or an interface of this host`,
    });
  const range = asked.ipRange === undefined ? undefined : parseSubnet6(asked.ipRange);
  if (asked.ipRange !== undefined && (!range || range.prefix < subnet.prefix || !holdsAddress6(subnet, range.base)))
    throw refuse(`no matching subnet for range ${asked.ipRange}`);
  const gateway = gateway6For(asked.gateway, subnet, range);
  return {
    ...{ subnet: subnet6Text(subnet), gateway },
    ...(range && { ipRange: subnet6Text(range) }),
    ...(isChosen && { isSubnetChosen: true }),
  };
}

function gateway6For(text: string | undefined, subnet: Subnet6, range: Subnet6 | undefined): string {
  if (text === undefined) return address6Text(spanOf6(subnet, range).first);
  const address = parseAddress6(text);
  if (address === undefined) throw new HealthctlError('INVALID', `invalid gateway address: ${text}`);
  if (holdsAddress6(subnet, address)) return address6Text(address);
  throw new HealthctlError('INVALID', `no matching subnet for gateway ${text}`);
}

function chooseSubnet6(taken: readonly Subnet6[]): Subnet6 {
  const subnet = localSubnet6(randomHex(7));
  return taken.some((other) => overlaps6(subnet, other)) ? chooseSubnet6(taken) : subnet;
}

/** Each interface of the host has a link-local one, which counts for none. */
function interfaceSubnets(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .flatMap(({ cidr, family, scopeid }) => (family === 'IPv6' && scopeid === 0 && cidr !== null ? [cidr] : []));
}

/** In the stored form. */
export const addresses6Document = ({ subnet, ipRange, gateway, isSubnetChosen }: Addresses6) => ({
  ...{ Subnet: subnet, IPRange: ipRange, Gateway: gateway, SubnetChosen: isSubnetChosen },
});

const isAddresses6 = objectOf({
  ...{ Subnet: isText, IPRange: optional(isText), Gateway: isText, SubnetChosen: optional(isBoolean) },
});

/** Undefined for a damaged document. */
export function addresses6From(value: unknown): Addresses6 | undefined {
  if (!isAddresses6(value) || !parseSubnet6(value.Subnet)) return undefined;
  const { Subnet: subnet, Gateway: gateway, IPRange: ipRange, SubnetChosen } = value;
  return {
    ...{ subnet, gateway },
    ...(ipRange !== undefined && { ipRange }),
    ...(SubnetChosen === true && { isSubnetChosen: true }),
  };
}
