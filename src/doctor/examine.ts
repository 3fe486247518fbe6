import { HealthctlError, messageOf } from '../lib/errors.ts';
import { checkAppArmor, checkCgroups, checkRuntime, checkSeccomp } from './confinement.ts';
import { checkContainerd } from './containerd.ts';
import type { DoctorContext } from './context.ts';
import { checkDisk } from './disk.ts';
import { type HostFinding, warning } from './finding.ts';
import { checkDescriptors, checkInotify } from './limits.ts';
import { checkMonitor } from './monitor.ts';
import { checkIptables, checkPlugins } from './network.ts';
import { checkKernel, checkPermissions } from './permissions.ts';
import { checkNerdctlTimers, checkSystemd } from './services.ts';
import { checkClock } from './wall-clock.ts';

/** One check of the host. It may throw: that becomes a finding. */
type HostCheck = (ctx: DoctorContext) => readonly HostFinding[] | Promise<readonly HostFinding[]>;

/** All checks, in the order of their lines. */
const CHECKS: readonly (readonly [name: string, check: HostCheck])[] = [
  ['permissions', checkPermissions],
  ['kernel', checkKernel],
  ['containerd', checkContainerd],
  ['runtime', checkRuntime],
  ['monitor', checkMonitor],
  ['nerdctl timers', checkNerdctlTimers],
  ['systemd', checkSystemd],
  ['cgroups', checkCgroups],
  ['seccomp', checkSeccomp],
  ['AppArmor', checkAppArmor],
  ['CNI plugins', checkPlugins],
  ['iptables', checkIptables],
  ['clock', checkClock],
  ['disk', checkDisk],
  ['inotify', checkInotify],
  ['descriptors', checkDescriptors],
];

/** Longer than containerd and the monitor may take to answer. */
const LIMIT_MS = 20_000;

/** Makes all checks at the same time. Never throws. */
export async function examineHost(ctx: DoctorContext, checks = CHECKS): Promise<readonly HostFinding[]> {
  const findings = await Promise.all(checks.map(([name, check]) => examine(ctx, name, check)));
  return findings.flat();
}

async function examine(ctx: DoctorContext, name: string, check: HostCheck): Promise<readonly HostFinding[]> {
  const over = new AbortController();
  const late = ctx.clock
    .sleep(LIMIT_MS, AbortSignal.any([over.signal, ctx.signal]))
    .then(() => [notChecked(name, ctx.signal.aborted ? 'cancelled' : `no answer in ${LIMIT_MS / 1_000} s`)]);
  try {
    return await Promise.race([Promise.resolve(ctx).then(check), late]);
  } catch (failure) {
    return [notChecked(name, messageOf(failure), failure instanceof HealthctlError ? failure.hint : undefined)];
  } finally {
    over.abort();
  }
}

const notChecked = (name: string, why: string, remedy?: string): HostFinding =>
  warning(name, `could not be checked: ${why}`, remedy);
