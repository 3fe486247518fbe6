import type { CgroupStats, InterfaceStats } from '../../system/cgroup-stats.ts';
import { memoryLimit, type Sample } from './sample.ts';

/** Go's zero time. */
const NEVER = '0001-01-01T00:00:00Z';
/** The largest uint64: no limit, of cgroup v2. */
const UNLIMITED = 18_446_744_073_709_551_615n;

export interface StatsNames {
  readonly id: string;
  /** Without a slash. */
  readonly name: string;
}

/**
 * Docker's document of a container's use of resources (moby: api/types/container.StatsResponse).
 *
 * @param now undefined for a container that does not run: everything is zero
 * @param before the sample with which `now` is compared
 * @param names absent in an answer to `one-shot`
 */
export function statsDocument(now: Sample | undefined, before: Sample | undefined, names?: StatsNames) {
  return {
    ...(names ? { name: `/${names.name}`, id: names.id } : {}),
    read: timeOf(now),
    preread: timeOf(before),
    pids_stats: now ? pidsOf(now.counters) : {},
    blkio_stats: blkioOf(now?.counters),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuOf(now),
    precpu_stats: cpuOf(before),
    memory_stats: now ? memoryOf(now.counters) : {},
    ...(now && now.interfaces.size > 0 ? { networks: networksOf(now.interfaces) } : {}),
  };
}

const timeOf = (sample: Sample | undefined): string => (sample ? new Date(sample.atMs).toISOString() : NEVER);

/** A key whose value is zero is left out, as Go does for most of them. */
const unlessZero = (fields: Readonly<Record<string, number | bigint | undefined>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== 0));

const isV1 = ({ cpu }: CgroupStats): boolean => cpu.perCpu !== undefined;

function pidsOf(counters: CgroupStats) {
  const { current, limit } = counters.pids;
  return unlessZero({ current, limit: Number.isFinite(limit) ? limit : isV1(counters) ? 0 : UNLIMITED });
}

function blkioOf(counters: CgroupStats | undefined) {
  const entries = counters && (counters.io.length > 0 || isV1(counters)) ? counters.io : null;
  const others = counters && isV1(counters) ? [] : null;
  return {
    io_service_bytes_recursive: entries,
    io_serviced_recursive: others,
    io_queue_recursive: others,
    io_service_time_recursive: others,
    io_wait_time_recursive: others,
    io_merged_recursive: others,
    io_time_recursive: others,
    sectors_recursive: others,
  };
}

function cpuOf(sample: Sample | undefined) {
  const cpu = sample?.counters.cpu;
  return {
    cpu_usage: {
      total_usage: cpu?.total ?? 0,
      ...(cpu?.perCpu && cpu.perCpu.length > 0 ? { percpu_usage: cpu.perCpu } : {}),
      usage_in_kernelmode: cpu?.kernel ?? 0,
      usage_in_usermode: cpu?.user ?? 0,
    },
    ...unlessZero({ system_cpu_usage: sample?.system.totalNs, online_cpus: sample?.system.online }),
    throttling_data: {
      periods: cpu?.periods ?? 0,
      throttled_periods: cpu?.throttledPeriods ?? 0,
      throttled_time: cpu?.throttledNs ?? 0,
    },
  };
}

function memoryOf(counters: CgroupStats) {
  const { usage, max, stat, failures } = counters.memory;
  return {
    ...unlessZero({ usage, max_usage: max }),
    ...(Object.keys(stat).length > 0 ? { stats: stat } : {}),
    ...unlessZero({ failcnt: failures, limit: memoryLimit(counters) }),
  };
}

function networksOf(interfaces: ReadonlyMap<string, InterfaceStats>) {
  return Object.fromEntries(
    [...interfaces].map(([name, one]) => [
      name,
      {
        ...{ rx_bytes: one.rxBytes, rx_packets: one.rxPackets, rx_errors: one.rxErrors, rx_dropped: one.rxDropped },
        ...{ tx_bytes: one.txBytes, tx_packets: one.txPackets, tx_errors: one.txErrors, tx_dropped: one.txDropped },
      },
    ]),
  );
}
