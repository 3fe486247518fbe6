import { parseDns, parseExtraHost } from '../../network/name-option.ts';
import { requestsFrom } from '../../network/port-document.ts';
import { type PortRequest, parseExpose } from '../../network/port-spec.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import { type EndpointConfig, plainEndpoint } from '../../record/endpoint-config.ts';
import { networkModeOf } from '../../record/network-mode.ts';
import { EngineError } from '../errors.ts';
import type { GoStruct } from '../go-struct.ts';
import { type ApiVersion, isSince } from '../version.ts';

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
  const network = ['', 'default', 'bridge'].includes(asked) ? defaultNetwork : asked;
  const exposed = (body.keys('ExposedPorts') ?? []).flatMap(parseExpose);
  return {
    network,
    networking: {
      publish: portsIn(host, exposed),
      publishAll: host.flag('PublishAllPorts'),
      expose: exposed,
      endpoints: endpointsIn(body, { host, version, network, asked }),
      mayLackNetworks: true,
      dns: (host.texts('Dns') ?? []).map(parseDns),
      dnsSearch: host.texts('DnsSearch') ?? [],
      dnsOptions: host.texts('DnsOptions') ?? [],
      extraHosts: (host.texts('ExtraHosts') ?? []).map(parseExtraHost),
    },
  };
}

/** A port that is bound but not exposed is not published, as in Docker. */
function portsIn(host: GoStruct, exposed: readonly string[]): readonly PortRequest[] {
  const bindings = host.structLists('PortBindings') ?? new Map<string, readonly GoStruct[]>();
  const document = [...bindings].map(([key, list]) => [
    key.includes('/') ? key : `${key}/tcp`,
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

function hostPortIn(binding: GoStruct): string {
  const port = binding.text('HostPort');
  if (/^(\d{1,5}(-\d{1,5})?)?$/.test(port)) return port;
  throw new EngineError(400, `invalid port specification: "${port}"`);
}

/** The network of the mode comes first; before 1.44 there is one. */
function endpointsIn(
  body: GoStruct,
  parts: Omit<NetworkParts, 'defaultNetwork'> & { readonly network: string; readonly asked: string },
): readonly EndpointConfig[] {
  const { network, asked, version } = parts;
  if (networkModeOf(network).kind !== 'network') return [];
  const given = body.struct('NetworkingConfig')?.structMap('EndpointsConfig') ?? new Map();
  const isMain = (name: string): boolean => [network, asked, 'default'].includes(name);
  const named = [...given].map(([name, settings]) => endpointIn(isMain(name) ? network : name, settings));
  const main = named.find((endpoint) => endpoint.network === network);
  const mac = body.text('MacAddress');
  const first = { ...(main ?? plainEndpoint(network)), ...(mac === '' ? {} : { mac }) };
  const others = named.filter((endpoint) => endpoint.network !== network);
  return isSince(version, 44) ? [first, ...others] : [first];
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
