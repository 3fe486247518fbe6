import { HOUR_MS } from './cell.ts';
import type { ActionTaken, Change, Phase, PhaseChange } from './model.ts';

/** A period in which a container was in one phase. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly phase: Phase;
  readonly exitCode: number | undefined;
  readonly reason: string;
}

/** In wall time; both ends belong to it. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The phases of one container, oldest first, without holes from its first change to `untilMs`. A gap, in which no
 * monitor ran, is `unchecked`, unless the container was in the same phase before and after it: then it counts as that
 * phase.
 *
 * @param changes of this container, and gaps, oldest first
 */
export function spansOf(changes: readonly Change[], untilMs: number): readonly Span[] {
  const spans: Span[] = [];
  const open = (next: Omit<Span, 'toMs'>): void => {
    while ((spans.at(-1)?.fromMs ?? 0) >= next.fromMs && spans.length > 0) spans.pop(); // it lasted no time
    const last = spans.at(-1);
    if (last?.phase === next.phase) {
      spans[spans.length - 1] = { ...last, toMs: untilMs };
      return;
    }
    if (last) spans[spans.length - 1] = { ...last, toMs: Math.max(last.fromMs, next.fromMs) };
    spans.push({ ...next, toMs: untilMs });
  };
  for (const [index, change] of changes.entries()) {
    if (change.kind === 'gap') {
      const last = spans.at(-1);
      if (!last || !isObserved(last.phase) || phaseAfter(changes, index) === last.phase) continue;
      open({ fromMs: change.atMs, phase: 'unchecked', exitCode: undefined, reason: 'no monitor ran' });
    }
    if (change.kind !== 'phase') continue;
    const { atMs, sinceMs, phase, exitCode, reason } = change;
    if (phase === 'gone' && wasRemoved(spans.at(-1), atMs)) spans.pop();
    open({ fromMs: spans.length === 0 ? (sinceMs ?? atMs) : atMs, phase, exitCode, reason });
  }
  return spans;
}

/** A removal by force ends the container first: an end so shortly before the removal is not shown. */
const REMOVAL_MS = 10_000;
const wasRemoved = (last: Span | undefined, atMs: number): boolean =>
  last?.phase === 'ended' && atMs - last.fromMs < REMOVAL_MS;

/** Whether a monitor must run for this phase to be known to continue. */
const isObserved = (phase: Phase): boolean => !['stopped', 'unchecked', 'gone'].includes(phase);

const phaseAfter = (changes: readonly Change[], index: number): Phase | undefined =>
  changes.slice(index + 1).find((change): change is PhaseChange => change.kind === 'phase')?.phase;

/**
 * From 0 to 1: the time in which a container was healthy, divided by the time in which it was healthy, unhealthy or
 * ended. Undefined if the latter is 0, and for a container without a health check.
 */
export function uptimeOf(spans: readonly Span[], { fromMs, toMs }: Period): number | undefined {
  if (!spans.some(({ phase }) => phase === 'healthy' || phase === 'unhealthy')) return undefined;
  const times = { up: 0, down: 0, other: 0 };
  for (const span of spans)
    times[COUNTED_AS[span.phase]] += Math.max(0, Math.min(span.toMs, toMs) - Math.max(span.fromMs, fromMs));
  const total = times.up + times.down;
  return total === 0 ? undefined : times.up / total;
}

/** Of the last hour, day and week, see uptimeOf. */
export interface Uptimes {
  readonly hour: number | undefined;
  readonly day: number | undefined;
  readonly week: number | undefined;
}

export function uptimesOf(spans: readonly Span[], nowMs: number): Uptimes {
  const inLast = (lengthMs: number) => uptimeOf(spans, { fromMs: nowMs - lengthMs, toMs: nowMs });
  return { hour: inLast(HOUR_MS), day: inLast(24 * HOUR_MS), week: inLast(7 * 24 * HOUR_MS) };
}

const COUNTED_AS: Readonly<Record<Phase, 'up' | 'down' | 'other'>> = {
  healthy: 'up',
  unhealthy: 'down',
  ended: 'down',
  starting: 'other',
  paused: 'other',
  stopped: 'other',
  unchecked: 'other',
  gone: 'other',
};

/** How often a container was healthy and then became unhealthy or ended by itself. */
export function flapsOf(spans: readonly Span[], { fromMs, toMs }: Period): number {
  return spans.filter(
    (span, index) =>
      COUNTED_AS[span.phase] === 'down' &&
      spans[index - 1]?.phase === 'healthy' &&
      span.fromMs >= fromMs &&
      span.fromMs <= toMs,
  ).length;
}

/**
 * How long each start took until the container was healthy, oldest first. A start
 * does not count if the container ended before that, or if no monitor ran meanwhile.
 */
export function startsOf(spans: readonly Span[]): readonly { readonly ms: number; readonly wasUnhealthy: boolean }[] {
  const starts: { ms: number; wasUnhealthy: boolean }[] = [];
  let begun: { readonly fromMs: number; wasUnhealthy: boolean } | undefined;
  for (const { phase, fromMs } of spans) {
    if (phase === 'starting') begun = { fromMs, wasUnhealthy: false };
    else if (phase === 'unhealthy' && begun) begun.wasUnhealthy = true;
    else {
      if (phase === 'healthy' && begun) starts.push({ ms: fromMs - begun.fromMs, wasUnhealthy: begun.wasUnhealthy });
      begun = undefined;
    }
  }
  return starts;
}

/** @param changes of this container */
export function restartsOf(changes: readonly Change[], { fromMs, toMs }: Period): number {
  return changes.filter(
    (change): change is ActionTaken =>
      change.kind === 'action' && change.action === 'restart' && change.atMs >= fromMs && change.atMs <= toMs,
  ).length;
}
