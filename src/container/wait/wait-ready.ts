import { isChecked } from '../../health/config.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import { type ContainerView, givenHealthConfigOf } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import { readHealth } from '../health.ts';
import { viewRecord } from '../resolve.ts';
import type { WaitCondition } from './wait-condition.ts';
import { type WaitOptions, waitFor } from './wait-for.ts';

const HEALTHY: readonly WaitCondition[] = ['healthy'];
const UP: readonly WaitCondition[] = ['running', 'paused'];

/**
 * Waits until a started container is ready: healthy, or, without a check, running.
 *
 * @throws CONFLICT if it is unhealthy or exited first and nothing will start it again, TIMEOUT; the output of the last
 *   check is the hint
 */
export async function waitReady(ctx: ContainerContext, view: ContainerView, options: WaitOptions): Promise<void> {
  const hasCheck = isChecked(givenHealthConfigOf(view.record.labels));
  const failures: readonly WaitCondition[] = hasCheck ? ['unhealthy'] : ['exited'];
  const conditions: readonly WaitCondition[] = [...(hasCheck ? HEALTHY : UP), ...failures];
  try {
    const { condition, exitCode } = await waitFor(ctx, view, conditions, { ...options, failures });
    if (condition === 'unhealthy') throw new HealthctlError('CONFLICT', `container ${view.name} is unhealthy`);
    if (condition === 'exited') throw new HealthctlError('CONFLICT', exitText(view, exitCode));
  } catch (error) {
    if (!hasCode(error, 'CONFLICT', 'TIMEOUT')) throw error;
    const { code } = error;
    const message = code === 'TIMEOUT' ? timeoutText(view, hasCheck, options) : error.message;
    throw new HealthctlError(code, message, { cause: error, hint: await lastWord(ctx, view), exitCode: 1 });
  }
}

const exitText = ({ name }: ContainerView, exitCode: number | undefined): string =>
  exitCode === undefined ? `container ${name} was removed` : `container ${name} exited (${exitCode})`;

function timeoutText({ name }: ContainerView, hasCheck: boolean, { timeoutMs = 0 }: WaitOptions): string {
  return `container ${name} is not ${hasCheck ? 'healthy' : 'running'} after ${timeoutMs / 1000}s`;
}

/** The unchanged output of the last check: it gives the reason. */
export async function lastWord(ctx: ContainerContext, view: ContainerView): Promise<string> {
  const { name, record } = view;
  const seeLogs = `see: healthctl logs ${name}`;
  try {
    const now = await viewRecord(ctx, await ctx.containerd.containers.get(record.id));
    const last = (await readHealth(ctx, now)).log.at(-1);
    if (last === undefined) return seeLogs;
    const said = last.output.trimEnd();
    return `the last check ended with ${last.exitCode}${said === '' ? ' and said nothing' : `:\n${said}`}`;
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    return 'it was removed';
  }
}
