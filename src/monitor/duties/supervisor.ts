import type { HealthAction } from '../../events/own-events.ts';
import { isToRestart, restartDelayMs, SETTLED_AFTER_MS } from '../../health/restart-policy.ts';
import type { HealthState } from '../../health/state.ts';
import type { Clock } from '../../lib/clock.ts';
import { type ContainerRef, keyOf } from '../../lib/container-key.ts';
import { counted } from '../../lib/counted.ts';
import { hasCode, messageOf } from '../../lib/errors.ts';
import { LABELS } from '../../lib/labels.ts';
import type { Logger } from '../../lib/logger.ts';
import { printableLine } from '../../lib/printable.ts';
import { isStoppedByUser, restartPolicyOf } from '../../record/restart-label.ts';
import type { RestartRecord } from '../../record/restart-record.ts';
import { type ContainerState, startNoteOf } from '../../record/view.ts';
import type { Watched } from '../host-model.ts';
import { createRestartCounts } from './restart-counts.ts';

/** A container's present facts from containerd. */
interface Looked {
  readonly state: ContainerState;
  readonly labels: Readonly<Record<string, string>>;
  /** Exit code of the last run. */
  readonly exitCode: number;
}

/** Actions of the supervisor on containers. All may throw; NOT_FOUND: the container is gone. */
export interface ContainerActions {
  look(ref: ContainerRef): Promise<Looked>;
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

export interface SupervisorDeps {
  readonly get: (key: string) => Watched | undefined;
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
  onResult(container: Watched, state: HealthState, output: string): void;
  /** The known facts of a container have changed. */
  onChange(key: string): void;
  /** Whether the container has ended and will be started after a delay. */
  isRestarting(key: string): boolean;
  /** When a container will be restarted, wall time; undefined if no restart is planned. */
  nextRestartAtMs(key: string): number | undefined;
  /** Whether an action is planned or running. */
  readonly isBusy: boolean;
  /** Resolves when no action is running. Planned ones are left to the next supervisor. */
  stop(): Promise<void>;
}

interface Plan {
  readonly cause: 'end' | 'health';
  /** Wall time. */
  readonly atMs: number;
  cancel(): void;
}

/** The health of a run with one test, as far as known. */
interface Course {
  readonly runId: string | undefined;
  readonly testSinceMs: number | undefined;
  /** We already acted on the current unhealthy state. */
  isHandled: boolean;
  /** Monotonic time; infinity once the restart streak was reset. */
  wellSinceMs: number | undefined;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createSupervisor({ get, actions, clock, log }: SupervisorDeps): Supervisor {
  const plans = new Map<string, Plan>();
  const deeds = new Map<string, Promise<void>>();
  const courses = new Map<string, Course>();
  let isStopped = false;

  const dropPlan = (key: string, cause?: Plan['cause']): void => {
    const plan = plans.get(key);
    if (!plan || (cause && plan.cause !== cause)) return;
    plan.cancel();
    plans.delete(key);
  };
  const planAt = (
    key: string,
    { cause, delayMs, reason }: { readonly cause: Plan['cause']; readonly delayMs: number; readonly reason: string },
    work: () => Promise<void>,
  ): void => {
    dropPlan(key);
    log.info(`container ${shown(key)}: ${reason}; restart in ${delayMs / 1000} s`);
    const { cancel } = clock.after(delayMs, () => {
      plans.delete(key);
      act(key, work);
    });
    plans.set(key, { cause, atMs: clock.now() + delayMs, cancel });
  };
  const act = (key: string, work: () => Promise<void>): void => {
    if (isStopped) return;
    const deed = work()
      .catch((error: unknown) => {
        if (!hasCode(error, 'NOT_FOUND')) log.warn(`container ${shown(key)}: ${messageOf(error)}`);
      })
      .then(() => {
        deeds.delete(key);
        onChange(key);
      });
    deeds.set(key, deed);
  };
  const courseOf = (key: string): Course => {
    const { id: runId, testSinceMs } = get(key)?.run ?? {};
    const known = courses.get(key);
    if (known && known.runId === runId && known.testSinceMs === testSinceMs) return known;
    const course: Course = { runId, testSinceMs, isHandled: false, wellSinceMs: undefined };
    courses.set(key, course);
    return course;
  };
  const shown = (key: string): string => {
    const container = get(key);
    return container ? shownName(container) : key;
  };
  const counts = createRestartCounts(actions, (ref, error) =>
    log.warn(`container ${shown(keyOf(ref))}: its restarts are counted in memory only: ${messageOf(error)}`),
  );
  const { read: restartsOf, change } = counts;

  /** A run has ended, or was found ended. @param streak restarts in a row before this one */
  const followEnd = async (ref: ContainerRef, streak: number): Promise<void> => {
    const { state, labels, exitCode } = await actions.look(ref);
    if (state !== 'exited') return;
    const { isPending, count } = restartsOf(ref);
    const isStopped = isStoppedByUser(labels);
    const ending = { policy: restartPolicyOf(labels), exitCode, isStoppedByUser: isStopped, restarts: count };
    if (isStopped || (!isPending && !isToRestart(ending))) return;
    const reason = isPending ? 'a restart was not finished' : `it ended with ${exitCode}`;
    change(ref, { streak: streak + 1, ...(isPending ? {} : { atMs: clock.now(), reason }) });
    let isStarted: boolean;
    try {
      isStarted = await actions.start(ref);
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) change(ref, { count: count + 1 }); // a policy has a limited number of tries
      throw error;
    }
    if (!isStarted) return;
    change(ref, { count: count + 1, isPending: false });
    announceRestarted(ref, reason);
  };
  const announceRestarted = (ref: ContainerRef, reason: string): void => {
    log.info(`container ${shown(keyOf(ref))}: restarted: ${reason}`);
    actions.onRestarted(ref, reason);
  };

