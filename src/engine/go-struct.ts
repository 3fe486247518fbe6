import { HealthctlError } from '../lib/errors.ts';
import { goField } from '../lib/go-fields.ts';
import { isBoolean, isObject, isText, isTexts, type JsonObject } from '../lib/shape.ts';

/**
 * A JSON object as Go reads it into a struct: keys in any case, `null` as absent, and Go's errors for a value of another
 * type. All methods throw INVALID with Docker's text: `invalid JSON: json: cannot unmarshal string into Go struct field
 * .HostConfig.Memory of type int64`.
 */
export interface GoStruct {
  /** Empty if absent. */
  text(name: string): string;
  texts(name: string): readonly string[] | undefined;
  /** A list, or one text (moby: api/types/strslice). */
  words(name: string): readonly string[] | undefined;
  flag(name: string): boolean;
  /** @param type Go's, in the error; the default is int64 */
  int(name: string, type?: string): number | undefined;
  textMap(name: string): Readonly<Record<string, string>> | undefined;
  /** The keys of a set: `{"80/tcp":{}}`. */
  keys(name: string): readonly string[] | undefined;
  struct(name: string): GoStruct | undefined;
  structs(name: string): readonly GoStruct[] | undefined;
  /** The entries of a map of structs; undefined for a `null` among them. */
  structMap(name: string): ReadonlyMap<string, GoStruct | undefined> | undefined;
  /** The entries of a map of lists of structs. */
  structLists(name: string): ReadonlyMap<string, readonly GoStruct[]> | undefined;
  /** As it is. */
  raw(name: string): unknown;
}

/** @param path of the object, for errors: `.HostConfig`; empty for the whole document */
export function goStructOf(object: JsonObject, path = ''): GoStruct {
  const pathOf = (name: string): string => `${path}.${name}`;
  const raw = (name: string): unknown => goField(object, name);
  const refuse = (name: string, type: string, kind = kindOf(raw(name))): HealthctlError =>
    invalid(`cannot unmarshal ${kind} into Go struct field ${pathOf(name)} of type ${type}`);
  /** The value if it is there and the guard accepts it. */
  const given = <T>(name: string, guard: (value: unknown) => value is T, type: string): T | undefined => {
    const value = raw(name);
    if (value === undefined) return undefined;
    if (guard(value)) return value;
    throw refuse(name, type);
  };
  const object_ = (name: string, type: string) => given(name, isObject, type);
  const texts = (name: string) => given(name, isList, '[]string')?.map((item) => textIn(item, pathOf(name)));
  const structIn = (value: unknown, name: string, type: string): GoStruct | undefined => {
    if (value === null || value === undefined) return undefined;
    if (isObject(value)) return goStructOf(value, pathOf(name));
    throw refuse(name, type, kindOf(value));
  };
  const structsIn = (value: unknown, name: string): readonly GoStruct[] => {
    if (value === null || value === undefined) return [];
    if (!isList(value)) throw refuse(name, `[]${name}`, kindOf(value));
    return value.map((item) => structIn(item, name, name) ?? goStructOf({}, pathOf(name)));
  };
  return {
    raw,
    text: (name) => given(name, isText, 'string') ?? '',
    texts,
    words: (name) => {
      const value = raw(name);
      if (value === undefined || isTexts(value)) return value;
      if (isText(value)) return [value];
      throw invalid(`cannot unmarshal ${kindOf(value)} into Go value of type string`);
    },
    flag: (name) => given(name, isBoolean, 'bool') ?? false,
    int: (name, type = 'int64') => intIn(raw(name), (kind) => refuse(name, type, kind)),
    textMap: (name) => {
      const map = object_(name, 'map[string]string');
      if (!map) return undefined;
      return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, textIn(value, pathOf(name))]));
    },
    keys: (name) => {
      const map = object_(name, 'map[string]struct {}');
      return map && Object.keys(map);
    },
    struct: (name) => structIn(raw(name), name, name),
    structs: (name) => {
      const value = raw(name);
      return value === undefined ? undefined : structsIn(value, name);
    },
    structMap: (name) => {
      const map = object_(name, `map[string]*${name}`);
      return map && new Map(Object.entries(map).map(([key, value]) => [key, structIn(value, name, name)]));
    },
    structLists: (name) => {
      const map = object_(name, `map[string][]${name}`);
      return map && new Map(Object.entries(map).map(([key, value]) => [key, structsIn(value, name)]));
    },
  };
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Go reads a `null` in a list or map of texts as an empty one. */
function textIn(value: unknown, path: string): string {
  if (value === null) return '';
  if (isText(value)) return value;
  throw invalid(`cannot unmarshal ${kindOf(value)} into Go struct field ${path} of type string`);
}

const [MIN_INT64, MAX_INT64] = [-(2n ** 63n), 2n ** 63n - 1n];

function intIn(value: unknown, refusal: (kind: string) => HealthctlError): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (typeof value === 'bigint' && value >= MIN_INT64 && value <= MAX_INT64) return Number(value);
  const kind = kindOf(value);
  // Of a number that is no integer, or too large, Go also gives the text.
  throw refusal(kind === 'number' ? `${kind} ${value}` : kind);
}

/** Go's word for a JSON value. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number' || typeof value === 'bigint') return 'number';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'object';
}

const invalid = (reason: string): HealthctlError => new HealthctlError('INVALID', `invalid JSON: json: ${reason}`);
