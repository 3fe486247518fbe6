import { HealthctlError } from '../../lib/errors.ts';
import type { DockerTcpSettings } from '../../lib/settings.ts';
import { MAX_SOCKET_PATH_BYTES } from '../../system/socket-path.ts';
import { checkTable } from './config-table.ts';
import { checkPath, checkText, type Locate, wrongType } from './config-values.ts';
import { checkListen } from './listen-settings.ts';

/** A socket that systemd has opened (sd_listen_fds). */
export const GIVEN_SOCKET = 'fd://';
const FORMS = `the absolute path of a Unix socket of at most ${MAX_SOCKET_PATH_BYTES} bytes, or "${GIVEN_SOCKET}"`;

/** Checks the value of `docker_socket`. Throws CONFIG. */
export function checkDockerSocket(location: string, key: string, value: unknown): string {
  const socket = socketFrom(checkText(location, key, value));
  if (socket !== undefined) return socket;
  throw wrongType(location, key, FORMS, value);
}

const TCP_KEYS = ['listen', 'tls_cert', 'tls_key', 'tls_ca'] as const;

/**
 * Reads the table `[docker_tcp]`. Throws CONFIG that names the location and the key, also if one of its keys is missing:
 * who can connect is root on this host, so nobody may without a certificate, from this host either.
 */
export function checkDockerTcp(location: string, key: string, value: unknown, locate: Locate): DockerTcpSettings {
  const { given } = checkTable(location, key, { value, locate, keys: TCP_KEYS });
  const [certFile, keyFile, caFile] = [
    given('tls_cert', checkPath),
    given('tls_key', checkPath),
    given('tls_ca', checkPath),
  ];
  const listen = given('listen', checkListen);
  if (listen && certFile !== undefined && keyFile !== undefined && caFile !== undefined)
    return { listen, tls: { certFile, keyFile, caFile } };
  throw new HealthctlError('CONFIG', `${location}: ${key} needs ${TCP_KEYS.join(', ')}`, {
    hint: "Docker's API is served on TCP only with TLS, and only to clients with a certificate of tls_ca",
  });
}

/** The value of the option `--docker-socket`. Throws USAGE. */
export function dockerSocketOf(text: string): string {
  const socket = socketFrom(text);
  if (socket !== undefined) return socket;
  throw new HealthctlError('USAGE', `--docker-socket must be ${FORMS}, not ${JSON.stringify(text)}`);
}

/** `unix://` before a path is allowed. */
function socketFrom(text: string): string | undefined {
  if (text === GIVEN_SOCKET) return text;
  const path = text.replace(/^unix:\/\//, '');
  const isUsable = path.startsWith('/') && Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES && !path.includes('\0');
  return isUsable ? path : undefined;
}
