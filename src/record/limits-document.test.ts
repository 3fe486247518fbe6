import { describe, expect, test } from 'vitest';
import { type Limits, resolveResources } from '../oci/resources.ts';
import { presentLimits } from './limits-document.ts';

/** The given limits under Docker's names, as they are stored. */
const stored = (limits: Limits) => ({
  ...{ Memory: limits.memory ?? 0, MemorySwap: limits.memorySwap ?? 0 },
  ...{ NanoCpus: limits.nanoCpus ?? 0, CpuPeriod: limits.cpuPeriod ?? 0, CpuQuota: limits.cpuQuota ?? 0 },
  ...{ CpuRealtimePeriod: limits.cpuRealtimePeriod ?? 0, CpuRealtimeRuntime: limits.cpuRealtimeRuntime ?? 0 },
  ...{ PidsLimit: limits.pidsLimit ?? null, CpuShares: limits.cpuShares ?? 0, CpusetCpus: limits.cpusetCpus ?? '' },
});
const host = { privileged: false, cpus: 4, cgroup2: false, swapLimit: true, cpuRealtime: true };

describe('presentLimits', () => {
  test.each<Limits>([
    {},
    { memory: 64 << 20 },
    { memory: 64 << 20, memorySwap: -1 },
    { memory: 64 << 20, memorySwap: 96 << 20, nanoCpus: 1_500_000_000, pidsLimit: 9 },
    { cpuRealtimePeriod: 1_000_000, cpuRealtimeRuntime: 950_000 },
    { cpuPeriod: 50_000, cpuQuota: 25_000, pidsLimit: -1, cpuShares: 7, cpusetCpus: '0-1' },
  ])('shows the requested limits as they were given while the spec is equivalent: %j', (limits) => {
    for (const swapLimit of [true, false]) {
      const given = stored(limits);
      const shown = { ...given, ...presentLimits(given, resolveResources({ ...host, swapLimit, ...limits })) };
      expect(shown).toMatchObject(given);
    }
  });

  test('shows limits that another tool wrote into the spec', () => {
    const given = stored({ memory: 64 << 20, nanoCpus: 1_000_000_000, pidsLimit: 9 });
    const resources = {
      memory: { limit: 32 << 20, swap: 48 << 20, reservation: 16 << 20 },
      cpu: { quota: 20_000, period: 100_000, shares: 512, cpus: '0', realtimePeriod: 100, realtimeRuntime: 9 },
      pids: { limit: 50 },
      blockIO: { weight: 300 },
    };
    expect({ ...given, ...presentLimits(given, resources) }).toEqual({
      ...{ Memory: 32 << 20, MemorySwap: 48 << 20, MemoryReservation: 16 << 20, CpuShares: 512, CpusetCpus: '0' },
      ...{ CpuRealtimePeriod: 100, CpuRealtimeRuntime: 9 },
      ...{ NanoCpus: 0, CpuPeriod: 100_000, CpuQuota: 20_000, PidsLimit: 50, CpusetMems: '', BlkioWeight: 300 },
    });
  });
});
