import { HealthctlError } from '../lib/errors.ts';
import type { DeviceRule, Resources } from './types.ts';

const MINIMUM_MEMORY = 6 * 1024 * 1024;
const CPU_PERIOD_MICROSECONDS = 100_000;
const NANO_CPU = 1_000_000_000;

export interface ResourceOptions {
  /** Bytes; undefined or 0: no limit. */
  readonly memory: number | undefined;
  /** Billionths of a CPU; undefined or 0: no limit. */
  readonly nanoCpus: number | undefined;
  /** undefined, 0 or -1: no limit. */
  readonly pidsLimit: number | undefined;
  readonly privileged: boolean;
  /** How many CPUs the machine has. */
  readonly cpus: number;
  /** Whether the kernel can limit swap (cgroup2, or memory.memsw.limit_in_bytes on cgroup v1). */
  readonly swapLimit: boolean;
}

/** The cgroup limits of a container. Throws INVALID with Docker's texts (moby daemon/daemon_unix.go). */
export function resolveResources(options: ResourceOptions): Resources {
  const { pidsLimit = 0, privileged } = options;
  const memory = memoryLimit(options);
  const cpu = cpuLimit(options);
  return {
    devices: privileged ? [{ allow: true, access: 'rwm' }] : DEVICE_RULES,
    ...(memory && { memory }),
    ...(cpu && { cpu }),
    ...(pidsLimit > 0 && { pids: { limit: pidsLimit } }),
  };
}

function memoryLimit({ memory = 0, swapLimit }: ResourceOptions): Resources['memory'] {
  if (memory === 0) return undefined;
  if (memory < MINIMUM_MEMORY) throw new HealthctlError('INVALID', 'Minimum memory limit allowed is 6MB');
  return { limit: memory, ...(swapLimit && { swap: 2 * memory }) };
}

function cpuLimit({ nanoCpus = 0, cpus }: ResourceOptions): Resources['cpu'] {
  if (nanoCpus === 0) return undefined;
  if (nanoCpus < 0 || nanoCpus > cpus * NANO_CPU) {
    const reason = `range of CPUs is from 0.01 to ${cpus.toFixed(2)}, as there are only ${cpus} CPUs available`;
    throw new HealthctlError('INVALID', reason);
  }
  return { period: CPU_PERIOD_MICROSECONDS, quota: Math.floor((nanoCpus * CPU_PERIOD_MICROSECONDS) / NANO_CPU) };
}

/** Which device nodes a container may open (moby daemon/pkg/oci/defaults.go). */
const DEVICE_RULES: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  character(true, 1, 5), // zero
  character(true, 1, 3), // null
  character(true, 1, 9), // urandom
  character(true, 1, 8), // random
  character(true, 5, 0), // tty
  character(true, 5, 1), // console
  character(false, 10, 229), // fuse
];

function character(allow: boolean, major: number, minor: number): DeviceRule {
  return { allow, type: 'c', major, minor, access: 'rwm' };
}
