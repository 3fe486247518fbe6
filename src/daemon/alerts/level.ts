import { rfc3339FromMillis } from '../../health/result.ts';
import type { HealthStatus } from '../../health/state.ts';
import type { KnownContainer } from '../../monitor/host-model.ts';
import { knownHealthOf } from '../../monitor/known-container.ts';
import { hookEventOf } from '../hooks/hook-event.ts';
import type { AlertEvent, AlertSubject } from './alert-event.ts';

/** The present state of a container, for alerts. */
type Level = HealthStatus | GoneLevel;
type GoneLevel = 'ended' | 'removed' | 'unchecked';

const GONE_REASONS: Readonly<Record<GoneLevel, string>> = {
  ended: 'it ended',
  removed: 'it was removed',
  unchecked: 'it has no health check any more',
};

/** Cheap, because it is asked after each check. */
export const mayBeUnhealthy = (container: KnownContainer | undefined): boolean =>
  container?.stored.state?.status === 'unhealthy';

export function levelOf(container: KnownContainer | undefined): Level {
  if (!container) return 'removed';
  if (!container.config) return 'unchecked';
  if (!container.run) return 'ended';
  return knownHealthOf(container)?.status ?? 'starting';
}

/**
 * The event of a state that was found, not observed when it began. Without an output, of which memory has the beginning at
 * most: see with-result.ts.
 */
export function eventOfLevel(container: KnownContainer, status: 'healthy' | 'unhealthy', nowMs: number): AlertEvent {
  const { state, log } = container.stored;
  const { failingStreak = 0 } = state ?? {};
  const { exitCode = 0 } = log.at(-1) ?? {};
  return hookEventOf(container, nowMs, { event: status, failingStreak, exitCode });
}

export function goneEvent({ namespace, id, name, image }: AlertSubject, level: GoneLevel, nowMs: number): AlertEvent {
  return { event: 'gone', time: rfc3339FromMillis(nowMs), namespace, id, name, image, reason: GONE_REASONS[level] };
}
