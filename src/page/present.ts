import { keyOf } from '../lib/container-key.ts';
import { printableLine } from '../lib/printable.ts';
import { phaseOf } from '../monitor/duties/record-history.ts';
import type { KnownContainer } from '../monitor/host-model.ts';
import { knownHealthOf } from '../monitor/known-container.ts';
import { containerNameOf } from '../record/container-name.ts';
import type { PastRow } from './history-answers.ts';
import type { ContainerRow, PresentState, ShownStatus } from './wire.ts';

/** What the monitor knows of a container now. */
export function presentStateOf(container: KnownContainer, isRestarting: boolean): PresentState {
  const last = container.stored.log.at(-1);
  const endMs = Date.parse(last?.end ?? '');
  return {
    key: keyOf(container),
    status: statusOf(container),
    failingStreak: knownHealthOf(container)?.failingStreak ?? 0,
    lastCheck:
      last && Number.isFinite(endMs)
        ? { endMs, durationMs: Math.max(0, endMs - Date.parse(last.start)) || 0, exitCode: last.exitCode }
        : null,
    isRestarting,
  };
}

function statusOf(container: KnownContainer): ShownStatus {
  if (container.isShimSilent) return 'unknown';
  return phaseOf(container)?.phase ?? 'created';
}

/** A container that the monitor knows, with its history. */
export function rowOf(
  container: KnownContainer,
  past: PastRow | undefined,
  { isRestarting, barCount }: { readonly isRestarting: boolean; readonly barCount: number },
): ContainerRow {
  const { namespace, id, record, run } = container;
  const present = presentStateOf(container, isRestarting);
  const startedMs = present.status === 'starting' ? (run?.startedAtMs ?? null) : null;

  return {
    ...(past ? withoutPhase(past) : blankRow(barCount)),
    ...present,
    ...{ namespace, id, name: printableLine(containerNameOf(record)), image: printableLine(record.image) },
    sinceMs: past?.phase === present.status ? past.sinceMs : startedMs,
  };
}

/** A container that the monitor no longer knows. */
export const goneRowOf = (past: PastRow): ContainerRow => ({
  ...withoutPhase(past),
  ...{ status: 'gone', failingStreak: 0, lastCheck: null, isRestarting: false },
  sinceMs: past.phase === 'gone' ? past.sinceMs : null,
});

const withoutPhase = ({ phase: _phase, ...row }: PastRow): Omit<PastRow, 'phase'> => row;

const blankRow = (count: number) => ({
  ...{ uptime: null, p50Ms: null, p95Ms: null, flaps: 0, restarts: 0, bar: '.'.repeat(count) },
  succeeded: new Array<number>(count).fill(0),
  failed: new Array<number>(count).fill(0),
});
