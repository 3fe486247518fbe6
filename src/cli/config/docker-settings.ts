import { HealthctlError } from '../../lib/errors.ts';
import { MAX_SOCKET_PATH_BYTES } from '../../system/socket-path.ts';
import { checkText, wrongType } from './config-values.ts';

/** A socket that systemd has opened (sd_listen_fds). */
export const GIVEN_SOCKET = 'fd://';
const FORMS = `the absolute path of a Unix socket of at most ${MAX_SOCKET_PATH_BYTES} bytes, or "${GIVEN_SOCKET}"`;

/** Checks the value of `docker_socket`. Throws CONFIG. */
export function checkDockerSocket(location: string, key: string, value: unknown): string {
  const socket = socketFrom(checkText(location, key, value));
  if (socket !== undefined) return socket;
  throw wrongType(location, key, FORMS, value);
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
