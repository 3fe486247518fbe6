import type { DaemonStatus } from '../daemon/api/answers.ts';
import { DESCRIPTOR_RESERVE } from '../daemon/descriptor-reserve.ts';
import { isChecked } from '../health/config.ts';
import { version } from '../lib/build-info.ts';
import { counted } from '../lib/counted.ts';
import type { MonitorSettings } from '../lib/settings.ts';
import type { DoctorContext, HostContainer, MonitorAnswer } from './context.ts';
import { error, type HostFinding, ok, warning } from './finding.ts';

const NAME = 'monitor';
/** Lateness that people notice. */
const LATE_MS = 1_000;
const LOG = 'see its log: healthctl daemon logs';

export async function checkMonitor(ctx: DoctorContext): Promise<readonly HostFinding[]> {
  const answer = await ctx.askMonitor();
  const checked = answer.kind === 'absent' ? await countChecked(ctx) : undefined;
  return monitorFindings(answer, { version, scheduler: ctx.settings.monitor.scheduler, checked });
}

/** Undefined if containerd does not answer, which another line says. */
async function countChecked({ containers, settings }: DoctorContext): Promise<number | undefined> {
  try {
    return countToBeChecked(await containers(), settings.monitor.namespaces);
  } catch {
    return undefined;
  }
}

/** Running containers with a check. @param watched namespaces; empty: all */
export function countToBeChecked(
  containers: readonly Pick<HostContainer, 'namespace' | 'view' | 'health'>[],
  watched: readonly string[],
): number {
  return containers.filter(
    ({ namespace, view, health }) =>
      (watched.length === 0 || watched.includes(namespace)) && view.state === 'running' && isChecked(health.config),
  ).length;
}

export function monitorFindings(
  answer: MonitorAnswer,
  own: {
    readonly version: string;
    readonly scheduler: MonitorSettings['scheduler'];
    /** Number of running containers with a check, if known. */
    readonly checked: number | undefined;
  },
): readonly HostFinding[] {
  switch (answer.kind) {
    case 'unclear':
      // One with another run root, or of a newer version, makes the checks all the same.
      return [
        (answer.error.code === 'CONFLICT' ? warning : error)(NAME, answer.error.message, answer.error.hint ?? LOG),
      ];
    case 'absent': {
      if (own.scheduler === 'systemd') return [ok(NAME, 'none runs: systemd timers make the checks')];
      if (own.checked === undefined) return [warning(NAME, 'none runs', START)];
      if (own.checked === 0) return [ok(NAME, 'none runs, and no running container has a check')];
      return [error(NAME, `none runs, and nothing checks ${counted(own.checked, 'running container')}`, START)];
    }
    case 'answered':
      return answeredFindings(answer.status, own.version);
  }
}

const START = 'start it: healthctl daemon start';

function answeredFindings(status: DaemonStatus, ownVersion: string): readonly HostFinding[] {
  const { pid, isLive, troubled, lag, descriptors } = status;
  const late = lag && lag.p99Ms > LATE_MS ? Math.round(lag.p99Ms) : undefined;
  const left = descriptors.limit - descriptors.open;
  const found = [
    isLive ? undefined : error(NAME, `process ${pid} has lost containerd`, LOG),
    status.version === ownVersion
      ? undefined
      : warning(NAME, `process ${pid} is of version ${status.version}, and this is ${ownVersion}`, RESTART),
    troubled === 0 ? undefined : error(NAME, `${counted(troubled, 'container')} cannot be checked or recorded`, LOG),
    late === undefined
      ? undefined
      : warning(
          NAME,
          `1% of its checks start ${late}ms late or later`,
          'use HTTP, TCP or gRPC checks, which start no process, or longer intervals',
        ),
    left >= 2 * DESCRIPTOR_RESERVE
      ? undefined
      : error(
          NAME,
          `${descriptors.open} of ${descriptors.limit} file descriptors are in use`,
          'raise LimitNOFILE= of its unit, or ulimit -n',
        ),
  ].filter((finding) => finding !== undefined);
  return found.length > 0 ? found : [ok(NAME, runningText(status))];
}

const RESTART = 'restart it: healthctl daemon stop, then healthctl daemon start';

function runningText({ pid, version, watched, lag }: DaemonStatus): string {
  const late = lag ? `, 99% of checks less than ${Math.max(1, Math.ceil(lag.p99Ms))}ms late` : '';
  return `process ${pid}, version ${version}, checks ${counted(watched, 'container')}${late}`;
}
