import { HealthctlError } from '../lib/errors.ts';
import { isBoolean, isTexts, mapOf, parseJsonText } from '../lib/shape.ts';

/** The values of each key. */
export type Filters = ReadonlyMap<string, readonly string[]>;

const areFlags = mapOf(mapOf(isBoolean));
const areLists = mapOf(isTexts);

/**
 * Reads the parameter `filters`, in both forms (moby: api/types/filters/parse.go): `{"label":{"a=b":true}}` and
 * `{"label":["a=b"]}`. Throws INVALID `invalid filter` for anything else, a mix of both included.
 */
export function parseFilters(text: string): Filters {
  if (text === '' || text === 'null') return new Map();
  const value = parseJsonText(text);
  if (areFlags(value)) return new Map(Object.entries(value).map(([key, flags]) => [key, Object.keys(flags)]));
  if (areLists(value)) return new Map(Object.entries(value));
  throw new HealthctlError('INVALID', 'invalid filter');
}

/** Filters as the texts of the command line: `label=a=b`. */
export function filterTextsOf(filters: Filters): readonly string[] {
  return [...filters].flatMap(([key, values]) => values.map((value) => `${key}=${value}`));
}

/** Throws INVALID `invalid filter 'x'` for a key that is not among them. */
export function refuseOtherKeys(filters: Filters, keys: readonly string[]): void {
  for (const key of filters.keys())
    if (!keys.includes(key)) throw new HealthctlError('INVALID', `invalid filter '${key}'`);
}
