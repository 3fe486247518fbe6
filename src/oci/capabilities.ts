import { quote } from '../go/quote.ts';
import { HealthctlError } from '../lib/errors.ts';

/** Every capability that Linux has named, by its bit (uapi/linux/capability.h). */
const NAMES =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE';

export const ALL_CAPABILITIES: readonly string[] = NAMES.split(' ').map((name) => `CAP_${name}`);

/** A container's default capabilities (moby daemon/pkg/oci/caps/defaults.go). */
export const DEFAULT_CAPABILITIES: readonly string[] =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
    .split(' ')
    .map((name) => `CAP_${name}`);

export interface CapabilityOptions {
  /** `--cap-add`: with or without `CAP_`, any case, or `ALL`. */
  readonly add: readonly string[];
  /** `--cap-drop`, in the same form. */
  readonly drop: readonly string[];
  readonly privileged: boolean;
  /** The capabilities of this machine, see capabilitiesOfMask. */
  readonly available: readonly string[];
}

/**
 * The capabilities of a container, by Docker's rules (moby daemon/pkg/oci/caps/utils.go): `--cap-add` overrides
 * `--cap-drop`, except that with `--cap-add ALL` capabilities dropped by name stay dropped. Throws INVALID for a name
 * that Linux or this machine does not have.
 */
export function resolveCapabilities(options: CapabilityOptions): readonly string[] {
  const add = new Set(normalize(options.add, '--cap-add', options.available));
  const drop = new Set(normalize(options.drop, '--cap-drop', options.available));
  if (options.privileged) return options.available;
  if (add.has('ALL')) return options.available.filter((name) => !drop.has(name));
  if (drop.has('ALL')) return [...add];
  const usual = DEFAULT_CAPABILITIES.filter((name) => !drop.has(name) && options.available.includes(name));
  return [...new Set([...usual, ...add])];
}

/** A name for `--cap-add` in Linux's form, `CAP_NET_ADMIN`, or `ALL`. It need not be a capability. */
export function canonicalCapability(given: string): string {
  const upper = given.trim().toUpperCase();
  return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}

function normalize(names: readonly string[], flag: '--cap-add' | '--cap-drop', available: readonly string[]): string[] {
  const field = flag === '--cap-add' ? 'CapAdd' : 'CapDrop';
  return names.map((given) => {
    const name = canonicalCapability(given);
    if (name === 'ALL') return name;
    if (!ALL_CAPABILITIES.includes(name)) {
      throw new HealthctlError('INVALID', `invalid ${field}: unknown capability: ${quote(name)}`, {
        hint: `${flag} takes names such as NET_ADMIN, see capabilities(7), or ALL`,
      });
    }
    if (!available.includes(name)) {
      const reason = 'capability not supported by your kernel or not available in the current environment';
      throw new HealthctlError('INVALID', `invalid ${field}: ${reason}: ${quote(name)}`);
    }
    return name;
  });
}

/** The capabilities in a mask as `/proc/self/status` shows it (`CapBnd`), e.g. `000001ffffffffff`. Throws CORRUPT. */
export function capabilitiesOfMask(mask: string): readonly string[] {
  if (!/^[0-9a-f]{1,16}$/i.test(mask)) throw new HealthctlError('CORRUPT', `not a capability mask: ${quote(mask)}`);
  const bits = BigInt(`0x${mask}`);
  return ALL_CAPABILITIES.filter((_name, bit) => (bits >> BigInt(bit)) & 1n);
}
