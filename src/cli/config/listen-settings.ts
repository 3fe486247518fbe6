import { HealthctlError } from '../../lib/errors.ts';
import type { ListenAddress, ListenTarget, TlsFiles } from '../../lib/settings.ts';
import { isObject } from '../../lib/shape.ts';
import { checkText, wrongType } from './config-values.ts';

/** What the tables of servers on TCP have in common. */
export const LISTEN_KEYS = ['listen', 'tls_cert', 'tls_key', 'token_file'] as const;

/** The keys of one table. */
export interface TableReader {
  /** The checked value of a key; undefined without the key. */
  given<T>(name: string, check: (location: string, key: string, value: unknown) => T): T | undefined;
}

/** Throws CONFIG for anything but a table with these keys. */
export function tableReader(
  location: string,
  key: string,
  { value, keys }: { readonly value: unknown; readonly keys: readonly string[] },
): TableReader {
  if (!isObject(value)) throw wrongType(location, key, `a table, [${key}]`, value);
  const unknown = Object.keys(value).find((name) => !keys.includes(name));
  if (unknown !== undefined)
    throw new HealthctlError('CONFIG', `${location}: unknown key ${JSON.stringify(`${key}.${unknown}`)}`, {
      hint: `known keys of ${key}: ${keys.join(', ')}`,
    });
  return {
    given: (name, check) => (value[name] === undefined ? undefined : check(location, `${key}.${name}`, value[name])),
  };
}

/** Reads `tls_cert` and `tls_key`. Throws CONFIG if one of them is missing. */
export function tlsFilesIn({ given }: TableReader, location: string, key: string): TlsFiles | undefined {
  const [certFile, keyFile] = [given('tls_cert', checkPath), given('tls_key', checkPath)];
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new HealthctlError('CONFIG', `${location}: ${key}: tls_cert and tls_key belong together: one is missing`);
  return certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined;
}

/** Throws CONFIG for an address that other machines can reach, unless there is a token. */
export function refuseOpen(
  listen: ListenTarget | undefined,
  tokenFile: string | undefined,
  { location, key }: { readonly location: string; readonly key: string },
): void {
  if (!listen || 'path' in listen || tokenFile !== undefined || isLoopback(listen.host)) return;
  throw new HealthctlError('CONFIG', `${location}: ${key}.listen: ${listen.host} can be reached from other machines`, {
    hint: `name a file with a token in ${key}.token_file, or listen on a loopback address such as 127.0.0.1`,
  });
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

export function checkPath(location: string, key: string, value: unknown): string {
  const path = checkText(location, key, value);
  if (path.startsWith('/') && !path.includes('\0')) return path;
  throw wrongType(location, key, 'an absolute path', value);
}

const isIpv4 = (text: string): boolean =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);

const isLoopback = (host: string): boolean => host === '::1' || (isIpv4(host) && host.startsWith('127.'));
