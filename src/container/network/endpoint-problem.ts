import { isIPv4, isIPv6 } from 'node:net';
import { DEFAULT_NETWORK, type NetworkRecord } from '../../network/network-record.ts';
import { holdsAddress, parseAddress, parseSubnet } from '../../network/subnet.ts';
import type { EndpointConfig } from '../../record/endpoint-config.ts';

const MAC = /^[\da-f]{2}(?:([:-])[\da-f]{2}(?:\1[\da-f]{2}){4})$/i;

/**
 * Why a container cannot have these settings on a network, in Docker's words (moby: daemon/container_operations.go,
 * validateEndpointSettings). Undefined if it can.
 *
 * @param network undefined for one that is missing
 */
export function endpointProblem(network: NetworkRecord | undefined, endpoint: EndpointConfig): string | undefined {
  const problems = [
    ...(endpoint.network === DEFAULT_NETWORK ? problemsOnDefault(endpoint) : []),
    ...problemsOfAddresses(endpoint),
    ...(network ? problemsOfRange(network, endpoint) : []),
  ];
  if (endpoint.mac !== undefined && !MAC.test(endpoint.mac)) return `invalid MAC address ${endpoint.mac}`;
  return problems.length === 0 ? undefined : `invalid endpoint settings:\n${problems.join('\n')}`;
}

function problemsOnDefault({ ipv4Address, ipv6Address, aliases }: EndpointConfig): readonly string[] {
  return [
    ...(ipv4Address === undefined && ipv6Address === undefined
      ? []
      : ['user specified IP address is supported on user defined networks only']),
    ...(aliases.length > 0 ? ['network-scoped alias is supported only for containers in user defined networks'] : []),
  ];
}

function problemsOfAddresses({ ipv4Address, ipv6Address }: EndpointConfig): readonly string[] {
  const isWrong4 = ipv4Address !== undefined && (!isIPv4(ipv4Address) || ipv4Address === '0.0.0.0');
  const isWrong6 = ipv6Address !== undefined && (!isIPv6(ipv6Address) || /^[0:]*$/.test(ipv6Address));
  return [
    ...(isWrong4 ? [`invalid IPv4 address: ${ipv4Address}`] : []),
    ...(isWrong6 ? [`invalid IPv6 address: ${ipv6Address}`] : []),
  ];
}

function problemsOfRange(network: NetworkRecord, { ipv4Address, ipv6Address }: EndpointConfig): readonly string[] {
  const unconfigured =
    'user specified IP address is supported only when connecting to networks with user configured subnets';
  const outside = (address: string) => `no configured subnet or ip-range contain the IP address ${address}`;
  const number = ipv4Address === undefined ? undefined : parseAddress(ipv4Address);
  const subnet = parseSubnet(network.subnet);
  const isOutside = number !== undefined && !!subnet && !holdsAddress(subnet, number);
  const isChosen = network.isSubnetChosen === true;
  return [
    ...(ipv4Address !== undefined && isChosen ? [unconfigured] : []),
    ...(ipv4Address !== undefined && !isChosen && isOutside ? [outside(ipv4Address)] : []),
    ...(ipv6Address === undefined ? [] : [unconfigured]),
  ];
}
