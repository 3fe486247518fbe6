import { formatVerb } from './format-value.ts';
import { type Flags, noFlags } from './pad.ts';
import { type GoValue, intOf, kindOf, typeNameOf } from './value.ts';

/** Limit on a width or precision. Go's limit is a little higher. */
const MAX_SIZE = 1_000_000;

/** Formats the value of an action: `<no value>` for a missing value. */
export function format(value: GoValue): string {
  if (typeof value === 'string') return value;
  return value === undefined ? '<no value>' : formatVerb(value, 'v', { ...noFlags, depth: 1 });
}

/** Go's fmt.Sprint: adds a space between two operands if neither is a string. */
export function sprint(values: readonly GoValue[]): string {
  const spaced = (i: number) => i > 0 && typeof values[i] !== 'string' && typeof values[i - 1] !== 'string';
  return values.map((value, i) => (spaced(i) ? ' ' : '') + formatVerb(value, 'v', noFlags)).join('');
}

/** Go's fmt.Sprintln. */
export function sprintln(values: readonly GoValue[]): string {
  return `${values.map((value) => formatVerb(value, 'v', noFlags)).join(' ')}\n`;
}

/** Go's fmt.Sprintf, with its error texts: `%!d(string=x)`, `%!s(MISSING)`, `%!(EXTRA int=1)`. */
export function sprintf(text: string, args: readonly GoValue[]): string {
  const cursor: Cursor = { text, args, pos: 0, next: 0, reordered: false };
  let output = '';
  while (cursor.pos < text.length) {
    const percent = text.indexOf('%', cursor.pos);
    if (percent < 0) {
      output += text.slice(cursor.pos);
      break;
    }
    output += text.slice(cursor.pos, percent);
    cursor.pos = percent + 1;
    output += formatDirective(cursor);
  }
  const extra = cursor.reordered ? [] : args.slice(cursor.next);
  return extra.length === 0 ? output : `${output}%!(EXTRA ${extra.map(describeExtra).join(', ')})`;
}

interface Cursor {
  readonly text: string;
  readonly args: readonly GoValue[];
  pos: number;
  /** Index of the next argument. */
  next: number;
  /** Whether `%[n]` was used, which allows unused arguments. */
  reordered: boolean;
}

interface Directive {
  readonly flags: Flags;
  /** Go's prefix for a bad width or precision. */
  readonly complaint: string;
  readonly goodIndex: boolean;
}

function formatDirective(cursor: Cursor): string {
  const { flags, complaint, goodIndex } = readDirective(cursor);
  const code = cursor.text.codePointAt(cursor.pos);
  if (code === undefined) return `${complaint}%!(NOVERB)`;
  const verb = String.fromCodePoint(code);
  cursor.pos += verb.length;
  if (verb === '%') return `${complaint}%`;
  if (!goodIndex) return `${complaint}%!${verb}(BADINDEX)`;
  if (cursor.next >= cursor.args.length) return `${complaint}%!${verb}(MISSING)`;
  return complaint + formatVerb(cursor.args[cursor.next++], verb, verb === 'v' ? flagsOfV(flags) : flags);
}

/** `#` and `+` have another meaning for %v. */
function flagsOfV(flags: Flags): Flags {
  return { ...flags, sharp: false, plus: false, goSyntax: flags.sharp, named: flags.plus };
}

/**
 * Flags, `[n]`, width, `.` and precision, `[n]`: everything before the verb. An index must directly precede the part
 * that it is for.
 */
function readDirective(cursor: Cursor): Directive {
  const set = new Set<string>();
  for (
    let flag = cursor.text[cursor.pos];
    flag !== undefined && '#0+- '.includes(flag);
    flag = cursor.text[++cursor.pos]
  )
    set.add(flag);
  let index = readIndex(cursor);
  let goodIndex = index.good;
  const width = readSize(cursor);
  if (width.from === 'digits' && index.found) goodIndex = false;
  if (width.from === 'argument') index = NO_INDEX;
  let precision: Size = NO_SIZE;
  if (cursor.text[cursor.pos] === '.' && cursor.pos + 1 < cursor.text.length) {
    cursor.pos++;
    if (index.found) goodIndex = false;
    index = readIndex(cursor);
    goodIndex &&= index.good;
    precision = readSize(cursor);
    if (precision.from === 'argument') index = NO_INDEX;
    if (precision.from === 'nothing') precision = { from: 'digits', value: 0 };
  }
  if (!index.found) goodIndex = readIndex(cursor).good && goodIndex;
  const badPrecision = precision.from === 'argument' && (precision.value === undefined || precision.value < 0);
  const complaint =
    (width.from === 'argument' && width.value === undefined ? '%!(BADWIDTH)' : '') +
    (badPrecision ? '%!(BADPREC)' : '');
  const minus = set.has('-') || (width.value ?? 0) < 0;
  const flags = {
    ...noFlags,
    plus: set.has('+'),
    sharp: set.has('#'),
    space: set.has(' '),
    minus,
    zero: set.has('0') && !minus,
    width: width.value === undefined ? undefined : Math.abs(width.value),
    precision: badPrecision ? undefined : precision.value,
  };
  return { flags, complaint, goodIndex };
}

interface Index {
  /** Whether there was one, even if out of range. */
  readonly found: boolean;
  readonly good: boolean;
}

const NO_INDEX: Index = { found: false, good: true };

/** `[3]`: the next argument is the third. */
function readIndex(cursor: Cursor): Index {
  if (cursor.text[cursor.pos] !== '[') return NO_INDEX;
  cursor.reordered = true;
  // Go does not look for the end of a text too short to contain a digit.
  const close = cursor.text.length - cursor.pos < 3 ? -1 : cursor.text.indexOf(']', cursor.pos);
  const inner = close < 0 ? '' : cursor.text.slice(cursor.pos + 1, close);
  cursor.pos = close < 0 ? cursor.pos + 1 : close + 1;
  if (!/^\d{1,7}$/.test(inner)) return { found: false, good: false };
  const number = Number(inner);
  if (number < 1 || number > cursor.args.length) return { found: true, good: false };
  cursor.next = number - 1;
  return { found: true, good: true };
}

interface Size {
  readonly from: 'nothing' | 'digits' | 'argument';
  readonly value: number | undefined;
}

const NO_SIZE: Size = { from: 'nothing', value: undefined };

/** A width or precision: digits, or `*` for the next argument. */
function readSize(cursor: Cursor): Size {
  if (cursor.text[cursor.pos] === '*') {
    cursor.pos++;
    const value = cursor.args[cursor.next++];
    const size = kindOf(value) === 'int' ? intOf(value) : undefined;
    const fits = size !== undefined && size <= MAX_SIZE && size >= -MAX_SIZE;
    return { from: 'argument', value: fits ? Number(size) : undefined };
  }
  const digits = /^\d+/.exec(cursor.text.slice(cursor.pos, cursor.pos + 400))?.[0];
  if (digits === undefined) return NO_SIZE;
  cursor.pos += digits.length;
  if (Number(digits) <= MAX_SIZE) return { from: 'digits', value: Number(digits) };
  // Too large: Go gives up the whole directive.
  cursor.pos = cursor.text.length;
  return NO_SIZE;
}

function describeExtra(value: GoValue): string {
  return kindOf(value) === 'nil' ? '<nil>' : `${typeNameOf(value)}=${formatVerb(value, 'v', noFlags)}`;
}
