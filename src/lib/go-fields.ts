/*
 * JSON that Go programs read into structs: encoding/json takes a key in any case for a field, and of several keys for one field the last.
 * Keys of maps (labels, environment, registries) are taken as they are, there and here.
 */

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The value of a struct's field, e.g. of `Healthcheck` in `{"healthcheck": …}`; undefined for one that is absent or `null`. Several objects for
 * one field become one, as Go fills the same struct twice.
 *
 * @param name in ASCII, as the struct has it
 */
export function goField(object: JsonObject, name: string): unknown {
  const folded = fold(name);
  let found: unknown;
  for (const [key, value] of Object.entries(object)) {
    if (key !== name && fold(key) !== folded) continue;
    if (value === null && isScalar(found)) continue; // of no effect on what is no pointer, list or map
    found = isObject(found) && isObject(value) ? { ...found, ...value } : value;
  }
  return found ?? undefined;
}

/** As Go's foldName: the long s and the Kelvin sign are letters of ASCII in another case, too. */
const fold = (key: string): string => key.replaceAll('\u017f', 's').toLowerCase();

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
