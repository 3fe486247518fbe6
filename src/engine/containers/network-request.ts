import { parseDns, parseExtraHost } from '../../network/name-option.ts';
import { requestsFrom } from '../../network/port-document.ts';
import { type PortRequest, parseExpose } from '../../network/port-spec.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import { type EndpointConfig, plainEndpoint } from '../../record/endpoint-config.ts';
import { networkModeOf } from '../../record/network-mode.ts';
import { EngineError } from '../errors.ts';
import type { GoStruct } from '../go-struct.ts';
import { type ApiVersion, isSince } from '../version.ts';
import { SYSCTLS_OPTION, sysctlsOf } from './interface-sysctls.ts';

interface NetworkParts {
  readonly host: GoStruct;
  readonly version: ApiVersion;
  /** The network of containers that ask for none. */
  readonly defaultNetwork: string;
}

/** The networks, ports and names of a create request. Throws INVALID and USAGE in Docker's words. */
export function networkIn(
  body: GoStruct,
  { host, version, defaultNetwork }: NetworkParts,
): Pick<CreateRequest, 'network' | 'networking'> {
  const asked = host.text('NetworkMode');
  const network = ['', 'default'].includes(asked) ? defaultNetwork : asked;
  refuseConflicts(body, host, network);
  refuseLinks(host, network);
  const exposed = (body.keys('ExposedPorts') ?? []).flatMap(parseExpose);
  return {
    network,
    networking: {
      publish: portsIn(host, exposed),
      publishAll: host.flag('PublishAllPorts'),
      expose: exposed,
      endpoints: endpointsIn(body, { host, version, network, asked, defaultNetwork }),
      mayLackNetworks: true,
      dns: (host.texts('Dns') ?? []).map(parseDns),
      dnsSearch: host.texts('DnsSearch') ?? [],
      dnsOptions: host.texts('DnsOptions') ?? [],
      extraHosts: (host.texts('ExtraHosts') ?? []).map(parseExtraHost),
    },
  };
}

/** Throws EngineError with Docker's texts for links on a network of something else. */
function refuseLinks(host: GoStruct, network: string): void {
  const { kind } = networkModeOf(network);
  if ((host.texts('Links') ?? []).length === 0 || !(kind === 'container' || kind === 'host')) return;
  const what = kind === 'host' ? 'host type networking' : 'container type network';
  const why = "can't be used with links. This would result in undefined behavior";
  throw new EngineError(400, `conflicting options: ${what} ${why}`);
}

/** Throws EngineError with Docker's texts (moby: daemon/runconfig/hostconfig_unix.go). */
function refuseConflicts(body: GoStruct, host: GoStruct, network: string): void {
  if (network === 'container:')
    throw new EngineError(400, 'invalid network mode: invalid container format container:<name|id>');
  if (!network.startsWith('container:')) return;
  if (body.text('Hostname') === '' && (host.structLists('PortBindings')?.size ?? 0) > 0)
    throw new EngineError(400, 'conflicting options: port publishing and the container type network mode');
}

/** A port that is bound but not exposed is not published, as in Docker. */
function portsIn(host: GoStruct, exposed: readonly string[]): readonly PortRequest[] {
  const bindings = host.structLists('PortBindings') ?? new Map<string, readonly GoStruct[]>();
  const document = [...bindings].map(([key, list]) => [
    portKeyIn(key),
    list.map((binding) => ({ HostIp: hostIpIn(binding), HostPort: hostPortIn(binding) })),
  ]);
  return requestsFrom(Object.fromEntries(document), []).filter(({ containerPort, protocol }) =>
    exposed.includes(`${containerPort}/${protocol}`),
  );
}

/** Ports are published on IPv4; the unspecified address of IPv6 is what clients send for all. */
function hostIpIn(binding: GoStruct): string {
  const ip = binding.text('HostIp');
  return ip === '::' ? '' : ip;
}

function portKeyIn(key: string): string {
  if (/^\d{1,5}(\/[a-z]+)?$/i.test(key)) return key.includes('/') ? key : `${key}/tcp`;
  throw new EngineError(400, `invalid port specification: ${JSON.stringify(key)}`);
}

const MAX_PORT = 65_535;

function hostPortIn(binding: GoStruct): string {
  const port = binding.text('HostPort');
  const isPort = /^(\d{1,5}(-\d{1,5})?)?$/.test(port) && port.split('-').every((one) => Number(one) <= MAX_PORT);
  if (isPort) return port;
  throw new EngineError(400, `invalid port specification: "${port}"`);
}

