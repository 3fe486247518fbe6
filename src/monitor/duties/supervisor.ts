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

/** A container as containerd has it now. */
interface Looked {
  readonly state: ContainerState;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the last run. */
  readonly exitCode: number;
}

/** What the supervisor does to containers. All may throw; NOT_FOUND: the container is gone. */
export interface ContainerActions {
  look(ref: ContainerRef): Promise<Looked>;
  /** @returns whether it was started: not one that a user has stopped by now */
  start(ref: ContainerRef): Promise<boolean>;
  /** With its signal and timeout. @param options.isForGood whether it is to stay stopped, as if a user had done it */
  stop(ref: ContainerRef, options: { readonly isForGood: boolean }): Promise<void>;
  kill(ref: ContainerRef): Promise<void>;
  readRestarts(ref: ContainerRef): RestartRecord;
  writeRestarts(ref: ContainerRef, record: RestartRecord): void;
  /** Publishes the event of an action that was taken. */
  publish(ref: ContainerRef, action: HealthAction, reason: string): Promise<void>;
  /** Whatever the reason, health or policy. */
  onRestarted(ref: ContainerRef, reason: string): void;
}

export interface SupervisorDeps {
  readonly get: (key: string) => Watched | undefined;
  readonly actions: ContainerActions;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'debug'> & { info(text: string): void; warn(text: string): void };
}

/**
 * Acts on what has become of containers: a restart policy on their end, `--health-on-failure` on their health.
 *
 * INVARIANTS
 * 1. For a container at most one thing is planned or being done. While it is being done, what changes is looked at when it is done.
 * 2. Whatever is done is decided again with what containerd says at that moment: a user who came first wins.
 * 3. A restart is noted before it is begun, and counted when it has happened; one that was begun is finished by the next supervisor.
 * 4. What cannot be written down, on a full disk, is kept in memory: to restart containers may be what frees it.
 */
export interface Supervisor {
  /** A check has recorded a result. */
  onResult(container: Watched, state: HealthState, output: string): void;
  /** What is known of a container has changed. */
  onChange(key: string): void;
  /** Whether the container has ended and is to be started again after a delay. */
  isRestarting(key: string): boolean;
  /** When a container will be restarted, wall time; undefined where no restart is planned. */
  nextRestartAtMs(key: string): number | undefined;
  /** Whether something is planned or being done. */
  readonly isBusy: boolean;
  /** Resolves when nothing is being done. What was planned is left to the next supervisor. */
  stop(): Promise<void>;
}

interface Plan {
  readonly cause: 'end' | 'health';
  /** Wall time. */
  readonly atMs: number;
  cancel(): void;
}

/** What is known of the health of a run by one test. */
interface Course {
  readonly runId: string | undefined;
  readonly testSinceMs: number | undefined;
  /** Its present bad health was acted on. */
  isHandled: boolean;
  /** Monotonic time; infinity once that was long enough, and noted. */
  wellSinceMs: number | undefined;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createSupervisor({ get, actions, clock, log }: SupervisorDeps): Supervisor {
  const plans = new Map<string, Plan>();
  const deeds = new Map<string, Promise<void>>();
  const courses = new Map<string, Course>();
  /** Counts that could not be written down. */
  const unwritten = new Map<string, RestartRecord>();
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
  const restartsOf = (ref: ContainerRef): RestartRecord => unwritten.get(keyOf(ref)) ?? actions.readRestarts(ref);
  const change = (ref: ContainerRef, what: Partial<RestartRecord>): void => {
    const key = keyOf(ref);
    const next = { ...restartsOf(ref), ...what };
    try {
      actions.writeRestarts(ref, next);
      unwritten.delete(key);
    } catch (error) {
      if (!unwritten.has(key))
        log.warn(`container ${shown(key)}: its restarts are counted in memory only: ${messageOf(error)}`);
      unwritten.set(key, next);
    }
  };

  /** A run has ended, or was found ended. @param streak the restarts in a row before this one */
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
      if (!hasCode(error, 'NOT_FOUND')) change(ref, { count: count + 1 }); // a policy has only so many tries
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
      // It runs on; where the monitor ends, nobody knows what a silent shim makes of the signal, and the next supervisor looks.
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
    unwritten.delete(key);
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
  /** Whether it is in the run that was found unhealthy. */
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
  /** It is well: a restart that was begun is not wanted any more, and after long the next one is the first again. */
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

/** Of a container without a check, a long run is what health is to others. */
function ranLong({ record, task }: Watched): boolean {
  const startedAtMs = startNoteOf(record.labels)?.atMs;
  return startedAtMs !== undefined && (task?.exitedAtMs ?? 0) - startedAtMs >= SETTLED_AFTER_MS;
}

/** After a reboot nobody knows how a run ended. */
const UNKNOWN_EXIT_CODE = 255;
const MAX_REASON_LENGTH = 200;

/** What an operator calls a container: its name, and enough of the id to be sure. */
export function shownName({ namespace, id, record }: Watched): string {
  const name = record.labels[LABELS.name];
  return printableLine(name === undefined ? `${namespace}/${id}` : `${namespace}/${name} (${id.slice(0, 12)})`);
}

/** The last line that the check printed says best what is wrong. */
function reasonFrom(output: string): string {
  const line = output.trimEnd().split('\n').at(-1)?.trim().slice(0, MAX_REASON_LENGTH) ?? '';
  return line === '' ? 'unhealthy' : `unhealthy: ${line}`;
}
