import { isObject } from '../lib/shape.ts';
import { portsDocument } from '../network/port-document.ts';
import type { Details } from './details.ts';
import type { ShownAttachment } from './nerdctl-network.ts';
import { networkModeOf } from './network-mode.ts';
import type { ContainerView } from './view.ts';

type Json = Readonly<Record<string, unknown>>;

export interface NetworkFacts {
  readonly details: Pick<Details, 'networks' | 'config' | 'aliases'>;
  /** For a container that is attached to its network. */
  readonly attachment: ShownAttachment | undefined;
}

/** Docker's `NetworkSettings` of a container. */
export function networkSettingsOf(view: ContainerView, { details, attachment }: NetworkFacts): Json {
  const pid = view.state === 'running' || view.state === 'paused' ? view.task?.pid : undefined;
  const address = pid === undefined || !attachment ? NO_ADDRESS : addressOf(attachment);
  const networks = details.networks.filter((name) => networkModeOf(name).kind !== 'container');
  const isAttached = pid !== undefined && attachment !== undefined;
  const exposed = Object.keys(isObject(details.config.ExposedPorts) ? details.config.ExposedPorts : {});
  return {
    Bridge: '',
    SandboxID: '',
    SandboxKey: pid === undefined ? '' : `/proc/${pid}/ns/net`,
    Ports: isAttached ? portsDocument(exposed, attachment.ports) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: '',
    ...address,
    Networks: Object.fromEntries(
      networks.map((name) => [
        name,
        name === attachment?.network ? endpointOf(attachment, address, details) : NO_ENDPOINT,
      ]),
    ),
  };
}

function endpointOf(attachment: ShownAttachment, address: Address, { aliases }: NetworkFacts['details']): Json {
  return {
    ...NO_ENDPOINT,
    ...address,
    Aliases: aliases.length > 0 ? aliases : null,
    NetworkID: attachment.networkId,
    DNSNames: attachment.names.length > 0 ? attachment.names : null,
  };
}

type Address = { readonly [Key in keyof typeof NO_ADDRESS]: (typeof NO_ADDRESS)[Key] };

function addressOf({ endpoint }: ShownAttachment): Address {
  if (!endpoint) return NO_ADDRESS;
  const { address, prefix, gateway, mac } = endpoint;
  return { ...NO_ADDRESS, Gateway: gateway, IPAddress: address, IPPrefixLen: prefix, MacAddress: mac };
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

const NO_ENDPOINT = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: '',
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: '',
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};
