import { HealthctlError, messageOf } from '../lib/errors.ts';
import { quote } from './quote.ts';

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** Parses a bool like Go's `strconv.ParseBool`. Throws USAGE with its text. */
export function parseBool(text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw new HealthctlError('USAGE', `strconv.ParseBool: parsing ${quote(text)}: invalid syntax`);
}

const MAX_INT = 2n ** 63n - 1n;
const INTEGER = /^(?<sign>[+-]?)(?<prefix>0[xX]|0[oO]|0[bB]|0(?=[0-7_]))?(?<digits>_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)$/;
const DIGITS = { x: /^[0-9a-f]+$/, o: /^[0-7]+$/, b: /^[01]+$/, d: /^(?:0|[1-9][0-9]*)$/ } as const;

/**
 * Parses an int64 like Go's `strconv.ParseInt(text, 0, 64)`: decimal, `0x…`, `0o…`, `0b…`, `017`, and `_` between
 * digits. Throws USAGE with its texts. Beyond 2^53 the result is the nearest number.
 */
export function parseInteger(text: string): number {
  const { sign, prefix = '', digits = '' } = INTEGER.exec(text)?.groups ?? {};
  const base = baseOf(prefix);
  const plain = digits.replaceAll('_', '').toLowerCase();
  const separatorWithoutPrefix = prefix === '' && digits.startsWith('_');
  if (separatorWithoutPrefix || !DIGITS[base].test(plain)) throw refuse(text, 'invalid syntax');
  // Checks the length first: BigInt of a megabyte of digits would take minutes.
  if (plain.replace(/^0+/, '').length > 64) throw refuse(text, 'value out of range');
  const size = BigInt(base === 'd' ? plain : `0${base}${plain}`);
  if (size > (sign === '-' ? MAX_INT + 1n : MAX_INT)) throw refuse(text, 'value out of range');
  return Number(sign === '-' ? -size : size);
}

function baseOf(prefix: string): keyof typeof DIGITS {
  if (prefix === '') return 'd';
  if (prefix === '0') return 'o';
  const letter = prefix.slice(1).toLowerCase();
  return letter === 'x' || letter === 'b' ? letter : 'o';
}

function refuse(text: string, reason: string): HealthctlError {
  return new HealthctlError('USAGE', `strconv.ParseInt: parsing ${quote(text)}: ${reason}`);
}

/** The result of `parse`, or the message of the error that it threw. */
export function attempt<T>(parse: () => T): { readonly value: T } | { readonly refusal: string } {
  try {
    return { value: parse() };
  } catch (error) {
    return { refusal: messageOf(error) };
  }
}
