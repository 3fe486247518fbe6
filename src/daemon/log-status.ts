import { tellingLine } from '../health/result.ts';
import type { HealthStatus } from '../health/state.ts';
import { counted } from '../lib/counted.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import { printableLine } from '../lib/printable.ts';
import { shownName } from '../monitor/duties/supervisor.ts';
import type { KnownContainer } from '../monitor/host-model.ts';

const MAX_OUTPUT_LENGTH = 200;

/** Logs the change of a container's status for an operator: the new status, the container, and the reason. */
export function logStatus(
  log: Pick<ServiceLogger, 'info' | 'warn'>,
  container: KnownContainer,
  seen: {
    readonly status: HealthStatus;
    readonly failingStreak: number;
    readonly exitCode: number;
    readonly output: string;
  },
): void {
  const { status, failingStreak, exitCode, output } = seen;
  if (status !== 'unhealthy') {
    log.info(`container ${shownName(container)}: ${status}`);
    return;
  }
  const line = tellingLine({ exitCode, output });
  const why = line === '' ? '' : `: ${printableLine(line).slice(0, MAX_OUTPUT_LENGTH)}`;
  log.warn(
    `container ${shownName(container)}: unhealthy after ${counted(failingStreak, 'failure')}, the last with exit code ${exitCode}${why}`,
  );
}
