import { HealthctlError } from '../../lib/errors.ts';
import type { ListenTarget, PageSettings } from '../../lib/settings.ts';
import { isTexts } from '../../lib/shape.ts';
import { MAX_SOCKET_PATH_BYTES } from '../../system/socket-path.ts';
import { checkTable } from './config-table.ts';
import { checkPath, checkText, type Locate, wrongType } from './config-values.ts';
import { LISTEN_KEYS, listenAddressFrom, refuseOpen, tlsFilesIn } from './listen-settings.ts';

export const DEFAULT_PAGE: PageSettings = { listen: undefined, tls: undefined, tokenFile: undefined, hosts: [] };

const KEYS = [...LISTEN_KEYS, 'hosts'];
/** A name or an IP address in the form of a URL, with a port where it is not the usual one. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/;

/** Reads the table `[page]`. Throws CONFIG that names the location and the key. */
export function checkPage(location: string, key: string, value: unknown, locate: Locate): PageSettings {
  const table = checkTable(location, key, { value, locate, keys: KEYS });
  const { given } = table;
  const [listen, tokenFile] = [given('listen', checkTarget), given('token_file', checkPath)];
  const tls = tlsFilesIn(table);
  refuseOpen(listen, tokenFile, table);
  return { ...{ listen, tokenFile, tls }, hosts: given('hosts', checkHosts) ?? DEFAULT_PAGE.hosts };
}

/** The settings with the address of an option instead. Throws USAGE. */
export function withPageAt(settings: PageSettings, text: string): PageSettings {
  const listen = targetFrom(text);
  if (!listen) throw new HealthctlError('USAGE', `--page must be ${FORMS}, not ${JSON.stringify(text)}`);
  try {
    refuseOpen(listen, settings.tokenFile, { at: () => '--page', key: 'page' });
  } catch (error) {
    if (!(error instanceof HealthctlError)) throw error;
    throw new HealthctlError('USAGE', error.message, error.hint === undefined ? {} : { hint: error.hint });
  }
  return { ...settings, listen };
}

const FORMS =
  'an IP address and a port, like "127.0.0.1:9181" or "[::1]:9181", or the absolute path of a Unix socket of at most 107 bytes';

function checkTarget(location: string, key: string, value: unknown): ListenTarget {
  const target = targetFrom(checkText(location, key, value));
  if (target) return target;
  throw wrongType(location, key, FORMS, value);
}

/** `unix://` before a path is allowed. */
function targetFrom(text: string): ListenTarget | undefined {
  const path = text.replace(/^unix:\/\//, '');
  if (!path.startsWith('/')) return listenAddressFrom(text);
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES && !path.includes('\0') ? { path } : undefined;
}

function checkHosts(location: string, key: string, value: unknown): readonly string[] {
  const hosts = isTexts(value) ? value.map((host) => host.toLowerCase()) : [];
  if (isTexts(value) && hosts.every((host) => HOST.test(host))) return hosts;
  throw wrongType(location, key, 'a list of names, like ["health.example.org"]', value);
}
