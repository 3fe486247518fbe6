import type { HookName } from '../../lib/settings.ts';
import type { AlertEvent } from './alert-event.ts';
import type { Verdict } from './retry.ts';

/*
 * What one hook has to send about one container, and when: pure. Times are monotonic.
 *
 * INVARIANTS
 * 1. A `healthy` or `gone` is tried until it is delivered or refused, if the receiver may have got `unhealthy` before.
 *    An `unhealthy` is no longer sent once it is over.
 * 2. Two deliveries are at least `minIntervalMs` apart; tries of the same one are not limited by it.
 */

/** The rules of one hook. */
export interface AlertRules {
  readonly on: readonly HookName[];
  readonly minIntervalMs: number;
  readonly retries: number;
  /** Whether `healthy` is sent also for a container that was not unhealthy before. */
  readonly sendsFirstHealthy: boolean;
  /** Whether `unhealthy` is tried as long as it lasts. */
  readonly isPersistent: boolean;
}

export interface AlertEntry {
  /**
   * The present state: `unhealthy`, `healthy` or `gone`. Undefined while it is not known: the container is starting.
   */
  readonly seen: AlertEvent | undefined;
  /** When `seen` may be sent at the earliest. */
  readonly seenFromMs: number;
  /** The last restart, if it was not delivered. */
  readonly restart: AlertEvent | undefined;
  /** The last state that was delivered, or that the hook does not want. Undefined: none, or it is not known. */
  readonly delivered: AlertEvent['event'] | undefined;
  /** The `unhealthy` that the receiver may know of, and that was not yet resolved. */
  readonly firing: AlertEvent | undefined;
  /** End of the time in which no new event is sent. */
  readonly freeAtMs: number;
  /** The event of the last try, if it failed; tries of it, and the time of the first. */
  readonly tried: { readonly event: AlertEvent; readonly count: number; readonly sinceMs: number } | undefined;
  /** How many changes were replaced by others before they were sent. */
  readonly damped: number;
}

export const NO_ENTRY: AlertEntry = {
  ...{ seen: undefined, seenFromMs: 0, restart: undefined, delivered: undefined, firing: undefined },
  ...{ freeAtMs: 0, tried: undefined, damped: 0 },
};

/** What is to be done next about a container. */
export interface Pending {
  readonly event: AlertEvent;
  readonly dueMs: number;
  /** Whether it is sent; otherwise the hook does not want it, and it only counts as delivered. */
  readonly isSent: boolean;
}

/** Longest time of trying, for events that may be given up. */
const LONGEST_TRY_MS = 30 * 60_000;

/** After a change of state, or a restart. @param event undefined: the state is not known, the container is starting */
export function entryAfterEvent(
  entry: AlertEntry,
  event: AlertEvent | undefined,
  { rules, fromMs }: { readonly rules: AlertRules; readonly fromMs: number },
): AlertEntry {
  if (event?.event === 'restart') {
    if (!rules.on.includes('restart')) return entry;
    return { ...entry, restart: event, damped: entry.damped + (entry.restart ? 1 : 0) };
  }
  if (event?.event === entry.seen?.event)
    // The same event, with other facts: those that may be sent earlier.
    return event && fromMs < entry.seenFromMs ? { ...entry, seen: event, seenFromMs: fromMs } : entry;
  const isReplaced = pendingState(entry, rules)?.isSent === true;
  return { ...entry, seen: event, seenFromMs: fromMs, damped: entry.damped + (isReplaced ? 1 : 0) };
}

/** The next thing to do about a container; undefined if there is nothing. A state comes before a restart. */
export function pendingOf(entry: AlertEntry, rules: AlertRules): Pending | undefined {
  const state = pendingState(entry, rules);
  const dueOf = (event: AlertEvent): number => (entry.tried?.event === event ? 0 : entry.freeAtMs);
  if (state) return { ...state, dueMs: Math.max(dueOf(state.event), entry.seenFromMs) };
  const { restart } = entry;
  return restart && { event: restart, isSent: true, dueMs: dueOf(restart) };
}

