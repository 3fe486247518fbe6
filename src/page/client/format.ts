import type { BarLetters, ShownStatus } from '../wire.ts';

/** `850 ms`, `12 s`, `5 min`, `3 h 20 min`, `2 d 4 h`. */
export function spanText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return withRest(hours, 'h', minutes % 60, 'min');
  return withRest(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

const withRest = (whole: number, unit: string, rest: number, restUnit: string): string =>
  rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${restUnit}`;

/** Rounded down, so that 100 % means always. */
export function percentText(share: number | null): string {
  if (share === null) return '–';
  return share === 1 ? '100 %' : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}

export const millisecondsText = (ms: number | null): string => (ms === null ? '–' : `${ms} ms`);

export function bytesText(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}

/** A time of day, with the date if it is not today. */
export function timeText(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const time = at.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  if (at.toDateString() === new Date(nowMs).toDateString()) return time;
  return `${at.toLocaleDateString(undefined, { month: 'short', day: 'numeric' })}, ${time}`;
}

/** Without seconds, for axes and bars. */
export function minuteText(atMs: number, withDate: boolean): string {
  const at = new Date(atMs);
  const time = at.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  return withDate ? `${at.toLocaleDateString(undefined, { weekday: 'short', day: 'numeric' })}, ${time}` : time;
}

/** How serious a status is, for colours and order: the first needs a look first. */
export const LEVELS = ['bad', 'warn', 'busy', 'good', 'off'] as const;
export type Level = (typeof LEVELS)[number];

export const STATUS_LEVELS: Readonly<Record<ShownStatus, Level>> = {
  unhealthy: 'bad',
  ended: 'bad',
  unknown: 'warn',
  starting: 'busy',
  healthy: 'good',
  paused: 'off',
  unchecked: 'off',
  stopped: 'off',
  created: 'off',
  gone: 'off',
};

const LETTER_WORDS: Readonly<Record<string, string>> = {
  u: 'unhealthy',
  e: 'ended',
  f: 'with failed checks',
  h: 'healthy',
  s: 'starting',
  p: 'paused',
  '.': 'not checked',
};

export const letterText = (letter: string): string => LETTER_WORDS[letter] ?? '';

/** The row of bars in words, for who does not see it. */
export function barSummary(letters: BarLetters, lengthText: string): string {
  const parts = Object.entries(LETTER_WORDS).flatMap(([letter, word]) => {
    const count = letters.split(letter).length - 1;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  return `Results of ${lengthText}, of ${letters.length} bars: ${parts.join(', ')}`;
}

export const RANGE_TEXTS = { '90m': '90 minutes', '24h': '24 hours', '7d': '7 days' } as const;

/** As Docker shows it: without the registry and the directory that are usual. */
export const imageText = (image: string): string => image.replace(/^docker\.io\/(library\/)?/, '');
