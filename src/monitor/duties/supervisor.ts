import { isToRestart, restartDelayMs, SETTLED_AFTER_MS } from '../../health/restart-policy.ts';
import { type Result, tellingLine } from '../../health/result.ts';
import type { Clock } from '../../lib/clock.ts';
import { type ContainerRef, keyOf } from '../../lib/container-key.ts';
import { counted } from '../../lib/counted.ts';
import { hasCode, messageOf } from '../../lib/errors.ts';
import { LABELS } from '../../lib/labels.ts';
import type { Logger } from '../../lib/logger.ts';
import { containerNameOf, shownContainer } from '../../record/container-name.ts';
import { isStoppedByUser, restartPolicyOf } from '../../record/restart-label.ts';
import { startNoteOf } from '../../record/view.ts';
import type { RecordedResult } from '../hooks.ts';
import type { KnownContainer } from '../host-model.ts';
import { createActionPlans, type PlanCause } from './action-plans.ts';
import type { ContainerActions } from './container-actions.ts';
import { createRestartCounts } from './restart-counts.ts';
import { createRestarts } from './restarts.ts';
import { createRunHealths, type RunHealth } from './run-health.ts';

export interface SupervisorDeps {
  readonly get: (key: string) => KnownContainer | undefined;
  readonly actions: ContainerActions;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'debug'> & { info(text: string): void; warn(text: string): void };
}

/**
 * Acts on changes of containers: a restart policy after their end, `--health-on-failure` on their health.
 *
 * INVARIANTS
 * 1. A container has at most one planned or running action. Changes during an action are considered after it.
 * 2. Each action is decided again with containerd's present facts: a user who acted first wins.
 * 3. A restart is recorded before it begins, and counted when it has happened; the next supervisor finishes one that
 *    had begun.
 * 4. Records that cannot be written, on a full disk, are kept in memory: restarting containers may be what frees space.
 */
