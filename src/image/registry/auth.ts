import { HealthctlError } from '../../lib/errors.ts';
import { parseDocument } from '../document.ts';
import type { Credentials } from './credentials.ts';
import type { HttpClient, HttpResponse } from './http.ts';

/** A challenge of a registry in `WWW-Authenticate`. */
export interface Challenge {
  /** In lower case, e.g. `bearer`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const MAX_TOKEN_ANSWER_BYTES = 256 << 10;

/**
 * Parses `Bearer realm="…",service="…"` (RFC 9110, section 11.6.1), also several in one header. Invalid parts are
 * skipped.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const item =
    /\s*(?:,\s*)*(?:([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([\w!#$%&'*+.^`|~-]+)(?=\s|$|,))/y;
  for (let match = item.exec(header); match; match = item.exec(header)) {
    const [, key, quoted, bare, scheme] = match;
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
    else if (key !== undefined) {
      const current = challenges.at(-1);
      if (current) current.parameters[key.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '';
    }
    if (item.lastIndex >= header.length) break;
  }
  return challenges;
}

/**
 * The value of the Authorization header for a registry's challenge: a token from the realm, or Basic credentials.
 * Undefined if there is none. Throws DENIED if the realm refuses, with a text without secrets.
 */
export async function answerChallenge(
  http: HttpClient,
  ask: {
    readonly header: string;
    /** Of the registry that asks. */
    readonly url: URL;
    /** E.g. `repository:library/busybox:pull`. */
    readonly scope: string;
    readonly credentials: Credentials | undefined;
  },
  signal?: AbortSignal,
): Promise<string | undefined> {
  const challenges = parseChallenges(ask.header);
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  const { credentials } = ask;
  if (bearer) {
    if (credentials?.kind === 'registry-token') return `Bearer ${credentials.token}`;
    return `Bearer ${await fetchToken(http, { ...ask, parameters: bearer.parameters }, signal)}`;
  }
  const basic = challenges.some(({ scheme }) => scheme === 'basic');
  return basic && credentials?.kind === 'password' ? basicHeader(credentials) : undefined;
}

const basicHeader = ({ username, password }: { username: string; password: string }) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

async function fetchToken(
  http: HttpClient,
  ask: Parameters<typeof answerChallenge>[1] & { readonly parameters: Readonly<Record<string, string>> },
  signal?: AbortSignal,
): Promise<string> {
  const { parameters, credentials, url } = ask;
  const realm = parseRealm(parameters.realm ?? '', url);
  const scope = parameters.scope || ask.scope;
  const service = parameters.service ?? '';
  const response =
    credentials?.kind === 'identity-token'
      ? await http.send(refreshRequest(realm, { scope, service, token: credentials.token }), signal)
      : await http.send(tokenRequest(realm, { scope, service, credentials }), signal);
  if (response.status !== 200) {
    response.discard();
    throw refused(realm, response.status);
  }
  const document = parseDocument(`the token of ${realm.host}`, await readAll(response));
  const token = document.string('token') || document.string('access_token');
  if (!token || /[^\x21-\x7e]/.test(token)) {
    throw new HealthctlError('CORRUPT', `${realm.host} answered without a token`);
  }
  return token;
}

/**
 * Throws INVALID for a realm that must not get credentials: without HTTP(S), or in the clear while the registry itself
 * uses TLS.
 */
function parseRealm(text: string, registry: URL): URL {
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  if (!realm || (realm.protocol !== 'https:' && realm.protocol !== 'http:')) {
    throw new HealthctlError('INVALID', `registry ${registry.host} names no valid address for a token`);
  }
  if (realm.protocol === 'http:' && registry.protocol === 'https:') {
    throw new HealthctlError('INVALID', `registry ${registry.host} wants a token from ${realm.host} over plain HTTP`);
  }
  return realm;
}

function tokenRequest(
  realm: URL,
  ask: { readonly scope: string; readonly service: string; readonly credentials: Credentials | undefined },
) {
  const url = new URL(realm);
  if (ask.service !== '') url.searchParams.set('service', ask.service);
  for (const scope of ask.scope.split(' ')) if (scope !== '') url.searchParams.append('scope', scope);
  const login = ask.credentials?.kind === 'password' ? ask.credentials : undefined;
  if (login) url.searchParams.set('account', login.username);
  return { method: 'GET' as const, url, headers: login ? { Authorization: basicHeader(login) } : {} };
}

function refreshRequest(realm: URL, ask: { readonly scope: string; readonly service: string; readonly token: string }) {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'healthctl',
    service: ask.service,
    scope: ask.scope,
    refresh_token: ask.token,
  }).toString();
  const headers = {
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': String(Buffer.byteLength(body)),
  };
  return { method: 'POST' as const, url: realm, headers, body };
}

function refused(realm: URL, status: number): HealthctlError {
  if (status === 401 || status === 403) {
    return new HealthctlError('DENIED', `${realm.host} refused the login: incorrect username or password`, {
      hint: 'log in again, e.g. with docker login or nerdctl login',
    });
  }
  return new HealthctlError('UNAVAILABLE', `${realm.host} gave no token: status ${status}`);
}

async function readAll(response: HttpResponse): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body()) {
    size += chunk.length;
    if (size > MAX_TOKEN_ANSWER_BYTES) {
      throw new HealthctlError('CORRUPT', `the token of ${response.url.host} is too large`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
