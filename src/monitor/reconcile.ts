import { type HealthConfig, isSameConfig } from '../health/config.ts';
import { isSameTest } from '../health/fields.ts';
import type { Run } from '../health/state.ts';

/** A container as it is, as far as checking goes. */
export interface Observed {
  /** Undefined when it is not to be checked: it has no check, or somebody else makes it. */
  readonly config: HealthConfig | undefined;
  /** Undefined when it does not run. */
  readonly run: Run | undefined;
  readonly isPaused: boolean;
}

/** A worker as it is. */
export interface Engaged {
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
 * What has to be done so that the worker is what the container asks for: pure. Doing the steps in their order leads to a state in which there
 * is nothing to do.
 */
export function reconcile(container: Observed | undefined, worker: Engaged | undefined): readonly Step[] {
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
