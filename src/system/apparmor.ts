import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import { findTool, TOOL_DIRS } from './programs.ts';

/** The profile for containers, if the kernel has AppArmor. */
export const DEFAULT_APPARMOR_PROFILE = 'healthctl-default';

/** Paths of AppArmor on a host. */
export interface AppArmorHost {
  readonly sysDir: string;
  /** Directories to search for apparmor_parser. */
  readonly programDirs: readonly string[];
}

const THIS_HOST: AppArmorHost = { sysDir: '/sys', programDirs: TOOL_DIRS };

const PARSER = 'apparmor_parser';
/** The list of loaded profiles below /sys: one per line. */
const PROFILES = 'kernel/security/apparmor/profiles';

/**
 * The text of the default profile, with the rights of Docker's docker-default. It forbids mounting, writing below /proc
 * except to processes, writing below /sys except to cgroups, reading kernel memory and firmware, and tracing processes
 * of other containers.
 */
export const APPARMOR_PROFILE_TEXT = `# Of containers that healthctl makes. It is loaded when one starts and the kernel does not have it.
profile ${DEFAULT_APPARMOR_PROFILE} flags=(attach_disconnected,mediate_deleted) {
  network,
  capability,
  file,
  umount,
  deny mount,

  # From the host and the runtime, which ends containers; and among each other.
  signal (receive) peer=unconfined,
  signal (receive) peer=runc,
  signal (receive) peer=crun,
  signal (send, receive) peer=${DEFAULT_APPARMOR_PROFILE},
  ptrace (trace, read, tracedby, readby) peer=${DEFAULT_APPARMOR_PROFILE},

  # What in /proc has no number is of no process.
  deny /proc/* w,
  deny /proc/[^0-9]*/** w,
  deny /proc/sysrq-trigger rwklx,
  deny /proc/kcore rwklx,

  # All of /sys but /sys/fs/cgroup.
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}
`;

/**
 * Whether the kernel confines by AppArmor and we can load profiles: false if healthctl itself runs in a container
 * without securityfs.
 */
export function isAppArmorEnabled({ sysDir }: Pick<AppArmorHost, 'sysDir'> = THIS_HOST): boolean {
  if (!existsSync(join(sysDir, PROFILES))) return false;
  return readIfThere(join(sysDir, 'module/apparmor/parameters/enabled')).startsWith('Y');
}

/**
 * Loads the default profile unless the kernel has it: profiles do not survive a reboot.
 *
 * @throws NOT_FOUND without apparmor_parser; RUNTIME with its message; TIMEOUT if it does not end
 */
export async function ensureAppArmorProfile(
  { clock }: { readonly clock: Clock },
  { sysDir, programDirs }: AppArmorHost = THIS_HOST,
): Promise<void> {
  if (hasAppArmorProfile({ sysDir })) return;
  const hint = 'give --security-opt apparmor=unconfined for a container without a profile';
  const file = findTool(PARSER, programDirs);
  if (file === undefined)
    throw new HealthctlError('NOT_FOUND', `AppArmor is enabled on this host, and ${PARSER} is not installed`, {
      hint: `install it (Debian's package apparmor), or ${hint}`,
    });
  const { runProgram } = await import('./run-program.ts');
  const args = ['--replace', '--skip-cache'];
  const { code, stderr } = await runProgram({ clock }, { file, args, stdin: APPARMOR_PROFILE_TEXT });
  if (code === 0) return;
  const reason = stderr.trim().split('\n').at(-1) || `exit status ${code}`;
  throw new HealthctlError(
    'RUNTIME',
    `AppArmor enabled on system but the ${DEFAULT_APPARMOR_PROFILE} profile could not be loaded: ${reason}`,
    {
      hint: `a monitor that systemd runs may not load it: \`healthctl daemon install\` has it loaded at boot; or ${hint}`,
    },
  );
}

/** Whether the kernel has our default profile. */
export function hasAppArmorProfile({ sysDir }: Pick<AppArmorHost, 'sysDir'> = THIS_HOST): boolean {
  const loaded = readIfThere(join(sysDir, PROFILES));
  return loaded.split('\n').some((line) => line.startsWith(`${DEFAULT_APPARMOR_PROFILE} `));
}

/** Unloads our default profile. Processes confined by it are then unconfined. Throws like ensureAppArmorProfile. */
export async function unloadAppArmorProfile(
  { clock }: { readonly clock: Clock },
  { programDirs }: Pick<AppArmorHost, 'programDirs'> = THIS_HOST,
): Promise<void> {
  const file = findTool(PARSER, programDirs);
  if (file === undefined) throw new HealthctlError('NOT_FOUND', `${PARSER} is not installed`);
  const { runProgram } = await import('./run-program.ts');
  const { code, stderr } = await runProgram({ clock }, { file, args: ['--remove'], stdin: APPARMOR_PROFILE_TEXT });
  if (code === 0) return;
  const reason = stderr.trim().split('\n').at(-1) || `exit status ${code}`;
  throw new HealthctlError('RUNTIME', `the profile ${DEFAULT_APPARMOR_PROFILE} could not be unloaded: ${reason}`);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}
