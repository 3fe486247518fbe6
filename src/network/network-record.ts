import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { rfc3339FromMillis } from '../health/result.ts';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import { randomHex } from '../lib/random.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { isBoolean, isNumber, isObject, isText, objectOf, optional, textMapIn } from '../lib/shape.ts';
import { replaceFile } from '../system/atomic-write.ts';
import { readOwnJson, removeOwn } from '../system/own-file.ts';
import { hasNetworkDevice } from '../system/proc.ts';
import { gatewayFor, rangeFor } from './address-range.ts';
import { readHostSubnets } from './host-subnets.ts';
import {
  type Addresses6,
  type AskedAddresses6,
  addresses6Document,
  addresses6For,
  addresses6From,
} from './network-addresses.ts';
import {
  deniedError,
  type LockedNetworks,
  type NetworkContext,
  type NetworkDirs,
  networkPathsOf,
} from './network-context.ts';
import { DEFAULT_NETWORK, PLAIN_NETWORKS } from './network-names.ts';
import { chooseSubnet, overlaps, parseBridgeSubnet, parseSubnet, type Subnet, subnetText } from './subnet.ts';

/** A bridge network of ours. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  /** RFC 3339. */
  readonly created: string;
  /** `10.80.0.0/20`. */
  readonly subnet: string;
  /** The part of the subnet for containers' addresses, `10.80.4.0/24`; absent: all of it. */
  readonly ipRange?: string;
  /** Nobody asked for this subnet: as in Docker, nobody may ask for an address of it. Absent: somebody may. */
  readonly isSubnetChosen?: boolean;
  readonly gateway: string;
  /** Absent: none. */
  readonly ipv6?: Addresses6;
  /** The Linux bridge, at most 15 characters. */
  readonly bridge: string;
  /** Without a way out. */
  readonly internal: boolean;
  /** Bytes of the largest packet; absent: the kernel's default, 1500. */
  readonly mtu?: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Packets leave with the addresses of their containers. Absent: with that of the host. */
  readonly isMasqueraded?: false;
  /** Driver options as given, those without effect too. */
  readonly options?: Readonly<Record<string, string>>;
  /** Docker's mark for services of a swarm: only shown. */
  readonly attachable?: boolean;
}

/** Prefix of all our bridges' names: the firewall recognises them by it. */
export const BRIDGE_PREFIX = 'hctl';
const DEFAULT_BRIDGE = `${BRIDGE_PREFIX}0`;

/** Id of a built-in network: the same before and after its creation. */
export function builtInIdOf({ hostId }: Pick<NetworkDirs, 'hostId'>, name: string): string {
  return sha256Hex(`${hostId}/${name}`);
}

/** Valid as a network name for CNI, and as a file name. */
const VALID_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** All networks, the oldest first. */
export function listNetworks({ dirs }: Pick<NetworkContext, 'dirs'>): readonly NetworkRecord[] {
  const { networks } = networkPathsOf(dirs);
  return namesIn(networks)
    .flatMap((name) => readOwnJson(join(networks, name), networkFrom, dirs) ?? [])
    .sort((a, b) => Date.parse(a.created) - Date.parse(b.created) || a.name.localeCompare(b.name));
}

/** By name; undefined if there is none. */
export function findNetwork({ dirs }: Pick<NetworkContext, 'dirs'>, name: string): NetworkRecord | undefined {
  if (!VALID_NAME.test(name)) return undefined;
  return readOwnJson(join(networkPathsOf(dirs).networks, `${name}.json`), networkFrom, dirs);
}

export interface NewNetwork {
  readonly name: string;
  readonly subnet?: string;
  /** Only with a subnet. */
  readonly ipRange?: string;
  /** Only with a subnet. */
  readonly gateway?: string;
  /** Absent: no IPv6. */
  readonly ipv6?: AskedAddresses6;
  readonly internal: boolean;
  readonly mtu?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
  readonly attachable?: boolean;
  /** The name of the Linux bridge; by default one is chosen. */
  readonly bridge?: string;
  readonly isMasqueraded?: false;
}

/**
 * Creates a network: a record, no interface yet.
 *
 * @throws ALREADY_EXISTS, INVALID with Docker's texts
 */
