import { hintForDays, millisecondsFromNanoseconds, parseDuration } from '../go/duration.ts';
import { parseGoTime } from '../go/go-time.ts';
import { quote } from '../go/quote.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';

/** The origin of relative times, and the zone of times that name none. */
export interface TimeReference {
  readonly nowMs: number;
  /** Minutes east of UTC, at that moment. */
  readonly zoneMinutes: number;
}

/** The local zone. */
export function timeReference(nowMs: number): TimeReference {
  return { nowMs, zoneMinutes: -new Date(nowMs).getTimezoneOffset() };
}

/**
 * Parses `--since` and `--until` like Docker (api/types/time/timestamp.go): a Go duration back from now, cut to whole
 * seconds; RFC 3339, complete or in part, in the local zone if it names none; Unix seconds, with a fraction. Returns
 * milliseconds since the epoch.
 *
 * @throws INVALID in Docker's words: `failed to parse value as time or duration: "x"`, or those of Go's time.Parse
 */
export function parseEventTime(text: string, reference: TimeReference): number {
  const ago = text === '0' ? undefined : durationMs(text);
  if (ago !== undefined) return Math.floor((reference.nowMs - ago) / 1000) * 1000;
  const isLocal = !/[zZ+]/.test(text) && text.split('-').length !== 4;
  const layout = layoutFor(text, isLocal);
  const parsed = parseGoTime(layout, text, isLocal ? reference.zoneMinutes : 0);
  if ('ms' in parsed) return parsed.ms;
  if (text.includes('-')) throw new HealthctlError('INVALID', parsed.refusal);
  return unixMs(text);
}

function durationMs(text: string): number | undefined {
  try {
    return millisecondsFromNanoseconds(parseDuration(text));
  } catch (error) {
    if (hasCode(error, 'USAGE')) return undefined;
    throw error;
  }
}

/** As much of the layout as the text has, judged by its dots and colons. */
function layoutFor(text: string, isLocal: boolean): string {
  const zone = isLocal ? '' : 'Z07:00';
  if (text.includes('.')) return `2006-01-02T15:04:05.999999999${zone}`;
  if (!text.includes('T')) return `2006-01-02${zone}`;
  const inZone = isLocal || /[zZ]/.test(text) ? 0 : 1;
  const colons = Math.max(0, text.split(':').length - 1 - inZone);
  return `2006-01-02T15${[':04', ':04:05'][Math.min(colons, 2) - 1] ?? ''}${zone}`;
}

const UNIX = /^([+-]?\d+)(?:\.([+-]?\d+))?$/;
const MAX_INT = 2n ** 63n - 1n;

function unixMs(text: string): number {
  const [, seconds, fraction = ''] = UNIX.exec(text) ?? [];
  // Checks the length first: BigInt of a megabyte of digits would take minutes.
  const isTooLong = [seconds ?? '', fraction].some((digits) => digits.replace(/^[+-]?0*/, '').length > 19);
  if (seconds === undefined || isTooLong || [seconds, fraction].some((digits) => size(digits) > MAX_INT)) {
    throw new HealthctlError('INVALID', `failed to parse value as time or duration: ${quote(text)}`, {
      hint: hintForDays(text) ?? 'write it like 10m, 168h, 2026-01-01T12:00:00 or 1767225600',
    });
  }
  // Interpreted as digits after the point, of any length: Docker takes them for nanoseconds and scales by their length.
  const rest = fraction === '' ? 0 : Number(BigInt(fraction)) * 10 ** (3 - fraction.length);
  return Number(BigInt(seconds)) * 1000 + rest;
}

function size(digits: string): bigint {
  const value = BigInt(digits.replace(/^\+/, '') || '0');
  return value < 0n ? -value : value;
}
