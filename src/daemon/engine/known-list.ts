import type { ListedContainer } from '../../container/list.ts';
import { withEndNotes } from '../../container/start-failure-note.ts';
import type { NamespaceDirs } from '../../lib/dirs.ts';
import { knownHealthOf, knownViewOf } from '../../monitor/known-container.ts';
import type { Monitor } from '../../monitor/monitor.ts';
import { givenHealthConfigOf } from '../../record/view.ts';

/**
 * The containers of a namespace from the monitor's memory, the newest first, with no call to containerd.
 *
 * @returns undefined while the monitor has lost containerd, and for a namespace that it does not watch
 */
export function knownList(
  { model, isLive }: Pick<Monitor, 'model' | 'isLive'>,
  dirs: NamespaceDirs,
  watched: readonly string[],
): readonly ListedContainer[] | undefined {
  if (!isLive || (watched.length > 0 && !watched.includes(dirs.namespace))) return undefined;
  return [...model.all()]
    .filter(({ namespace }) => namespace === dirs.namespace)
    .map((container) => ({
      view: withEndNotes(dirs, knownViewOf(container)),
      health: { config: givenHealthConfigOf(container.record.labels), state: knownHealthOf(container), log: [] },
    }))
    .sort((a, b) => b.view.record.createdAtMs - a.view.record.createdAtMs);
}
