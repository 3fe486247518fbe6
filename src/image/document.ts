import { HealthctlError } from '../lib/errors.ts';
import { goField } from '../lib/go-fields.ts';
import { type Guard, isCount, isObject, isText, isTexts, mapOf } from '../lib/shape.ts';

/**
 * An untrusted JSON object. A field of another type than requested throws CORRUPT with document and field; an absent
 * one and `null` are undefined, as in Go's decoder. Keys of fields match in any case, as in Go; keys of maps are used
 * unchanged.
 */
export interface Document {
  string(key: string): string | undefined;
  strings(key: string): readonly string[] | undefined;
  /** An integer that is not negative. */
  size(key: string): number | undefined;
  stringMap(key: string): Readonly<Record<string, string>> | undefined;
  /** The keys of an object whose values do not matter (`ExposedPorts`, `Volumes`). */
  keys(key: string): readonly string[] | undefined;
  object(key: string): Document | undefined;
  /** The object under a key of a map. */
  entry(key: string): Document | undefined;
  objects(key: string): readonly Document[] | undefined;
  /** The unchanged value. */
  raw(key: string): unknown;
  /** The error for a field of the right type with a wrong value. */
  wrong(key: string, why: string): HealthctlError;
}

/** @param what names the document in errors, e.g. `manifest of busybox:latest` */
export function parseDocument(what: string, bytes: Uint8Array): Document {
  return openDocument(what, parseJson(what, bytes));
}

/** Throws CORRUPT for anything but JSON. */
export function parseJson(what: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (cause) {
    throw new HealthctlError('CORRUPT', `${what} is not valid JSON`, { cause });
  }
}

export function openDocument(what: string, value: unknown, path = ''): Document {
  if (!isObject(value)) {
    throw new HealthctlError('CORRUPT', `${what}: ${path === '' ? 'the document' : path} is not an object`);
  }
  const name = (key: string) => (path === '' ? key : `${path}.${key}`);
  const wrong = (key: string, why: string) => new HealthctlError('CORRUPT', `${what}: ${name(key)} ${why}`);
  const raw = (key: string): unknown => goField(value, key);
  const read = <T>(key: string, guard: Guard<T>, kind: string): T | undefined => {
    const field = raw(key);
    if (field === undefined) return undefined;
    if (!guard(field)) throw wrong(key, `is not ${kind}`);
    return field;
  };
  const open = (key: string, field: unknown): Document | undefined =>
    field === undefined || field === null ? undefined : openDocument(what, field, name(key));
  return {
    string: (key) => read(key, isText, 'a string'),
    strings: (key) => read(key, isTexts, 'a list of strings'),
    size: (key) => read(key, isCount, 'a size'),
    stringMap: (key) => read(key, isStringMap, 'an object of strings'),
    keys: (key) => {
      const field = read(key, isObject, 'an object');
      return field && Object.keys(field);
    },
    object: (key) => open(key, raw(key)),
    entry: (key) => open(key, Object.hasOwn(value, key) ? value[key] : undefined),
    objects: (key) =>
      read(key, isList, 'a list')?.map((item, index) => openDocument(what, item, `${name(key)}[${index}]`)),
    raw,
    wrong,
  };
}

const isList: Guard<readonly unknown[]> = (value) => Array.isArray(value);
const isStringMap = mapOf(isText);
