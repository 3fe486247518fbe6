/*
 * JSON that Go programs read into structs: encoding/json accepts a key in any case for a field, and of several keys for
 * one field the last. Keys of maps (labels, environment, registries) are used unchanged, in Go and here.
 */

import { isObject, type JsonObject } from './shape.ts';

/**
 * The value of a struct's field, e.g. of `Healthcheck` in `{"healthcheck": …}`; undefined if it is absent or `null`.
 * Several objects for one field are merged, as Go fills the same struct twice.
 *
 * @param name in ASCII, as in the struct
 */
export function goField(object: JsonObject, name: string): unknown {
  const folded = fold(name);
  let found: unknown;
  for (const [key, value] of Object.entries(object)) {
    if (key !== name && fold(key) !== folded) continue;
    if (value === null && isScalar(found)) continue; // has an effect only on a pointer, list or map
    found = isObject(found) && isObject(value) ? { ...found, ...value } : value;
  }
  return found ?? undefined;
}

/** Like Go's foldName: the long s and the Kelvin sign also count as ASCII letters in another case. */
const fold = (key: string): string => key.replaceAll('\u017f', 's').toLowerCase();

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);
