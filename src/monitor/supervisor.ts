import { restartPolicyOf } from '../container/restart-label.ts';
import type { RestartRecord } from '../container/restart-record.ts';
import { type ContainerState, startNoteOf } from '../container/view.ts';
import type { HealthAction } from '../events/own-events.ts';
import { isToRestart, restartDelayMs, SETTLED_AFTER_MS } from '../health/restart-policy.ts';
import type { HealthState } from '../health/state.ts';
import type { Clock } from '../lib/clock.ts';
import { hasCode, messageOf } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import type { Logger } from '../lib/logger.ts';
import { keyOf, type Watched } from './host-model.ts';
import type { Place } from './monitor.ts';

/** A container as containerd has it now. */
export interface Looked {
  readonly state: ContainerState;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the last run. */
  readonly exitCode: number;
}

/** What the supervisor does things with. All may throw; NOT_FOUND: the container is gone. */
export interface Hands {
  look(place: Place): Promise<Looked>;
  start(place: Place): Promise<void>;
  /** With its signal and timeout. @param options.isForGood whether it is to stay stopped, as if a user had done it */
  stop(place: Place, options: { readonly isForGood: boolean }): Promise<void>;
  kill(place: Place): Promise<void>;
  readRestarts(place: Place): RestartRecord;
  writeRestarts(place: Place, record: RestartRecord): void;
  /** Tells that an action was taken. */
  tell(place: Place, action: HealthAction, reason: string): Promise<void>;
}

export interface SupervisorDeps {
  readonly get: (key: string) => Watched | undefined;
  readonly hands: Hands;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'debug'> & { info(text: string): void; warn(text: string): void };
}

/**
 * Acts on what has become of containers: a restart policy on their end, `--health-on-failure` on their health.
 *
 * INVARIANTS
 * 1. For a container at most one thing is planned or being done. While it is being done, what changes is looked at when it is done.
 * 2. Whatever is done is decided again with what containerd says at that moment: a user who came first wins.
 * 3. A restart is counted before it is begun, and one that was begun is finished by the next supervisor.
 */
export interface Supervisor {
  /** A check has recorded a result. */
  onResult(container: Watched, state: HealthState, output: string): void;
  /** What is known of a container has changed. */
  onChange(key: string): void;
  /** Whether something is planned or being done. */
  readonly isBusy: boolean;
  /** Resolves when nothing is being done. What was planned is left to the next supervisor. */
  stop(): Promise<void>;
}

interface Plan {
  readonly cause: 'end' | 'health';
  cancel(): void;
}

