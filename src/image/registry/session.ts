import { HealthctlError } from '../../lib/errors.ts';
import { printable } from '../manifest.ts';
import { answerChallenge } from './auth.ts';
import type { Credentials } from './credentials.ts';
import type { HttpClient, HttpResponse } from './http.ts';

/** Requests to one repository: logs in if the registry requires it, and follows redirects. */
export interface Session {
  /** @param path without a leading slash. The caller handles any status except 401 and a redirect. */
  get(path: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<HttpResponse>;
}

interface SessionOptions {
  readonly http: HttpClient;
  readonly endpoint: URL;
  readonly scope: string;
  readonly credentials: Credentials | undefined;
  /** For messages. */
  readonly repository: string;
}

const MAX_REDIRECTS = 10;

export function openSession(options: SessionOptions): Session {
  const { http, endpoint, scope, credentials, repository } = options;
  let authorization: string | undefined;
  return {
    get: async (path, headers, signal) => {
      const url = new URL(path, endpoint);
      const used = authorization;
      const response = await follow(http, { url, headers, authorization: used }, signal);
      if (response.status !== 401 || response.url.origin !== endpoint.origin) return response;
      response.discard();
      // Another request may have logged in since; its credentials are as good as ours.
      if (authorization === used) {
        const header = response.headers['www-authenticate'] ?? '';
        authorization = await answerChallenge(http, { header, url: endpoint, scope, credentials }, signal);
      }
      if (authorization === undefined) throw denied(repository, endpoint);
      const again = await follow(http, { url, headers, authorization }, signal);
      if (again.status !== 401 || again.url.origin !== endpoint.origin) return again;
      again.discard();
      throw denied(repository, endpoint);
    },
  };
}

const denied = (repository: string, endpoint: URL) =>
  new HealthctlError(
    'DENIED',
    `pull access denied for ${repository} at ${endpoint.host}, repository does not exist or may require a login`,
    { hint: 'log in, e.g. with docker login or nerdctl login' },
  );

interface Fetch {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
}

/** Credentials go only to the registry: a redirect to another origin gets none. */
async function follow(http: HttpClient, fetch: Fetch, signal?: AbortSignal): Promise<HttpResponse> {
  let url = fetch.url;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const login: Record<string, string> =
      fetch.authorization !== undefined && url.origin === fetch.url.origin
        ? { Authorization: fetch.authorization }
        : {};
    const response = await http.send({ method: 'GET', url, headers: { ...fetch.headers, ...login } }, signal);
    if (![301, 302, 303, 307, 308].includes(response.status)) return response;
    response.discard();
    url = targetOf(response);
  }
  throw new HealthctlError('INVALID', `registry ${fetch.url.host} redirects in circles`);
}

function targetOf(response: HttpResponse): URL {
  const location = response.headers.location ?? '';
  const { host, protocol } = response.url;
  if (location === '' || !URL.canParse(location, response.url.href)) {
    throw new HealthctlError('INVALID', `registry ${host} redirects to an invalid address: ${printable(location)}`);
  }
  const target = new URL(location, response.url);
  if (target.protocol !== 'https:' && (target.protocol !== 'http:' || protocol === 'https:')) {
    throw new HealthctlError('INVALID', `registry ${host} redirects from https to ${printable(target.protocol)}`);
  }
  // A redirect may contain a user and a password of its own: Node.js would send them.
  target.username = '';
  target.password = '';
  return target;
}
