import {
  type AlertEntry,
  type AlertRules,
  entryAfterEvent,
  entryAfterSkip,
  entryAfterTry,
  entryDuringTry,
  isGivenUp,
  isOver,
  NO_ENTRY,
  type Pending,
  pendingOf,
  type Tried,
  triedAfterFailure,
} from './alert-entry.ts';
import type { AlertEvent, AlertSubject } from './alert-event.ts';
import { retryDelayMs } from './retry.ts';

/**
 * An alert that a receiver may have got, or may get at any moment, with the facts that its end and the next monitor
 * need.
 */
export interface Firing {
  readonly key: string;
  readonly event: AlertEvent;
  /** Whether it was delivered; false as soon as its end is to be sent. */
  readonly isDelivered: boolean;
}

/** What to do now. `wait`: nothing before that time, unless `notice` is called. */
type Next =
  | { readonly kind: 'send'; readonly key: string; readonly event: AlertEvent; readonly entry: AlertEntry }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'nothing' };

/** The result of a try, for the log. */
export type Followed = { readonly kind: 'settled' | 'given-up' } | { readonly kind: 'retry'; readonly inMs: number };

/**
 * All that one hook has to send: an entry for each container, one try at a time. Times are monotonic.
 *
 * INVARIANT: at most MAX_ENTRIES containers. Nothing is sent about a further one. One whose `unhealthy` was delivered
 * stays until it is resolved.
 */
export interface AlertBook {
  has(key: string): boolean;
  /** The container as the latest event named it. */
  subjectOf(key: string): AlertSubject | undefined;
  keys(): readonly string[];
  /**
   * @param event undefined: the state is not known, the container is starting
   * @returns false if there is no room for it
   */
  notice(key: string, event: AlertEvent | undefined, at: { readonly nowMs: number; readonly fromMs?: number }): boolean;
  next(nowMs: number): Next;
  /** An event is about to be sent. */
  begin(key: string, event: AlertEvent): void;
  /** @param result.share random, in [0, 1): shortens the pause after a failure */
  end(
    key: string,
    event: AlertEvent,
    result: Tried & { readonly share: number; readonly retryAfterMs: number | undefined },
  ): Followed;
  firings(): readonly Firing[];
  /** What is still to be sent, however long it should wait. */
  pending(): readonly { readonly key: string; readonly event: AlertEvent; readonly entry: AlertEntry }[];
}

/** More containers than a host has; some 5 KiB each, with the output of a check. */
const MAX_ENTRIES = 1_000;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createAlertBook(rules: AlertRules, known: readonly Firing[] = []): AlertBook {
  const entries = new Map<string, AlertEntry>(
    known
      .slice(0, MAX_ENTRIES)
      .map(({ key, event, isDelivered }) => [
        key,
        { ...NO_ENTRY, firing: event, delivered: isDelivered ? 'unhealthy' : undefined },
      ]),
  );
  let failures = 0;
  let pausedUntilMs = 0;
  let current: { readonly key: string; readonly event: AlertEvent } | undefined;

  const put = (key: string, entry: AlertEntry, nowMs: number): void => {
    // An event in flight may still be delivered.
    if (key !== current?.key && isOver(entry, rules, nowMs)) entries.delete(key);
    else entries.set(key, entry);
  };
  /** An event that the hook does not want counts as delivered, once it is due. */
  const skipUnwanted = (nowMs: number): void => {
    for (const [key, entry] of entries) {
      if (key === current?.key) continue;
      const pending = pendingOf(entry, rules);
      if (pending && !pending.isSent && pending.dueMs <= nowMs) put(key, entryAfterSkip(entry, pending.event), nowMs);
      else if (!pending && entry.freeAtMs <= nowMs) put(key, entry, nowMs);
    }
  };
  const dueOf = ({ isSent, dueMs }: Pending): number => (isSent ? Math.max(dueMs, pausedUntilMs) : dueMs);

  return {
    has: (key) => entries.has(key),
    subjectOf: (key) => {
      const entry = entries.get(key);
      return entry?.seen ?? entry?.firing ?? entry?.restart;
    },
    keys: () => [...entries.keys()],
    notice: (key, event, { nowMs, fromMs = nowMs }) => {
      if (entries.size >= MAX_ENTRIES) skipUnwanted(nowMs);
      const before = entries.get(key);
      if (!before && (event === undefined || entries.size >= MAX_ENTRIES)) return event === undefined;
      put(key, entryAfterEvent(before ?? NO_ENTRY, event, { rules, fromMs }), nowMs);
      return true;
    },
    next: (nowMs) => {
      skipUnwanted(nowMs);
      let next: { key: string; entry: AlertEntry; pending: Pending } | undefined;
      for (const [key, entry] of entries) {
        const pending = pendingOf(entry, rules);
        if (pending && (!next || dueOf(pending) < dueOf(next.pending))) next = { key, entry, pending };
      }
      if (!next) return { kind: 'nothing' };
      const { key, entry, pending } = next;
      if (dueOf(pending) > nowMs) return { kind: 'wait', untilMs: dueOf(pending) };
      return { kind: 'send', key, entry, event: pending.event };
    },
    begin: (key, event) => {
      current = { key, event };
    },
    end: (key, event, { share, retryAfterMs, ...tried }) => {
      current = undefined;
      const { verdict, nowMs } = tried;
      failures = verdict === 'failed' ? failures + 1 : 0;
      const inMs = verdict === 'failed' ? retryDelayMs(failures, share, retryAfterMs) : 0;
      pausedUntilMs = nowMs + inMs;
      const before = entries.get(key) ?? NO_ENTRY;
      entries.delete(key); // `put` adds it again as the last one
      put(key, entryAfterTry(before, event, { ...tried, rules }), nowMs);
      if (verdict !== 'failed') return { kind: 'settled' };
      const after = { tried: triedAfterFailure(before, event, nowMs), rules, nowMs };
      return isGivenUp(before, event, after) ? { kind: 'given-up' } : { kind: 'retry', inMs };
    },
    firings: () =>
      [...entries].flatMap(([key, entry]) => {
        const pending = pendingOf(entry, rules);
        const isChanging = pending?.isSent === true && pending.event.event !== 'restart';
        const isTried = current?.key === key && current.event.event !== 'restart';
        const begun = isTried ? current?.event : isChanging ? pending.event : undefined;
        const { firing, delivered } = begun ? entryDuringTry(entry, begun) : entry;
        return firing ? [{ key, event: firing, isDelivered: delivered === 'unhealthy' }] : [];
      }),
    pending: () =>
      [...entries].flatMap(([key, entry]) => {
        const pending = pendingOf(entry, rules);
        return pending?.isSent ? [{ key, entry, event: pending.event }] : [];
      }),
  };
}
