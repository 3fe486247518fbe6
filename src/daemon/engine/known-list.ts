import type { ListedContainer } from '../../container/list.ts';
import { withEndNotes } from '../../container/start-failure-note.ts';
import type { GivenHealthConfig } from '../../health/config.ts';
import { effectiveState } from '../../health/state.ts';
import type { NamespaceDirs } from '../../lib/dirs.ts';
import type { KnownContainer } from '../../monitor/host-model.ts';
import { knownViewOf } from '../../monitor/known-container.ts';
import type { Monitor } from '../../monitor/monitor.ts';
import { type ContainerView, givenHealthConfigOf } from '../../record/view.ts';

/** What is parsed from a container's record, until the model has another one: it is most of a list's cost. */
interface Parsed {
  readonly view: ContainerView;
  readonly config: GivenHealthConfig | undefined;
}

const parsed = new WeakMap<KnownContainer, Parsed>();

function parsedOf(container: KnownContainer): Parsed {
  const known = parsed.get(container) ?? {
    view: knownViewOf(container),
    config: givenHealthConfigOf(container.record.labels),
  };
  parsed.set(container, known);
  return known;
}

function listedOf(container: KnownContainer, dirs: NamespaceDirs): ListedContainer {
  const { view, config } = parsedOf(container);
  const { taskView: task, started } = view;
  const state = container.config ? effectiveState({ stored: container.stored, task, started }) : undefined;
  return { view: withEndNotes(dirs, view), health: { config, state, log: [] } };
}

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
    .map((container) => listedOf(container, dirs))
    .sort((a, b) => b.view.record.createdAtMs - a.view.record.createdAtMs);
}
