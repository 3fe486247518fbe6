import type { ContainerContext } from '../../container/context.ts';
import { viewRecord } from '../../container/resolve.ts';
import { startAgain } from '../../container/restart.ts';
import { killContainer, stopContainer } from '../../container/stop.ts';
import { publishHealthAction } from '../../events/own-events.ts';
import type { ContainerRef } from '../../lib/container-key.ts';
import { isStoppedByUser } from '../../record/restart-label.ts';
import { readRestarts, writeRestarts } from '../../record/restart-record.ts';
import { refuseUnknown } from '../../record/view.ts';
import type { ContainerActions } from './supervisor.ts';

/**
 * The actions that the supervisor can take on a container, with a real containerd: the functions that commands call.
 */
export function createContainerActions(
  contextOf: (namespace: string) => ContainerContext,
): Omit<ContainerActions, 'onRestarted'> {
  const viewOf = async ({ namespace, id }: ContainerRef) => {
    const ctx = contextOf(namespace);
    return { ctx, view: await viewRecord(ctx, await ctx.containerd.containers.get(id)) };
  };
  const placeOf = ({ namespace }: ContainerRef) => ({ dirs: contextOf(namespace).dirs, namespace });
  return {
    look: async (ref) => {
      const { view } = await viewOf(ref);
      refuseUnknown(view);
      return { state: view.state, labels: view.record.labels, exitCode: view.exit?.code ?? 0 };
    },
    start: async (ref) => {
      const { ctx, view } = await viewOf(ref);
      if (isStoppedByUser(view.record.labels)) return false;
      await startAgain(ctx, view);
      return true;
    },
    stop: async (ref, { isForGood }) => {
      const { ctx, view } = await viewOf(ref);
      await stopContainer(ctx, view, { isForGood });
    },
    kill: async (ref) => {
      const { ctx, view } = await viewOf(ref);
      await killContainer(ctx, view);
    },
    readRestarts: (ref) => readRestarts(placeOf(ref), ref.id),
    writeRestarts: (ref, record) => writeRestarts(placeOf(ref), ref.id, record),
    publish: async ({ namespace, id }, action, reason) => {
      const { containerd, log } = contextOf(namespace);
      await publishHealthAction({ events: containerd.events, log }, { id, action, reason });
    },
  };
}
