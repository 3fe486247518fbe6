import { printableLine } from '../../lib/printable.ts';

/*
 * What an answer means, and when to try again: pure.
 */

/** The result of one POST. */
export type PostOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** The header `Retry-After`. */
      readonly retryAfter: string | undefined;
      /** The beginning of the body, of a refusal. */
      readonly text: string;
    }
  /** `isReached`: a connection was open, so the request may have arrived. */
  | { readonly kind: 'failed'; readonly isReached: boolean; readonly reason: string };

/** `refused`: another try would be refused as well. */
export type Verdict = 'delivered' | 'refused' | 'failed';

/** Statuses below 500 after which another try may succeed: timeout, too early, too many requests. */
const RETRIED = [408, 425, 429];

export function verdictOf(outcome: PostOutcome): Verdict {
  if (outcome.kind === 'failed') return 'failed';
  const { status } = outcome;
  if (status >= 200 && status < 300) return 'delivered';
  return status >= 500 || RETRIED.includes(status) ? 'failed' : 'refused';
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 5 * 60_000;
/** A server may ask for more patience than that; its alerts would be of no use by then. */
const LONGEST_RETRY_AFTER_MS = 60 * 60_000;

/**
 * How long to wait after the n-th failure in a row: 1 s, 2 s, 4 s … 5 min, of which a random share of up to half is
 * left out, so that many hosts do not come back at the same moment; at least as long as the server asked for.
 *
 * @param share in [0, 1)
 */
export function retryDelayMs(failures: number, share: number, retryAfterMs = 0): number {
  const fullMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20), LONGEST_RETRY_MS);
  return Math.max(Math.round(fullMs * (1 - share / 2)), retryAfterMs);
}

/** `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. Undefined if absent or malformed; at most one hour. */
export function retryAfterMsOf(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : dateOf(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}

/** Dates in HTTP's form only: Date.parse accepts much else. */
const dateOf = (text: string): number => (/^[A-Z][a-z]{2,8},? .* GMT$/.test(text) ? Date.parse(text) : Number.NaN);

const MAX_SHOWN_TEXT = 200;

/** Why a POST did not succeed, for the log. */
export function reasonOf(outcome: PostOutcome): string {
  if (outcome.kind === 'failed') return outcome.reason;
  const text = printableLine(outcome.text.trim().split('\n')[0] ?? '').slice(0, MAX_SHOWN_TEXT);
  return `it answered ${outcome.status}${text === '' ? '' : `: ${text}`}`;
}
