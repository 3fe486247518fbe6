import type { CheckReport } from '../../check/check.ts';
import { REQUESTS } from '../../daemon/api/requests.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import type { ContainerWorld } from '../context.ts';
import { openMonitor, otherOwner } from './open.ts';

/**
 * Makes one check: by the monitor if one runs, else here.
 *
 * @throws CONFLICT if a monitor with another run root makes the checks and does not answer: ours could overlap them
 */
export async function checkByHand(world: ContainerWorld, name: string): Promise<CheckReport> {
  const answer = await openMonitor(world).ask(REQUESTS.check(world.settings.namespace, name), world.signal);
  if (answer) return answer.value;
  const owner = await otherOwner(world);
  if (owner) {
    const { conflictWith } = await import('../../daemon/monitor-claim.ts');
    throw conflictWith(owner, world.settings.address);
  }
  const [{ openContainers }, { runHealthcheck }] = await Promise.all([
    import('../context.ts'),
    import('../../container/healthcheck.ts'),
  ]);
  return runHealthcheck(await openContainers(world), name, world.signal);
}

type Recorded = Extract<CheckReport, { kind: 'recorded' }>;

/**
 * The result of a requested check. A dropped one is an error.
 *
 * @throws NOT_FOUND with nerdctl's text, `no such container x`; ABORTED, CONFLICT; the check's errors
 */
export async function recordedCheck(name: string, check: () => Promise<CheckReport>): Promise<Recorded> {
  const report = await inNerdctlsWords(name, check);
  if (report.kind === 'recorded') return report;
  const what = `the health check of ${name} was not recorded`;
  switch (report.reason) {
    case 'cancelled':
      throw new HealthctlError('ABORTED', `${what}: it was cancelled`);
    case 'paused':
      throw new HealthctlError('CONFLICT', `${what}: the container was paused meanwhile`);
    case 'unknown':
      throw new HealthctlError('UNKNOWN', `${what}: the state of the container is not known, its shim does not answer`);
    case 'ended':
      throw new HealthctlError('CONFLICT', `${what}: the container ended meanwhile`);
  }
}

async function inNerdctlsWords(name: string, check: () => Promise<CheckReport>): Promise<CheckReport> {
  try {
    return await check();
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new HealthctlError('NOT_FOUND', `no such container ${name}`, { cause: error, ...hint });
  }
}
