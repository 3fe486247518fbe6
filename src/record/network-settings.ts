import { isObject, isText } from '../lib/shape.ts';
import { DEFAULT_NETWORK, dnsNamesOf } from '../network/network-names.ts';
import { portsDocument } from '../network/port-document.ts';
import type { Details } from './details.ts';
import { type EndpointConfig, ipamConfigOf, linkById, plainEndpoint } from './endpoint-config.ts';
import type { ShownAttachment, ShownMembership } from './nerdctl-network.ts';
import { networkModeOf } from './network-mode.ts';
import type { ContainerView } from './view.ts';

type Json = Readonly<Record<string, unknown>>;

export interface NetworkFacts {
  readonly details: Pick<Details, 'networks' | 'config' | 'endpoints'>;
  /** For a container that is attached to its networks. */
  readonly attachment: ShownAttachment | undefined;
}

/** Docker's `NetworkSettings` of a container. */
export function networkSettingsOf(view: ContainerView, { details, attachment: known }: NetworkFacts): Json {
  const pid = view.state === 'running' || view.state === 'paused' ? view.task?.pid : undefined;
  const attachment = pid === undefined ? undefined : known;
  const memberships = attachment?.memberships ?? [];
  const exposed = Object.keys(isObject(details.config.ExposedPorts) ? details.config.ExposedPorts : {});
  // Docker shows an address here only for the default network.
  const first = memberships.find(({ network }) => network === DEFAULT_NETWORK);
  return {
    Bridge: '',
    SandboxID: '',
    SandboxKey: pid === undefined ? '' : `/proc/${pid}/ns/net`,
    Ports: attachment ? portsDocument(exposed, attachment.ports) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: first?.endpointId ?? '',
    ...addressOf(first),
    Networks: networksDocument(details, memberships, (config) => dnsNames(view, details, config)),
  };
}

/** Docker keeps them after the end; there are none before the first start, and none on the default network. */
function dnsNames(
  { record: { id }, name, started }: ContainerView,
  { config }: NetworkFacts['details'],
  { network, aliases }: EndpointConfig,
): readonly string[] {
  const isUserDefined = networkModeOf(network).kind === 'network' && network !== DEFAULT_NETWORK;
  if (!started.ever || !isUserDefined) return [];
  return dnsNamesOf({ name, id, hostname: isText(config.Hostname) ? config.Hostname : '' }, aliases);
}

/** Docker's `Networks`: of a container that does not run, only what was asked for. */
function networksDocument(
  { networks, endpoints }: Pick<Details, 'networks' | 'endpoints'>,
  memberships: readonly ShownMembership[],
  namesOf: (config: EndpointConfig) => readonly string[],
): Json {
  const configured = networks.filter((name) => networkModeOf(name).kind !== 'container');
  const names = [...new Set([...configured, ...memberships.map(({ network }) => network)])].sort();
  return Object.fromEntries(
    names.map((name) => {
      const membership = memberships.find(({ network }) => network === name);
      const config = endpoints.find(({ network }) => network === name) ?? plainEndpoint(name);
      return [name, endpointDocument(config, membership, membership?.names ?? namesOf(config))];
    }),
  );
}

function endpointDocument(
  config: EndpointConfig,
  membership: ShownMembership | undefined,
  names: readonly string[],
): Json {
  const { aliases, links, mac, driverOpts, gatewayPriority } = config;
  const orNull = (list: readonly string[]) => (list.length > 0 ? list : null);
  const address = addressOf(membership);
  const { Gateway, IPAddress, IPPrefixLen, IPv6Gateway, GlobalIPv6Address, GlobalIPv6PrefixLen } = address;
  return {
    IPAMConfig: ipamConfigOf(config),
    // Docker shows those of the default network in HostConfig alone.
    Links: orNull(links.filter((text) => !linkById(text))),
    Aliases: orNull(aliases),
    MacAddress: address.MacAddress || (mac ?? ''),
    DriverOpts: Object.keys(driverOpts).length > 0 ? driverOpts : null,
    GwPriority: gatewayPriority,
    NetworkID: membership?.networkId ?? '',
    EndpointID: membership?.endpointId ?? '',
    ...{ Gateway, IPAddress, IPPrefixLen, IPv6Gateway, GlobalIPv6Address, GlobalIPv6PrefixLen },
    DNSNames: orNull(names),
  };
}

type Address = { readonly [Key in keyof typeof NO_ADDRESS]: (typeof NO_ADDRESS)[Key] };

function addressOf(membership: ShownMembership | undefined): Address {
  if (!membership?.endpoint) return NO_ADDRESS;
  const { address, prefix, gateway, mac, ipv6 } = membership.endpoint;
  return {
    ...{ Gateway: gateway, IPAddress: address, IPPrefixLen: prefix, MacAddress: mac },
    ...{ GlobalIPv6Address: ipv6?.address ?? '', GlobalIPv6PrefixLen: ipv6?.prefix ?? 0 },
    IPv6Gateway: ipv6?.gateway ?? '',
  };
}

const NO_ADDRESS = {
  Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  MacAddress: '',
};
