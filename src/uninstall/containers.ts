import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerContext } from '../container/context.ts';
import { listContainers } from '../container/list.ts';
import { containersDirOf } from '../lib/dirs.ts';
import { errnoOf, hasCode } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import type { ContainerView } from '../record/view.ts';
import type { OwnContainer } from './plan.ts';
import { findRunning } from './shims.ts';

/** Creates the context of container use cases for a namespace. Nothing is asked of containerd yet. */
export type ContextOf = (namespace: string) => Promise<ContainerContext>;

export interface FoundContainers {
  readonly containers: readonly OwnContainer[];
  /** Whether containerd answers, or need not be asked. */
  readonly hasContainerd: boolean;
}

const SHORT_ID = 12;

/** Our containers with a directory below this data root. Others belong to another installation or tool. */
export async function findContainers(dirs: ContainerContext['dirs'], contextOf: ContextOf): Promise<FoundContainers> {
  const kept = namesIn(join(containersDirOf(dirs, ''))).flatMap((namespace) =>
    namesIn(containersDirOf(dirs, namespace)).map((id) => ({ namespace, id })),
  );
  if (kept.length === 0) return { containers: [], hasContainerd: true };
  try {
    const views = await viewsOf([...new Set(kept.map(({ namespace }) => namespace))], contextOf);
    const containers = kept.map(({ namespace, id }): OwnContainer => {
      const view = views.get(`${namespace}/${id}`);
      const name = view?.name ?? id.slice(0, SHORT_ID);
      return { namespace, id, name, isUp: view !== undefined && mayRun(view), hasRecord: view !== undefined };
    });
    return { containers, hasContainerd: true };
  } catch (error) {
    if (!hasCode(error, 'UNAVAILABLE')) throw error;
    const running = findRunning(new Set(kept.map(({ id }) => id)));
    const containers = kept.map(({ namespace, id }): OwnContainer => {
      return { namespace, id, name: id.slice(0, SHORT_ID), isUp: running.has(id), hasRecord: true };
    });
    return { containers, hasContainerd: false };
  }
}

/** By `namespace/id`: those that containerd has, and that are ours. */
async function viewsOf(
  namespaces: readonly string[],
  contextOf: ContextOf,
): Promise<ReadonlyMap<string, ContainerView>> {
  const found = new Map<string, ContainerView>();
  for (const namespace of namespaces) {
    const ctx = await contextOf(namespace);
    const isOurs = ({ record }: ContainerView): boolean => record.labels[LABELS.owner] !== undefined;
    for (const { view } of await listContainers(ctx, { keep: isOurs }))
      found.set(`${namespace}/${view.record.id}`, view);
  }
  return found;
}

/** A container of unknown state may run. */
const mayRun = ({ state, isStateUnknown }: ContainerView): boolean =>
  isStateUnknown === true || state === 'running' || state === 'paused';

export function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}
