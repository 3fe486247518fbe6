import { quoteBytes } from './quote.ts';

/** The parts of Go's layouts that Docker's times consist of. */
const CHUNKS = ['2006', '01', '02', '15', '04', '05', '.999999999', 'Z07:00'] as const;
type Chunk = (typeof CHUNKS)[number];

/** Milliseconds since the epoch, or the text of Go's error. */
export type ParsedGoTime = { readonly ms: number } | { readonly refusal: string };

interface Fields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** Milliseconds, with fractions. */
  fractionMs: number;
  zoneMinutes: number;
}

/** The result of parsing a chunk at the start of a text. `range` names a part that is out of range, e.g. `month`. */
type Taken = { readonly rest: string; readonly range?: string } | undefined;

/**
 * Parses a time like Go's time.Parse, for numeric layouts (`2006-01-02T15:04:05.999999999Z07:00` and parts of it), with
 * Go's errors.
 *
 * @param zoneMinutes for a layout without a zone, east of UTC
 */
export function parseGoTime(layout: string, text: string, zoneMinutes: number): ParsedGoTime {
  const fields: Fields = { year: 1, month: 1, day: 1, hour: 0, minute: 0, second: 0, fractionMs: 0, zoneMinutes };
  const cannot = (rest: string, as: string) => ({
    refusal: `parsing time ${quoteBytes(text)} as ${quoteBytes(layout)}: cannot parse ${quoteBytes(rest)} as ${quoteBytes(as)}`,
  });
  const refuse = (reason: string) => ({ refusal: `parsing time ${quoteBytes(text)}: ${reason}` });
  const parts = partsOf(layout);
  let rest = text;
  for (const [index, part] of parts.entries()) {
    const chunk = CHUNKS.find((known) => known === part);
    if (chunk === undefined) {
      const missing = firstMissing(rest, part);
      if (missing !== undefined) return cannot(missing, part);
      rest = rest.slice(part.length);
      continue;
    }
    const taken = take(chunk, rest, fields);
    if (taken === undefined) return cannot(rest, chunk);
    if (taken.range !== undefined) return refuse(`${taken.range} out of range`);
    rest = taken.rest;
    // Go accepts a fraction after the seconds even if the layout has none.
    if (chunk === '05' && parts[index + 1] !== '.999999999') rest = takeFraction(rest, fields);
  }
  if (rest !== '') return refuse(`extra text: ${quoteBytes(rest)}`);
  if (fields.day < 1 || fields.day > daysIn(fields)) return refuse('day out of range');
  return { ms: millisOf(fields) };
}

function partsOf(layout: string): readonly string[] {
  return layout.split(/(2006|01|02|15|04|\.999999999|05|Z07:00)/).filter((part) => part !== '');
}

/** The rest of the text from where it differs from the literal. */
function firstMissing(text: string, literal: string): string | undefined {
  for (let at = 0; at < literal.length; at += 1) if (text[at] !== literal[at]) return text.slice(at);
  return undefined;
}

function take(chunk: Chunk, text: string, fields: Fields): Taken {
  switch (chunk) {
    case '2006':
      if (!/^\d{4}/.test(text)) return undefined;
      fields.year = Number(text.slice(0, 4));
      return { rest: text.slice(4) };
    case '01':
      return number(text, /^\d\d/, (value) => {
        fields.month = value;
        return value < 1 || value > 12 ? 'month' : undefined;
      });
    case '02':
      return number(text, /^\d\d/, (value) => {
        fields.day = value; // checked once the month is known
        return undefined;
      });
    case '15':
      return number(text, /^\d\d?/, (value) => {
        fields.hour = value;
        return value > 23 ? 'hour' : undefined;
      });
    case '04':
      return number(text, /^\d\d/, (value) => {
        fields.minute = value;
        return value > 59 ? 'minute' : undefined;
      });
    case '05':
      return number(text, /^\d\d/, (value) => {
        fields.second = value;
        return value > 59 ? 'second' : undefined;
      });
    case '.999999999':
      return { rest: takeFraction(text, fields) };
    case 'Z07:00':
      return takeZone(text, fields);
  }
}

function number(text: string, pattern: RegExp, set: (value: number) => string | undefined): Taken {
  const [digits] = pattern.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const range = set(Number(digits));
  return { rest: text.slice(digits.length), ...(range === undefined ? {} : { range }) };
}

/** Keeps nanoseconds and cuts off smaller digits. The fraction is optional. */
function takeFraction(text: string, fields: Fields): string {
  const [all, digits = ''] = /^[.,](\d+)/.exec(text) ?? [''];
  if (digits !== '') fields.fractionMs = Number(digits.slice(0, 9).padEnd(9, '0')) / 1e6;
  return text.slice(all.length);
}

function takeZone(text: string, fields: Fields): Taken {
  fields.zoneMinutes = 0;
  if (text.startsWith('Z')) return { rest: text.slice(1) };
  const [all, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)/.exec(text) ?? [];
  if (all === undefined) return undefined;
  fields.zoneMinutes = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  const rest = text.slice(all.length);
  if (Number(hours) > 24) return { rest, range: 'time zone offset hour' };
  return Number(minutes) > 60 ? { rest, range: 'time zone offset minute' } : { rest };
}

function daysIn({ year, month }: Fields): number {
  return new Date(utcMillis({ year, month: month + 1, day: 0 })).getUTCDate();
}

function millisOf({ hour, minute, second, fractionMs, zoneMinutes, ...date }: Fields): number {
  return utcMillis(date) + ((hour * 60 + minute - zoneMinutes) * 60 + second) * 1000 + fractionMs;
}

/** Date.UTC takes years below 100 as years of the 20th century. */
function utcMillis({ year, month, day }: Pick<Fields, 'year' | 'month' | 'day'>): number {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}
