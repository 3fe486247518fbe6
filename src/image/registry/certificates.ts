import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, fileReasonOf, HealthctlError } from '../../lib/errors.ts';
import { readPlainFile } from '../../system/plain-file.ts';

/** Where Docker and containerd look for the certificates of a registry: `<directory>/<host:port>/*.crt`. */
export const CERTIFICATE_DIRECTORIES = ['/etc/docker/certs.d', '/etc/containerd/certs.d'];
/** The roots of the system, as Debian, Ubuntu, Alpine and Arch name them. */
const SYSTEM_ROOTS = '/etc/ssl/certs/ca-certificates.crt';
/**
 * Files of further roots. The launcher passes NODE_EXTRA_CA_CERTS on as HC_CA, because Node.js would parse the former
 * in every command.
 */
const EXTRA_VARIABLES = ['HC_CA', 'NODE_EXTRA_CA_CERTS'];

/**
 * The certificates (PEM) to trust for a registry: `SSL_CERT_FILE` or else the system's roots, those of HC_CA and
 * NODE_EXTRA_CA_CERTS, and those in `certs.d`. Undefined: only Node.js's own. Throws CONFIG for a named file that
 * cannot be read.
 */
export async function readCertificates(
  host: string,
  env: Readonly<Record<string, string | undefined>>,
  directories: readonly string[] = CERTIFICATE_DIRECTORIES,
): Promise<readonly string[] | undefined> {
  const named = new Set(EXTRA_VARIABLES.flatMap((variable) => env[variable] || []));
  const roots = env.SSL_CERT_FILE ? readNamed(env.SSL_CERT_FILE) : readIfPresent(SYSTEM_ROOTS);
  const extra = [...named].map(readNamed);
  const local = await readHostCertificates(host, directories);
  if (roots === undefined && extra.length + local.length === 0) return undefined;
  const base = roots === undefined ? (await import('node:tls')).rootCertificates : [roots];
  return [...base, ...extra, ...local];
}

/** Whether there are certificates for this registry: then it uses HTTPS, even on this machine. */
export async function hasHostCertificates(host: string, directories: readonly string[]): Promise<boolean> {
  return (await readHostCertificates(host, directories)).length > 0;
}

async function readHostCertificates(host: string, directories: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const directory of directories) {
    const path = join(directory, host);
    const names = await readdir(path).catch((error: unknown) => {
      if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) return [];
      throw error;
    });
    for (const name of names.filter((n) => n.endsWith('.crt')).sort()) found.push(readNamed(join(path, name)));
  }
  return found;
}

function readNamed(path: string): string {
  try {
    return readPlainFile(path).toString('utf8');
  } catch (cause) {
    if (cause instanceof HealthctlError) throw new HealthctlError('CONFIG', cause.message, { cause });
    throw new HealthctlError('CONFIG', `cannot read the certificates in ${path}: ${fileReasonOf(cause)}`, { cause });
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    return readPlainFile(path).toString('utf8');
  } catch {
    return undefined;
  }
}
