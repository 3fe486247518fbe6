import { HealthctlError } from '../lib/errors.ts';
import { type GivenDevice, rulesOfDevices } from './devices.ts';
import type { DeviceRule, Resources } from './types.ts';

const MINIMUM_MEMORY = 6 * 1024 * 1024;
const CPU_PERIOD_MICROSECONDS = 100_000;
const NANO_CPU = 1_000_000_000;

/** The limits requested for a container. Undefined and 0: no limit. */
export interface Limits {
  /** Bytes. */
  readonly memory?: number;
  /** Bytes of memory and swap together; -1: no limit. Unless given twice the memory, as Docker. */
  readonly memorySwap?: number;
  /** Bytes: a soft limit, when memory is scarce. */
  readonly memoryReservation?: number;
  /** cgroup v1 only. */
  readonly oomKillDisable?: boolean;
  /** Billionths of a CPU. */
  readonly nanoCpus?: number;
  /** Weight among containers; 1024 unless given. */
  readonly cpuShares?: number;
  /** Microseconds. */
  readonly cpuPeriod?: number;
  /** Microseconds in each period. */
  readonly cpuQuota?: number;
  /**
   * Microseconds of real-time scheduling in each period of it: cgroup v1 with CONFIG_RT_GROUP_SCHED only. Runtime -1:
   * no limit.
   */
  readonly cpuRealtimePeriod?: number;
  readonly cpuRealtimeRuntime?: number;
  /** Which CPUs, and memory nodes, it may use, e.g. `0-2,7`. */
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** Also -1: no limit. */
  readonly pidsLimit?: number;
}

export interface ResourceOptions extends Limits {
  readonly privileged: boolean;
  /** Number of CPUs of the machine. */
  readonly cpus: number;
  readonly cgroup2: boolean;
  /** Whether the kernel can limit swap (cgroup2, or memory.memsw.limit_in_bytes on cgroup v1). */
  readonly swapLimit: boolean;
  /** Whether the kernel can limit real-time scheduling, see HostFacts. */
  readonly cpuRealtime: boolean;
  readonly devices?: readonly GivenDevice[];
  readonly deviceRules?: readonly DeviceRule[];
}

/** The cgroup limits of a container. Throws INVALID with Docker's texts (moby daemon/daemon_unix.go). */
export function resolveResources(options: ResourceOptions): Resources {
  const { pidsLimit = 0, privileged, devices = [], deviceRules = [] } = options;
  const memory = memoryLimit(options);
  const cpu = cpuLimit(options);
  const allowed = [...DEVICE_RULES, ...rulesOfDevices(devices), ...deviceRules];
  return {
    devices: privileged ? [{ allow: true, access: 'rwm' }] : allowed,
    ...(Object.keys(memory).length > 0 && { memory }),
    ...(Object.keys(cpu).length > 0 && { cpu }),
    ...(pidsLimit > 0 && { pids: { limit: pidsLimit } }),
  };
}

/** Drops limits that the host does not support, with a warning (moby daemon/daemon_unix.go). */
export function resourceWarnings(
  options: Pick<ResourceOptions, keyof Limits | 'cgroup2' | 'swapLimit'>,
): readonly string[] {
  const { memory = 0, memorySwap = 0, oomKillDisable = false, cgroup2, swapLimit } = options;
  const noSwap =
    'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.';
  const noOom = 'Your kernel does not support OomKillDisable. OomKillDisable discarded.';
  const dangerous =
    'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.';
  return [
    ...(memorySwap > 0 && !swapLimit ? [noSwap] : []),
    ...(oomKillDisable && cgroup2 ? [noOom] : []),
    ...(oomKillDisable && !cgroup2 && memory === 0 ? [dangerous] : []),
  ];
}

/** The limit of memory and swap together: twice the memory unless given, 0 for none. */
export function swapOf({ memory = 0, memorySwap = 0 }: Limits): number {
  return memorySwap === 0 && memory > 0 ? 2 * memory : memorySwap;
}

