import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import {
  as,
  type Guard,
  isBoolean,
  isNumber,
  isText,
  isTexts,
  listOf,
  objectOf,
  oneOf,
  optional,
} from '../lib/shape.ts';
import { replaceFile } from '../system/atomic-write.ts';
import type { ProcessIdentity } from '../system/netns.ts';
import { readOwnJson, removeOwn } from '../system/own-file.ts';
import { isAlive, readBootId, readStat } from '../system/proc.ts';
import { type LockedNetworks, type NetworkContext, networkPathsOf } from './network-context.ts';
import type { PluginConfig } from './plugins.ts';
import { PROTOCOLS, type PublishedPort } from './port-spec.ts';

/** The process whose network namespace is attached. */
interface Holder {
  readonly bootId: string;
  readonly pid: number;
  readonly startTimeTicks: number;
}

/** A container's interface on its network, from the plugins' result. */
export interface Endpoint {
  readonly address: string;
  /** Prefix length of the subnet. */
  readonly prefix: number;
  /** Empty if it has none. */
  readonly gateway: string;
  readonly mac: string;
  /** Absent on a network without IPv6. */
  readonly ipv6?: { readonly address: string; readonly prefix: number; readonly gateway: string };
}

/** The addresses to keep from run to run. With another hardware address, neighbours would still use the old one. */
export type InterfaceAddress = Pick<Endpoint, 'address' | 'mac'> & { readonly address6?: string };

/** A container's interface on one of its networks. */
export interface Membership {
  readonly network: string;
  readonly networkId: string;
  /** In the container: `eth0`. */
  readonly interfaceName: string;
  /** The plugins' configurations, in the order of ADD. */
  readonly plugins: readonly PluginConfig[];
  /** Its names for others on a user network; empty on the default one. */
  readonly names: readonly string[];
  /** Further names that it alone has for others of the network: `db:database`. */
  readonly links: readonly string[];
  /** The network with the highest number has the default route. */
  readonly gatewayPriority: number;
  /** The network has no way out. */
  readonly internal: boolean;
  readonly hasIpv6: boolean;
  /** See InterfaceOptions. */
  readonly sysctls: readonly string[];
  /** Absent until the plugins have answered. */
  readonly endpoint?: Endpoint;
  /** The last plugin's result, which DEL gets. */
  readonly result?: unknown;
}

/**
 * One run of a container on its networks: written before the plugins are called, so that everything they make can be
 * undone.
 */
export interface Attachment {
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  readonly holder: Holder;
  /** At least one, in the order in which they were joined. */
  readonly memberships: readonly Membership[];
  readonly ports: readonly PublishedPort[];
  readonly hostname: string;
  readonly domainname?: string;
  /** The container's hosts file. */
  readonly hostsPath: string;
  /** `name:address` of `--add-host`, addresses resolved. */
  readonly extraHosts: readonly string[];
  /**
   * The servers that the monitor's DNS server asks for other names; none: the host's. Absent for a container that it
   * does not serve: one that serves DNS itself, or was started by a version without it.
   */
  readonly nameServers?: readonly string[];
  /**
   * The process that holds the ports, of the same boot as the container. Absent without ports, or before it was
   * started.
   */
  readonly portHolder?: ProcessIdentity;
}

export const membershipOf = (
  { memberships }: Pick<Attachment, 'memberships'>,
  network: string,
): Membership | undefined => memberships.find((one) => one.network === network);

export interface Attached {
  readonly namespace: string;
  readonly id: string;
}

/** Neither half can contain a colon. */
const fileOf = ({ dirs }: Pick<NetworkContext, 'dirs'>, { namespace, id }: Attached): string =>
  join(networkPathsOf(dirs).attached, `${namespace}:${id}.json`);

/** Undefined for a container that is not attached. */
export function readAttachment(ctx: Pick<NetworkContext, 'dirs'>, subject: Attached): Attachment | undefined {
  return readRecord(ctx, fileOf(ctx, subject));
}

/** The container of a file in the directory of attachments. */
export function attachedFrom(fileName: string): Attached | undefined {
  const [, namespace, id] = /^([^.:][^:]*):([^:]+)\.json$/.exec(fileName) ?? [];
  return namespace !== undefined && id !== undefined ? { namespace, id } : undefined;
}

