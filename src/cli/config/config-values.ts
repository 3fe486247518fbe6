import { hintForDays, millisecondsFromNanoseconds, parseDuration } from '../../go/duration.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';

/** The location of a key in a table, or of a table of a list, for messages. */
export type Locate = (...path: readonly (string | number)[]) => string;

/**
 * Throws CONFIG with the location of a value of the wrong type. A promise: of a check that is loaded only if needed.
 *
 * @param locate locations inside of the value
 */
export type CheckValue<T> = (location: string, key: string, value: unknown, locate: Locate) => T | Promise<T>;

export function checkNumber(location: string, key: string, value: unknown, max: number, min = 1): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw wrongType(location, key, `a whole number from ${min} to ${max}`, value);
}

export function checkBoolean(location: string, key: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw wrongType(location, key, 'true or false', value);
}

export function checkText(location: string, key: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw wrongType(location, key, 'a string', value);
}

/** An absolute path. */
export function checkPath(location: string, key: string, value: unknown): string {
  const path = checkText(location, key, value);
  if (path.startsWith('/') && !path.includes('\0')) return path;
  throw wrongType(location, key, 'an absolute path', value);
}

/** In Go's syntax. */
export function checkDuration(location: string, key: string, value: unknown): number {
  const text = checkText(location, key, value);
  try {
    const ms = millisecondsFromNanoseconds(parseDuration(text));
    if (ms > 0) return ms;
  } catch (cause) {
    const hint = hintForDays(text);
    throw new HealthctlError('CONFIG', `${location}: ${key}: ${messageOf(cause)}`, {
      cause,
      ...(hint ? { hint } : {}),
    });
  }
  throw wrongType(location, key, 'longer than nothing', value);
}

export function wordOf<Word extends string>(
  ...words: readonly Word[]
): (location: string, key: string, value: unknown) => Word {
  return (location, key, value) => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined)
      throw wrongType(location, key, words.map((each) => JSON.stringify(each)).join(' or '), value);
    return word;
  };
}

export function wrongType(location: string, key: string, wanted: string, value: unknown): HealthctlError {
  return new HealthctlError('CONFIG', `${location}: ${key} must be ${wanted}, not ${JSON.stringify(value)}`);
}
