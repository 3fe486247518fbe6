import { swapOf } from '../oci/resources.ts';
import type { Resources, Uint64 } from '../oci/types.ts';

type Json = Readonly<Record<string, unknown>>;

/** Limits under Docker's names, with Docker's values for no limit. */
interface LimitsDocument {
  readonly Memory: number;
  readonly MemorySwap: number;
  readonly MemoryReservation: number;
  readonly CpuShares: number;
  readonly CpuPeriod: number;
  readonly CpuQuota: number;
  readonly CpuRealtimePeriod: number;
  readonly CpuRealtimeRuntime: number;
  readonly CpusetCpus: string;
  readonly CpusetMems: string;
  readonly PidsLimit: number | null;
  readonly BlkioWeight: number;
}

/** The value of `--cpus 1` per period of 100,000 microseconds. */
const NANO_CPUS_PER_MICROSECOND = 10_000;
const CPU_PERIOD = 100_000;

/** The limits in a runtime spec. */
export function limitsOfSpec(resources: Resources = {}): LimitsDocument {
  const { memory, cpu, pids, blockIO } = resources;
  return {
    Memory: Math.max(0, numberOf(memory?.limit)),
    MemorySwap: numberOf(memory?.swap),
    MemoryReservation: numberOf(memory?.reservation),
    CpuShares: numberOf(cpu?.shares),
    CpuPeriod: numberOf(cpu?.period),
    CpuQuota: numberOf(cpu?.quota),
    CpuRealtimePeriod: numberOf(cpu?.realtimePeriod),
    CpuRealtimeRuntime: numberOf(cpu?.realtimeRuntime),
    CpusetCpus: cpu?.cpus ?? '',
    CpusetMems: cpu?.mems ?? '',
    PidsLimit: pids?.limit === undefined ? null : Number(pids.limit),
    BlkioWeight: blockIO?.weight ?? 0,
  };
}

/**
 * The limits of a container of ours: as given, while the spec says the same in its terms; otherwise as in the spec,
 * which another tool has changed (`nerdctl update`).
 *
 * @param asked Docker's `HostConfig` as stored at create
 */
export function presentLimits(asked: Json, resources: Resources | undefined): Json {
  const { CpuPeriod, CpuQuota, MemorySwap, PidsLimit, ...others } = limitsOfSpec(resources);
  const nanoCpus = given(asked.NanoCpus);
  const isTimeSame =
    nanoCpus > 0
      ? CpuPeriod === CPU_PERIOD && CpuQuota === Math.floor(nanoCpus / NANO_CPUS_PER_MICROSECOND)
      : CpuPeriod === given(asked.CpuPeriod) && CpuQuota === given(asked.CpuQuota);
  // If the kernel cannot limit swap, nothing is set.
  const swap = swapOf({ memory: given(asked.Memory), memorySwap: given(asked.MemorySwap) });
  const isPidsSame = PidsLimit === null ? given(asked.PidsLimit) <= 0 : PidsLimit === asked.PidsLimit;
  return {
    ...others,
    ...(isTimeSame ? {} : { NanoCpus: 0, CpuPeriod, CpuQuota }),
    ...(MemorySwap === 0 || MemorySwap === swap ? {} : { MemorySwap }),
    ...(isPidsSame ? {} : { PidsLimit }),
  };
}

const numberOf = (value: Uint64 | undefined): number => Number(value ?? 0);
const given = (value: unknown): number => (typeof value === 'number' ? value : 0);
