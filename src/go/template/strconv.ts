import { isPrintable } from './unicode.ts';

const NAMED: ReadonlyMap<string, string> = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
]);
const SIMPLE: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
  ['\\', 92],
]);
const ESCAPE = /^\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|([abfnrtv\\'"]))/;

/** Go's strconv.Quote; with `mark` `'` it is strconv.QuoteRune, with `ascii` QuoteToASCII. */
export function quote(text: string, mark: '"' | "'" = '"', ascii = false): string {
  let quoted = mark;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (character === mark) quoted += `\\${mark}`;
    else if (NAMED.has(character)) quoted += NAMED.get(character);
    else if (isPrintable(character) && !(ascii && code > 0x7e)) quoted += character;
    else quoted += escapeCode(code);
  }
  return quoted + mark;
}

function escapeCode(code: number): string {
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  if (code >= 0xd800 && code < 0xe000) return '\\ufffd';
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** Go's strconv.Unquote of an interpreted or raw string; undefined for invalid syntax. Invalid UTF-8 becomes U+FFFD. */
export function unquote(text: string): string | undefined {
  if (text.startsWith('`')) return text.slice(1, -1).replaceAll('\r', '');
  const parts: Buffer[] = [];
  for (let rest = text.slice(1, -1); rest !== ''; ) {
    const plain = /^[^\\\n"]+/.exec(rest)?.[0];
    if (plain !== undefined) {
      parts.push(Buffer.from(plain));
      rest = rest.slice(plain.length);
      continue;
    }
    const found = readEscape(rest, '"');
    if (found === undefined) return undefined;
    parts.push(found.byte ? Buffer.of(found.code) : Buffer.from(String.fromCodePoint(found.code)));
    rest = rest.slice(found.length);
  }
  return Buffer.concat(parts).toString();
}

/** The code point of a Go character constant such as `'\n'`. */
export function unquoteCharacter(text: string): number | 'invalid' | 'malformed' {
  const inner = text.slice(1, -1);
  if (inner.startsWith('\\')) {
    const found = readEscape(inner, "'");
    if (found === undefined) return 'invalid';
    return found.length === inner.length ? found.code : 'malformed';
  }
  const code = inner.codePointAt(0);
  if (code === undefined) return 'invalid';
  return inner === String.fromCodePoint(code) ? code : 'malformed';
}

interface Escape {
  readonly code: number;
  readonly length: number;
  /** A byte of UTF-8 rather than a character. */
  readonly byte: boolean;
}

function readEscape(text: string, mark: string): Escape | undefined {
  const match = ESCAPE.exec(text);
  if (match === null) return undefined;
  const [{ length }, byte, short, long, octal, simple] = match;
  if (byte !== undefined) return { code: Number.parseInt(byte, 16), length, byte: true };
  if (octal !== undefined) {
    const code = Number.parseInt(octal, 8);
    return code > 0xff ? undefined : { code, length, byte: true };
  }
  const digits = short ?? long;
  if (digits !== undefined) {
    const code = Number.parseInt(digits, 16);
    return code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? undefined : { code, length, byte: false };
  }
  const code = simple === mark ? mark.charCodeAt(0) : SIMPLE.get(simple ?? '');
  return code === undefined ? undefined : { code, length, byte: false };
}

/**
 * Go's ParseInt(text, 0, 64) without its range check: decimal, 0x, 0o, 0b, 0-prefixed octal, underscores between
 * digits.
 */
export function parseInteger(text: string): bigint | undefined {
  const match =
    /^([+-]?)(0[xX]_?[\da-fA-F]+(?:_[\da-fA-F]+)*|0[oO]?_?[0-7]+(?:_[0-7]+)*|0[bB]_?[01]+(?:_[01]+)*|0|[1-9]\d*(?:_\d+)*)$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, sign = '', digits = ''] = match;
  const bare = digits.replaceAll('_', '').replace(/^0(?=[0-7])/, '0o');
  const value = BigInt(bare.toLowerCase());
  return sign === '-' ? -value : value;
}

/**
 * Go's ParseFloat for a number token, including hexadecimal floats and underscores between digits; undefined for
 * anything else.
 */
export function parseFloating(text: string): number | undefined {
  if (!hasGoodUnderscores(text)) return undefined;
  const plain = text.replaceAll('_', '');
  const hexadecimal = /^([+-]?)0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)[pP]([+-]?\d+)$/.exec(plain);
  if (hexadecimal !== null) {
    const [, sign, whole = '', fraction = '', exponent = ''] = hexadecimal;
    const digits = whole + fraction;
    if (digits === '') return undefined;
    const value = Number(BigInt(`0x${digits}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
    return finite(sign === '-' ? -value : value);
  }
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(plain) ? finite(Number(plain)) : undefined;
}

/** Whether each underscore is between two digits; a base prefix counts as one. */
function hasGoodUnderscores(text: string): boolean {
  if (!text.includes('_')) return true;
  return /^[+-]?0[xX]/.test(text) ? !/(?<![\da-fA-FxX])_|_(?![\da-fA-F])/.test(text) : !/(?<!\d)_|_(?!\d)/.test(text);
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
