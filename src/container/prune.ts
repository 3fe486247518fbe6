import { hasCode } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { matchesPrune, type PruneFilter } from '../lib/prune-filter.ts';
import { isStoppedByUser, mayBeRestarted } from '../record/restart-label.ts';
import { shownLabels } from '../record/shown-labels.ts';
import { type ContainerView, refuseUnknown } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { listContainers } from './list.ts';
import { removeContainer } from './remove.ts';
import { openContainerSizes } from './sizes.ts';

export interface Pruned {
  /** Ids of the removed containers. */
  readonly ids: readonly string[];
  /** Bytes that they had written. */
  readonly reclaimed: number;
}

/**
 * Removes healthctl's containers that do not run. One that was started meanwhile stays; so does one that ended and that
 * its policy will start again, unless a user stopped it: Docker counts it as running.
 *
 * @param options.onRemoved called after each
 */
export async function pruneContainers(
  ctx: ContainerContext,
  options: {
    readonly filter: PruneFilter;
    readonly onRemoved?: (id: string) => Promise<void>;
    readonly signal: AbortSignal;
  },
): Promise<Pruned> {
  const { filter, onRemoved, signal } = options;
  const stopped = await listContainers(ctx, {
    keep: (view) => mayGo(view, filter),
    signal,
  });
  const sizesOf = openContainerSizes(ctx, { signal });
  const unknown = stopped.find(({ view }) => view.isStateUnknown);
  if (unknown) refuseUnknown(unknown.view);
  const ids: string[] = [];
  let reclaimed = 0;
  for (const { view } of stopped) {
    if (signal.aborted) break;
    const { SizeRw } = await sizesOf(view.record);
    try {
      await removeContainer(ctx, view, { force: false, abort: signal });
    } catch (error) {
      if (hasCode(error, 'CONFLICT', 'NOT_FOUND')) continue;
      throw error;
    }
    await onRemoved?.(view.record.id);
    ids.push(view.record.id);
    reclaimed += SizeRw;
  }
  return { ids, reclaimed };
}

function mayGo(view: ContainerView, filter: PruneFilter): boolean {
  const { record, state } = view;
  if (record.labels[LABELS.owner] === undefined) return false;
  // It is unknown whether it has ended: pruneContainers refuses.
  if (view.isStateUnknown) return matchesPrune(filter, { createdMs: record.createdAtMs, labels: shownLabels(record) });
  if (state === 'running' || state === 'paused') return false;
  const isToStart = state === 'exited' && mayBeRestarted(record.labels) && !isStoppedByUser(record.labels);
  return !isToStart && matchesPrune(filter, { createdMs: record.createdAtMs, labels: shownLabels(record) });
}
