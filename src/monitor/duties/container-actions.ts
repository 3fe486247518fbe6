import type { ContainerContext } from '../../container/context.ts';
import { viewRecord } from '../../container/resolve.ts';
import { startAgain } from '../../container/restart.ts';
import { killContainer, stopContainer } from '../../container/stop.ts';
import { type HealthAction, publishHealthAction } from '../../events/own-events.ts';
import type { ContainerRef } from '../../lib/container-key.ts';
import { isStoppedByUser } from '../../record/restart-label.ts';
import { type RestartRecord, readRestarts, writeRestarts } from '../../record/restart-record.ts';
import { type ContainerState, refuseUnknown } from '../../record/view.ts';

/** A container's present facts from containerd. */
interface PresentFacts {
  readonly state: ContainerState;
  readonly labels: Readonly<Record<string, string>>;
  /** Exit code of the last run. */
  readonly exitCode: number;
}

/** Actions of the supervisor on containers. All may throw; NOT_FOUND: the container is gone. */
export interface ContainerActions {
  factsOf(ref: ContainerRef): Promise<PresentFacts>;
  /** @returns whether it was started: not if a user has stopped it meanwhile */
  start(ref: ContainerRef): Promise<boolean>;
  /** Stops it with its signal and timeout. @param options.isForGood keep it stopped, as if a user had stopped it */
  stop(ref: ContainerRef, options: { readonly isForGood: boolean }): Promise<void>;
  kill(ref: ContainerRef): Promise<void>;
  readRestarts(ref: ContainerRef): RestartRecord;
  writeRestarts(ref: ContainerRef, record: RestartRecord): void;
  /** Publishes the event of an action that was taken. */
  publish(ref: ContainerRef, action: HealthAction, reason: string): Promise<void>;
  /** Called after any restart, for health or for a policy. */
  onRestarted(ref: ContainerRef, reason: string): void;
}

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
    factsOf: async (ref) => {
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
