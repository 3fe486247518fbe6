import type { ShownStatus } from './wire.ts';

const LETTERS: Readonly<Record<ShownStatus, string>> = {
  unhealthy: 'u',
  ended: 'e',
  starting: 's',
  healthy: 'h',
  paused: 'p',
  stopped: '.',
  unchecked: '.',
  gone: '.',
  created: '.',
  unknown: '.',
};
/** A bar shows the first of these that was in its time. */
const ORDER = ['u', 'e', 'f', 'h', 's', 'p'];

/** The letter of a status in a bar: see BarLetters. */
export const letterOf = (status: ShownStatus): string => LETTERS[status];

/** The letter that a bar shows, of all that were in its time. */
export const shownLetter = (letters: ReadonlySet<string>): string => ORDER.find((letter) => letters.has(letter)) ?? '.';