  const restart = async (ref: ContainerRef, streak: number, reason: string): Promise<void> => {
    const { count } = restartsOf(ref);
    change(ref, { streak: streak + 1, atMs: clock.now(), reason, isPending: true });
    try {
      await actions.stop(ref, { isForGood: false });
    } catch (error) {
      // It still runs. If the monitor ends now, a silent shim's reaction to the signal is unknown, and the next
      // supervisor checks.
      if (!hasCode(error, 'NOT_FOUND', 'ABORTED')) change(ref, { isPending: false });
      throw error;
    }
    const { state, labels } = await actions.look(ref);
    const isStarted = state === 'exited' && !isStoppedByUser(labels) && (await actions.start(ref));
    change(ref, { isPending: false, ...(isStarted ? { count: count + 1 } : {}) });
    if (!isStarted) return;
    announceRestarted(ref, reason);
    await actions.publish(ref, 'restart', reason);
  };

  const onChange = (key: string): void => {
    if (isStopped || deeds.has(key)) return;
    const container = get(key);
    if (!container || container.run) {
      if (!container) forget(key);
      else dropPlan(key, 'end');
      return;
    }
    dropPlan(key, 'health');
    courses.delete(key);
    const { namespace, id, task, record } = container;
    const isInDoubt = task?.status === 'unknown' || task?.status === 'created';
    const wasStarted = task !== undefined || record.labels[LABELS.started] !== undefined;
    const isConcerned = restartPolicyOf(record.labels).name !== 'no' || container.config?.onFailure === 'restart';
    if (isInDoubt || !wasStarted || !isConcerned || isStoppedByUser(record.labels)) {
      dropPlan(key);
      return;
    }
    if (plans.has(key)) return;
    const { isPending, count: restarts, ...recorded } = restartsOf({ namespace, id });
    const exitCode = task?.exitStatus ?? UNKNOWN_EXIT_CODE;
    const ending = { policy: restartPolicyOf(record.labels), exitCode, isStoppedByUser: false, restarts };
    if (!isPending && !isToRestart(ending)) return;
    const streak = !container.config && ranLong(container) ? 0 : recorded.streak;
    const reason = isPending ? 'a restart was not finished' : `it ended with ${exitCode}`;
    const plan = { cause: 'end', delayMs: restartDelayMs(streak), reason } as const;
    planAt(key, plan, () => followEnd({ namespace, id }, streak));
  };
  const forget = (key: string): void => {
    dropPlan(key);
    courses.delete(key);
    counts.forget(key);
  };

