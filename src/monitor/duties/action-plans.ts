import type { Clock } from '../../lib/clock.ts';

/** Why an action is planned: the container has ended, or is unhealthy. */
export type PlanCause = 'end' | 'health';

interface Plan {
  readonly cause: PlanCause;
  /** Wall time. */
  readonly atMs: number;
}

/**
 * The actions on containers that are planned or running, by container key.
 *
 * INVARIANTS
 * 1. A container has at most one planned action: a new plan replaces the old one.
 * 2. After `stop` nothing begins.
 */
export interface ActionPlans {
  get(key: string): Plan | undefined;
  isRunning(key: string): boolean;
  /** Why an action is planned or running; undefined if none is. */
  causeOf(key: string): PlanCause | undefined;
  /** Whether any action is planned or running. */
  readonly isBusy: boolean;
  /** Begins an action after a delay. */
  plan(key: string, when: { readonly cause: PlanCause; readonly delayMs: number }, action: Action): void;
  /** Begins an action on a container that is unhealthy, now. The caller has checked that none is running. */
  run(key: string, action: Action): void;
  /** @param cause only a plan with this cause; default: any */
  drop(key: string, cause?: PlanCause): void;
  /** Drops all plans; resolves when no action is running. */
  stop(): Promise<void>;
}

type Action = () => Promise<void>;

export interface ActionPlansDeps {
  readonly clock: Clock;
  readonly onFailure: (key: string, error: unknown) => void;
  /** Called after each action, when it no longer counts as running. */
  readonly onEnd: (key: string) => void;
}

export function createActionPlans({ clock, onFailure, onEnd }: ActionPlansDeps): ActionPlans {
  const plans = new Map<string, Plan & { cancel(): void }>();
  const running = new Map<string, { readonly cause: PlanCause; readonly done: Promise<void> }>();
  let isStopped = false;

  const drop: ActionPlans['drop'] = (key, cause) => {
    const plan = plans.get(key);
    if (!plan || (cause && plan.cause !== cause)) return;
    plan.cancel();
    plans.delete(key);
  };
  const run = (key: string, cause: PlanCause, action: Action): void => {
    if (isStopped) return;
    const done = action()
      .catch((error: unknown) => onFailure(key, error))
      .then(() => {
        running.delete(key);
        onEnd(key);
      });
    running.set(key, { cause, done });
  };
  return {
    get: (key) => plans.get(key),
    isRunning: (key) => running.has(key),
    causeOf: (key) => (plans.get(key) ?? running.get(key))?.cause,
    get isBusy() {
      return plans.size > 0 || running.size > 0;
    },
    plan: (key, { cause, delayMs }, action) => {
      if (isStopped) return;
      drop(key);
      const { cancel } = clock.after(delayMs, () => {
        plans.delete(key);
        run(key, cause, action);
      });
      plans.set(key, { cause, atMs: clock.now() + delayMs, cancel });
    },
    run: (key, action) => run(key, 'health', action),
    drop,
    stop: async () => {
      isStopped = true;
      for (const key of [...plans.keys()]) drop(key);
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}
