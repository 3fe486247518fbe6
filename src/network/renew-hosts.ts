import { messageOf } from '../lib/errors.ts';
import type { Attachment, Endpoint, Membership } from './attachment.ts';
import { type HostEntry, updateHostsFile } from './hosts-file.ts';
import type { NetworkContext } from './network-context.ts';

/**
 * Updates the hosts files of the members of these networks: each contains itself, its options, and on user networks the
 * others.
 *
 * @param attachments of all containers
 * @param options.changed a container whose own entries have changed: its file is written whatever its networks are
 */
export function renewHosts(
  ctx: Pick<NetworkContext, 'log'>,
  attachments: readonly Attachment[],
  { networks, changed }: { readonly networks: readonly string[]; readonly changed?: Attachment },
): void {
  const others = attachments.filter(({ id, namespace }) => id !== changed?.id || namespace !== changed.namespace);
  const all = changed ? [...others, changed] : others;
  for (const member of all) {
    if (member !== changed && !isConcerned(member, networks)) continue;
    try {
      if (updateHostsFile(member.hostsPath, entriesOf(member, all))) continue;
      ctx.log.warn(`the names of networks ${networks.join(', ')} could not be written to ${member.hostsPath}`);
    } catch (error) {
      ctx.log.warn(`the names of networks ${networks.join(', ')} could not be written: ${messageOf(error)}`);
    }
  }
}

/** On the default network a member knows only those it has links to. */
function isConcerned({ memberships }: Attachment, networks: readonly string[]): boolean {
  return memberships.some(
    ({ network, names, links }) => networks.includes(network) && (names.length > 0 || links.length > 0),
  );
}

function entriesOf(member: Attachment, all: readonly Attachment[]): readonly HostEntry[] {
  const peers = all.filter((one) => one !== member);
  return [...ownEntries(member), ...member.memberships.flatMap((own) => peers.flatMap((peer) => peerEntry(own, peer)))];
}

function ownEntries({ memberships, extraHosts, hostname, domainname }: Attachment): readonly HostEntry[] {
  const given = extraHosts.map((entry) => {
    const colon = entry.indexOf(':');
    return { address: entry.slice(colon + 1), names: [entry.slice(0, colon)] };
  });
  // The first is the canonical name: what `hostname -f` prints.
  const whole = domainname === undefined ? [] : [`${hostname}.${domainname}`];
  const own = memberships.flatMap(({ endpoint, names }) =>
    entriesOfEndpoint(endpoint, [...new Set([...whole, hostname, ...names])]),
  );
  return [...given, ...own];
}

/** Another container as a member of the network knows it. */
function peerEntry(own: Membership, peer: Attachment): readonly HostEntry[] {
  const its = peer.memberships.find(({ network }) => network === own.network);
  if (!its?.endpoint) return [];
  const linked = own.links.flatMap((link) => {
    const colon = link.indexOf(':');
    const [target, alias] = colon < 0 ? [link, link] : [link.slice(0, colon), link.slice(colon + 1)];
    const isIts = target === peer.name || (target !== '' && peer.id.startsWith(target));
    return isIts ? [alias, peer.name] : [];
  });
  const names = own.names.length > 0 ? its.names : [];
  const known = [...new Set([...linked, ...names])];
  return known.length > 0 ? entriesOfEndpoint(its.endpoint, known) : [];
}

function entriesOfEndpoint(endpoint: Endpoint | undefined, names: readonly string[]): readonly HostEntry[] {
  const addresses = endpoint ? [endpoint.address, ...(endpoint.ipv6 ? [endpoint.ipv6.address] : [])] : [];
  return addresses.map((address) => ({ address, names }));
}
