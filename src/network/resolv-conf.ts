import { existsSync, readFileSync } from 'node:fs';
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

/** The host's settings; servers on its loopback do not count. */
export function readHostResolvConf(): string {
  const text = textOf(HOST_FILE);
  const isResolved = /^nameserver\s+127\.0\.0\.53\s*$/m.test(text);
  return isResolved && existsSync(RESOLVED_FILE) ? textOf(RESOLVED_FILE) : text;
}

/**
 * The resolv.conf of a container with its own network: the host's, without servers on the host's loopback, which would
 * be the container's own loopback.
 */
export function resolvConfFrom(hostText: string, given: DnsOptions): string {
  const host = parseResolvConf(hostText);
  const reachable = host.servers.filter((server) => !/^(?:127\.|::1(?:%|$))/.test(server));
  const servers = orElse(given.servers, orElse(reachable, FALLBACK_SERVERS));
  // A single dot removes the host's search domains.
  const search = orElse(given.search, host.search).filter((domain) => domain !== '.');
  const options = orElse(given.options, host.options);
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(search.length > 0 ? [`search ${search.join(' ')}\n`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}\n`] : []),
  ].join('');
}

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
