import type { LogAnswer, LogLine } from '../wire.ts';

/** What the page has of a log, the newest line first. */
export interface KnownLog {
  readonly lines: readonly LogLine[];
  /** `before` of the request for the next older lines; null if there are none. */
  readonly beforeMs: number | null;
  /** Lines before the newest ones: not wanted, asked for, or there. */
  readonly older: 'none' | 'asked' | 'there';
}

export const NO_LOG: KnownLog = { lines: [], beforeMs: null, older: 'none' };

/**
 * The newest lines came again. New lines push older ones out at the end, so that a page that stays open does not grow;
 * while older lines are asked for, all stay, so that they fit.
 */
export function withNewest(known: KnownLog, { lines, beforeMs }: LogAnswer): KnownLog {
  const oldestMs = lines.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
  const isHole = beforeMs !== null && oldestMs > (known.lines[0]?.atMs ?? Number.NEGATIVE_INFINITY);
  if (known.older === 'none' || isHole) return { lines, beforeMs, older: 'none' };
  const all = [...lines, ...known.lines.filter(({ atMs }) => atMs < oldestMs)];
  const out = known.older === 'asked' ? undefined : all[known.lines.length];
  if (!out) return { ...known, lines: all };
  // Lines of one time stay together: they are asked for by their time.
  return { ...known, lines: all.filter(({ atMs }) => atMs > out.atMs), beforeMs: out.atMs + 1 };
}

/** @param askedMs `before` of the request; an answer that does not fit any more is dropped */
export function withOlder(known: KnownLog, { lines, beforeMs }: LogAnswer, askedMs: number): KnownLog {
  if (known.older !== 'asked' || known.beforeMs !== askedMs) return known;
  return { lines: [...known.lines, ...lines], beforeMs, older: 'there' };
}
