import { HealthctlError } from '../../lib/errors.ts';
import { DEFAULT_NETWORK } from '../../network/network-names.ts';
import { parseCsvLine } from '../../oci/csv.ts';
import { type EndpointConfig, plainEndpoint } from '../../record/endpoint-config.ts';
import { networkModeOf } from '../../record/network-mode.ts';

/** Docker's older options, which belong to the first network. */
interface FirstOptions {
  readonly aliases: readonly string[];
  readonly links: readonly string[];
  readonly ipv4Address: string | undefined;
  readonly ipv6Address: string | undefined;
  readonly mac: string | undefined;
}

/**
 * The requested networks, in their order; `default` if none was.
 *
 * Throws USAGE with Docker's texts (docker/cli: opts/network.go, cli/command/container/opts.go).
 */
export function endpointsFrom(texts: readonly string[], options: FirstOptions): readonly EndpointConfig[] {
  const given = texts.filter((text) => text !== '').map(parseNetwork);
  const [first = plainEndpoint('default'), ...others] = given;
  const endpoints = [withOptions(first, options), ...others];
  const names = endpoints.map(({ network }) => network);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined)
    throw new HealthctlError('USAGE', `network ${JSON.stringify(twice)} is specified multiple times`);
  if (names.some(isUserDefined) && !names.every(isUserDefined))
    throw new HealthctlError(
      'USAGE',
      'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
    );
  return endpoints;
}

const isUserDefined = (name: string): boolean =>
  networkModeOf(name).kind === 'network' && name !== DEFAULT_NETWORK && name !== 'default';

function withOptions(endpoint: EndpointConfig, options: FirstOptions): EndpointConfig {
  const { aliases, links, ipv4Address, ipv6Address, mac } = options;
  const refuseBoth = (isBoth: boolean, what: string): void => {
    if (isBoth) throw new HealthctlError('USAGE', `conflicting options: cannot specify both ${what}`);
  };
  refuseBoth(endpoint.aliases.length > 0 && aliases.length > 0, '--network-alias and per-network alias');
  refuseBoth(endpoint.ipv4Address !== undefined && !!ipv4Address, '--ip and per-network IPv4 address');
  refuseBoth(endpoint.ipv6Address !== undefined && !!ipv6Address, '--ip6 and per-network IPv6 address');
  refuseBoth(endpoint.mac !== undefined && !!mac, '--mac-address and per-network MAC address');
  return {
    ...endpoint,
    aliases: [...endpoint.aliases, ...aliases],
    links: [...endpoint.links, ...links],
    ...(ipv4Address ? { ipv4Address } : {}),
    ...(ipv6Address ? { ipv6Address } : {}),
    ...(mac ? { mac: parseMac(mac) } : {}),
  };
}

/** A name, or Docker's long form `name=NETWORK,alias=NAME,ip=ADDRESS`. */
function parseNetwork(text: string): EndpointConfig {
  if (!/^\w+=/.test(text)) return plainEndpoint(text);
  let endpoint = plainEndpoint('');
  for (const field of parseCsvLine(text)) {
    const at = field.indexOf('=');
    if (at < 0) throw new HealthctlError('USAGE', `invalid field ${field}`);
    const [key, value] = [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1).trim()];
    endpoint = { ...endpoint, ...fieldOf(endpoint, { key, value, text }) };
  }
  if (endpoint.network === '') throw new HealthctlError('USAGE', 'network name/id is not specified');
  return endpoint;
}

function fieldOf(
  { aliases, driverOpts }: EndpointConfig,
  { key, value, text }: { readonly key: string; readonly value: string; readonly text: string },
): Partial<EndpointConfig> {
  switch (key) {
    case 'name':
      return { network: value };
    case 'alias':
      return { aliases: [...aliases, value] };
    case 'ip':
      return { ipv4Address: value };
    case 'ip6':
      return { ipv6Address: value };
    case 'mac-address':
      return { mac: parseMac(value) };
    case 'gw-priority':
      return { gatewayPriority: parsePriority(value) };
    case 'driver-opt': {
      const [name, option] = parseDriverOption(value);
      return { driverOpts: { ...driverOpts, [name]: option } };
    }
    case 'link-local-ip':
      throw new HealthctlError('USAGE', `${key} of --network is not supported: ${text}`, {
        hint: 'supported are name, alias, ip, ip6, mac-address, driver-opt and gw-priority',
      });
    default:
      throw new HealthctlError('USAGE', `invalid field key ${key}`);
  }
}

/** `KEY=VALUE`. Throws USAGE with Docker's text. */
export function parseDriverOption(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  const key = text.slice(0, Math.max(at, 0)).trim();
  if (key === '') throw new HealthctlError('USAGE', 'invalid key/value pair format in driver options');
  return [key, text.slice(at + 1).trim()];
}

/** A whole number; the highest one of a container's networks has the default route. */
export function parsePriority(text: string): number {
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
  throw new HealthctlError('USAGE', `invalid gw-priority (${text}): invalid syntax`);
}

function parseMac(text: string): string {
  if (/^[\da-f]{2}([:-])[\da-f]{2}(?:\1[\da-f]{2}){4}$/i.test(text)) return text.replaceAll('-', ':').toLowerCase();
  throw new HealthctlError('USAGE', `${text} is not a valid mac address`);
}