/**
 * Docker's rules for older clients (moby: api/server/router/container/container_routes.go): before 1.44 there is one
 * network, and its hardware address is that of the container; before 1.48 there are no priorities.
 */
function endpointsIn(
  body: GoStruct,
  parts: NetworkParts & { readonly network: string; readonly asked: string },
): readonly EndpointConfig[] {
  const { host, network, asked, version, defaultNetwork } = parts;
  if (networkModeOf(network).kind !== 'network') return [];
  const given = body.struct('NetworkingConfig')?.structMap('EndpointsConfig') ?? new Map();
  if (!isSince(version, 44) && given.size > 1)
    throw new EngineError(
      400,
      `Container cannot be created with multiple network endpoints: ${[...given.keys()].join(', ')}`,
    );
  const isMain = (name: string): boolean => [network, asked, 'default'].includes(name);
  const named = [...given].map(([name, settings]) => endpointIn(isMain(name) ? network : name, settings));
  const isFirst = (endpoint: EndpointConfig): boolean => endpoint.network === network;
  const ordered = [...named.filter(isFirst), ...named.filter((endpoint) => !isFirst(endpoint))];
  const endpoints = ordered.length > 0 ? ordered : [plainEndpoint(network)];
  // Those of the default network are looked up: see withLinks.
  const ownLinks = network === defaultNetwork ? [] : (host.texts('Links') ?? []).map(parseLink);
  const legacyLinks = ownLinks.map(({ name, alias }) => `${name}:${alias}`);
  const { ofInterface } = sysctlsOf(host.textMap('Sysctls') ?? {}, { network, version });
  return endpoints.map((endpoint) => {
    const { mac, ...rest } = endpoint;
    const known = isSince(version, 44) ? mac : undefined;
    const address = isFirst(endpoint) ? macOf(body.text('MacAddress'), known) : known;
    return {
      ...rest,
      links: isFirst(endpoint) ? [...new Set([...rest.links, ...legacyLinks])] : rest.links,
      driverOpts: isFirst(endpoint) ? withSysctls(rest.driverOpts, ofInterface) : rest.driverOpts,
      gatewayPriority: isSince(version, 48) ? rest.gatewayPriority : 0,
      ...(address === undefined ? {} : { mac: address }),
    };
  });
}

/**
 * A link of the container, `db:data`, or as Docker shows it, `/db:/web/data` (moby: opts/opts.go, ParseLink). Throws
 * EngineError.
 */
export function parseLink(text: string): { readonly name: string; readonly alias: string } {
  const [name = '', alias = name, ...more] = text.split(':');
  if (text === '') throw new EngineError(400, 'empty string specified for links');
  if (more.length > 0) throw new EngineError(400, `bad format for links: ${text}`);
  return name.startsWith('/') && text.includes(':')
    ? { name: name.slice(1), alias: alias.slice(alias.lastIndexOf('/') + 1) }
    : { name, alias: alias.replace(/^\/+/, '') };
}

/** Those of the network come last, so that they count. */
function withSysctls(
  driverOpts: EndpointConfig['driverOpts'],
  sysctls: readonly string[],
): EndpointConfig['driverOpts'] {
  const { [SYSCTLS_OPTION]: given } = driverOpts;
  if (sysctls.length === 0) return driverOpts;
  return { ...driverOpts, [SYSCTLS_OPTION]: [...sysctls, ...(given === undefined ? [] : [given])].join(',') };
}

/** The container's hardware address is that of its main network. */
function macOf(ofContainer: string, ofNetwork: string | undefined): string | undefined {
  const mac = ofContainer.toLowerCase();
  if (mac === '' || mac === ofNetwork) return ofNetwork;
  if (ofNetwork === undefined) return mac;
  throw new EngineError(
    400,
    'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
  );
}

/** The `EndpointSettings` of a request. */
export function endpointIn(network: string, settings: GoStruct | undefined): EndpointConfig {
  if (!settings) return plainEndpoint(network);
  const ipam = settings.struct('IPAMConfig');
  const [ipv4Address = '', ipv6Address = ''] = [ipam?.text('IPv4Address'), ipam?.text('IPv6Address')];
  const mac = settings.text('MacAddress');
  return {
    network,
    aliases: settings.texts('Aliases') ?? [],
    links: settings.texts('Links') ?? [],
    ...(ipv4Address === '' ? {} : { ipv4Address }),
    ...(ipv6Address === '' ? {} : { ipv6Address }),
    ...(mac === '' ? {} : { mac: mac.toLowerCase() }),
    gatewayPriority: settings.int('GwPriority', 'int') ?? 0,
    driverOpts: settings.textMap('DriverOpts') ?? {},
  };
}
