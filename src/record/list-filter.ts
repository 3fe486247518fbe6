import { quote } from '../go/quote.ts';
import { familiarRecordName, fullName, tryParseReference, withDefaultTag } from '../image/reference.ts';
import type { NamespaceDirs } from '../lib/dirs.ts';
import { HealthctlError } from '../lib/errors.ts';
import { hasLabel } from '../lib/label-filter.ts';
import { matchesPattern } from '../lib/pattern-filter.ts';
import { detailsOf } from './details.ts';
import { CONTAINER_STATES, HEALTH_WORDS } from './list-words.ts';
import { networksOf } from './networks.ts';
import { matchesPorts, type PortFilter, parseIsTask, parsePortFilter } from './port-filter.ts';
import { type ShownHealth, statusWord } from './shown-health.ts';
import { shownLabels } from './shown-labels.ts';
import { parseShownPorts, shownPortsText } from './shown-ports.ts';
import { storedConfigOf } from './stored-config.ts';
import type { ContainerView } from './view.ts';

/** The values of `ps --filter`, by key. Values of one key are alternatives; for labels, all must match. */
export type ListFilters = ReadonlyMap<FilterKey, readonly string[]>;

const KEYS = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
] as const;
type FilterKey = (typeof KEYS)[number];

/**
 * Parses `key=value` texts (Docker: daemon/list.go). Throws INVALID with Docker's texts, e.g. `invalid filter
 * 'health=foo': invalid value for health (foo): must be one of none, starting, healthy, unhealthy`.
 */
export function parseListFilters(texts: readonly string[]): ListFilters {
  const filters = new Map<FilterKey, string[]>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    const name = text.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    const value = text.slice(equals + 1).trim();
    const key = KEYS.find((known) => known === name);
    if (key === undefined) {
      throw new HealthctlError('INVALID', `invalid filter '${name}'`, { hint: `filters are ${KEYS.join(', ')}` });
    }
    checkValue(key, value);
    filters.set(key, [...(filters.get(key) ?? []), value]);
  }
  const task = parseIsTask(filters.get('is-task') ?? []);
  if ('refusal' in task) throw new HealthctlError('INVALID', task.refusal);
  return filters;
}

function checkValue(key: FilterKey, value: string): void {
  const refuse = (reason: string) => new HealthctlError('INVALID', `invalid filter '${key}=${value}': ${reason}`);
  const refuseWord = (what: string, words: readonly string[]) =>
    refuse(`invalid value for ${what} (${value}): must be one of ${words.join(', ')}`);
  if (key === 'health' && !HEALTH_WORDS.includes(value)) throw refuseWord('health', HEALTH_WORDS);
  if (key === 'status' && !CONTAINER_STATES.includes(value)) throw refuseWord('state', CONTAINER_STATES);
  const port = key === 'publish' || key === 'expose' ? parsePortFilter(key, value) : undefined;
  if (port && 'refusal' in port) throw new HealthctlError('INVALID', port.refusal);
  if (key === 'exited' && !/^[+-]?\d{1,15}$/.test(value)) {
    throw refuse(`strconv.Atoi: parsing ${quote(value)}: invalid syntax`);
  }
}

/**
 * Whether a container matches all filters except health, which has to be read first, and `before` and `since`, which
 * need other containers.
 */
export function matchesView(filters: ListFilters, view: ContainerView, namespaceDirs?: NamespaceDirs): boolean {
  const { record, state, exit } = view;
  return (
    anyOf(filters, 'id', (prefix) => record.id.startsWith(prefix)) &&
    anyOf(filters, 'name', (pattern) => matchesName(pattern, view.name)) &&
    anyOf(filters, 'status', (status) => status === state) &&
    anyOf(filters, 'exited', (code) => exit !== undefined && exit.code === Number(code)) &&
    anyOf(filters, 'network', (name) => networksOf(record).includes(name)) &&
    anyOf(filters, 'volume', (volume) => hasMount(record, volume)) &&
    anyOf(filters, 'ancestor', (image) => isMadeFrom(image, view)) &&
    hasWantedPorts(filters, view, namespaceDirs) &&
    // Isolation exists only on Windows: on Linux Docker accepts any word.
    isWantedTask(filters) &&
    hasLabels(view, filters.get('label') ?? [])
  );
}

function hasWantedPorts(filters: ListFilters, view: ContainerView, namespaceDirs: NamespaceDirs | undefined): boolean {
  if (!filters.has('publish') && !filters.has('expose')) return true;
  const wanted = (key: 'publish' | 'expose'): readonly PortFilter[] =>
    (filters.get(key) ?? []).flatMap((value) => {
      const parsed = parsePortFilter(key, value);
      return 'filter' in parsed ? [parsed.filter] : [];
    });
  const ports = parseShownPorts(shownPortsText(view, namespaceDirs));
  return matchesPorts(ports, { publish: wanted('publish'), expose: wanted('expose') });
}

/** No container is a task of a swarm. */
function isWantedTask(filters: ListFilters): boolean {
  const task = parseIsTask(filters.get('is-task') ?? []);
  return !('isTask' in task) || task.isTask !== true;
}

export function matchesHealth(filters: ListFilters, health: ShownHealth): boolean {
  return anyOf(filters, 'health', (status) => status === statusWord(health));
}

function anyOf(filters: ListFilters, key: FilterKey, test: (value: string) => boolean): boolean {
  return filters.get(key)?.some(test) ?? true;
}

/** With or without a leading slash. */
function matchesName(pattern: string, name: string): boolean {
  return matchesPattern(pattern, name) || matchesPattern(pattern, `/${name}`);
}

function hasLabels(view: ContainerView, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  const labels = shownLabels(view.record);
  return wanted.every((filter) => hasLabel(labels, filter));
}

/** By volume name, or by mount point in the container. */
function hasMount(record: ContainerView['record'], wanted: string): boolean {
  return detailsOf(record).mounts.some(({ Name, Destination }) => Name === wanted || Destination === wanted);
}

/** By the image's name at that time, or by its id. */
function isMadeFrom(image: string, { record }: ContainerView): boolean {
  const reference = tryParseReference(image);
  if (reference && fullName(withDefaultTag(reference)) === record.image) return true;
  if (familiarRecordName(record.image) === image) return true;
  const prefix = /^(?:sha256:)?([0-9a-f]+)$/.exec(image)?.[1];
  return prefix !== undefined && storedConfigOf(record)?.ImageId.startsWith(`sha256:${prefix}`) === true;
}
