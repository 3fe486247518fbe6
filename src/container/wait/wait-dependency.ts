import { isChecked } from '../../health/config.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { type ContainerView, givenHealthConfigOf } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import type { WaitCondition } from './wait-condition.ts';
import { type WaitOptions, waitFor } from './wait-for.ts';
import { lastWord } from './wait-ready.ts';

/** Those of compose's `depends_on`: service_started, service_healthy, service_completed_successfully. */
export const DEPENDENCY_CONDITIONS = ['started', 'healthy', 'completed'] as const;
export type DependencyCondition = (typeof DEPENDENCY_CONDITIONS)[number];

/** A container that another one needs. */
export interface Dependency {
  readonly view: ContainerView;
  readonly condition: DependencyCondition;
}

/** What ends each wait, the wanted condition first; the others are failures unless something starts it again. */
const CONDITIONS: Readonly<Record<DependencyCondition, readonly WaitCondition[]>> = {
  started: ['running', 'paused', 'exited'],
  healthy: ['healthy', 'unhealthy', 'exited'],
  completed: ['exited'],
};
const FAILURES: Readonly<Record<DependencyCondition, readonly WaitCondition[]>> = {
  started: [],
  healthy: ['unhealthy', 'exited'],
  // One that a policy starts again has not completed.
  completed: ['exited'],
};

/**
 * Waits until a dependency is as it should be, by compose's rules: one that has ended counts as started, and one that
 * will be started again has neither failed nor completed.
 *
 * @throws CONFLICT with compose's texts if it never will be; ABORTED
 */
export async function waitForDependency(
  ctx: ContainerContext,
  { view, condition }: Dependency,
  options: Pick<WaitOptions, 'signal' | 'hasMonitor'>,
): Promise<void> {
  const { name } = view;
  if (condition === 'healthy' && !isChecked(givenHealthConfigOf(view.record.labels)))
    throw failure(`dependency failed to start: container ${name} has no healthcheck configured`);
  const reached = await waitFor(ctx, view, CONDITIONS[condition], { ...options, failures: FAILURES[condition] });
  const { exitCode } = reached;
  if (reached.condition === 'unhealthy')
    throw failure(`dependency failed to start: container ${name} is unhealthy`, await lastWord(ctx, view));
  if (reached.condition !== 'exited') return;
  if (exitCode === undefined) throw failure(`dependency failed to start: container ${name} was removed`);
  if (condition === 'healthy')
    throw failure(`dependency failed to start: container ${name} exited (${exitCode})`, await lastWord(ctx, view));
  if (condition === 'completed' && exitCode !== 0)
    throw failure(
      `container ${JSON.stringify(name)} didn't complete successfully: exit ${exitCode}`,
      `see: healthctl logs ${name}`,
    );
}

function failure(message: string, hint?: string): HealthctlError {
  return new HealthctlError('CONFLICT', message, { exitCode: 1, ...(hint === undefined ? {} : { hint }) });
}
