import { HealthctlError } from '../lib/errors.ts';
import { hasLabel } from '../lib/label-filter.ts';
import type { HostEvent } from './host-event.ts';

/** The values of `events --filter`, by key. */
export type EventFilters = ReadonlyMap<EventFilterKey, readonly string[]>;

/** Docker's: by id or name, or a prefix of one. */
const NAME_KEYS = [
  'daemon',
  'container',
  'plugin',
  'volume',
  'network',
  'service',
  'node',
  'secret',
  'config',
] as const;
const KEYS = ['event', 'type', 'scope', 'image', 'label', ...NAME_KEYS] as const;
type EventFilterKey = (typeof KEYS)[number];

/** The keys to suggest to users: the others are accepted for compatibility with scripts. */
const USEFUL_KEYS: readonly EventFilterKey[] = ['container', 'event', 'image', 'label', 'network', 'type', 'volume'];

/** Events whose bare name matches everything that begins with it (moby#25798); `health_action` is ours. */
const PREFIX_EVENTS: readonly string[] = ['health_status', 'health_action', 'exec_create', 'exec_start'];

/** Docker: events of the engine itself, as opposed to a swarm. */
export const SCOPE = 'local';

/**
 * Parses `key=value` texts. An empty text is ignored, as in Docker.
 *
 * @throws INVALID `invalid filter 'x'` for an unknown key, which Docker silently ignores
 */
export function parseEventFilters(texts: readonly string[]): EventFilters {
  const filters = new Map<EventFilterKey, string[]>();
  for (const text of texts.filter((given) => given !== '')) {
    const equals = text.indexOf('=');
    if (equals < 0) throw new HealthctlError('USAGE', BAD_FORMAT);
    const name = text.slice(0, equals).trim().toLowerCase();
    const key = KEYS.find((known) => known === name);
    if (key === undefined) {
      throw new HealthctlError('INVALID', `invalid filter '${name}'`, {
        hint: `filters are ${USEFUL_KEYS.join(', ')}`,
      });
    }
    filters.set(key, [...(filters.get(key) ?? []), text.slice(equals + 1).trim()]);
  }
  return filters;
}

/** The filters of Docker's API, which ignores unknown keys. */
export function eventFiltersFrom(given: ReadonlyMap<string, readonly string[]>): EventFilters {
  return new Map(KEYS.flatMap((key) => (given.has(key) ? [[key, given.get(key) ?? []] as const] : [])));
}

/** docker/cli, opts/opts.go. */
export const BAD_FORMAT = 'bad format of filter (expected name=value)';

/**
 * Whether an event matches (Docker: daemon/events/filter.go). All keys must match; the values of a key are
 * alternatives, except labels, which must all match. Keys that name objects match ids and names, whatever the type of
 * the event.
 */
export function matchesEvent(filters: EventFilters, event: HostEvent): boolean {
  const { id, attributes } = event;
  const name = attributes.name ?? '';
  return (
    matchesAction(filters, event.action) &&
    isOneOf(filters, 'type', [event.type]) &&
    isOneOf(filters, 'scope', [SCOPE]) &&
    isOneOf(filters, 'image', imageNamesOf(event)) &&
    NAME_KEYS.every((key) => beginsWithOneOf(filters, key, [id, name])) &&
    hasLabels(attributes, filters.get('label') ?? [])
  );
}

/** If one of the bare names is among them, all values match as prefixes. */
function matchesAction(filters: EventFilters, action: string): boolean {
  const isByPrefix = filters.get('event')?.some((wanted) => PREFIX_EVENTS.includes(wanted)) === true;
  return isByPrefix ? beginsWithOneOf(filters, 'event', [action]) : isOneOf(filters, 'event', [action]);
}

function isOneOf(filters: EventFilters, key: EventFilterKey, texts: readonly string[]): boolean {
  return filters.get(key)?.some((wanted) => texts.includes(wanted)) ?? true;
}

function beginsWithOneOf(filters: EventFilters, key: EventFilterKey, texts: readonly string[]): boolean {
  return filters.get(key)?.some((wanted) => texts.some((text) => text.startsWith(wanted))) ?? true;
}

/** The image of the event or of its container, with and without its tag. */
function imageNamesOf({ type, id, attributes }: HostEvent): readonly string[] {
  const image = (type === 'image' ? attributes.name : attributes.image) ?? '';
  return [id, image, withoutTag(id), withoutTag(image)];
}

/** The familiar name without tag and digest; a text that is no name stays unchanged. */
function withoutTag(name: string): string {
  return name
    .replace(/^docker\.io\/(?:library\/)?/, '')
    .replace(/(?::[\w][\w.-]{0,127})?(?:@[\w+.-]+:[0-9a-f]+)?$/, '');
}

/** Docker searches all attributes, so `label=exitCode=1` works too. */
function hasLabels(attributes: HostEvent['attributes'], wanted: readonly string[]): boolean {
  return wanted.every((filter) => hasLabel(attributes, filter));
}