function pendingState(entry: AlertEntry, { on, sendsFirstHealthy }: AlertRules): Omit<Pending, 'dueMs'> | undefined {
  const { seen, delivered } = entry;
  if (!seen) return undefined;
  const resolves = isResolve(entry, seen);
  if (seen.event === delivered && !resolves) return undefined;
  switch (seen.event) {
    case 'unhealthy':
      return { event: seen, isSent: on.includes('unhealthy') };
    case 'healthy':
      return { event: seen, isSent: on.includes('healthy') && (resolves || sendsFirstHealthy) };
    case 'gone':
      return { event: seen, isSent: on.includes('healthy') && resolves };
    case 'restart':
      return undefined;
  }
}

/** Whether an event ends an `unhealthy` that the receiver may know of. */
export const isResolve = ({ firing }: Pick<AlertEntry, 'firing'>, { event }: AlertEvent): boolean =>
  firing !== undefined && (event === 'healthy' || event === 'gone');

/** What is known while a state is on its way, and if its try fails then: it may arrive. */
export const entryDuringTry = (entry: AlertEntry, event: AlertEvent): AlertEntry => ({
  ...entry,
  delivered: undefined,
  firing: entry.firing ?? (event.event === 'unhealthy' ? event : undefined),
});

/** What came of a try. */
export interface Tried {
  readonly verdict: Verdict;
  /** Whether the receiver may have got it. */
  readonly isReached: boolean;
  readonly nowMs: number;
}

/** After a try of an event. The entry may have changed meanwhile. */
export function entryAfterTry(
  entry: AlertEntry,
  event: AlertEvent,
  { rules, ...result }: Tried & { readonly rules: AlertRules },
): AlertEntry {
  const { verdict, isReached, nowMs } = result;
  const freeAtMs = isReached ? nowMs + rules.minIntervalMs : entry.freeAtMs;
  const mayHaveArrived = isReached && verdict !== 'refused' && event.event !== 'restart';
  const after = { ...(mayHaveArrived ? entryDuringTry(entry, event) : entry), freeAtMs };
  switch (verdict) {
    case 'delivered':
      return settled({ ...after, damped: 0 }, event);
    case 'refused':
      return settled(after, event);
    case 'failed': {
      const tried = triedAfterFailure(entry, event, nowMs);
      return isGivenUp(entry, event, { tried, rules, nowMs }) ? settled(after, event) : { ...after, tried };
    }
  }
}

/** After an event that the hook does not want. */
export const entryAfterSkip = (entry: AlertEntry, event: AlertEvent): AlertEntry =>
  settled(event.event === 'unhealthy' ? { ...entry, firing: undefined } : entry, event);

/** Whether a failed event is not tried again. */
export function isGivenUp(
  entry: AlertEntry,
  event: AlertEvent,
  { tried, rules, nowMs }: { readonly tried: AlertEntry['tried']; readonly rules: AlertRules; readonly nowMs: number },
): boolean {
  if (tried === undefined || isResolve(entry, event) || (event.event === 'unhealthy' && rules.isPersistent))
    return false;
  return tried.count > rules.retries || nowMs - tried.sinceMs > LONGEST_TRY_MS;
}

export function triedAfterFailure({ tried }: AlertEntry, event: AlertEvent, nowMs: number): AlertEntry['tried'] {
  return tried?.event === event ? { ...tried, count: tried.count + 1 } : { event, count: 1, sinceMs: nowMs };
}

/** There is nothing more to do about this event. */
function settled(entry: AlertEntry, event: AlertEvent): AlertEntry {
  const after = { ...entry, tried: undefined };
  if (event.event === 'restart') return { ...after, restart: entry.restart === event ? undefined : entry.restart };
  return { ...after, delivered: event.event, firing: event.event === 'unhealthy' ? entry.firing : undefined };
}

/** Whether nothing would be lost with the entry. */
export function isOver(entry: AlertEntry, rules: AlertRules, nowMs: number): boolean {
  const { firing, delivered, freeAtMs } = entry;
  return !pendingOf(entry, rules) && firing === undefined && delivered !== 'unhealthy' && freeAtMs <= nowMs;
}
