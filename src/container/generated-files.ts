import { existsSync, mkdirSync } from 'node:fs';
import { hostname as hostHostname } from 'node:os';
import { join } from 'node:path';
import type { GeneratedFiles } from '../oci/mounts.ts';
import { noSpaceError, replaceFile } from '../store/atomic-write.ts';

const LOOPBACK_HOSTS = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/** Writes what a container finds under /etc of its own: with `none` the loopback, with `host` the host's own files. */
export function writeGeneratedFiles(
  dir: string,
  options: { readonly network: 'none' | 'host'; readonly hostname: string },
): GeneratedFiles {
  const hostname = fileOf(dir, 'hostname', `${options.hostname}\n`);
  if (options.network === 'host')
    return { hostname, ...hostFile('hosts', '/etc/hosts'), ...hostFile('resolvConf', '/etc/resolv.conf') };
  return {
    hostname,
    hosts: fileOf(dir, 'hosts', `${LOOPBACK_HOSTS.join('\n')}\n`),
    resolvConf: fileOf(dir, 'resolv.conf', ''),
  };
}

/** The hostname of a container on the host's network is the host's. */
export function hostnameFor(given: string | undefined, network: 'none' | 'host', id: string): string {
  return given ?? (network === 'host' ? hostHostname() : id.slice(0, 12));
}

function hostFile(key: 'hosts' | 'resolvConf', path: string): GeneratedFiles {
  return existsSync(path) ? { [key]: path } : {};
}

function fileOf(dir: string, name: string, content: string): string {
  const path = join(dir, name);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    replaceFile(path, content, 0o644);
  } catch (error) {
    throw noSpaceError(error, path);
  }
  return path;
}
