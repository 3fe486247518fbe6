import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isToken, type TokenHash } from '../system/bearer-token.ts';

/** Why a request is not answered. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface GuardOptions {
  /** Names, some with a port, by which browsers may ask besides `localhost` and IP addresses. Lower case. */
  readonly hosts: readonly string[];
  readonly token: TokenHash | undefined;
}

type Head = Pick<IncomingMessage, 'method' | 'headers'>;

/**
 * Refuses what a page of another site could make a browser ask.
 *
 * A site cannot make a browser send the `Host` of this page, because that is the name in the site's own address: a
 * name that it lets point to this machine (DNS rebinding) is refused. An IP address is no name, so nobody can let it
 * point elsewhere.
 */
export function refusalOfSource(
  { method, headers }: Head,
  { hosts }: Pick<GuardOptions, 'hosts'>,
): Refusal | undefined {
  const host = headers.host?.toLowerCase();
  if (host === undefined || !isOwnHost(host, hosts))
    return {
      status: 421,
      message: `this page is not at ${JSON.stringify(host ?? '')}: if it is behind a proxy, add this name to hosts of [page] in the configuration`,
    };
  const { origin } = headers;
  if (origin !== undefined && !isOwnOrigin(origin.toLowerCase(), host, hosts))
    return { status: 403, message: `requests from ${JSON.stringify(origin)} are not answered` };
  if (method === 'GET' || method === 'HEAD') return undefined;
  return { status: 405, message: 'this page changes nothing', headers: { allow: 'GET, HEAD' } };
}

/** Data is for the page itself: refuses other sites, and clients without the token. */
export function refusalOfData({ headers }: Head, { token }: Pick<GuardOptions, 'token'>): Refusal | undefined {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return { status: 403, message: 'requests from other sites are not answered' };
  if (!token || isToken(headers.authorization, token)) return undefined;
  // Without `www-authenticate`: a browser would ask with a window of its own.
  const isWrong = headers.authorization !== undefined;
  return { status: 401, message: isWrong ? 'this is not the token' : 'a bearer token is needed' };
}

function isOwnHost(host: string, hosts: readonly string[]): boolean {
  const name = nameOf(host);
  return name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 || isListed(host, hosts);
}

const nameOf = (host: string): string => host.replace(/:\d*$/, '');

const isListed = (host: string, hosts: readonly string[]): boolean =>
  hosts.includes(host) || hosts.includes(nameOf(host));

/** A proxy may ask by another name than the browser does. */
function isOwnOrigin(origin: string, host: string, hosts: readonly string[]): boolean {
  const from = /^https?:\/\/([^/]+)$/.exec(origin)?.[1];
  return from !== undefined && (from === host || isListed(from, hosts));
}
