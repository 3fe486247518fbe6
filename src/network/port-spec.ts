import { HealthctlError } from '../lib/errors.ts';

export const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** A port of a container that others can reach on the host. */
export interface PublishedPort {
  /** `0.0.0.0` for all. */
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: Protocol;
}

/** A port to publish: on the first free host port of a range, both 0 for any. */
export interface PortRequest {
  /** Empty for all. */
  readonly hostIp: string;
  readonly firstHostPort: number;
  readonly lastHostPort: number;
  readonly containerPort: number;
  readonly protocol: Protocol;
}

interface PortRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Parses a value of `-p`: `[[ip:][hostPort[-last]]:]containerPort[-last][/protocol]`, or
 * `published=8080,target=80,protocol=udp` (docker/go-connections, nat; docker/cli, opts/port.go). Throws USAGE with
 * Docker's texts.
 */
export function parsePublish(text: string): readonly PortRequest[] {
  const spec = text.includes('=') ? fromLongForm(text) : text;
  const [ports = '', proto = 'tcp', ...more] = spec.split('/');
  const protocol = protocolFrom(more.length > 0 ? [proto, ...more].join('/') : proto);
  const parts = splitParts(ports);
  if (parts.container === '') throw new HealthctlError('USAGE', `no port specified: ${text}<empty>`);
  const container = rangeFrom(parts.container, 'containerPort');
  const host = parts.host === '' ? { first: 0, last: 0 } : rangeFrom(parts.host, 'hostPort');
  const hostIp = hostIpFrom(parts.ip);
  const [ofContainer, ofHost] = [sizeOf(container), sizeOf(host)];
  if (parts.host !== '' && ofContainer !== ofHost && ofContainer !== 1) {
    throw new HealthctlError(
      'USAGE',
      `invalid ranges specified for container and host Ports: ${parts.container} and ${parts.host}`,
    );
  }
  const isOneToOne = parts.host !== '' && ofContainer === ofHost;
  return Array.from({ length: ofContainer }, (_, index) => ({
    ...{ hostIp, protocol },
    containerPort: container.first + index,
    firstHostPort: isOneToOne ? host.first + index : host.first,
    lastHostPort: isOneToOne ? host.first + index : host.last,
  }));
}

/** Parses a value of `--expose`: `80`, `80/udp`, `3000-3010`. Throws USAGE with Docker's texts. */
export function parseExpose(text: string): readonly string[] {
  if (text.includes(':')) throw new HealthctlError('USAGE', `invalid port format for --expose: ${text}`);
  const [ports = '', proto = 'tcp'] = text.split('/');
  const [protocol, range] = [protocolFrom(proto), tryRange(ports)];
  if (!range) throw new HealthctlError('USAGE', `invalid range format for --expose: ${text}`);
  return Array.from({ length: sizeOf(range) }, (_, index) => `${range.first + index}/${protocol}`);
}

/** `80/tcp`, the name of a port in images and Docker's documents; undefined if invalid. */
export function tryPortKey(text: string): { readonly containerPort: number; readonly protocol: Protocol } | undefined {
  const [port = '', proto = 'tcp', ...more] = text.split('/');
  const protocol = PROTOCOLS.find((known) => known === proto.toLowerCase());
  const range = more.length === 0 ? tryRange(port) : undefined;
  return protocol && range && sizeOf(range) === 1 ? { containerPort: range.first, protocol } : undefined;
}

/** The last two colons separate `ip`, `host` and `container`; an IPv6 address is in brackets. */
function splitParts(text: string): { readonly ip: string; readonly host: string; readonly container: string } {
  const [, ip = '', host = '', container = ''] = /^(?:(?:(\[[^\]]*\]|[^:]*):)?([^:]*):)?([^:]*)$/.exec(text) ?? [];
  if (ip === '' && host === '' && container === '' && text !== '')
    throw new HealthctlError('USAGE', `invalid port specification: ${JSON.stringify(text)}`);
  return { ip, host, container };
}

function hostIpFrom(text: string): string {
  if (text === '' || /^(?:\d{1,3}\.){3}\d{1,3}$/.test(text)) {
    if (text.split('.').every((byte) => Number(byte) <= 255)) return text;
  }
  if (/^\[.*\]$/.test(text))
    throw new HealthctlError('USAGE', `ports are published on IPv4 only: ${text}`, { hint: 'give an address of IPv4' });
  throw new HealthctlError('USAGE', `invalid IP address: ${text}`);
}

function protocolFrom(text: string): Protocol {
  const protocol = PROTOCOLS.find((known) => known === text.toLowerCase());
  if (protocol) return protocol;
  throw new HealthctlError('USAGE', `invalid proto: ${text}`);
}

const sizeOf = ({ first, last }: PortRange): number => last - first + 1;

function rangeFrom(text: string, what: 'containerPort' | 'hostPort'): PortRange {
  const range = tryRange(text);
  if (range) return range;
  throw new HealthctlError('USAGE', `invalid ${what}: ${text}`);
}

/** `80` or `80-89`; 0 is valid only for a host port, where it means any. */
function tryRange(text: string): PortRange | undefined {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  return first !== '' && range.last <= 65535 && range.first <= range.last ? range : undefined;
}

function fromLongForm(text: string): string {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const [key = '', value] = part.split('=');
    if (value === undefined || !['published', 'target', 'protocol', 'mode', 'host_ip'].includes(key.toLowerCase()))
      throw new HealthctlError('USAGE', `invalid publish opts format (should be name=value but got '${part}')`);
    fields.set(key.toLowerCase(), value);
  }
  const ip = fields.get('host_ip');
  const host = fields.get('published') ?? '';
  return `${ip === undefined ? '' : `${ip}:`}${host}:${fields.get('target') ?? ''}/${fields.get('protocol') ?? 'tcp'}`;
}
