import { release } from 'node:os';
import { capabilitiesOfMask } from '../oci/capabilities.ts';
import { readCapabilityMask } from '../system/kernel-limits.ts';
import { error, type HostFinding, ok, warning } from './finding.ts';

/** What the monitor's unit keeps, as far as most containers need it. */
const NEEDED = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_KILL',
  'CAP_NET_ADMIN',
  'CAP_SYS_ADMIN',
  'CAP_SYS_PTRACE',
];

export function checkPermissions(): readonly HostFinding[] {
  const capabilities = capabilitiesOfMask(readCapabilityMask('CapEff'));
  return permissionFindings({ uid: process.getuid?.() ?? 0, capabilities });
}

export function permissionFindings(facts: {
  readonly uid: number;
  /** The effective ones. */
  readonly capabilities: readonly string[];
}): readonly HostFinding[] {
  const { uid, capabilities } = facts;
  if (uid !== 0) return [error('permissions', `healthctl runs as user ${uid}, and needs root`, 'run it with sudo')];
  const missing = NEEDED.filter((name) => !capabilities.includes(name));
  if (missing.length === 0) return [ok('permissions', 'root, with all capabilities that healthctl needs')];
  return [
    warning(
      'permissions',
      `root without ${missing.join(', ')}`,
      'run healthctl on the host itself, or in a container with these capabilities',
    ),
  ];
}

/** openat2(2), which reading a container's files needs. */
const OLDEST = [5, 6] as const;

export const checkKernel = (): readonly HostFinding[] => kernelFindings(release());

export function kernelFindings(version: string): readonly HostFinding[] {
  const [major = 0, minor = 0] = (/^(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  if (isOld) return [error('kernel', `Linux ${version} is too old`, `use Linux ${OLDEST.join('.')} or later`)];
  return [ok('kernel', `Linux ${version}`)];
}
