import { effectiveState, type HealthState } from '../health/state.ts';
import { recordFromCompact } from '../record/compact-record.ts';
import { type ContainerView, viewFrom } from '../record/view.ts';
import type { HealthSubject } from '../store/health-store.ts';
import type { KnownContainer } from './host-model.ts';

/** What its health is stored under. */
export const subjectOf = ({ namespace, id, record: { labels } }: KnownContainer): HealthSubject => ({
  namespace,
  id,
  labels,
});

/** A container in the form for commands, from the monitor's memory. */
export function knownViewOf({ record, task, run, isOutOfMemory, isShimSilent = false }: KnownContainer): ContainerView {
  const facts = { record: recordFromCompact(record), task, run, isStateUnknown: isShimSilent };
  return { ...viewFrom(facts), isOutOfMemory };
}

/** The health of a container, as far as the monitor knows. Undefined for one without a check or never started. */
export function knownHealthOf(container: KnownContainer): HealthState | undefined {
  if (!container.config) return undefined;
  const { taskView: task, started } = knownViewOf(container);
  return effectiveState({ stored: container.stored, task, started });
}
