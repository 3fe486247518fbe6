import { formatDuration } from '../duration.ts';
import { isAscii } from './unicode.ts';

/**
 * A value for a template. Plain objects are Go maps with string keys, arrays are slices, whole numbers and bigints are
 * ints, other numbers are float64, `null` is a nil interface, `undefined` a missing value (`<no value>`). The wrappers
 * below express other Go types.
 */
export type GoValue =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | GoFloat
  | GoDuration
  | GoTime
  | GoEnum
  | GoNil
  | GoStruct
  | GoStringMap
  | readonly GoValue[]
  | GoMap;

/** A map with string keys: printed and iterated in key order. */
export interface GoMap {
  readonly [key: string]: GoValue;
}

/** A float64 that may be whole: 1.0 is no int. */
export class GoFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A time.Duration: printed as `1m30s`, a number of nanoseconds in JSON. */
export class GoDuration {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

/** A time.Time: printed as `2006-01-02 15:04:05.9 +0000 UTC`, RFC 3339 in JSON. */
export class GoTime {
  readonly rfc3339: string;
  constructor(rfc3339: string) {
    this.rfc3339 = rfc3339;
  }
}

/** An int with named values, such as time.Month: printed by name. */
export class GoEnum {
  readonly value: bigint;
  readonly name: string;
  /** Go's name, e.g. `time.Month`. */
  readonly typeName: string;
  constructor(value: bigint, name: string, typeName: string) {
    this.value = value;
    this.name = name;
    this.typeName = typeName;
  }
}

/** A typed nil: a pointer prints `<nil>`, a slice `[]`, a map `map[]`; all are null in JSON. */
export class GoNil {
  readonly kind: 'pointer' | 'slice' | 'map';
  /** Go's name, e.g. `*container.Health`, `[]string`. */
  readonly typeName: string;
  constructor(kind: 'pointer' | 'slice' | 'map', typeName: string) {
    this.kind = kind;
    this.typeName = typeName;
  }
}

/** A map[string]string: `index` of a missing key gives an empty string, where a GoMap gives `<no value>`. */
export class GoStringMap {
  readonly entries: Readonly<Record<string, string>>;
  constructor(entries: Readonly<Record<string, string>>) {
    this.entries = entries;
  }
}

/** A method: accessed like a field, called with the number of strings that it expects. */
export interface GoMethod {
  readonly params: number;
  call(...args: readonly string[]): GoValue;
}

export interface StructOptions {
  /** Go's name for error messages, with `*` where Docker has a pointer, e.g. `*container.State`. */
  readonly type: string;
  /** Fields omitted from JSON if empty (`json:",omitempty"`). */
  readonly omitEmpty?: readonly string[];
  /** JSON keys that differ from the field name, e.g. `{ ID: 'Id' }`. */
  readonly jsonNames?: Readonly<Record<string, string>>;
  readonly methods?: Readonly<Record<string, GoMethod>>;
  /** Writes the value as JSON, instead of its fields. */
  readonly marshal?: () => string;
  /** The text of a Stringer, printed instead of the fields. */
  readonly text?: string;
  /**
   * Structs embedded in this one: their fields are accessed like its own, and printed together at the position of the
   * first.
   */
  readonly embedded?: readonly EmbeddedStruct[];
  /** Our fields that Go's struct lacks: printed only if not empty. */
  readonly additions?: readonly string[];
}

export interface EmbeddedStruct {
  /** Its name for access and in output, e.g. `Resources`. */
  readonly name: string;
  readonly type: string;
  readonly fields: readonly string[];
}

/** A struct or a pointer to one: fields keep their order, and an unknown field is an error. */
export class GoStruct {
  readonly fields: GoMap;
  readonly options: StructOptions;
  constructor(fields: GoMap, options: StructOptions) {
    this.fields = fields;
    this.options = options;
  }
}

export const struct = (fields: GoMap, options: StructOptions): GoStruct => new GoStruct(fields, options);
export const duration = (ns: bigint): GoDuration => new GoDuration(ns);
/** @param rfc3339 e.g. `2026-08-20T10:00:00.5Z` */
export const time = (rfc3339: string): GoTime => new GoTime(rfc3339);
export const stringMap = (entries: Readonly<Record<string, string>>): GoStringMap => new GoStringMap(entries);
/** @param typeName with its star, e.g. `*container.Health` */
export const nilPointer = (typeName: string): GoNil => new GoNil('pointer', typeName);
/** @param typeName e.g. `[]string` */
export const nilSlice = (typeName = '[]string'): GoNil => new GoNil('slice', typeName);
/** @param typeName e.g. `map[string]string` */
export const nilMap = (typeName = 'map[string]string'): GoNil => new GoNil('map', typeName);

export type Kind = 'nil' | 'bool' | 'string' | 'int' | 'float' | 'slice' | 'map' | 'struct' | 'pointer';

/** Go's reflect.Kind, as far as templates need it; `nil` is a missing value or a nil interface. */
export function kindOf(value: GoValue): Kind {
  if (value === undefined || value === null) return 'nil';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint' || value instanceof GoDuration || value instanceof GoEnum) return 'int';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  if (value instanceof GoFloat) return 'float';
  if (value instanceof GoNil) return value.kind;
  if (value instanceof GoStruct || value instanceof GoTime) return 'struct';
  return isSlice(value) ? 'slice' : 'map';
}

/** Go's name of the value's type, e.g. in `wrong type for value; expected string; got int`. */
export function typeNameOf(value: GoValue): string {
  if (value instanceof GoDuration) return 'time.Duration';
  if (value instanceof GoTime) return 'time.Time';
  if (value instanceof GoEnum) return value.typeName;
  if (value instanceof GoStruct) return value.options.type;
  if (value instanceof GoNil) return value.typeName;
  if (value instanceof GoStringMap) return 'map[string]string';
  if (isSlice(value)) return isStringSlice(value) ? '[]string' : '[]interface {}';
  const names = {
    nil: '<nil>',
    bool: 'bool',
    string: 'string',
    int: 'int',
    float: 'float64',
    map: 'map[string]interface {}',
  };
  const kind = kindOf(value);
  return kind === 'slice' || kind === 'struct' || kind === 'pointer' ? kind : names[kind];
}

/** Go's rule for `if`, `with`, `and`, `or`, `not`: empty, zero and nil are false. */
export function isTrue(value: GoValue): boolean {
  switch (kindOf(value)) {
    case 'nil':
    case 'pointer':
      return false;
    case 'struct':
      return true;
    case 'bool':
      return value === true;
    case 'int':
      return intOf(value) !== 0n;
    case 'float':
      return floatOf(value) !== 0;
    case 'string':
      return value !== '';
    case 'slice':
      return sliceOf(value).length > 0;
    case 'map':
      return Object.keys(mapOf(value)).length > 0;
  }
}

/** A value of kind int as a bigint. */
export function intOf(value: GoValue): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof GoDuration) return value.ns;
  if (value instanceof GoEnum) return value.value;
  return typeof value === 'number' ? BigInt(value) : 0n;
}

