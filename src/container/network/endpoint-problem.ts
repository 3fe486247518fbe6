import { isIPv4, isIPv6 } from 'node:net';
import { interfaceOptionsOf, interfaceProblems } from '../../network/interface-options.ts';
import type { Addresses6 } from '../../network/network-addresses.ts';
import { DEFAULT_NETWORK } from '../../network/network-names.ts';
import type { NetworkRecord } from '../../network/network-record.ts';
import { holdsAddress, parseAddress, parseSubnet } from '../../network/subnet.ts';
import { holdsAddress6, parseAddress6, parseSubnet6 } from '../../network/subnet6.ts';
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
    ...interfaceProblems(interfaceOptionsOf(endpoint.driverOpts)),
    ...(network ? problemsOfRange(network, endpoint) : problemsWithoutRange(endpoint)),
  ];
  if (endpoint.mac !== undefined && !MAC.test(endpoint.mac)) return `invalid MAC address ${endpoint.mac}`;
  if (problems.length === 0) return undefined;
  // Go's multierror marks the lines of several errors.
  const lines = problems.length === 1 ? problems : problems.map((problem) => `* ${problem}`);
  return `invalid endpoint settings:\n${lines.join('\n')}`;
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

const UNCONFIGURED =
  'user specified IP address is supported only when connecting to networks with user configured subnets';
const outside = (address: string) => `no configured subnet or ip-range contain the IP address ${address}`;

function problemsOfRange6(ipv6: Addresses6 | undefined, address: string): readonly string[] {
  const [number, subnet] = [parseAddress6(address), parseSubnet6(ipv6?.subnet ?? '')];
  if (!ipv6 || ipv6.isSubnetChosen || !subnet) return [UNCONFIGURED];
  return number === undefined || holdsAddress6(subnet, number) ? [] : [outside(address)];
}

/** The default network is made with its first container. Another one that is missing may have any subnet. */
function problemsWithoutRange({ network, ipv4Address, ipv6Address }: EndpointConfig): readonly string[] {
  const isAsked = ipv4Address !== undefined || ipv6Address !== undefined;
  return network === DEFAULT_NETWORK && isAsked ? [UNCONFIGURED] : [];
}

function problemsOfRange(network: NetworkRecord, { ipv4Address, ipv6Address }: EndpointConfig): readonly string[] {
  const number = ipv4Address === undefined ? undefined : parseAddress(ipv4Address);
  const subnet = parseSubnet(network.subnet);
  const isOutside = !!subnet && (number === undefined || !holdsAddress(subnet, number));
  const isChosen = network.isSubnetChosen === true;
  return [
    ...(ipv4Address !== undefined && isChosen ? [UNCONFIGURED] : []),
    ...(ipv4Address !== undefined && !isChosen && isOutside ? [outside(ipv4Address)] : []),
    ...(ipv6Address === undefined ? [] : problemsOfRange6(network.ipv6, ipv6Address)),
  ];
}
