import { hasHostCertificates } from './certificates.ts';

/** Docker Hub's server has another name than its images. */
const HUB_HOST = 'registry-1.docker.io';

/**
 * The URL of a reference's registry. Plain HTTP on request, and on this machine (127.0.0.0/8, ::1, localhost), unless
 * it has certificates.
 *
 * @param domain of the reference, e.g. `docker.io`, `127.0.0.1:5000`
 */
export async function findEndpoint(
  domain: string,
  options: { readonly plainHttp: boolean; readonly certificateDirectories: readonly string[] },
): Promise<URL> {
  const host = domain === 'docker.io' ? HUB_HOST : domain;
  const isPlain =
    options.plainHttp || (isLocalHost(host) && !(await hasHostCertificates(domain, options.certificateDirectories)));
  return new URL(`${isPlain ? 'http' : 'https'}://${host}/`);
}

/** @param host with or without a port */
export function isLocalHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}