export function listAttachments(ctx: Pick<NetworkContext, 'dirs'>): readonly Attachment[] {
  const { attached } = networkPathsOf(ctx.dirs);
  try {
    return readdirSync(attached)
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .flatMap((name) => readRecord(ctx, join(attached, name)) ?? []);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** Throws EXHAUSTED without space. */
export function writeAttachment(ctx: LockedNetworks, attachment: Attachment): void {
  replaceFile(fileOf(ctx, attachment), `${JSON.stringify(documentOf(attachment))}\n`);
}

export function forgetAttachment(ctx: LockedNetworks, subject: Attached): void {
  removeOwn(fileOf(ctx, subject));
}

/** Whether the process still exists: if not, the attachment is unused. @param bootId of this boot */
export function isHeld({ holder }: Pick<Attachment, 'holder'>, bootId: string = readBootId()): boolean {
  if (holder.bootId !== bootId) return false;
  const stat = readStat(holder.pid);
  return stat?.startTimeTicks === holder.startTimeTicks && isAlive(stat);
}

/** A damaged record counts as none: its attachment can only be found by hand. */
function readRecord({ dirs }: Pick<NetworkContext, 'dirs'>, path: string): Attachment | undefined {
  return readOwnJson(path, (value) => attachmentFrom(value), dirs);
}

/**
 * The first network is where earlier versions wrote the only one: so their records are read alike, and they can release
 * what it has.
 */
function documentOf({ memberships, ...common }: Attachment) {
  const [first, ...others] = memberships;
  return { ...common, ...first, ...(others.length > 0 ? { others } : {}) };
}

function attachmentFrom(value: unknown): Attachment | undefined {
  const document = as(isDocument, value);
  if (!document) return undefined;
  const { namespace, id, name, holder, ports, hostname, domainname, hostsPath, extraHosts } = document;
  const { nameServers, portHolder } = document;
  return {
    ...{ namespace, id, name, holder, ports, hostname, hostsPath, extraHosts },
    ...(domainname === undefined ? {} : { domainname }),
    ...(nameServers === undefined ? {} : { nameServers }),
    ...(portHolder === undefined ? {} : { portHolder }),
    memberships: [document, ...(document.others ?? [])].map(membershipFrom),
  };
}

function membershipFrom(document: MembershipDocument): Membership {
  const { network, networkId, plugins, names, endpoint, result } = document;
  const {
    interfaceName = 'eth0',
    links = [],
    gatewayPriority = 0,
    internal = false,
    hasIpv6 = false,
    sysctls = [],
  } = document;
  return {
    ...{ network, networkId, interfaceName, plugins, names, links, gatewayPriority, internal, hasIpv6, sysctls },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(result === undefined ? {} : { result }),
  };
}

const PROCESS = { pid: isNumber, startTimeTicks: isNumber };

const ADDRESS = { address: isText, prefix: isNumber, gateway: isText };

const MEMBERSHIP = {
  ...{ network: isText, networkId: isText, names: isTexts },
  plugins: listOf(objectOf({ type: isText })),
  endpoint: optional(objectOf({ ...ADDRESS, mac: isText, ipv6: optional(objectOf(ADDRESS)) })),
  ...{ interfaceName: optional(isText), links: optional(isTexts) },
  ...{ gatewayPriority: optional(isNumber), internal: optional(isBoolean), hasIpv6: optional(isBoolean) },
  sysctls: optional(isTexts),
};
const isMembership = objectOf(MEMBERSHIP);
type MembershipDocument = (typeof isMembership extends Guard<infer T> ? T : never) & { readonly result?: unknown };

const isDocument = objectOf({
  ...{ namespace: isText, id: isText, name: isText },
  ...{ hostname: isText, domainname: optional(isText), hostsPath: isText, extraHosts: isTexts },
  nameServers: optional(isTexts),
  holder: objectOf({ bootId: isText, ...PROCESS }),
  portHolder: optional(objectOf(PROCESS)),
  ports: listOf(objectOf({ hostIp: isText, hostPort: isNumber, containerPort: isNumber, protocol: oneOf(PROTOCOLS) })),
  ...MEMBERSHIP,
  others: optional(listOf(isMembership)),
});
