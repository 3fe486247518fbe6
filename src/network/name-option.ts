import { isIP } from 'node:net';
import { HealthctlError } from '../lib/errors.ts';

/** docker/cli, opts.ValidateIPAddress. */
export function parseDns(text: string): string {
  if (isIP(text.trim()) !== 0) return text.trim();
  throw new HealthctlError('USAGE', `IP address is not correctly formatted: ${text}`);
}

/**
 * `name:address` or `name=address` (docker/cli, opts.ValidateExtraHost); characters that could end a line of the file
 * are refused.
 */
export function parseExtraHost(text: string): string {
  const [, name = '', address = ''] = /^([^:=\s]+)[:=](.+)$/.exec(text) ?? [];
  if (name === '') throw new HealthctlError('USAGE', `bad format for add-host: ${JSON.stringify(text)}`);
  const bare = address.replace(/^\[(.*)\]$/, '$1');
  if (bare !== 'host-gateway' && isIP(bare) === 0)
    throw new HealthctlError('USAGE', `invalid IP address in add-host: ${JSON.stringify(address)}`);
  return `${name}:${bare}`;
}
