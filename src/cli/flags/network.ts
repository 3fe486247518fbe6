import { HealthctlError } from '../../lib/errors.ts';
import { parseDns, parseExtraHost } from '../../network/name-option.ts';
import { parseExpose, parsePublish } from '../../network/port-spec.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';
import { endpointsFrom } from './network-option.ts';
import { CONTAINER, NETWORK } from './values.ts';

/** The options of `run` and `create` about the network, in Docker's words. */
export const networkOptionSpecs: readonly OptionSpec[] = [
  {
    name: 'add-host',
    type: 'list',
    help: 'Add a custom host-to-IP mapping (host:ip); host-gateway stands for the gateway of the network',
    check: (text) => problemOf(() => parseExtraHost(text)),
  },
  { name: 'dns', type: 'list', help: 'Set custom DNS servers', check: (text) => problemOf(() => parseDns(text)) },
  { name: 'dns-option', type: 'list', aliases: ['dns-opt'], help: 'Set DNS options' },
  { name: 'dns-search', type: 'list', help: 'Set custom DNS search domains' },
  { name: 'expose', type: 'list', help: 'Expose a port or a range of ports' },
  { name: 'ip', type: 'string', help: 'IPv4 address (e.g., 172.30.100.104)' },
  { name: 'ip6', type: 'string', help: 'IPv6 address (e.g., 2001:db8::33)' },
  { name: 'link', type: 'list', help: 'Add link to another container', complete: CONTAINER },
  { name: 'mac-address', type: 'string', help: 'Container MAC address (e.g., 92:d0:c6:0a:29:33)' },
  {
    name: 'network',
    aliases: ['net'],
    type: 'list',
    value: 'network',
    help: 'Network of the container: bridge (the default), the name of a network, none (loopback only), host, or container:NAME',
    complete: { ...NETWORK, after: { 'container:': CONTAINER } },
  },
  { name: 'network-alias', aliases: ['net-alias'], type: 'list', help: 'Add network-scoped alias for the container' },
  { name: 'publish', short: 'p', type: 'list', help: "Publish a container's port(s) to the host" },
  { name: 'publish-all', short: 'P', type: 'bool', help: 'Publish all exposed ports to random ports' },
];

/** Throws USAGE in Docker's words. @param defaultNetwork the network without `--network` */
export function networkRequestFrom(
  options: ParsedOptions,
  defaultNetwork: string,
): Pick<CreateRequest, 'network' | 'networking'> {
  const endpoints = endpointsFrom(options.list('network'), {
    aliases: options.list('network-alias'),
    links: options.list('link'),
    ipv4Address: options.string('ip'),
    ipv6Address: options.string('ip6'),
    mac: options.string('mac-address'),
  }).map((endpoint) => (endpoint.network === 'default' ? { ...endpoint, network: defaultNetwork } : endpoint));
  return {
    network: endpoints[0]?.network ?? defaultNetwork,
    networking: {
      publish: options.list('publish').flatMap(parsePublish),
      publishAll: options.bool('publish-all'),
      expose: options.list('expose').flatMap(parseExpose),
      endpoints,
      dns: options.list('dns').map(parseDns),
      dnsSearch: options.list('dns-search'),
      dnsOptions: options.list('dns-option'),
      extraHosts: options.list('add-host').map(parseExtraHost),
    },
  };
}

function problemOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (error instanceof HealthctlError) return error.message;
    throw error;
  }
}
