import { HealthctlError } from '../../lib/errors.ts';
import type { ListenAddress, ListenTarget, TlsFiles } from '../../lib/settings.ts';
import type { ConfigTable } from './config-table.ts';
import { checkPath, checkText, wrongType } from './config-values.ts';

/** What the tables of servers on TCP have in common. */
export const LISTEN_KEYS = ['listen', 'tls_cert', 'tls_key', 'token_file'] as const;

/** Reads `tls_cert` and `tls_key`. Throws CONFIG if one of them is missing. */
export function tlsFilesIn({ location, key, given }: ConfigTable): TlsFiles | undefined {
  const [certFile, keyFile] = [given('tls_cert', checkPath), given('tls_key', checkPath)];
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new HealthctlError('CONFIG', `${location}: ${key}: tls_cert and tls_key belong together: one is missing`);
  return certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined;
}

/** Throws CONFIG for an address that other machines can reach, unless there is a token. */
export function refuseOpen(
  listen: ListenTarget | undefined,
  tokenFile: string | undefined,
  { at, key }: Pick<ConfigTable, 'at' | 'key'>,
): void {
  if (!listen || 'path' in listen || tokenFile !== undefined || isLoopback(listen.host)) return;
  throw new HealthctlError(
    'CONFIG',
    `${at('listen')}: ${key}.listen: ${listen.host} can be reached from other machines`,
    {
      hint: `name a file with a token in ${key}.token_file, or listen on a loopback address such as 127.0.0.1`,
    },
  );
}

/** `127.0.0.1:9180` or `[::1]:9180`: a name could later be another address. */
export function checkListen(location: string, key: string, value: unknown): ListenAddress {
  const address = listenAddressFrom(checkText(location, key, value));
  if (address) return address;
  throw wrongType(location, key, 'an IP address and a port, like "127.0.0.1:9180" or "[::1]:9180"', value);
}

/** Undefined for anything but an IP address and a port. */
export function listenAddressFrom(text: string): ListenAddress | undefined {
  const [, six, four, digits = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const [host, port] = [six ?? four ?? '', Number(digits)];
  const isAddress = six === undefined ? isIpv4(host) : URL.canParse(`http://[${host}]/`);
  return isAddress && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

const isIpv4 = (text: string): boolean =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);

const isLoopback = (host: string): boolean => host === '::1' || (isIpv4(host) && host.startsWith('127.'));
