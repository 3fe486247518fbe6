import { HealthctlError } from '../../lib/errors.ts';
import type { ListenAddress, MetricsSettings } from '../../lib/settings.ts';
import { metricLabelOf } from '../../metrics/label-text.ts';
import { checkNumber, checkText, wrongType } from './config-values.ts';

export const DEFAULT_METRICS: MetricsSettings = {
  ...{ listen: undefined, tls: undefined, tokenFile: undefined },
  ...{ containerLabels: [], maxContainers: 2_000 },
};
/** Each takes room in each of some thirty lines of a container. */
const MAX_CONTAINER_LABELS = 10;
const MAX_CONTAINERS = 100_000;
const KEYS = ['listen', 'tls_cert', 'tls_key', 'token_file', 'container_labels', 'max_containers'];

/** Reads the table `[metrics]`. Throws CONFIG that names the place and the key. */
export function checkMetrics(place: string, key: string, value: unknown): MetricsSettings {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongType(place, key, 'a table, [metrics]', value);
  const table = value as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(table).find((name) => !KEYS.includes(name));
  if (unknown !== undefined)
    throw new HealthctlError('CONFIG', `${place}: unknown key ${JSON.stringify(`${key}.${unknown}`)}`, {
      hint: `known keys of metrics: ${KEYS.join(', ')}`,
    });
  const given = <T>(name: string, check: (place: string, key: string, value: unknown) => T): T | undefined =>
    table[name] === undefined ? undefined : check(place, `${key}.${name}`, table[name]);
  const [listen, tokenFile] = [given('listen', checkListen), given('token_file', checkPath)];
  const [certFile, keyFile] = [given('tls_cert', checkPath), given('tls_key', checkPath)];
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new HealthctlError('CONFIG', `${place}: ${key}: tls_cert and tls_key belong together: one is missing`);
  if (listen && tokenFile === undefined && !isLoopback(listen.host))
    throw new HealthctlError('CONFIG', `${place}: ${key}.listen: ${listen.host} can be reached from other machines`, {
      hint: `name a file with a token in ${key}.token_file, or listen on a loopback address such as 127.0.0.1`,
    });
  return {
    ...{ listen, tokenFile },
    tls: certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined,
    containerLabels: given('container_labels', checkLabels) ?? DEFAULT_METRICS.containerLabels,
    maxContainers:
      given('max_containers', (at, name, number) => checkNumber(at, name, number, MAX_CONTAINERS)) ??
      DEFAULT_METRICS.maxContainers,
  };
}

/** `127.0.0.1:9180` or `[::1]:9180`: a name could later be another address. */
function checkListen(place: string, key: string, value: unknown): ListenAddress {
  const text = checkText(place, key, value);
  const [, six, four, digits = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const [host, port] = [six ?? four ?? '', Number(digits)];
  const isAddress = six === undefined ? isIpv4(host) : URL.canParse(`http://[${host}]/`);
  if (isAddress && port >= 1 && port <= 65_535) return { host, port };
  throw wrongType(place, key, 'an IP address and a port, like "127.0.0.1:9180" or "[::1]:9180"', value);
}

function checkPath(place: string, key: string, value: unknown): string {
  const path = checkText(place, key, value);
  if (path.startsWith('/') && !path.includes('\0')) return path;
  throw wrongType(place, key, 'an absolute path', value);
}

function checkLabels(place: string, key: string, value: unknown): readonly string[] {
  const isKey = (label: unknown): label is string => typeof label === 'string' && label !== '';
  if (!Array.isArray(value) || !value.every(isKey) || value.length > MAX_CONTAINER_LABELS)
    throw wrongType(place, key, `a list of at most ${MAX_CONTAINER_LABELS} keys of labels`, value);
  const names = value.map(metricLabelOf);
  const twice = value.find((_, index) => names.indexOf(names[index] ?? '') !== index);
  if (twice !== undefined)
    throw new HealthctlError('CONFIG', `${place}: ${key}: two labels would have the name ${metricLabelOf(twice)}`);
  return value;
}

const isIpv4 = (text: string): boolean =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);

const isLoopback = (host: string): boolean => host === '::1' || (isIpv4(host) && host.startsWith('127.'));
