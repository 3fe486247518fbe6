import { HealthctlError } from '../lib/errors.ts';
import { quoteBytes } from './quote.ts';

/** Nanoseconds, the unit of every stored duration (Go's int64 `time.Duration`). */
const NANOSECOND = 1n;
export const MICROSECOND = 1_000n;
export const MILLISECOND = 1_000_000n;
export const SECOND = 1_000_000_000n;
export const MINUTE = 60n * SECOND;
export const HOUR = 60n * MINUTE;

/** Bounds of an int64 duration. */
export const MAX_DURATION = 2n ** 63n - 1n;
export const MIN_DURATION = -(2n ** 63n);

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', NANOSECOND],
  ['us', MICROSECOND],
  ['\u00b5s', MICROSECOND],
  ['\u03bcs', MICROSECOND],
  ['ms', MILLISECOND],
  ['s', SECOND],
  ['m', MINUTE],
  ['h', HOUR],
]);

/** A number, then everything up to the next digit or dot, which Go takes as the unit. */
const TERM = /^(\d*)(?:\.(\d*))?([^\d.]*)/;

/**
 * Parses Go's duration syntax (`1m30s`, `-4.5s`, `100µs`, `0`) to nanoseconds.
 *
 * Fractions below a nanosecond are cut off. Throws USAGE with the texts of Go's `time.ParseDuration`, e.g.
 * `time: unknown unit "d" in duration "1d"`; a value beyond int64 is an invalid duration.
 */
export function parseDuration(text: string): bigint {
  const negative = text.startsWith('-');
  let rest = negative || text.startsWith('+') ? text.slice(1) : text;
  if (rest === '0') return 0n;
  if (rest === '') throw invalid(text);

  let total = 0n;
  while (rest !== '') {
    const [all, whole = '', fraction = '', unit = ''] = TERM.exec(rest) ?? [''];
    // Checks the length first: BigInt of a megabyte of digits would take minutes.
    if ((whole === '' && fraction === '') || whole.replace(/^0+/, '').length > 19) throw invalid(text);
    if (BigInt(whole) > -MIN_DURATION) throw invalid(text);
    if (unit === '') throw usage(`time: missing unit in duration ${quoteBytes(text)}`);
    const scale = UNITS.get(unit);
    if (scale === undefined) throw usage(`time: unknown unit ${quoteBytes(unit)} in duration ${quoteBytes(text)}`);
    total += BigInt(whole) * scale + scaleFraction(fraction, scale);
    if (total > -MIN_DURATION) throw invalid(text);
    rest = rest.slice(all.length);
  }
  if (negative) return -total;
  if (total > MAX_DURATION) throw invalid(text);
  return total;
}

/** For the duration `7d` or `2w`, which Go does not have: a hint that shows it in hours. */
export function hintForDays(text: string): string | undefined {
  const [, count, unit] = /^(\d{1,6})([dw])$/i.exec(text) ?? [];
  if (count === undefined) return undefined;
  const [word, hours] = unit?.toLowerCase() === 'w' ? ['weeks', 7 * 24] : ['days', 24];
  return `there is no unit of ${word}: write ${Number(count) * hours}h`;
}

/** Formats nanoseconds like Go's `Duration.String`: `1h0m0s`, `1m30s`, `4.5s`, `500ms`, `100µs`, `0s`. */
export function formatDuration(ns: bigint): string {
  if (ns === 0n) return '0s';
  const sign = ns < 0n ? '-' : '';
  const size = ns < 0n ? -ns : ns;
  if (size < MICROSECOND) return `${sign}${size}ns`;
  if (size < MILLISECOND) return `${sign}${decimal(size, MICROSECOND)}µs`;
  if (size < SECOND) return `${sign}${decimal(size, MILLISECOND)}ms`;
  const seconds = `${decimal(size % MINUTE, SECOND)}s`;
  if (size < MINUTE) return sign + seconds;
  const minutes = `${(size % HOUR) / MINUTE}m${seconds}`;
  return size < HOUR ? sign + minutes : `${sign}${size / HOUR}h${minutes}`;
}

/** Whole and fractional milliseconds, for timers: 1500000n → 1.5. */
export function millisecondsFromNanoseconds(ns: bigint): number {
  return Number(ns / MILLISECOND) + Number(ns % MILLISECOND) / 1e6;
}

/** Milliseconds to nanoseconds, rounded to the nearest: 1.5 → 1500000n. */
export function nanosecondsFromMilliseconds(ms: number): bigint {
  const whole = Math.trunc(ms);
  return BigInt(whole) * MILLISECOND + BigInt(Math.round((ms - whole) * 1e6));
}

/**
 * In floating point, like Go: exact arithmetic would give 19m59.999999999s for 0.3333333333333333333h, where Go gives
 * 20m0s.
 */
function scaleFraction(digits: string, unit: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (next > MAX_DURATION) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}

function decimal(value: bigint, unit: bigint): string {
  const fraction = value % unit;
  if (fraction === 0n) return `${value / unit}`;
  const digits = `${fraction}`.padStart(`${unit}`.length - 1, '0').replace(/0+$/, '');
  return `${value / unit}.${digits}`;
}

function invalid(text: string): HealthctlError {
  return usage(`time: invalid duration ${quoteBytes(text)}`);
}

function usage(message: string): HealthctlError {
  return new HealthctlError('USAGE', message, { hint: 'write it like 30s, 1m30s or 500ms' });
}
