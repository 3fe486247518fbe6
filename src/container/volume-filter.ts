import { HealthctlError } from '../lib/errors.ts';
import { matchesPattern } from '../lib/pattern-filter.ts';
import type { ListedVolume } from './volume-use.ts';

/** Docker: daemon/volume/service/by.go and docker/cli volume prune. */
const KEYS = { list: ['dangling', 'driver', 'label', 'name'], prune: ['all', 'label', 'label!'] } as const;

/**
 * Reads `key=value` texts of `volume ls --filter` or `volume prune --filter`. Values of one key are alternatives, but labels: all of them are
 * wanted. Throws INVALID with Docker's texts.
 */
export function parseVolumeFilters(
  texts: readonly string[],
  command: keyof typeof KEYS,
): (listed: ListedVolume) => boolean {
  const known: readonly string[] = KEYS[command];
  const filters = texts.map((text) => {
    const [, key = '', value = ''] = /^((?:[^=!]|!(?!=))*!?)=(.*)$/s.exec(text) ?? [];
    const name = key.trim().toLowerCase();
    if (!known.includes(name)) throw new HealthctlError('INVALID', `invalid filter '${name}'`);
    return { key: name, value: value.trim() };
  });
  const of = (key: string): readonly string[] => filters.filter((one) => one.key === key).map(({ value }) => value);
  const dangling = of('dangling').map((value) => booleanOf('dangling', value));
  return (listed) =>
    anyOf(dangling, (isWanted) => isWanted === (listed.users.length === 0)) &&
    anyOf(of('driver'), (driver) => driver === 'local') &&
    anyOf(of('name'), (pattern) => matchesPattern(pattern, listed.volume.name)) &&
    of('label').every((filter) => hasLabel(listed, filter)) &&
    !of('label!').some((filter) => hasLabel(listed, filter));
}

/** Whether filters that parse need to know who has a volume, which containerd is asked for. */
export function asksForUsers(texts: readonly string[]): boolean {
  return texts.some((text) => /^\s*dangling\s*=/i.test(text));
}

/** Whether `volume prune --filter all=true` was given. Throws INVALID with Docker's text. */
export function wantsAll(texts: readonly string[]): boolean {
  return texts.some((text) => /^all=/i.test(text) && booleanOf('all', text.slice('all='.length)));
}

function booleanOf(key: string, value: string): boolean {
  if (/^(true|1)$/i.test(value)) return true;
  if (/^(false|0)$/i.test(value)) return false;
  throw new HealthctlError('INVALID', `invalid filter '${key}=[${value}]'`);
}

const anyOf = <T>(values: readonly T[], test: (value: T) => boolean): boolean =>
  values.length === 0 || values.some(test);

function hasLabel({ volume }: ListedVolume, filter: string): boolean {
  const [key = ''] = filter.split('=', 1);
  if (!Object.hasOwn(volume.labels, key)) return false;
  return !filter.includes('=') || volume.labels[key] === filter.slice(key.length + 1);
}