  const onResult: Supervisor['onResult'] = (container, state, output) => {
    const action = container.config?.onFailure ?? 'none';
    if (action === 'none' || isStopped) return;
    const key = keyOf(container);
    const course = courseOf(key);
    if (state.status !== 'unhealthy') {
      course.isHandled = false;
      dropPlan(key, 'health');
      if (state.status === 'healthy') settle(container, course);
      return;
    }
    course.wellSinceMs = undefined;
    if (course.isHandled || plans.has(key) || deeds.has(key)) return;
    const reason = reasonFrom(output);
    if (action === 'restart') {
      planRestart(container, course, reason);
      return;
    }
    const { namespace, id } = container;
    act(key, async () => {
      if (!(await isStillUp(container))) return;
      await (action === 'kill'
        ? actions.kill({ namespace, id })
        : actions.stop({ namespace, id }, { isForGood: true }));
      course.isHandled = true;
      log.info(`container ${shownName(container)}: ${action === 'kill' ? 'killed' : 'stopped'}: ${reason}`);
      await actions.publish({ namespace, id }, action, reason);
    });
  };
  /** Whether it is still in the run that was found unhealthy. */
  const isStillUp = async ({ namespace, id, run }: Watched): Promise<boolean> =>
    get(keyOf({ namespace, id }))?.run?.id === run?.id && (await actions.look({ namespace, id })).state === 'running';
  const planRestart = (container: Watched, course: Course, reason: string): void => {
    const { namespace, id, config } = container;
    const key = keyOf(container);
    const { streak } = restartsOf({ namespace, id });
    const limit = config?.maxRestarts ?? 0;
    if (limit > 0 && streak >= limit) {
      course.isHandled = true;
      log.warn(
        `container ${shownName(container)}: not restarted any more after ${counted(limit, 'restart')} in a row: ${reason}`,
      );
      return;
    }
    planAt(key, { cause: 'health', delayMs: restartDelayMs(streak), reason }, async () => {
      if (await isStillUp(container)) await restart({ namespace, id }, streak, reason);
    });
  };
  /**
   * It is well: a restart that had begun is no longer wanted, and after a long time the next one counts as the first.
   */
  const settle = (ref: ContainerRef, course: Course): void => {
    const isFirst = course.wellSinceMs === undefined;
    course.wellSinceMs ??= clock.monotonic();
    const isLong = clock.monotonic() - course.wellSinceMs >= SETTLED_AFTER_MS;
    if (!isFirst && !isLong) return;
    if (isLong) course.wellSinceMs = Number.POSITIVE_INFINITY;
    const { isPending, streak } = restartsOf(ref);
    const isStreakOver = isLong && streak > 0;
    if (isPending || isStreakOver) change(ref, { isPending: false, ...(isStreakOver ? { streak: 0 } : {}) });
  };

  return {
    onResult,
    onChange,
    isRestarting: (key) => plans.get(key)?.cause === 'end',
    nextRestartAtMs: (key) => plans.get(key)?.atMs,
    get isBusy() {
      return plans.size > 0 || deeds.size > 0;
    },
    stop: async () => {
      isStopped = true;
      for (const key of [...plans.keys()]) dropPlan(key);
      await Promise.all(deeds.values());
    },
  };
}

/** Without a check, a long run counts as health. */
function ranLong({ record, task }: Watched): boolean {
  const startedAtMs = startNoteOf(record.labels)?.atMs;
  return startedAtMs !== undefined && (task?.exitedAtMs ?? 0) - startedAtMs >= SETTLED_AFTER_MS;
}

/** After a reboot the exit code of a run is unknown. */
const UNKNOWN_EXIT_CODE = 255;
const MAX_REASON_LENGTH = 200;

/** A container as an operator names it: its name, and enough of the id to be unique. */
export function shownName({ namespace, id, record }: Watched): string {
  const name = record.labels[LABELS.name];
  return printableLine(name === undefined ? `${namespace}/${id}` : `${namespace}/${name} (${id.slice(0, 12)})`);
}

/** The last line that the check printed describes the failure best. */
function reasonFrom(output: string): string {
  const line = output.trimEnd().split('\n').at(-1)?.trim().slice(0, MAX_REASON_LENGTH) ?? '';
  return line === '' ? 'unhealthy' : `unhealthy: ${line}`;
}
