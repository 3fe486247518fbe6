import type { ContainerContext } from '../../container/context.ts';
import { viewRecord } from '../../container/resolve.ts';
import { startAgain } from '../../container/restart.ts';
import { killContainer, stopContainer } from '../../container/stop.ts';
import { publishHealthAction } from '../../events/own-events.ts';
import { isStoppedByUser } from '../../record/restart-label.ts';
import { readRestarts, writeRestarts } from '../../record/restart-record.ts';
import { refuseUnknown } from '../../record/view.ts';
import type { Place } from '../monitor.ts';
import type { Hands } from './supervisor.ts';

/** What the supervisor does things with, on a real containerd: the same functions that commands call. */
export function createHands(contextOf: (namespace: string) => ContainerContext): Omit<Hands, 'onRestarted'> {
  const viewOf = async ({ namespace, id }: Place) => {
    const ctx = contextOf(namespace);
    return { ctx, view: await viewRecord(ctx, await ctx.containerd.containers.get(id)) };
  };
  const placeOf = ({ namespace }: Place) => ({ dirs: contextOf(namespace).dirs, namespace });
  return {
    look: async (place) => {
      const { view } = await viewOf(place);
      refuseUnknown(view);
      return { state: view.state, labels: view.record.labels, exitCode: view.exit?.code ?? 0 };
    },
    start: async (place) => {
      const { ctx, view } = await viewOf(place);
      if (isStoppedByUser(view.record.labels)) return false;
      await startAgain(ctx, view);
      return true;
    },
    stop: async (place, { isForGood }) => {
      const { ctx, view } = await viewOf(place);
      await stopContainer(ctx, view, { isForGood });
    },
    kill: async (place) => {
      const { ctx, view } = await viewOf(place);
      await killContainer(ctx, view);
    },
    readRestarts: (place) => readRestarts(placeOf(place), place.id),
    writeRestarts: (place, record) => writeRestarts(placeOf(place), place.id, record),
    tell: async ({ namespace, id }, action, reason) => {
      const { containerd, log } = contextOf(namespace);
      await publishHealthAction({ events: containerd.events, log }, { id, action, reason });
    },
  };
}