export function createSupervisor({ get, hands, clock, log }: SupervisorDeps): Supervisor {
  const plans = new Map<string, Plan>();
  const deeds = new Map<string, Promise<void>>();
  /** Containers whose present bad health was acted on. */
  const handled = new Set<string>();
  /** Monotonic time since when a container has been healthy. */
  const wellSince = new Map<string, number>();
  let isStopped = false;

  const dropPlan = (key: string, cause?: Plan['cause']): void => {
    const plan = plans.get(key);
    if (!plan || (cause && plan.cause !== cause)) return;
    plan.cancel();
    plans.delete(key);
  };
  const planAt = (key: string, cause: Plan['cause'], delayMs: number, work: () => Promise<void>): void => {
    dropPlan(key);
    const { cancel } = clock.after(delayMs, () => {
      plans.delete(key);
      act(key, work);
    });
    plans.set(key, { cause, cancel });
  };
  const act = (key: string, work: () => Promise<void>): void => {
    if (isStopped) return;
    const deed = work()
      .catch((error: unknown) => {
        if (!hasCode(error, 'NOT_FOUND')) log.warn(`container ${key}: ${messageOf(error)}`);
      })
      .then(() => {
        deeds.delete(key);
        onChange(key);
      });
    deeds.set(key, deed);
  };
  const count = (place: Place, reason: string, isPending: boolean): void => {
    const { count: made, streak } = hands.readRestarts(place);
    hands.writeRestarts(place, { count: made + 1, streak: streak + 1, atMs: clock.now(), reason, isPending });
  };
  const startAgain = async (place: Place): Promise<void> => {
    await hands.start(place);
    hands.writeRestarts(place, { ...hands.readRestarts(place), isPending: false });
  };

  const stopForRestart = async (place: Place): Promise<void> => {
    try {
      await hands.stop(place, { isForGood: false });
    } catch (error) {
      hands.writeRestarts(place, { ...hands.readRestarts(place), isPending: false }); // it runs on
      throw error;
    }
  };

  /** A run has ended, or was found ended. */
  const followEnd = async (place: Place): Promise<void> => {
    const { state, labels, exitCode } = await hands.look(place);
    if (state !== 'exited') return;
    const record = hands.readRestarts(place);
    const { count: restarts } = record;
    const isStoppedByUser = isStoppedFor(labels);
    if (record.isPending && !isStoppedByUser) {
      hands.writeRestarts(place, { ...record, streak: record.streak + 1 });
      return startAgain(place);
    }
    if (!isToRestart({ policy: restartPolicyOf(labels), exitCode, isStoppedByUser, restarts })) return;
    count(place, `it ended with ${exitCode}`, false);
    log.info(`container ${keyOf(place)}: started again, it ended with ${exitCode}`);
    await startAgain(place);
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
    forgetHealth(key);
    const { namespace, id, task, record } = container;
    const isInDoubt = task?.status === 'unknown' || task?.status === 'created';
    const wasStarted = task !== undefined || record.labels[LABELS.started] !== undefined;
    const isConcerned = restartPolicyOf(record.labels).name !== 'no' || container.config?.onFailure === 'restart';
    if (isInDoubt || !wasStarted || !isConcerned || isStoppedFor(record.labels)) {
      dropPlan(key);
      return;
    }
    if (plans.has(key)) return;
    const { streak, isPending, count: restarts } = hands.readRestarts({ namespace, id });
    const exitCode = task?.exitStatus ?? UNKNOWN_EXIT_CODE;
    const ending = { policy: restartPolicyOf(record.labels), exitCode, isStoppedByUser: false, restarts };
    if (!isPending && !isToRestart(ending)) return;
    const delayMs = restartDelayMs(!container.config && ranLong(container) ? 0 : streak);
    planAt(key, 'end', delayMs, () => followEnd({ namespace, id }));
  };
  const forgetHealth = (key: string): void => {
    handled.delete(key);
    wellSince.delete(key);
  };
  const forget = (key: string): void => {
    dropPlan(key);
    forgetHealth(key);
  };

  const onResult: Supervisor['onResult'] = (container, state, output) => {
    const key = keyOf(container);
    if (state.status !== 'unhealthy') {
      handled.delete(key);
      dropPlan(key, 'health');
      return state.status === 'healthy' ? settle(container) : undefined;
    }
    wellSince.delete(key);
    const action = container.config?.onFailure ?? 'none';
    if (action === 'none' || isStopped || handled.has(key) || plans.has(key) || deeds.has(key)) return;
    const reason = reasonFrom(output);
    if (action === 'restart') return planRestart(container, reason);
    const { namespace, id } = container;
    act(key, async () => {
      if ((await hands.look({ namespace, id })).state !== 'running') return;
      log.info(`container ${key}: ${action}, ${reason}`);
      await (action === 'kill' ? hands.kill({ namespace, id }) : hands.stop({ namespace, id }, { isForGood: true }));
      handled.add(key);
      await hands.tell({ namespace, id }, action, reason);
    });
  };
  const planRestart = (container: Watched, reason: string): void => {
    const { namespace, id, config, run } = container;
    const key = keyOf(container);
    const { streak } = hands.readRestarts({ namespace, id });
    const limit = config?.maxRestarts ?? 0;
    if (limit > 0 && streak >= limit) {
      handled.add(key);
      log.warn(`container ${key}: not restarted, it was ${limit} times already; ${reason}`);
      return;
    }
    planAt(key, 'health', restartDelayMs(streak), async () => {
      if (get(key)?.run?.id !== run?.id || (await hands.look({ namespace, id })).state !== 'running') return;
      count({ namespace, id }, reason, true);
      log.info(`container ${key}: restarted, ${reason}`);
      await stopForRestart({ namespace, id });
      await startAgain({ namespace, id });
      await hands.tell({ namespace, id }, 'restart', reason);
    });
  };
  /** Well for long: the next restart is the first again. */
  const settle = ({ namespace, id }: Watched): void => {
    const key = keyOf({ namespace, id });
    const since = wellSince.get(key);
    if (since === undefined) wellSince.set(key, clock.monotonic());
    else if (clock.monotonic() - since >= SETTLED_AFTER_MS) {
      wellSince.set(key, Number.POSITIVE_INFINITY);
      const record = hands.readRestarts({ namespace, id });
      if (record.streak > 0) hands.writeRestarts({ namespace, id }, { ...record, streak: 0 });
    }
  };

  return {
    onResult,
    onChange,
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

/** Whether a user stopped it, or an action did so for good. */
const isStoppedFor = (labels: Readonly<Record<string, string>>): boolean => (labels[LABELS.stopped] ?? '') !== '';

/** Of a container without a check, a long run is what health is to others. */
function ranLong({ record, task }: Watched): boolean {
  const startedAtMs = startNoteOf(record.labels)?.atMs;
  return startedAtMs !== undefined && (task?.exitedAtMs ?? 0) - startedAtMs >= SETTLED_AFTER_MS;
}

/** After a reboot nobody knows how a run ended. */
const UNKNOWN_EXIT_CODE = 255;
const MAX_REASON_LENGTH = 200;

/** The last line that the check printed says best what is wrong. */
function reasonFrom(output: string): string {
  const line = output.trimEnd().split('\n').at(-1)?.trim().slice(0, MAX_REASON_LENGTH) ?? '';
  return line === '' ? 'unhealthy' : `unhealthy: ${line}`;
}
