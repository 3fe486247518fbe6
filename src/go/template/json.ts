import {
  GoDuration,
  GoEnum,
  GoFloat,
  GoNil,
  GoStringMap,
  GoStruct,
  GoTime,
  type GoValue,
  isSlice,
  isTrue,
  kindOf,
  mapOf,
  propertyOf,
  sortedKeys,
} from './value.ts';

export interface JsonOptions {
  /** Spaces per level; absent: compact. */
  readonly indent?: number;
  /** Writes `<`, `>` and `&` as `\u003c` …, like Go's json.Marshal. */
  readonly escapeHtml?: boolean;
}

/** Writes JSON like Go's encoding/json: structs in field order, maps sorted by key, durations in nanoseconds. */
export function toJson(value: GoValue, options: JsonOptions = {}): string {
  return write(value, options, '\n');
}

/** @param lineBreak the line break and indentation of the value's level */
function write(value: GoValue, options: JsonOptions, lineBreak: string): string {
  if (value === undefined || value === null || value instanceof GoNil) return 'null';
  if (typeof value === 'string') return writeString(value, options);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : 'null';
  if (value instanceof GoFloat) return JSON.stringify(value.value);
  if (value instanceof GoDuration) return String(value.ns);
  if (value instanceof GoEnum) return String(value.value);
  if (value instanceof GoTime) return writeString(value.rfc3339, options);
  if (value instanceof GoStruct && value.options.marshal !== undefined) return value.options.marshal();
  const inner = lineBreak + ' '.repeat(options.indent ?? 0);
  if (isSlice(value))
    return wrap(
      '[]',
      value.map((item) => write(item, options, inner)),
      options,
      lineBreak,
    );
  const colon = options.indent === undefined ? ':' : ': ';
  const entries = (value instanceof GoStruct ? fieldsOf(value) : entriesOf(value)).map(
    ([key, item]) => writeString(key, options) + colon + write(item, options, inner),
  );
  return wrap('{}', entries, options, lineBreak);
}

function wrap(brackets: '[]' | '{}', items: readonly string[], { indent }: JsonOptions, lineBreak: string): string {
  if (items.length === 0 || indent === undefined) return brackets[0] + items.join(',') + brackets[1];
  const inner = lineBreak + ' '.repeat(indent);
  return brackets[0] + inner + items.join(`,${inner}`) + lineBreak + brackets[1];
}

function fieldsOf({ fields, options: { omitEmpty = [], jsonNames = {} } }: GoStruct): (readonly [string, GoValue])[] {
  return Object.entries(fields)
    .filter(([name, value]) => !omitEmpty.includes(name) || !isEmpty(value))
    .map(([name, value]) => [Object.hasOwn(jsonNames, name) ? (jsonNames[name] ?? name) : name, value]);
}

function entriesOf(value: GoValue): (readonly [string, GoValue])[] {
  const map = value instanceof GoStringMap ? value.entries : mapOf(value);
  return sortedKeys(map).map((key) => [key, propertyOf(map, key)]);
}

/**
 * The value after a round trip through JSON: structs become maps, durations numbers. Docker retries a template on it
 * that failed on the struct, so that JSON's names (`.Id`) work too.
 */
export function toPlain(value: GoValue): GoValue {
  if (value === undefined || value instanceof GoNil) return null;
  if (value instanceof GoDuration) return value.ns;
  if (value instanceof GoTime) return value.rfc3339;
  if (isSlice(value)) return value.map(toPlain);
  if (value instanceof GoStruct)
    return Object.fromEntries(fieldsOf(value).map(([name, field]) => [name, toPlain(field)]));
  if (kindOf(value) === 'map') return Object.fromEntries(entriesOf(value).map(([name, item]) => [name, toPlain(item)]));
  return value;
}

/** A struct is never empty, and neither is a time. */
function isEmpty(value: GoValue): boolean {
  return kindOf(value) !== 'struct' && !isTrue(value);
}

function writeString(text: string, { escapeHtml = false }: JsonOptions): string {
  const json = JSON.stringify(hasSurrogates(text) ? Buffer.from(text).toString() : text).replace(
    /[\u2028\u2029]/g,
    escapeCode,
  );
  return escapeHtml ? json.replace(/[<>&]/g, escapeCode) : json;
}

/** Half of a surrogate pair has no UTF-8: written and read back, it becomes U+FFFD, as in Go. */
function hasSurrogates(text: string): boolean {
  return /[\ud800-\udfff]/.test(text);
}

function escapeCode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
