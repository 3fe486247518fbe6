import { type HealthConfig, isSameConfig } from '../health/config.ts';
import { isSameTest } from '../health/fields.ts';
import type { Run } from '../health/state.ts';

/** The present facts of a container that matter for checks. */
export interface ObservedContainer {
  /** Undefined if it is not to be checked: it has no check, or another tool makes it. */
  readonly config: HealthConfig | undefined;
  /** Undefined if it does not run. */
  readonly run: Run | undefined;
  readonly isPaused: boolean;
}

/** The present state of a worker. */
export interface CheckedRun {
  readonly runId: string;
  readonly config: HealthConfig;
  readonly isPaused: boolean;
}

export type Step =
  | { readonly kind: 'start'; readonly run: Run; readonly config: HealthConfig; readonly isPaused: boolean }
  | { readonly kind: 'stop' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** @see startsOver semantics: another test is another check, other times are not */
  | { readonly kind: 'reconfigure'; readonly config: HealthConfig; readonly startsOver: boolean };

/**
 * The steps from the worker as it is to the worker as the container requires it: pure. After the steps, in their order,
 * nothing is left to do.
 */
export function reconcile(container: ObservedContainer | undefined, worker: CheckedRun | undefined): readonly Step[] {
  const { config, run, isPaused } = container ?? { config: undefined, run: undefined, isPaused: false };
  if (!config || !run) return worker ? [{ kind: 'stop' }] : [];
  if (!worker) return [{ kind: 'start', run, config, isPaused }];
  if (worker.runId !== run.id) return [{ kind: 'stop' }, { kind: 'start', run, config, isPaused }];
  const steps: Step[] = [];
  if (!isSameConfig(worker.config, config))
    steps.push({ kind: 'reconfigure', config, startsOver: !isSameTest(worker.config.test, config.test) });
  if (worker.isPaused !== isPaused) steps.push({ kind: isPaused ? 'pause' : 'resume' });
  return steps;
}
