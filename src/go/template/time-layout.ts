/** A moment as a wall clock shows it. */
export interface ClockTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1 to 366. */
  readonly yearDay: number;
  /** East of UTC. */
  readonly offsetSeconds: number;
  readonly isUtc: boolean;
}

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;
export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/**
 * The parts of a layout that stand for a part of a time (Go: package time, the constants of format.go); longer ones
 * precede shorter ones.
 */
const CHUNK =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_(?=2006)|_2|[345]|PM|pm|[-Z]07(?::00:00|0000|:00|00)?|[.,](?:0+|9+)(?!\d)/g;

/** Go's `Time.Format`: a layout shows how `Mon Jan 2 15:04:05 MST 2006` would be written. */
export function formatLayout(layout: string, at: ClockTime): string {
  return layout.replace(CHUNK, (chunk) => chunkText(chunk, at));
}

function chunkText(chunk: string, at: ClockTime): string {
  const hour12 = at.hour % 12 || 12;
  switch (chunk) {
    case 'January':
      return monthName(at);
    case 'Jan':
      return monthName(at).slice(0, 3);
    case 'Monday':
      return weekdayName(at);
    case 'Mon':
      return weekdayName(at).slice(0, 3);
    case '2006':
      return at.year < 0 ? `-${digits(-at.year, 4)}` : digits(at.year, 4);
    case '06':
      return digits(Math.abs(at.year) % 100, 2);
    case '01':
      return digits(at.month, 2);
    case '1':
      return `${at.month}`;
    case '02':
      return digits(at.day, 2);
    case '_2':
      return `${at.day}`.padStart(2);
    case '2':
      return `${at.day}`;
    case '002':
      return digits(at.yearDay, 3);
    case '__2':
      return `${at.yearDay}`.padStart(3);
    case '15':
      return digits(at.hour, 2);
    case '03':
      return digits(hour12, 2);
    case '3':
      return `${hour12}`;
    case '04':
      return digits(at.minute, 2);
    case '4':
      return `${at.minute}`;
    case '05':
      return digits(at.second, 2);
    case '5':
      return `${at.second}`;
    case 'PM':
      return at.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return at.hour >= 12 ? 'pm' : 'am';
    case '_':
      return '_';
    case 'MST':
      return at.isUtc ? 'UTC' : offsetText('-0700', at.offsetSeconds);
    default:
      return /^[.,]/.test(chunk) ? fractionText(chunk, at.nanosecond) : offsetText(chunk, at.offsetSeconds);
  }
}

const monthName = ({ month }: ClockTime): string => MONTHS[month - 1] ?? '';
const weekdayName = ({ weekday }: ClockTime): string => WEEKDAYS[weekday] ?? '';
const digits = (value: number, width: number): string => `${value}`.padStart(width, '0');

/**
 * `.000`: exactly this many digits. `.999`: at most this many, without trailing zeros, and without the point if no
 * digit is left.
 */
function fractionText(chunk: string, nanosecond: number): string {
  const fraction = digits(nanosecond, 9)
    .slice(0, chunk.length - 1)
    .padEnd(chunk.length - 1, '0');
  const text = `${chunk[0]}${fraction}`;
  return chunk[1] === '0' ? text : text.replace(/.?0+$/, (end) => (/^[.,]0*$/.test(end) ? '' : end.replace(/0+$/, '')));
}

/** `-07`, `-0700`, `-07:00`, also with seconds; with Z in place of `-` the same, but UTC becomes `Z`. */
function offsetText(chunk: string, offsetSeconds: number): string {
  if (chunk.startsWith('Z') && offsetSeconds === 0) return 'Z';
  const size = Math.abs(offsetSeconds);
  const separator = chunk.includes(':') ? ':' : '';
  const parts = [Math.trunc(size / 3600), Math.trunc(size / 60) % 60, size % 60].map((part) => digits(part, 2));
  const count = chunk.replace(/[^0]/g, '').length / 2;
  return `${offsetSeconds < 0 ? '-' : '+'}${parts.slice(0, Math.ceil(count)).join(separator)}`;
}
