import { formatFloat, formatInteger } from './format-number.ts';
import { type Flags, pad } from './pad.ts';
import { quote } from './strconv.ts';
import {
  floatOf,
  GoNil,
  GoStruct,
  type GoValue,
  intOf,
  kindOf,
  mapOf,
  printedFields,
  propertyOf,
  sliceOf,
  sortedKeys,
  stringerOf,
  typeNameOf,
} from './value.ts';

/** Formats one value for one verb of Go's fmt. */
export function formatVerb(value: GoValue, verb: string, flags: Flags): string {
  if (verb === 'T' && kindOf(value) !== 'nil') return formatString(typeNameOf(value), 's', flags);
  const text = 'vsxXq'.includes(verb) && !flags.goSyntax ? stringerOf(value) : undefined;
  if (text !== undefined) return formatString(text, verb, flags);
  return formatKind(value, verb, flags);
}

function formatKind(value: GoValue, verb: string, flags: Flags): string {
  switch (kindOf(value)) {
    case 'nil':
      return formatNoValue(verb, flags);
    case 'string':
      return STRING_VERBS.includes(verb) ? formatString(String(value), verb, flags) : badVerb(value, verb, flags);
    case 'bool':
      return verb === 'v' || verb === 't' ? pad(String(value), flags) : badVerb(value, verb, flags);
    case 'int':
      return formatInteger(intOf(value), verb, flags) ?? badVerb(value, verb, flags);
    case 'float':
      return formatFloat(floatOf(value), verb, flags) ?? badVerb(value, verb, flags);
    case 'slice':
      return formatSlice(value, verb, flags);
    case 'map':
      return formatMap(value, verb, flags);
    case 'struct':
      return value instanceof GoStruct ? formatStruct(value, verb, flags) : badVerb(value, verb, flags);
    case 'pointer':
      return formatNil(value, verb, flags);
  }
}

const STRING_VERBS = 'vsxXq';

function formatString(text: string, verb: string, flags: Flags): string {
  if (verb === 'x' || verb === 'X') return formatHex(text, verb, flags);
  const cut = flags.precision === undefined ? text : [...text].slice(0, flags.precision).join('');
  if (flags.goSyntax) return pad(quote(cut), flags);
  if (verb !== 'q') return pad(cut, flags);
  const raw = flags.sharp && ![...cut].some(isUnfitForRaw);
  return pad(raw ? `\`${cut}\`` : quote(cut, '"', flags.plus), flags);
}

/** Characters that a raw string literal cannot contain. */
function isUnfitForRaw(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return (
    character === '`' || character === '\ufeff' || (code < 0x20 && character !== '\t') || (code >= 0x7f && code < 0xa0)
  );
}

function formatHex(text: string, verb: 'x' | 'X', flags: Flags): string {
  const bytes = Buffer.from(text).subarray(0, flags.precision);
  const prefix = flags.sharp ? '0x' : '';
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'));
  const joined = flags.space
    ? pairs.map((pair) => prefix + pair).join(' ')
    : (pairs.length > 0 ? prefix : '') + pairs.join('');
  return pad(verb === 'X' ? joined.toUpperCase() : joined, flags);
}

function formatSlice(value: GoValue, verb: string, flags: Flags): string {
  const inner = deeper(flags);
  const items = sliceOf(value).map((item) => formatVerb(item, verb, inner));
  if (!flags.goSyntax) return `[${items.join(' ')}]`;
  return value instanceof GoNil ? `${typeNameOf(value)}(nil)` : `${typeNameOf(value)}{${items.join(', ')}}`;
}

function formatMap(value: GoValue, verb: string, flags: Flags): string {
  const inner = deeper(flags);
  const map = mapOf(value);
  const entries = sortedKeys(map).map(
    (key) => `${formatVerb(key, verb, inner)}:${formatVerb(propertyOf(map, key), verb, inner)}`,
  );
  if (!flags.goSyntax) return `map[${entries.join(' ')}]`;
  return value instanceof GoNil ? `${typeNameOf(value)}(nil)` : `${typeNameOf(value)}{${entries.join(', ')}}`;
}

/** A pointer inside other data is shown by its target, where Go would show an address. */
function formatStruct(value: GoStruct, verb: string, flags: Flags): string {
  const inner = deeper(flags);
  const { type } = value.options;
  const sharp = flags.goSyntax;
  const named = sharp || flags.named;
  const fields = printedFields(value).map(
    ([name, field]) => `${named ? `${name}:` : ''}${formatVerb(field, verb, inner)}`,
  );
  const mark = type.startsWith('*') && flags.depth === 0 ? '&' : '';
  return sharp ? `${mark}${type.replace('*', '')}{${fields.join(', ')}}` : `${mark}{${fields.join(' ')}}`;
}

function formatNoValue(verb: string, flags: Flags): string {
  if (flags.depth > 0) return flags.goSyntax ? 'interface {}(nil)' : '<nil>';
  return verb === 'v' || verb === 'T' ? pad('<nil>', flags) : `%!${verb}(<nil>)`;
}

function formatNil(value: GoValue, verb: string, flags: Flags): string {
  if (verb === 'v') return pad(flags.goSyntax ? `(${typeNameOf(value)})(nil)` : '<nil>', flags);
  return `%!${verb}(${typeNameOf(value)}=<nil>)`;
}

function badVerb(value: GoValue, verb: string, flags: Flags): string {
  return `%!${verb}(${typeNameOf(value)}=${formatVerb(value, 'v', flags)})`;
}

function deeper(flags: Flags): Flags {
  return { ...flags, depth: flags.depth + 1 };
}
