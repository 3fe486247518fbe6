import { isToRestart } from '../../health/restart-policy.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ContainerRef } from '../../lib/container-key.ts';
import { hasCode } from '../../lib/errors.ts';
import { isStoppedByUser, restartPolicyOf } from '../../record/restart-label.ts';
import type { ContainerActions } from './container-actions.ts';
import type { RestartCounts } from './restart-counts.ts';

/**
 * Restarts containers, each decided again with containerd's present facts: a user who acted first wins.
 *
 * A restart is recorded before it begins, and counted when it has happened; one that was interrupted is recorded as
 * pending, and `afterEnd` finishes it.
 */
export interface Restarts {
  /**
   * A run has ended, or was found ended: starts it again if its policy says so, or if a restart is pending.
   *
   * @param streak restarts in a row before this one
   */
  afterEnd(ref: ContainerRef, streak: number): Promise<void>;
  /** Stops and starts a container that is unhealthy. */
  whileUp(ref: ContainerRef, streak: number, reason: string): Promise<void>;
}

export interface RestartsDeps {
  readonly actions: ContainerActions;
  readonly counts: RestartCounts;
  readonly clock: Pick<Clock, 'now'>;
  /** A container was restarted. */
  readonly onRestarted: (ref: ContainerRef, reason: string) => void;
}

export function createRestarts({ actions, counts, clock, onRestarted }: RestartsDeps): Restarts {
  return {
    afterEnd: async (ref, streak) => {
      const { state, labels, exitCode } = await actions.factsOf(ref);
      if (state !== 'exited') return;
      const { isPending, count } = counts.read(ref);
      const isStopped = isStoppedByUser(labels);
      const ending = { policy: restartPolicyOf(labels), exitCode, isStoppedByUser: isStopped, restarts: count };
      if (isStopped || (!isPending && !isToRestart(ending))) return;
      const reason = isPending ? 'a restart was not finished' : `it ended with ${exitCode}`;
      counts.change(ref, { streak: streak + 1, ...(isPending ? {} : { atMs: clock.now(), reason }) });
      let isStarted: boolean;
      try {
        isStarted = await actions.start(ref);
      } catch (error) {
        // A policy has a limited number of tries.
        if (!hasCode(error, 'NOT_FOUND')) counts.change(ref, { count: count + 1 });
        throw error;
      }
      if (!isStarted) return;
      counts.change(ref, { count: count + 1, isPending: false });
      onRestarted(ref, reason);
    },
    whileUp: async (ref, streak, reason) => {
      const { count } = counts.read(ref);
      counts.change(ref, { streak: streak + 1, atMs: clock.now(), reason, isPending: true });
      try {
        await actions.stop(ref, { isForGood: false });
      } catch (error) {
        // It still runs, so no restart is pending. After ABORTED, because the monitor ends, it is unknown whether the
        // signal had an effect: the restart stays pending, and the next supervisor checks.
        if (!hasCode(error, 'NOT_FOUND', 'ABORTED')) counts.change(ref, { isPending: false });
        throw error;
      }
      const { state, labels } = await actions.factsOf(ref);
      const isStarted = state === 'exited' && !isStoppedByUser(labels) && (await actions.start(ref));
      counts.change(ref, { isPending: false, ...(isStarted ? { count: count + 1 } : {}) });
      if (!isStarted) return;
      onRestarted(ref, reason);
      await actions.publish(ref, 'restart', reason);
    },
  };
}
