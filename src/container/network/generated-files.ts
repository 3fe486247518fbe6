import { existsSync } from 'node:fs';
import { hostname as hostHostname } from 'node:os';
import { join } from 'node:path';
import type { FaultReporter } from '../../lib/fault-reporter.ts';
import { hostsText } from '../../network/hosts-file.ts';
import { readHostResolvConf, resolvConfFrom } from '../../network/resolv-conf.ts';
import type { GeneratedFiles } from '../../oci/mounts.ts';
import type { NameOptions } from '../../record/network-config.ts';
import { networkModeOf } from '../../record/network-mode.ts';
import { noSpaceError, replaceChangedFile } from '../../system/atomic-write.ts';
import { makeOwnDirectory } from '../../system/own-file.ts';

/**
 * The container's own files under /etc: with `host` the host's files, unless options ask for others; in the network of
 * another container, that container's, see filesOfJoined; otherwise files that we write.
 *
 * @param dir the container's data directory. Writes nothing, so that a create that dies leaves no directory; see
 *   writeGeneratedFiles
 */
export function generatedFilesOf(dir: string, network: string, names: NameOptions): GeneratedFiles {
  const hostname = join(dir, 'hostname');
  const own = ownFiles(network, names);
  const ofHost = (path: string) => (existsSync(path) ? path : undefined);
  const hosts = own.hosts ? join(dir, 'hosts') : ofHost('/etc/hosts');
  const resolvConf = own.resolvConf ? join(dir, 'resolv.conf') : ofHost('/etc/resolv.conf');
  return {
    hostname,
    ...(hosts === undefined ? {} : { hosts }),
    ...(resolvConf === undefined ? {} : { resolvConf }),
  };
}

/** The files that we write. */
function ownFiles(network: string, { dns, dnsSearch, dnsOptions, extraHosts }: NameOptions) {
  const isHost = networkModeOf(network).kind === 'host';
  const tellsDns = dns.length + dnsSearch.length + dnsOptions.length > 0;
  return { hosts: !isHost || extraHosts.length > 0, resolvConf: !isHost || tellsDns };
}

/**
 * Writes our files, before each start. A file that already has the content is not written: a container that ran before
 * can be started on a full disk. Throws EXHAUSTED without space.
 */
export function writeGeneratedFiles(
  dir: string,
  options: {
    readonly network: string;
    readonly hostname: string;
    readonly names: NameOptions;
    /** See asksMonitor of name-server.ts. Default: no. */
    readonly asksMonitor?: boolean;
  },
  faults: FaultReporter = {},
): void {
  const { network, hostname, names, asksMonitor = false } = options;
  const mode = networkModeOf(network);
  const own = ownFiles(network, names);
  const contents: Readonly<Record<string, string>> = {
    hostname: `${hostname}\n`,
    ...(own.hosts ? { hosts: hostsText(extraEntries(names, mode.kind === 'host')) } : {}),
    ...(own.resolvConf ? { 'resolv.conf': resolvConf(mode.kind === 'none', names, asksMonitor) } : {}),
  };
  try {
    makeOwnDirectory(dir, faults);
  } catch (error) {
    throw noSpaceError(error, dir);
  }
  for (const [name, content] of Object.entries(contents))
    replaceChangedFile(join(dir, name), content, { mode: 0o644, ...faults });
}

/** On the host's network `host-gateway` is the host's loopback; on a network of its own the attachment knows it. */
function extraEntries({ extraHosts }: NameOptions, isHost: boolean) {
  return extraHosts
    .map((entry) => (isHost ? entry.replace(/:host-gateway$/, ':127.0.0.1') : entry))
    .filter((entry) => !entry.endsWith(':host-gateway'))
    .map((entry) => ({ address: entry.slice(entry.indexOf(':') + 1), names: [entry.slice(0, entry.indexOf(':'))] }));
}

/** Without a network no server can be reached, unless one was given. */
function resolvConf(isAlone: boolean, { dns, dnsSearch, dnsOptions }: NameOptions, asksMonitor: boolean): string {
  const given = { servers: dns, search: dnsSearch, options: dnsOptions };
  if (isAlone && dns.length + dnsSearch.length + dnsOptions.length === 0) return '';
  return resolvConfFrom(readHostResolvConf(), given, asksMonitor);
}

/** The hostname of a container on the host's network is the host's. */
export function hostnameFor(given: string | undefined, network: string, id: string): string {
  return given ?? (networkModeOf(network).kind === 'host' ? hostHostname() : id.slice(0, 12));
}
