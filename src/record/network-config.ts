import { objectIn, textsIn } from '../lib/shape.ts';
import { keyOf, requestsFrom } from '../network/port-document.ts';
import type { PortRequest } from '../network/port-spec.ts';
import { type EndpointConfig, endpointsOf } from './endpoint-config.ts';
import type { StoredConfig } from './stored-config.ts';

/** The network settings with which a container of ours was created, from its stored config. */
export interface NetworkConfig extends NameOptions {
  readonly mode: string;
  readonly ports: readonly PortRequest[];
  /** `80/tcp`, from the image and from options. */
  readonly exposed: readonly string[];
  readonly endpoints: readonly EndpointConfig[];
}

export function networkConfigOf(config: StoredConfig): NetworkConfig {
  const exposed = Object.keys(objectIn(config.Config.ExposedPorts));
  const { NetworkMode, PortBindings, PublishAllPorts } = config.HostConfig;
  return {
    mode: NetworkMode,
    // Docker publishes only what is exposed; the options of run expose what they publish.
    ports: requestsFrom(PortBindings, PublishAllPorts === true ? exposed : []).filter((port) =>
      exposed.includes(keyOf(port)),
    ),
    exposed,
    endpoints: endpointsOf(config),
    ...nameOptionsOf(config),
  };
}

/** The network mode, or the first network of a container that has been connected to others since. */
export function usedNetworkOf(config: StoredConfig): string {
  const { NetworkMode } = config.HostConfig;
  return NetworkMode === 'none' ? (endpointsOf(config)[0]?.network ?? NetworkMode) : NetworkMode;
}

export function nameOptionsOf({ HostConfig }: Pick<StoredConfig, 'HostConfig'>): NameOptions {
  const { Dns, DnsSearch, DnsOptions, ExtraHosts } = HostConfig;
  return {
    dns: textsIn(Dns),
    dnsSearch: textsIn(DnsSearch),
    dnsOptions: textsIn(DnsOptions),
    extraHosts: textsIn(ExtraHosts),
  };
}

/** A container's name resolution settings, in the form of Docker's `HostConfig`. */
export interface NameOptions {
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** `name:address`. */
  readonly extraHosts: readonly string[];
}
