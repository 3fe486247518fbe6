import { quote } from '../../go/quote.ts';
import { parseBool } from '../../go/values.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import { matchesPattern } from '../../lib/pattern-filter.ts';
import { parseSize } from '../../oci/parse.ts';
import type { ListedVolume } from './use.ts';

/** Docker: daemon/volume/service/by.go and docker/cli volume prune; `size` is nerdctl's. */
const KEYS = { list: ['dangling', 'driver', 'label', 'name', 'size'], prune: ['all', 'label', 'label!'] } as const;

/**
 * Parses `key=value` texts of `volume ls --filter` or `volume prune --filter`. Values of one key are alternatives; for
 * labels and sizes, all must match. Throws INVALID with Docker's texts.
 */
export function parseVolumeFilters(
  texts: readonly string[],
  command: keyof typeof KEYS,
): (listed: ListedVolume) => boolean {
  const known: readonly string[] = KEYS[command];
  const filters = texts.map((text) => {
    const [, key = '', value = ''] = SIZE.exec(text) ?? /^((?:[^=!]|!(?!=))*!?)=(.*)$/s.exec(text) ?? [];
    const name = key.trim().toLowerCase();
    if (!known.includes(name)) throw new HealthctlError('INVALID', `invalid filter '${name}'`);
    return { key: name, value: value.trim() };
  });
  const of = (key: string): readonly string[] => filters.filter((one) => one.key === key).map(({ value }) => value);
  const dangling = of('dangling').map((value) => booleanOf('dangling', value));
  const sizes = of('size').map(sizeTest);
  return (listed) =>
    sizes.every((isWanted) => isWanted(listed.size ?? 0)) &&
    anyOf(dangling, (isWanted) => isWanted === (listed.users.length === 0)) &&
    anyOf(of('driver'), (driver) => driver === 'local') &&
    anyOf(of('name'), (pattern) => matchesPattern(pattern, listed.volume.name)) &&
    of('label').every((filter) => hasLabel(listed, filter)) &&
    !of('label!').some((filter) => hasLabel(listed, filter));
}

/** `size>=10m`: the key, then the comparison with the number. */
const SIZE = /^\s*(size)\s*((?:[<>]|=).*)$/is;

/** Whether a text has the form of a filter; a size needs no `=`. */
export function isFilterText(text: string): boolean {
  return text.includes('=') || SIZE.test(text);
}

/** @param value `>=1024000`, `<10m`, and for equality without the first `=` */
function sizeTest(value: string): (size: number) => boolean {
  const [, comparison = '', number = ''] = /^(>=|<=|>|<|=)\s*(.*)$/s.exec(value) ?? [];
  const bytes = bytesFrom(number);
  if (bytes === undefined) throw new HealthctlError('INVALID', `invalid filter 'size${value}'`, { hint: SIZE_HINT });
  switch (comparison) {
    case '>=':
      return (size) => size >= bytes;
    case '<=':
      return (size) => size <= bytes;
    case '>':
      return (size) => size > bytes;
    case '<':
      return (size) => size < bytes;
    default:
      return (size) => size === bytes;
  }
}

const SIZE_HINT = 'give bytes, or a number with a unit of 1024: size>=1048576, size<10m';

function bytesFrom(text: string): number | undefined {
  try {
    return parseSize(text);
  } catch (error) {
    if (hasCode(error, 'USAGE')) return undefined;
    throw error;
  }
}

/** Whether these valid filters need the size of a volume, which has to be measured. */
export function asksForSize(texts: readonly string[]): boolean {
  return texts.some((text) => SIZE.test(text));
}

/** Whether these valid filters need a volume's users, for which containerd is asked. */
export function asksForUsers(texts: readonly string[]): boolean {
  return texts.some((text) => /^\s*dangling\s*=/i.test(text));
}

/** Whether `volume prune --filter all=true` was given. Throws INVALID with Docker's text. */
export function wantsAll(texts: readonly string[]): boolean {
  return texts.some((text) => /^all=/i.test(text) && allOf(text.slice('all='.length)));
}

function allOf(value: string): boolean {
  try {
    return parseBool(value);
  } catch (cause) {
    const reason = `strconv.ParseBool: parsing ${quote(value)}: invalid syntax`;
    throw new HealthctlError('INVALID', `invalid filter 'all': ${reason}`, { cause });
  }
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
