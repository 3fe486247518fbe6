import { existsSync, mkdirSync } from 'node:fs';
import { hostname as hostHostname } from 'node:os';
import { join } from 'node:path';
import type { GeneratedFiles } from '../oci/mounts.ts';
import { noSpaceError, replaceFile } from '../store/atomic-write.ts';

export type NetworkMode = 'none' | 'host';

const LOOPBACK_HOSTS = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/**
 * What a container finds under /etc of its own: with `none` files that we write, with `host` the host's own.
 *
 * @param dir the container's data directory. Nothing is written: a create that dies leaves no directory; see writeGeneratedFiles
 */
export function generatedFilesOf(dir: string, network: NetworkMode): GeneratedFiles {
  const hostname = join(dir, 'hostname');
  if (network === 'none') return { hostname, hosts: join(dir, 'hosts'), resolvConf: join(dir, 'resolv.conf') };
  return {
    hostname,
    ...(existsSync('/etc/hosts') ? { hosts: '/etc/hosts' } : {}),
    ...(existsSync('/etc/resolv.conf') ? { resolvConf: '/etc/resolv.conf' } : {}),
  };
}

/** Writes those of the files that are ours, before each start. Throws EXHAUSTED without space. */
export function writeGeneratedFiles(
  dir: string,
  options: { readonly network: string; readonly hostname: string },
): void {
  const contents: Readonly<Record<string, string>> = {
    hostname: `${options.hostname}\n`,
    ...(options.network === 'none' ? { hosts: `${LOOPBACK_HOSTS.join('\n')}\n`, 'resolv.conf': '' } : {}),
  };
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw noSpaceError(error, dir);
  }
  for (const [name, content] of Object.entries(contents)) replaceFile(join(dir, name), content, 0o644);
}

/** The hostname of a container on the host's network is the host's. */
export function hostnameFor(given: string | undefined, network: NetworkMode, id: string): string {
  return given ?? (network === 'host' ? hostHostname() : id.slice(0, 12));
}
