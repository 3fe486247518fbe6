import { formatFloat } from './template/format-number.ts';
import { noFlags } from './template/pad.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** How Docker shows a duration to people (docker/go-units HumanDuration): `5 seconds`, `About a minute`, `3 weeks`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND_MS);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(ms / MINUTE_MS);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(ms / HOUR_MS + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.trunc(hours / 24);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.trunc(days / 7)} weeks`;
  if (days < 730) return `${Math.trunc(days / 30)} months`;
  return `${Math.trunc(Math.trunc(ms / HOUR_MS) / 24 / 365)} years`;
}

const DECIMAL_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];

/**
 * A size in powers of 1000 (go-units HumanSizeWithPrecision): `1.05MB`.
 *
 * @param digits significant digits: 4 by default, Docker's lists of images and containers take 3
 */
export function humanSize(bytes: number, digits = 4): string {
  return scale(bytes, { base: 1000, units: DECIMAL_UNITS, digits });
}

/** A size in powers of 1024 with four significant digits (go-units BytesSize): `1.5MiB`. */
export function bytesSize(bytes: number): string {
  return scale(bytes, { base: 1024, units: BINARY_UNITS, digits: 4 });
}

/** A size in powers of 1024 with one digit after the point (containerd: pkg/progress Bytes): `1.5 MiB`, `0.0 B`. */
export function binarySize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  for (; size >= 1024 && unit < BINARY_UNITS.length - 1; unit++) size /= 1024;
  return `${formatFloat(size, 'f', { ...noFlags, precision: 1 })} ${BINARY_UNITS[unit]}`;
}

function scale(
  bytes: number,
  { base, units, digits }: { base: number; units: readonly string[]; digits: number },
): string {
  let size = bytes;
  let unit = 0;
  for (; size >= base && unit < units.length - 1; unit++) size /= base;
  return `${formatFloat(size, 'g', { ...noFlags, precision: digits })}${units[unit]}`;
}

/**
 * A moment as Docker's lists show it, in local time: `2023-11-14 22:13:20 +0000 UTC`. Zones without initials are named
 * by their offset.
 */
export function localTimestamp(ms: number): string {
  const date = new Date(ms);
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? '-' : '+';
  const size = Math.abs(offset);
  const zone = `${sign}${twoDigits(Math.trunc(size / 60))}${twoDigits(size % 60)}`;
  const shifted = new Date(ms + offset * MINUTE_MS).toISOString();
  return `${shifted.slice(0, 10)} ${shifted.slice(11, 19)} ${zone} ${zoneName(date, offset) ?? zone}`;
}

/** A moment in local time, in whole seconds, as Go writes RFC 3339: `2023-11-14T22:13:20Z`. */
export function localRfc3339(ms: number): string {
  const offset = -new Date(ms).getTimezoneOffset();
  const size = Math.abs(offset);
  const zone = `${offset < 0 ? '-' : '+'}${twoDigits(Math.trunc(size / 60))}:${twoDigits(size % 60)}`;
  return `${new Date(ms + offset * MINUTE_MS).toISOString().slice(0, 19)}${offset === 0 ? 'Z' : zone}`;
}

function zoneName(date: Date, offset: number): string | undefined {
  if (offset === 0 && /\(Coordinated Universal Time\)$/.test(date.toString())) return 'UTC';
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value;
  return name !== undefined && /^[A-Z]{3,5}$/.test(name) ? name : undefined;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
