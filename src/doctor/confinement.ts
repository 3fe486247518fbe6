import { existsSync } from 'node:fs';
import { type HostInfo, readHostInfo } from '../container/host/system-info.ts';
import { isAppArmorEnabled } from '../system/apparmor.ts';
import { findTool } from '../system/programs.ts';
import type { DoctorContext } from './context.ts';
import { error, type HostFinding, ok, warning } from './finding.ts';

export const checkRuntime = ({ path }: DoctorContext): readonly HostFinding[] => runtimeFindings(readHostInfo(path));

export function runtimeFindings({ Runtimes }: Pick<HostInfo, 'Runtimes'>): readonly HostFinding[] {
  const found = Object.values(Runtimes).map(({ path }) => path);
  if (found.length > 0) return [ok('runtime', found.join(', '))];
  return [error('runtime', 'no OCI runtime was found on the PATH', 'install runc or crun')];
}

export const checkCgroups = ({ path }: DoctorContext): readonly HostFinding[] => cgroupFindings(readHostInfo(path));

type Cgroups = Pick<HostInfo, 'CgroupVersion' | 'MemoryLimit' | 'SwapLimit' | 'CpuCfsQuota' | 'PidsLimit'>;

export function cgroupFindings(facts: Cgroups): readonly HostFinding[] {
  const missing = [
    ...(facts.MemoryLimit ? [] : ['memory']),
    ...(facts.CpuCfsQuota ? [] : ['cpu']),
    ...(facts.PidsLimit ? [] : ['pids']),
  ];
  const what = `version ${facts.CgroupVersion}`;
  if (missing.length === 0)
    return [ok('cgroups', facts.SwapLimit ? what : `${what}, without limits of swap (--memory-swap)`)];
  return [
    warning(
      'cgroups',
      `${what} without ${missing.join(', ')}: limits of containers have no effect`,
      'enable them in the kernel, for example with cgroup_enable=memory on its command line',
    ),
  ];
}

export function checkSeccomp(): readonly HostFinding[] {
  return seccompFindings(existsSync('/proc/sys/kernel/seccomp/actions_avail'));
}

export function seccompFindings(isThere: boolean): readonly HostFinding[] {
  if (isThere) return [ok('seccomp', 'the kernel filters system calls')];
  return [
    warning(
      'seccomp',
      'the kernel does not filter system calls: containers may make all of them',
      'use a kernel with CONFIG_SECCOMP_FILTER',
    ),
  ];
}

export function checkAppArmor(): readonly HostFinding[] {
  return appArmorFindings({ isEnabled: isAppArmorEnabled(), hasParser: findTool('apparmor_parser') !== undefined });
}

export function appArmorFindings(facts: {
  readonly isEnabled: boolean;
  readonly hasParser: boolean;
}): readonly HostFinding[] {
  if (!facts.isEnabled) return [ok('AppArmor', 'not enabled on this host')];
  if (facts.hasParser) return [ok('AppArmor', 'enabled')];
  return [
    error(
      'AppArmor',
      'enabled, and apparmor_parser is not installed: containers cannot start',
      "install it (Debian's package apparmor)",
    ),
  ];
}