export function createNetwork(ctx: LockedNetworks, asked: NewNetwork): NetworkRecord {
  const { name, internal, labels } = asked;
  if (!VALID_NAME.test(name))
    throw new HealthctlError('INVALID', `invalid network name: ${name}: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  const known = listNetworks(ctx);
  if (PLAIN_NETWORKS.includes(name) || known.some((network) => network.name === name))
    throw new HealthctlError('ALREADY_EXISTS', `network with name ${name} already exists`);
  if (asked.subnet === undefined && (asked.ipRange ?? asked.gateway) !== undefined)
    throw new HealthctlError('INVALID', 'every ip-range or gateway must have a corresponding subnet');
  const subnet = subnetFor(asked, known);
  const range = asked.ipRange === undefined ? undefined : rangeFor(asked.ipRange, subnet);
  const gateway = gatewayFor(asked.gateway, subnet, range);
  const known6 = known.flatMap(({ ipv6 }) => ipv6?.subnet ?? []);
  const ipv6 = asked.ipv6 && addresses6For(asked.ipv6, known6);
  const id = name === DEFAULT_NETWORK ? builtInIdOf(ctx.dirs, name) : randomHex(32);
  const network: NetworkRecord = {
    ...{ id, name, gateway, internal, labels },
    created: rfc3339FromMillis(ctx.clock.now()),
    subnet: subnetText(subnet),
    ...(range && { ipRange: subnetText(range) }),
    ...(ipv6 && { ipv6 }),
    ...(asked.subnet === undefined && { isSubnetChosen: true }),
    ...(asked.mtu !== undefined && { mtu: asked.mtu }),
    ...(asked.options && Object.keys(asked.options).length > 0 && { options: asked.options }),
    ...(asked.attachable && { attachable: true }),
    ...(asked.isMasqueraded === false && { isMasqueraded: false }),
    bridge: asked.bridge === undefined ? bridgeFor(name, id) : freeBridge(asked.bridge, known),
  };
  replaceFile(join(networkPathsOf(ctx.dirs).networks, `${name}.json`), `${JSON.stringify(documentOf(network))}\n`);
  return network;
}

/** The network of this name; creates a missing default one. Throws NOT_FOUND. */
export function needNetwork(ctx: LockedNetworks, name: string): NetworkRecord {
  const known = findNetwork(ctx, name);
  if (known) return known;
  if (name !== DEFAULT_NETWORK) throw missingNetwork(name);
  const subnet = ctx.settings.bridgeSubnet;
  return createNetwork(ctx, { name, internal: false, labels: {}, ...(subnet === undefined ? {} : { subnet }) });
}

export const missingNetwork = (name: string): HealthctlError =>
  new HealthctlError('NOT_FOUND', `network ${name} not found`, {
    hint: 'see "healthctl network ls", make one with "healthctl network create"',
  });

/** Removes the record and the directory of its leases. */
export function forgetNetwork({ dirs }: LockedNetworks, { name }: NetworkRecord): void {
  const { networks, leases } = networkPathsOf(dirs);
  removeOwn(join(leases, name));
  removeOwn(join(networks, `${name}.json`));
}

function subnetFor({ subnet: text }: NewNetwork, known: readonly NetworkRecord[]): Subnet {
  const ours = known.flatMap(({ subnet }) => parseSubnet(subnet) ?? []);
  if (text === undefined) {
    const chosen = chooseSubnet([...ours, ...readHostSubnets()]);
    if (chosen) return chosen;
    throw new HealthctlError('EXHAUSTED', 'all predefined address pools have been fully subnetted', {
      hint: 'give one with --subnet',
    });
  }
  const subnet = parseBridgeSubnet(text);
  if (!subnet) throw new HealthctlError('INVALID', `invalid subnet ${text}: it must be one of IPv4, like 10.80.0.0/24`);
  if ([...ours, ...readHostSubnets('/nonexistent')].some((other) => overlaps(subnet, other)))
    throw new HealthctlError('CONFLICT', 'invalid pool request: Pool overlaps with other one on this address space', {
      hint: `${subnetText(subnet)} overlaps with a network, a route or an interface of this host`,
    });
  return subnet;
}

/** Throws CONFLICT with Docker's text for the bridge of another network, and for an interface of the host. */
function freeBridge(bridge: string, known: readonly NetworkRecord[]): string {
  const other = known.find((network) => network.bridge === bridge);
  if (other)
    throw new HealthctlError(
      'CONFLICT',
      `conflicts with network ${other.id} (${other.bridge}): networks have same bridge name`,
    );
  if (!hasNetworkDevice(bridge)) return bridge;
  throw new HealthctlError('CONFLICT', `this host has an interface ${bridge} already`);
}

function bridgeFor(name: string, id: string): string {
  const isTaken = hasNetworkDevice(DEFAULT_BRIDGE);
  return name === DEFAULT_NETWORK && !isTaken ? DEFAULT_BRIDGE : `${BRIDGE_PREFIX}-${id.slice(0, 10)}`;
}

const documentOf = ({ id, name, created, subnet, ipRange, gateway, bridge, ...rest }: NetworkRecord) => ({
  ...{ Id: id, Name: name, Created: created, Subnet: subnet, IPRange: ipRange, Gateway: gateway, Bridge: bridge },
  ...{ Internal: rest.internal, MTU: rest.mtu, Labels: rest.labels, SubnetChosen: rest.isSubnetChosen },
  Masquerade: rest.isMasqueraded,
  ...{ Options: rest.options, Attachable: rest.attachable, IPv6: rest.ipv6 && addresses6Document(rest.ipv6) },
});

const isDocument = objectOf({
  ...{ Id: isText, Name: isText, Created: isText, Subnet: isText, Gateway: isText, Bridge: isText },
  ...{ IPRange: optional(isText), Internal: isBoolean, MTU: optional(isNumber), Labels: isObject },
  ...{ SubnetChosen: optional(isBoolean), Options: optional(isObject), Attachable: optional(isBoolean) },
  Masquerade: optional(isBoolean),
  IPv6: optional(isObject),
});

function networkFrom(value: unknown): NetworkRecord | undefined {
  if (!isDocument(value) || !VALID_NAME.test(value.Name)) return undefined;
  const { IPRange: ipRange, MTU: mtu } = value;
  if (ipRange !== undefined && !parseSubnet(ipRange)) return undefined;
  const ipv6 = addresses6From(value.IPv6);
  return {
    ...{ id: value.Id, name: value.Name, created: value.Created, subnet: value.Subnet },
    ...{ ...(ipRange !== undefined && { ipRange }), ...(mtu !== undefined && { mtu }) },
    ...(value.SubnetChosen === true && { isSubnetChosen: true }),
    ...(value.Options && { options: textMapIn(value.Options) }),
    ...(value.Attachable === true && { attachable: true }),
    ...(value.Masquerade === false && { isMasqueraded: false }),
    ...(ipv6 && { ipv6 }),
    ...{ gateway: value.Gateway, bridge: value.Bridge, internal: value.Internal, labels: textMapIn(value.Labels) },
  };
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw deniedError(error, directory);
  }
}
