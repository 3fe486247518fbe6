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

/** The addresses from first to last that machines on a subnet can have: its own, or those of a range in it. */
export function spanOf(subnet: Subnet, range: Subnet = subnet): { readonly first: number; readonly last: number } {
  return {
    first: Math.max(range.base, subnet.base + 1),
    last: Math.min(broadcastOf(range), broadcastOf(subnet) - 1),
  };
}

/**
 * The address of the host; the first that containers could have unless it is given, as with Docker. One that is given may lie outside the
 * range. Throws INVALID with Docker's texts.
 */
export function gatewayFor(text: string | undefined, subnet: Subnet, range?: Subnet): string {
  if (text === undefined) return addressText(spanOf(subnet, range).first);
  const address = parseAddress(text);
  if (address === undefined) throw new HealthctlError('INVALID', `invalid gateway address: ${text}`);
  const { first, last } = spanOf(subnet);
  if (address < first || address > last) throw new HealthctlError('INVALID', `no matching subnet for gateway ${text}`);
  return addressText(address);
}