/** A value of kind float. */
export function floatOf(value: GoValue): number {
  return value instanceof GoFloat ? value.value : Number(value);
}

/** The elements of a value of kind slice; none for a nil slice. */
export function sliceOf(value: GoValue): readonly GoValue[] {
  return isSlice(value) ? value : [];
}

/** The entries of a value of kind map; none for a nil map. */
export function mapOf(value: GoValue): GoMap {
  if (value instanceof GoStringMap) return value.entries;
  if (typeof value !== 'object' || value === null || isSlice(value) || isWrapper(value)) return {};
  return value;
}

/** Keys in Go's order: by their UTF-8 bytes. */
export function sortedKeys(map: GoMap): string[] {
  return Object.keys(map).sort((a, b) =>
    isAscii(a) && isAscii(b) ? (a < b ? -1 : 1) : Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
}

/** The text of a Stringer; undefined for any other value. */
export function stringerOf(value: GoValue): string | undefined {
  if (value instanceof GoDuration) return formatDuration(value.ns);
  if (value instanceof GoEnum) return value.name;
  if (value instanceof GoStruct) return value.options.text;
  return value instanceof GoTime ? formatTime(value.rfc3339) : undefined;
}

/** The struct embedded in another under this name. */
export function embeddedIn(value: GoStruct, name: string): GoStruct | undefined {
  const found = value.options.embedded?.find((one) => one.name === name);
  if (!found) return undefined;
  const fields = Object.fromEntries(found.fields.map((field) => [field, value.fields[field]]));
  return new GoStruct(fields, { type: found.type });
}

/** The fields in Go's printing order: embedded structs as one, our additions only if not empty. */
export function printedFields(value: GoStruct): readonly (readonly [name: string, value: GoValue])[] {
  const { embedded = [], additions = [] } = value.options;
  if (embedded.length + additions.length === 0) return Object.entries(value.fields);
  return Object.entries(value.fields).flatMap(([name, field]): readonly (readonly [string, GoValue])[] => {
    const outer = embedded.find(({ fields }) => fields.includes(name));
    if (outer) return outer.fields[0] === name ? [[outer.name, embeddedIn(value, outer.name)]] : [];
    return additions.includes(name) && !isTrue(field) ? [] : [[name, field]];
  });
}

/** `Array.isArray` for readonly arrays. */
export function isSlice(value: GoValue): value is readonly GoValue[] {
  return Array.isArray(value);
}

export function isStringSlice(value: GoValue): value is readonly string[] {
  return isSlice(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}

/** The own property of an object: keys such as `constructor` are plain data. */
export function propertyOf(map: GoMap, key: string): GoValue {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Whether a map's values are of any type, as in data from JSON. */
export function isPlain(value: GoValue): value is GoMap {
  return kindOf(value) === 'map' && !(value instanceof GoStringMap) && !(value instanceof GoNil);
}

function isWrapper(value: object): value is GoFloat | GoDuration | GoTime | GoEnum | GoNil | GoStruct {
  return (
    value instanceof GoFloat ||
    value instanceof GoDuration ||
    value instanceof GoTime ||
    value instanceof GoEnum ||
    value instanceof GoNil ||
    value instanceof GoStruct
  );
}

/** Go's `Time.String`; a zone other than UTC is shown by its offset, as Go does for unnamed zones. */
function formatTime(rfc3339: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(rfc3339);
  if (match === null) return rfc3339;
  const [, date = '', clock = '', fraction = '', zone = ''] = match;
  const offset = zone.replace(':', '');
  const zoneText = zone === 'Z' ? '+0000 UTC' : `${offset} ${offset}`;
  return `${date} ${clock}${fraction.replace(/\.?0+$/, '')} ${zoneText}`;
}
