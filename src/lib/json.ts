import { HealthctlError, messageOf } from './errors.ts';

/**
 * Precedes every string that represents another value while JSON.parse runs: a private-use character that occurs in no
 * legal text.
 */
const MARK = '\uE0F1';
const STRINGS_AND_LONG_INTEGERS = /("(?:[^"\\]+|\\.)*")(\s*:)?|(?<![\d.eE+])(-?\d{16,})(?![\d.eE])/g;

/**
 * Parses JSON without rounding: an integer beyond 2^53 becomes a bigint. Go writes such numbers, e.g.
 * 18446744073709551615 for an unlimited rlimit. Throws CORRUPT with JSON.parse's reason.
 */
export function decodeJson(text: string): unknown {
  try {
    return /\d{16}/.test(text) ? decodeLongIntegers(text) : JSON.parse(text);
  } catch (cause) {
    throw new HealthctlError('CORRUPT', `not JSON: ${messageOf(cause)}`, { cause });
  }
}

function decodeLongIntegers(text: string): unknown {
  const marked = text.replace(
    STRINGS_AND_LONG_INTEGERS,
    (all: string, string?: string, colon?: string, integer?: string) => {
      if (integer !== undefined) return `"${MARK}i${integer}"`;
      const isOurs = string !== undefined && colon === undefined && startsWithMark(string);
      return isOurs ? `"${MARK}s${string.slice(1)}` : all;
    },
  );
  return JSON.parse(marked, (_key, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
    if (value[1] === 's') return value.slice(2);
    const integer = BigInt(value.slice(2));
    const number = Number(integer);
    return Number.isSafeInteger(number) ? number : integer;
  });
}

function startsWithMark(quoted: string): boolean {
  return quoted[1] === MARK || /^"\\u[eE]0[fF]1/.test(quoted);
}

/** Writes JSON, and a bigint as an integer. It omits what JSON.stringify omits (undefined, functions). */
export function encodeJson(value: unknown): string {
  return encode(value) ?? 'null';
}

function encode(value: unknown): string | undefined {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map((item: unknown) => encode(item) ?? 'null').join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    const text = encode(member);
    if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${members.join(',')}}`;
}
