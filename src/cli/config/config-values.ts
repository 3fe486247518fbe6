import { millisecondsFromNanoseconds, parseDuration } from '../../go/duration.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';

/** Throws CONFIG with the place of a value of the wrong type. */
export type CheckValue<T> = (place: string, key: string, value: unknown) => T;

export function checkNumber(place: string, key: string, value: unknown, max: number, min = 1): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw wrongType(place, key, `a whole number from ${min} to ${max}`, value);
}

export function checkBoolean(place: string, key: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw wrongType(place, key, 'true or false', value);
}

export function checkText(place: string, key: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw wrongType(place, key, 'a string', value);
}

/** In Go's syntax. */
export function checkDuration(place: string, key: string, value: unknown): number {
  const text = checkText(place, key, value);
  try {
    const ms = millisecondsFromNanoseconds(parseDuration(text));
    if (ms > 0) return ms;
  } catch (cause) {
    throw new HealthctlError('CONFIG', `${place}: ${key}: ${messageOf(cause)}`, { cause });
  }
  throw wrongType(place, key, 'longer than nothing', value);
}

export function wordOf<Word extends string>(...words: readonly Word[]): CheckValue<Word> {
  return (place, key, value) => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw wrongType(place, key, words.map((each) => JSON.stringify(each)).join(' or '), value);
    return word;
  };
}

export function wrongType(place: string, key: string, wanted: string, value: unknown): HealthctlError {
  return new HealthctlError('CONFIG', `${place}: ${key} must be ${wanted}, not ${JSON.stringify(value)}`);
}
