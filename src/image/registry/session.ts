import { HealthctlError } from '../../lib/errors.ts';
import { printable } from '../manifest.ts';
import { answerChallenge } from './auth.ts';
import type { Credentials } from './credentials.ts';
import type { HttpClient, HttpRequest, HttpResponse, StreamedBody } from './http.ts';

/** A request to a registry. */
interface SessionRequest {
  readonly method: HttpRequest['method'];
  /** A path without a leading slash, or an address that the registry named. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | StreamedBody;
}

/** Requests to one repository: logs in if the registry requires it. The caller handles any status except 401. */
export interface Session {
  /** Follows redirects. @param path without a leading slash */
  get(path: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<HttpResponse>;
  /** Follows redirects only of a request without a body. */
  send(request: SessionRequest, signal?: AbortSignal): Promise<HttpResponse>;
}

interface SessionOptions {
  readonly http: HttpClient;
  readonly endpoint: URL;
  readonly scope: string;
  readonly credentials: Credentials | undefined;
  /** For messages. */
  readonly repository: string;
  readonly access: 'pull' | 'push';
}

const MAX_REDIRECTS = 10;

export function openSession(options: SessionOptions): Session {
  const { http, endpoint, scope, credentials } = options;
  let authorization: string | undefined;
  const send = async (request: SessionRequest, signal?: AbortSignal): Promise<HttpResponse> => {
    const url = typeof request.target === 'string' ? new URL(request.target, endpoint) : request.target;
    const used = authorization;
    const response = await follow(http, { request, url, endpoint, authorization: used }, signal);
    if (response.status !== 401 || response.url.origin !== endpoint.origin) return response;
    response.discard();
    // Another request may have logged in since; its credentials are as good as ours.
    if (authorization === used) {
      const header = response.headers['www-authenticate'] ?? '';
      authorization = await answerChallenge(http, { header, url: endpoint, scope, credentials }, signal);
    }
    if (authorization === undefined) throw denied(options);
    const again = await follow(http, { request, url, endpoint, authorization }, signal);
    if (again.status !== 401 || again.url.origin !== endpoint.origin) return again;
    again.discard();
    throw denied(options);
  };
  return { send, get: (path, headers, signal) => send({ method: 'GET', target: path, headers }, signal) };
}

const denied = ({ access, repository, endpoint }: SessionOptions) =>
  new HealthctlError(
    'DENIED',
    `${access} access denied for ${repository} at ${endpoint.host}, repository does not exist or may require a login`,
    { hint: 'log in with healthctl login' },
  );

interface Attempt {
  readonly request: SessionRequest;
  readonly url: URL;
  readonly endpoint: URL;
  readonly authorization: string | undefined;
}

/** Credentials go only to the registry: a redirect to another origin gets none. */
async function follow(http: HttpClient, attempt: Attempt, signal?: AbortSignal): Promise<HttpResponse> {
  const { request, endpoint, authorization } = attempt;
  const { method, headers = {}, body } = request;
  let { url } = attempt;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const login: Record<string, string> =
      authorization !== undefined && url.origin === endpoint.origin ? { Authorization: authorization } : {};
    const sent = { method, url, headers: { ...headers, ...login }, ...(body === undefined ? {} : { body }) };
    const response = await http.send(sent, signal);
    if (body !== undefined || ![301, 302, 303, 307, 308].includes(response.status)) return response;
    response.discard();
    url = targetOf(response, response.headers.location ?? '');
  }
  throw new HealthctlError('INVALID', `registry ${endpoint.host} redirects in circles`);
}

/** The address that a registry names. Throws INVALID for one that must not be used. */
export function targetOf(response: HttpResponse, location: string): URL {
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
