import { existsSync, readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { errnoOf } from '../lib/errors.ts';

/** A container's options, in the form of Docker's `HostConfig`; an empty list means the host's. */
export interface DnsOptions {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

const HOST_FILE = '/etc/resolv.conf';
/** Where systemd-resolved, which listens on 127.0.0.53, lists its own servers. */
const RESOLVED_FILE = '/run/systemd/resolve/resolv.conf';
/**
 * Docker's fallback, for a host without servers that a container could reach (moby: libnetwork/internal/resolvconf).
 */
const FALLBACK_SERVERS = ['8.8.8.8', '8.8.4.4'];

/** The host's settings as its own programs have them. */
export const readHostsOwnResolvConf = (): string => textOf(HOST_FILE);

/** The host's settings; servers on its loopback do not count. */
export function readHostResolvConf(): string {
  const text = textOf(HOST_FILE);
  const isResolved = /^nameserver\s+127\.0\.0\.53\s*$/m.test(text);
  return isResolved && existsSync(RESOLVED_FILE) ? textOf(RESOLVED_FILE) : text;
}

/** Where the monitor answers in containers on user networks; Docker's. */
export const NAME_SERVER = '127.0.0.11';

/**
 * The resolv.conf of a container with its own network: the host's, without servers on the host's loopback, which would
 * be the container's own loopback.
 *
 * @param asksMonitor the monitor's server comes first. The others stay: without a monitor a query to it is refused at
 *   once, and programs ask the next one
 */
export function resolvConfFrom(hostText: string, given: DnsOptions, asksMonitor = false): string {
  const host = parseResolvConf(hostText);
  const reachable = host.servers.filter((server) => !isLoopback(server));
  const servers = [
    ...(asksMonitor ? [NAME_SERVER] : []),
    ...orElse(given.servers, orElse(reachable, FALLBACK_SERVERS)).filter((server) => server !== NAME_SERVER),
  ];
  // A single dot removes the host's search domains.
  const search = orElse(given.search, host.search).filter((domain) => domain !== '.');
  const asked = orElse(given.options, host.options);
  const options = asksMonitor ? optionsForMonitor(asked) : asked;
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(search.length > 0 ? [`search ${search.join(' ')}\n`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}\n`] : []),
  ].join('');
}

/**
 * As with Docker, names without a dot are asked as they are before search domains are added. `rotate` would ask the
 * other servers first, which do not know the names of the network.
 */
function optionsForMonitor(options: readonly string[]): readonly string[] {
  const kept = options.filter((option) => option !== 'rotate');
  return kept.some((option) => option.startsWith('ndots:')) ? kept : [...kept, 'ndots:0'];
}

/** A server that the monitor asks for a container. */
export interface Upstream {
  readonly address: string;
  /** It can only be reached from the host's network. */
  readonly isOfHost: boolean;
}

/**
 * Pure. The servers for names that are none of ours: those given with the container, or the host's, its loopback
 * included. Never our own address, in whatever form.
 */
export function upstreamsFrom(hostText: string, given: readonly string[]): readonly Upstream[] {
  const isForeign = (address: string) => isIP(address) !== 0 && !isNameServer(address);
  const asked = given.filter(isForeign).map((address) => ({ address, isOfHost: false }));
  if (asked.length > 0) return asked;
  const ofHost = parseResolvConf(hostText)
    .servers.filter(isForeign)
    .map((address) => ({ address, isOfHost: isLoopback(address) || address.includes('%') }));
  return orElse(
    ofHost,
    FALLBACK_SERVERS.map((address) => ({ address, isOfHost: false })),
  );
}

const OWN = new BlockList();
OWN.addAddress(NAME_SERVER);

/** Also as an IPv6 address that stands for it: `::ffff:127.0.0.11`. */
const isNameServer = (address: string): boolean =>
  OWN.check(address.replace(/%.*/, ''), isIP(address) === 6 ? 'ipv6' : 'ipv4');

const isLoopback = (address: string): boolean => /^(?:127\.|0\.|::1?(?:%|$)|::ffff:(?:127|0)\.)/i.test(address);

function parseResolvConf(text: string): DnsOptions {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const after = (word: string) => lines.filter(([first]) => first === word).map(([, ...rest]) => rest);
  return {
    servers: after('nameserver').flatMap(([server]) => server ?? []),
    search: after('search').at(-1) ?? after('domain').at(-1) ?? [],
    options: after('options').flat(),
  };
}

const orElse = <T>(list: readonly T[], otherwise: readonly T[]): readonly T[] => (list.length > 0 ? list : otherwise);

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return '';
  }
}