export interface Supervisor {
  /** A check has recorded a result. */
  onResult(container: KnownContainer, recorded: Pick<RecordedResult, 'state' | 'result'>): void;
  /** The known facts of a container have changed. */
  onChange(key: string): void;
  /** Whether the container has ended and is started again, now or after a delay. */
  isRestarting(key: string): boolean;
  /** When a container will be restarted, wall time; undefined if no restart is planned. */
  nextRestartAtMs(key: string): number | undefined;
  /** Whether an action is planned or running. */
  readonly isBusy: boolean;
  /** Resolves when no action is running. Planned ones are left to the next supervisor. */
  stop(): Promise<void>;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one list of decisions over the parts above
export function createSupervisor({ get, actions, clock, log }: SupervisorDeps): Supervisor {
  const shown = (key: string): string => {
    const container = get(key);
    return container ? shownName(container) : key;
  };
  const healths = createRunHealths();
  const counts = createRestartCounts(actions, (ref, error) =>
    log.warn(`container ${shown(keyOf(ref))}: its restarts are counted in memory only: ${messageOf(error)}`),
  );
  const restarts = createRestarts({
    ...{ actions, counts, clock },
    onRestarted: (ref, reason) => {
      log.info(`container ${shown(keyOf(ref))}: restarted: ${reason}`);
      actions.onRestarted(ref, reason);
    },
  });
  const plans = createActionPlans({
    clock,
    onFailure: (key, error) => {
      if (!hasCode(error, 'NOT_FOUND')) log.warn(`container ${shown(key)}: ${messageOf(error)}`);
    },
    onEnd: (key) => onChange(key),
  });
  let isStopped = false;

  const planRestart = (
    key: string,
    { cause, streak, reason }: { readonly cause: PlanCause; readonly streak: number; readonly reason: string },
    restart: () => Promise<void>,
  ): void => {
    const delayMs = restartDelayMs(streak);
    log.info(`container ${shown(key)}: ${reason}; restart in ${delayMs / 1000} s`);
    plans.plan(key, { cause, delayMs }, restart);
  };

  const onChange = (key: string): void => {
    if (isStopped || plans.isRunning(key)) return;
    const container = get(key);
    if (!container) {
      plans.drop(key);
      healths.forget(key);
      counts.forget(key);
    } else if (container.run) plans.drop(key, 'end');
    else onEnded(key, container);
  };
  const onEnded = (key: string, container: KnownContainer): void => {
    healths.forget(key);
    plans.drop(key, isRestartable(container) ? 'health' : undefined);
    if (!isRestartable(container) || plans.get(key)) return;
    const { namespace, id, task, record } = container;
    const { isPending, count, ...recorded } = counts.read({ namespace, id });
    const exitCode = task?.exitStatus ?? UNKNOWN_EXIT_CODE;
    const policy = restartPolicyOf(record.labels);
    if (!isPending && !isToRestart({ policy, exitCode, isStoppedByUser: false, restarts: count })) return;
    const streak = !container.config && ranLong(container) ? 0 : recorded.streak;
    const reason = isPending ? 'a restart was not finished' : `it ended with ${exitCode}`;
    planRestart(key, { cause: 'end', streak, reason }, () => restarts.afterEnd({ namespace, id }, streak));
  };

  const onResult: Supervisor['onResult'] = (container, { state, result }) => {
    if ((container.config?.onFailure ?? 'none') === 'none' || isStopped) return;
    const health = healths.of(get(keyOf(container)) ?? container);
    if (state.status === 'unhealthy') return onUnhealthy(container, health, reasonFrom(result));
    health.isHandled = false;
    plans.drop(keyOf(container), 'health');
    if (state.status === 'healthy') onHealthy(container, health);
  };
  const onUnhealthy = (container: KnownContainer, health: RunHealth, reason: string): void => {
    const key = keyOf(container);
    health.healthySinceMs = undefined;
    if (health.isHandled || plans.get(key) || plans.isRunning(key)) return;
    switch (container.config?.onFailure) {
      case 'restart':
        restartUnhealthy(container, health, reason);
        break;
      case 'kill':
      case 'stop':
        end(container, health, { action: container.config.onFailure, reason });
    }
  };
  const end = (
    container: KnownContainer,
    health: RunHealth,
    { action, reason }: { readonly action: 'kill' | 'stop'; readonly reason: string },
  ): void => {
    const { namespace, id } = container;
    plans.run(keyOf(container), async () => {
      if (!(await isStillUp(container))) return;
      await (action === 'kill'
        ? actions.kill({ namespace, id })
        : actions.stop({ namespace, id }, { isForGood: true }));
      health.isHandled = true;
      log.info(`container ${shownName(container)}: ${action === 'kill' ? 'killed' : 'stopped'}: ${reason}`);
      await actions.publish({ namespace, id }, action, reason);
    });
  };
  const restartUnhealthy = (container: KnownContainer, health: RunHealth, reason: string): void => {
    const { namespace, id, config } = container;
    const { streak } = counts.read({ namespace, id });
    const limit = config?.maxRestarts ?? 0;
    if (limit > 0 && streak >= limit) {
      health.isHandled = true;
      const many = counted(limit, 'restart');
      log.warn(`container ${shownName(container)}: not restarted any more after ${many} in a row: ${reason}`);
      return;
    }
    planRestart(keyOf(container), { cause: 'health', streak, reason }, async () => {
      if (await isStillUp(container)) await restarts.whileUp({ namespace, id }, streak, reason);
    });
  };
  /** Whether it is still in the run that was found unhealthy. */
  const isStillUp = async ({ namespace, id, run }: KnownContainer): Promise<boolean> =>
    get(keyOf({ namespace, id }))?.run?.id === run?.id &&
    (await actions.factsOf({ namespace, id })).state === 'running';
  /** A pending restart is no longer wanted; after a long time of health the next one counts as the first in a row. */
  const onHealthy = (ref: ContainerRef, health: RunHealth): void => {
    const isFirst = health.healthySinceMs === undefined;
    health.healthySinceMs ??= clock.monotonic();
    const isLong = clock.monotonic() - health.healthySinceMs >= SETTLED_AFTER_MS;
    if (!isFirst && !isLong) return;
    if (isLong) health.healthySinceMs = Number.POSITIVE_INFINITY;
    const { isPending, streak } = counts.read(ref);
    const isStreakOver = isLong && streak > 0;
    if (isPending || isStreakOver) counts.change(ref, { isPending: false, ...(isStreakOver ? { streak: 0 } : {}) });
  };

  return {
    onResult,
    onChange,
    isRestarting: (key) => plans.causeOf(key) === 'end',
    nextRestartAtMs: (key) => plans.get(key)?.atMs,
    get isBusy() {
      return plans.isBusy;
    },
    stop: async () => {
      isStopped = true;
      await plans.stop();
    },
  };
}

/**
 * Whether the supervisor may start a container that does not run: it was started before, its end is certain, no user
 * has stopped it, and a restart policy or `--health-on-failure restart` applies to it.
 */
function isRestartable({ task, record: { labels }, config }: KnownContainer): boolean {
  const isInDoubt = task?.status === 'unknown' || task?.status === 'created';
  const wasStarted = task !== undefined || labels[LABELS.started] !== undefined;
  const isRestartConfigured = restartPolicyOf(labels).name !== 'no' || config?.onFailure === 'restart';
  return !isInDoubt && wasStarted && isRestartConfigured && !isStoppedByUser(labels);
}

/** For a container without a check, a long run has the effect of a long time of health. */
function ranLong({ record, task }: KnownContainer): boolean {
  const startedAtMs = startNoteOf(record.labels)?.atMs;
  return startedAtMs !== undefined && (task?.exitedAtMs ?? 0) - startedAtMs >= SETTLED_AFTER_MS;
}

/** After a reboot the exit code of a run is unknown. */
const UNKNOWN_EXIT_CODE = 255;
const MAX_REASON_LENGTH = 200;

export const shownName = ({ namespace, id, record }: KnownContainer): string =>
  shownContainer({ namespace, id, name: containerNameOf({ id, labels: record.labels }) });

function reasonFrom(result: Result): string {
  const line = tellingLine(result).slice(0, MAX_REASON_LENGTH);
  return line === '' ? 'unhealthy' : `unhealthy: ${line}`;
}
