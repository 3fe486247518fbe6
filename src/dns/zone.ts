import type { Attachment, Membership } from '../network/attachment.ts';
import { address6Bytes } from '../network/subnet6.ts';

/** The addresses of a name, one for each container that has it. */
export interface NamedAddresses {
  readonly v4: readonly string[];
  readonly v6: readonly string[];
}

/** The names of a network. */
export interface NetworkNames {
  readonly network: string;
  /** By name in lower case. */
  readonly addresses: ReadonlyMap<string, NamedAddresses>;
  /** By the name of a reverse lookup, e.g. `2.0.80.10.in-addr.arpa`: the container's name on the network, `db.app`. */
  readonly owners: ReadonlyMap<string, string>;
}

/** What one container may ask. */
export interface Zone {
  /** Its own networks, in order. */
  readonly networks: readonly NetworkNames[];
  /** Names that it alone knows, of `--link`. */
  readonly links: ReadonlyMap<string, NamedAddresses>;
}

/** Pure. The names on all user networks: containers on the default network do not find each other. */
export function namesOfNetworks(attachments: readonly Attachment[]): ReadonlyMap<string, NetworkNames> {
  const made = new Map<string, { addresses: Map<string, MutableAddresses>; owners: Map<string, string> }>();
  for (const { name: owner, memberships } of attachments) {
    for (const membership of memberships) {
      const { network, names, endpoint } = membership;
      if (names.length === 0 || !endpoint) continue;
      const of = made.get(network) ?? { addresses: new Map(), owners: new Map() };
      made.set(network, of);
      for (const name of new Set(names.map((text) => text.toLowerCase()))) addTo(of.addresses, name, membership);
      for (const address of addressesOf(membership)) of.owners.set(reverseName(address), `${owner}.${network}`);
    }
  }
  return new Map([...made].map(([network, of]) => [network, { network, ...of }]));
}

interface MutableAddresses {
  readonly v4: string[];
  readonly v6: string[];
}

function addTo(addresses: Map<string, MutableAddresses>, name: string, { endpoint }: Membership): void {
  const all = addresses.get(name) ?? { v4: [], v6: [] };
  if (endpoint) all.v4.push(endpoint.address);
  if (endpoint?.ipv6) all.v6.push(endpoint.ipv6.address);
  addresses.set(name, all);
}

const addressesOf = ({ endpoint }: Membership): readonly string[] =>
  endpoint ? [endpoint.address, ...(endpoint.ipv6 ? [endpoint.ipv6.address] : [])] : [];

/** Pure. @param names of all networks */
export function zoneOf(
  member: Attachment,
  names: ReadonlyMap<string, NetworkNames>,
  attachments: readonly Attachment[],
): Zone {
  return {
    networks: member.memberships.flatMap(({ network, names: own }) => {
      const found = own.length > 0 ? names.get(network) : undefined;
      return found ? [found] : [];
    }),
    links: linksOf(member, attachments),
  };
}

function linksOf(member: Attachment, attachments: readonly Attachment[]): ReadonlyMap<string, NamedAddresses> {
  const links = new Map<string, MutableAddresses>();
  for (const { network, links: own } of member.memberships) {
    for (const link of own) {
      const colon = link.indexOf(':');
      const [target, alias] = colon < 0 ? [link, link] : [link.slice(0, colon), link.slice(colon + 1)];
      const peer = attachments.find(({ name, id }) => name === target || (target !== '' && id.startsWith(target)));
      const its = peer?.memberships.find((one) => one.network === network);
      if (its && !links.has(alias.toLowerCase())) addTo(links, alias.toLowerCase(), its);
    }
  }
  return links;
}

/**
 * Pure. The addresses of a name: as a link, as a name on a network of the container, or as `NAME.NETWORK`. Undefined for
 * a name that belongs to nobody there: another server may know it.
 *
 * @param name in lower case
 */
export function lookUp({ networks, links }: Zone, name: string): NamedAddresses | undefined {
  const linked = links.get(name);
  if (linked) return linked;
  for (const { addresses } of networks) {
    const found = addresses.get(name);
    if (found) return found;
  }
  for (const { network, addresses } of networks) {
    const suffix = `.${network.toLowerCase()}`;
    const found = name.endsWith(suffix) ? addresses.get(name.slice(0, -suffix.length)) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** Pure. The owner of an address, `db.app`. @param name of the reverse lookup, in lower case */
export function lookUpOwner({ networks }: Zone, name: string): string | undefined {
  for (const { owners } of networks) {
    const owner = owners.get(name);
    if (owner !== undefined) return owner;
  }
  return undefined;
}

/** RFC 1035, 3596. */
function reverseName(address: string): string {
  const bytes = address6Bytes(address);
  if (!bytes) return `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
  return `${[...bytes.toString('hex')].toReversed().join('.')}.ip6.arpa`;
}

/** Pure. The list from another beginning, so that each of several containers is first in turn. */
export function inTurn<T>(list: readonly T[], turn: number): readonly T[] {
  const start = list.length === 0 ? 0 : turn % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
