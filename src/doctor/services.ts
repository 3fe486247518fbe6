import { hasNerdctlTimer } from '../container/nerdctl/timer.ts';
import { isUnitInstalled } from '../daemon/service-unit/install.ts';
import { counted } from '../lib/counted.ts';
import { hasCode } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import type { MonitorSettings } from '../lib/settings.ts';
import { isSystemdRunning } from '../system/systemd.ts';
import type { DoctorContext } from './context.ts';
import { error, type HostFinding, ok, warning } from './finding.ts';

export function checkSystemd({ settings }: DoctorContext): readonly HostFinding[] {
  const { scheduler } = settings.monitor;
  return systemdFindings({ isRunning: isSystemdRunning(), isInstalled: isUnitInstalled(settings), scheduler });
}

export function systemdFindings(facts: {
  readonly isRunning: boolean;
  /** The monitor's unit. */
  readonly isInstalled: boolean;
  readonly scheduler: MonitorSettings['scheduler'];
}): readonly HostFinding[] {
  const { isRunning, isInstalled, scheduler } = facts;
  if (!isRunning) {
    const what = 'it does not run this machine';
    if (scheduler === 'systemd')
      return [error('systemd', `${what}, and scheduler = "systemd"`, 'leave scheduler out of the configuration file')];
    return [ok('systemd', `${what}: have its init system run "healthctl daemon"`)];
  }
  if (scheduler === 'systemd') return [ok('systemd', 'its timers make the checks')];
  if (isInstalled) return [ok('systemd', 'it starts the monitor at boot')];
  return [warning('systemd', 'it does not start the monitor at boot', 'install the unit: healthctl daemon install')];
}

/** nerdctl's timers on containers of healthctl, which would be checked twice. */
export async function checkNerdctlTimers({ containers }: DoctorContext): Promise<readonly HostFinding[]> {
  const all = await containers().catch((failure: unknown) => {
    if (!hasCode(failure, 'UNAVAILABLE', 'DENIED', 'TIMEOUT')) throw failure;
    return undefined;
  });
  if (!all) return [warning('nerdctl timers', 'not looked at: containerd does not answer')];
  const ours = all.filter(({ view }) => view.record.labels[LABELS.owner] !== undefined);
  const timed = ours.filter(({ view }) => hasNerdctlTimer(view.record.id));
  return nerdctlTimerFindings(timed.map(({ view }) => ({ name: view.name, id: view.record.id })));
}

export function nerdctlTimerFindings(
  timed: readonly { readonly name: string; readonly id: string }[],
): readonly HostFinding[] {
  const [first, ...more] = timed;
  if (!first) return [ok('nerdctl timers', 'none on containers of healthctl')];
  const others = more.length === 0 ? '' : ` and ${counted(more.length, 'other')}`;
  const units = timed.map(({ id }) => `${id}.timer`).join(' ');
  return [
    warning(
      'nerdctl timers',
      `nerdctl also checks ${first.name}${others}, which healthctl made`,
      `start the monitor, which ends them, or: systemctl stop ${units}`,
    ),
  ];
}
