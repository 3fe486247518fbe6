import { HealthctlError } from '../lib/errors.ts';
import { hasLabel } from '../lib/label-filter.ts';
import { matchesPattern } from '../lib/pattern-filter.ts';
import type { NetworkContext } from './network-context.ts';
import { DEFAULT_NETWORK, PLAIN_NETWORKS } from './network-names.ts';
import { builtInIdOf, listNetworks, missingNetwork, type NetworkRecord } from './network-record.ts';

/** A network to show: one of ours, or a built-in one. */
export interface KnownNetwork {
  readonly id: string;
  readonly name: string;
  /** `bridge`, `host` or `null`, Docker's word for that of `none`. */
  readonly driver: string;
  /** RFC 3339; absent for a built-in one. */
  readonly created?: string;
  readonly internal: boolean;
  readonly attachable?: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Absent without addresses, and for `bridge` until it is created. */
  readonly addresses?: Pick<NetworkRecord, 'subnet' | 'ipRange' | 'gateway' | 'bridge' | 'mtu' | 'options' | 'ipv6'>;
}

/** All networks, by name. */
export function knownNetworks({ dirs }: Pick<NetworkContext, 'dirs'>): readonly KnownNetwork[] {
  const made = listNetworks({ dirs }).map((network): KnownNetwork => {
    const { id, name, created, internal, labels, attachable = false } = network;
    return { ...{ id, name, created, internal, labels, attachable }, driver: 'bridge', addresses: network };
  });
  const builtIn = [DEFAULT_NETWORK, ...PLAIN_NETWORKS]
    .filter((name) => !made.some((network) => network.name === name))
    .map((name): KnownNetwork => {
      const driver = name === 'none' ? 'null' : name;
      return { id: builtInIdOf(dirs, name), name, driver, internal: false, labels: {} };
    });
  return [...made, ...builtIn].sort((a, b) => a.name.localeCompare(b.name));
}

/** The network with this name, id or unambiguous id prefix. Throws NOT_FOUND, AMBIGUOUS with Docker's texts. */
export function resolveNetwork(ctx: Pick<NetworkContext, 'dirs'>, nameOrId: string): KnownNetwork {
  const networks = knownNetworks(ctx);
  const exact = networks.find(({ id }) => id === nameOrId) ?? networks.find(({ name }) => name === nameOrId);
  if (exact) return exact;
  const [first, ...others] = networks.filter(({ id }) => nameOrId !== '' && id.startsWith(nameOrId));
  if (!first) throw missingNetwork(nameOrId);
  if (others.length === 0) return first;
  throw new HealthctlError(
    'AMBIGUOUS',
    `network ${nameOrId} is ambiguous (${others.length + 1} matches found based on ID prefix)`,
  );
}

export const isBuiltIn = (name: string): boolean => name === DEFAULT_NETWORK || PLAIN_NETWORKS.includes(name);

const FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'] as const;
type FilterKey = (typeof FILTERS)[number];
export type NetworkFilters = ReadonlyMap<FilterKey, readonly string[]>;

/**
 * Parses `key=value` texts of `network ls --filter` (moby: daemon/network/filter.go). Throws INVALID with Docker's
 * texts.
 */
export function parseNetworkFilters(texts: readonly string[]): NetworkFilters {
  const filters = new Map<FilterKey, string[]>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    const [name, value] = [text.slice(0, Math.max(equals, 0)).trim().toLowerCase(), text.slice(equals + 1).trim()];
    const key = FILTERS.find((known) => known === name);
    if (key === undefined)
      throw new HealthctlError('INVALID', `invalid filter '${name}'`, { hint: `filters are ${FILTERS.join(', ')}` });
    if (key === 'type' && value !== 'custom' && value !== 'builtin')
      throw new HealthctlError('INVALID', `invalid filter: 'type'='${value}'`);
    if (key === 'dangling' && !/^(?:true|false|1|0)$/.test(value))
      throw new HealthctlError(
        'INVALID',
        `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
      );
    filters.set(key, [...(filters.get(key) ?? []), value]);
  }
  return filters;
}

/** Whether a network matches. @param isUsed whether a container is attached to it */
export function matchesNetwork(filters: NetworkFilters, network: KnownNetwork, isUsed: boolean): boolean {
  const { id, name, driver, labels } = network;
  const anyOf = (key: FilterKey, test: (value: string) => boolean): boolean => filters.get(key)?.some(test) ?? true;
  return (
    anyOf('name', (pattern) => matchesPattern(pattern, name)) &&
    anyOf('id', (pattern) => matchesPattern(pattern, id)) &&
    anyOf('driver', (value) => driver === value) &&
    anyOf('scope', (value) => value === 'local') &&
    anyOf('type', (value) => (value === 'builtin') === isBuiltIn(name)) &&
    anyOf('dangling', (value) => /^(?:true|1)$/.test(value) === (!isUsed && !isBuiltIn(name))) &&
    (filters.get('label') ?? []).every((wanted) => hasLabel(labels, wanted))
  );
}
