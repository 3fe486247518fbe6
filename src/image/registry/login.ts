import type { Clock } from '../../lib/clock.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { answerChallenge } from './auth.ts';
import { CERTIFICATE_DIRECTORIES, readCertificates } from './certificates.ts';
import type { Credentials } from './credentials.ts';
import { hostOfKey } from './docker-config.ts';
import { findEndpoint } from './endpoint.ts';
import { openHttp } from './http.ts';

const IDLE_TIMEOUT_MS = 30_000;

/**
 * Asks a registry whether it takes these credentials (moby, registry/auth.go). A registry that wants none takes any.
 *
 * @param login.server as users and Docker's clients give it: a host, or a URL; empty for Docker Hub
 * @throws DENIED in Docker's words if it refuses them
 */
export async function checkLogin(
  world: { readonly clock: Clock; readonly env: Readonly<Record<string, string | undefined>> },
  login: { readonly server: string; readonly credentials: Credentials; readonly plainHttp?: boolean },
  signal?: AbortSignal,
): Promise<void> {
  const { server, credentials, plainHttp = server.startsWith('http://') } = login;
  const domain = server === '' ? 'docker.io' : hostOfKey(server);
  const certificateDirectories = CERTIFICATE_DIRECTORIES;
  const endpoint = await findEndpoint(domain, { plainHttp, certificateDirectories });
  const http = openHttp({
    clock: world.clock,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    certificates: () => readCertificates(domain, world.env, certificateDirectories),
  });
  const url = new URL('v2/', endpoint);
  try {
    const first = await http.send({ method: 'GET', url, headers: {} }, signal);
    first.discard();
    if (first.status === 200) return;
    if (first.status !== 401) throw failed(url, first.status);
    const header = first.headers['www-authenticate'] ?? '';
    const authorization = await answerChallenge(http, { header, url: endpoint, scope: '', credentials }, signal);
    if (authorization === undefined) throw failed(url, first.status);
    const second = await http.send({ method: 'GET', url, headers: { Authorization: authorization } }, signal);
    second.discard();
    if (second.status !== 200) throw failed(url, second.status);
  } finally {
    http.close();
  }
}

const WORDS: Readonly<Record<number, string>> = { 401: ' Unauthorized', 403: ' Forbidden', 404: ' Not Found' };

const failed = (url: URL, status: number) =>
  new HealthctlError(
    status === 401 || status === 403 ? 'DENIED' : 'INVALID',
    `login attempt to ${url.href} failed with status: ${status}${WORDS[status] ?? ''}`,
  );
