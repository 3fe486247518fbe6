import { HealthctlError } from '../lib/errors.ts';
import {
  addressText,
  broadcastOf,
  holdsAddress,
  parseAddress,
  parseSubnet,
  type Subnet,
  subnetText,
} from './subnet.ts';

/** `--ip-range`. Throws INVALID with Docker's texts (docker/cli network create, moby ValidateIPAM). */
export function rangeFor(text: string, subnet: Subnet): Subnet {
  const refuse = (message: string) => new HealthctlError('INVALID', message);
  const range = parseSubnet(text);
  const given = parseAddress(text.split('/')[0] ?? '');
  if (!range || given === undefined) throw refuse(`invalid CIDR address: ${text}`);
  if (!holdsAddress(subnet, given)) throw refuse(`no matching subnet for range ${text}`);
  const refuseBlock = (reason: string) => refuse(`invalid network config: invalid ip-range ${text}: ${reason}`);
  if (range.prefix < subnet.prefix)
    throw refuseBlock(`CIDR block is bigger than its parent subnet ${subnetText(subnet)}`);
  if (range.base !== given) throw refuseBlock(`it should be ${subnetText(range)}`);
  const { first, last } = spanOf(subnet, range);
  if (first > last) throw refuseBlock('no container can have an address of it');
  return range;
}

/** The first and last address for machines on a subnet: in all of it, or in a range of it. */
export function spanOf(subnet: Subnet, range: Subnet = subnet): { readonly first: number; readonly last: number } {
  return {
    first: Math.max(range.base, subnet.base + 1),
    last: Math.min(broadcastOf(range), broadcastOf(subnet) - 1),
  };
}

/**
 * The address of the host: by default the first one for containers, as in Docker. A given one may be outside the range.
 * Throws INVALID with Docker's texts.
 */
export function gatewayFor(text: string | undefined, subnet: Subnet, range?: Subnet): string {
  if (text === undefined) return addressText(spanOf(subnet, range).first);
  const address = parseAddress(text);
  if (address === undefined) throw new HealthctlError('INVALID', `invalid gateway address: ${text}`);
  const { first, last } = spanOf(subnet);
  if (address < first || address > last) throw new HealthctlError('INVALID', `no matching subnet for gateway ${text}`);
  return addressText(address);
}
