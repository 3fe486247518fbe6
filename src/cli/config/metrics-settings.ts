import { HealthctlError } from '../../lib/errors.ts';
import type { MetricsSettings } from '../../lib/settings.ts';
import { metricLabelOf } from '../../metrics/label-text.ts';
import { checkTable } from './config-table.ts';
import { checkNumber, checkPath, type Locate, wrongType } from './config-values.ts';
import { checkListen, LISTEN_KEYS, refuseOpen, tlsFilesIn } from './listen-settings.ts';

export const DEFAULT_METRICS: MetricsSettings = {
  ...{ listen: undefined, tls: undefined, tokenFile: undefined },
  ...{ containerLabels: [], maxContainers: 2_000 },
};
/** Each takes room in each of some thirty lines of a container. */
const MAX_CONTAINER_LABELS = 10;
const MAX_CONTAINERS = 100_000;
const KEYS = [...LISTEN_KEYS, 'container_labels', 'max_containers'];

/** Reads the table `[metrics]`. Throws CONFIG that names the location and the key. */
export function checkMetrics(location: string, key: string, value: unknown, locate: Locate): MetricsSettings {
  const table = checkTable(location, key, { value, locate, keys: KEYS });
  const { given } = table;
  const [listen, tokenFile] = [given('listen', checkListen), given('token_file', checkPath)];
  const tls = tlsFilesIn(table);
  refuseOpen(listen, tokenFile, table);
  return {
    ...{ listen, tokenFile, tls },
    containerLabels: given('container_labels', checkLabels) ?? DEFAULT_METRICS.containerLabels,
    maxContainers:
      given('max_containers', (at, name, number) => checkNumber(at, name, number, MAX_CONTAINERS)) ??
      DEFAULT_METRICS.maxContainers,
  };
}

function checkLabels(location: string, key: string, value: unknown): readonly string[] {
  const isKey = (label: unknown): label is string => typeof label === 'string' && label !== '';
  if (!Array.isArray(value) || !value.every(isKey) || value.length > MAX_CONTAINER_LABELS)
    throw wrongType(location, key, `a list of at most ${MAX_CONTAINER_LABELS} keys of labels`, value);
  const names = value.map(metricLabelOf);
  const twice = value.find((_, index) => names.indexOf(names[index] ?? '') !== index);
  if (twice !== undefined)
    throw new HealthctlError('CONFIG', `${location}: ${key}: two labels would have the name ${metricLabelOf(twice)}`);
  return value;
}
