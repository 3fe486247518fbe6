import type { CheckReport } from '../../check/check.ts';
import { containerPath } from '../../daemon/api/client.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import type { ContainerWorld } from '../context.ts';
import { openMonitor, otherOwner } from './open.ts';

/**
 * One check: by the monitor where one runs, else here.
 *
 * @throws CONFLICT where a monitor with another run root makes the checks and does not answer: nothing would keep ours from overlapping them
 */
export async function checkByHand(world: ContainerWorld, name: string): Promise<CheckReport> {
  const path = containerPath(world.settings.namespace, name, '/healthcheck');
  const answer = await openMonitor(world).ask('POST', path, world.signal);
  if (answer) return answer.value as CheckReport;
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
 * The result of a check that somebody asked for. One that was dropped is an error.
 *
 * @throws NOT_FOUND in nerdctl's words, `no such container x`; ABORTED, CONFLICT; what the check throws
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