function memoryLimit(options: ResourceOptions): NonNullable<Resources['memory']> {
  const { memory = 0, memorySwap = 0, memoryReservation = 0, oomKillDisable = false, swapLimit, cgroup2 } = options;
  const refuse = (message: string) => new HealthctlError('INVALID', message);
  if (memory !== 0 && memory < MINIMUM_MEMORY) throw refuse('Minimum memory limit allowed is 6MB');
  if (memory > 0 && memorySwap > 0 && memorySwap < memory) {
    throw refuse('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (memory === 0 && memorySwap > 0) {
    throw refuse('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (memoryReservation > 0 && memoryReservation < MINIMUM_MEMORY) {
    throw refuse('Minimum memory reservation allowed is 6MB');
  }
  if (memory > 0 && memory < memoryReservation) {
    throw refuse('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
  const swap = swapOf(options);
  return {
    ...(memory > 0 && { limit: memory }),
    ...(memoryReservation > 0 && { reservation: memoryReservation }),
    ...(swapLimit && swap !== 0 && { swap }),
    ...(oomKillDisable && !cgroup2 && { disableOOMKiller: true }),
  };
}

function cpuLimit(options: ResourceOptions): NonNullable<Resources['cpu']> {
  const { cpuShares = 0, cpusetCpus = '', cpusetMems = '' } = options;
  if (cpuShares < 0)
    throw new HealthctlError('INVALID', `invalid CPU shares (${cpuShares}): value must be a positive integer`);
  return {
    ...cpuTime(options),
    ...realtime(options),
    ...(cpuShares > 0 && { shares: cpuShares }),
    ...(cpusetCpus !== '' && { cpus: cpusetCpus }),
    ...(cpusetMems !== '' && { mems: cpusetMems }),
  };
}

/** Throws INVALID with Docker's texts. */
export function refuseBothTimes({ nanoCpus = 0, cpuPeriod = 0, cpuQuota = 0 }: Limits): void {
  const refuse = (other: string) =>
    new HealthctlError('INVALID', `Conflicting options: Nano CPUs and ${other} cannot both be set`);
  if (nanoCpus > 0 && cpuPeriod > 0) throw refuse('CPU Period');
  if (nanoCpus > 0 && cpuQuota > 0) throw refuse('CPU Quota');
}

function cpuTime({ nanoCpus = 0, cpuPeriod = 0, cpuQuota = 0, cpus }: ResourceOptions): NonNullable<Resources['cpu']> {
  const refuse = (message: string) => new HealthctlError('INVALID', message);
  refuseBothTimes({ nanoCpus, cpuPeriod, cpuQuota });
  if (nanoCpus < 0 || nanoCpus > cpus * NANO_CPU) {
    throw refuse(`range of CPUs is from 0.01 to ${cpus.toFixed(2)}, as there are only ${cpus} CPUs available`);
  }
  if (cpuPeriod !== 0 && (cpuPeriod < 1000 || cpuPeriod > 1_000_000)) {
    throw refuse('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (cpuQuota > 0 && cpuQuota < 1000) throw refuse('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (nanoCpus > 0) {
    return { period: CPU_PERIOD_MICROSECONDS, quota: Math.floor((nanoCpus * CPU_PERIOD_MICROSECONDS) / NANO_CPU) };
  }
  return { ...(cpuPeriod > 0 && { period: cpuPeriod }), ...(cpuQuota !== 0 && { quota: cpuQuota }) };
}

/** moby: runconfig/hostconfig_unix.go. */
function realtime(options: ResourceOptions): NonNullable<Resources['cpu']> {
  const { cpuRealtimePeriod: period = 0, cpuRealtimeRuntime: runtime = 0, cpuRealtime } = options;
  const refuse = (message: string, hint?: string) => new HealthctlError('INVALID', message, hint ? { hint } : {});
  if ((period !== 0 || runtime !== 0) && !cpuRealtime) {
    const hint = 'it needs cgroup v1 and CONFIG_RT_GROUP_SCHED; --ulimit rtprio=99 --cap-add SYS_NICE sets no limit';
    throw refuse('kernel does not support CPU real-time scheduler', hint);
  }
  if (period < 0) throw refuse(`invalid CPU real-time period (${period}): value must be a positive integer`);
  if (period !== 0 && runtime > period) {
    throw refuse('cpu real-time runtime cannot be higher than cpu real-time period');
  }
  return { ...(period !== 0 && { realtimePeriod: period }), ...(runtime !== 0 && { realtimeRuntime: runtime }) };
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
