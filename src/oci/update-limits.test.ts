import { describe, expect, test } from 'vitest';
import type { Limits } from './resources.ts';
import { updatedLimits } from './update-limits.ts';

const MB = 1 << 20;
const host = { cpus: 4, cgroup2: true, swapLimit: true, cpuRealtime: false };
const update = (limits: Limits, given: Limits, resources = {}) => updatedLimits({ limits, resources }, given, host);

describe('updatedLimits', () => {
  test('zero means unchanged, and only what changes goes to the running container', () => {
    const present = { memory: 64 * MB, memorySwap: 128 * MB, cpuShares: 512 };
    const resources = { devices: [{ allow: false }], memory: { limit: 64 * MB, swap: 128 * MB }, cpu: { shares: 512 } };
    const given = { memory: 100 * MB, memorySwap: 0, cpuShares: 0, cpusetCpus: '', nanoCpus: 0 };
    expect(update(present, given, resources)).toEqual({
      limits: { memory: 100 * MB, memorySwap: 128 * MB, cpuShares: 512 },
      resources: { ...resources, memory: { limit: 100 * MB, swap: 128 * MB } },
      live: { memory: { limit: 100 * MB, swap: 128 * MB } },
    });
  });

  test('a limit of processes is removed by zero and less, and needs -1 for the runtime', () => {
    const resources = { pids: { limit: 32 } };
    for (const pidsLimit of [0, -1, -2]) {
      expect(update({ pidsLimit: 32 }, { pidsLimit }, resources)).toEqual({
        limits: { pidsLimit: 0 },
        resources: {},
        live: { pids: { limit: -1 } },
      });
    }
    expect(update({ pidsLimit: 32 }, {}, resources)).toEqual({ limits: { pidsLimit: 32 }, resources, live: {} });
    expect(update({}, { pidsLimit: 16 })).toMatchObject({ resources: { pids: { limit: 16 } } });
  });

  test('a quota is removed by -1', () => {
    expect(update({ cpuQuota: 10_000 }, { cpuQuota: -1 })).toMatchObject({ live: { cpu: { quota: -1 } } });
  });

  test.each<[Limits, Limits, string]>([
    [{}, { memory: 64 * MB }, 'Memory limit should be smaller than already set memoryswap limit'],
    [{ nanoCpus: 1e9 }, { cpuPeriod: 1000 }, 'CPU Period cannot be updated as NanoCPUs has already been set'],
    [{ cpuQuota: 5000 }, { nanoCpus: 1e9 }, 'Nano CPUs cannot be updated as CPU Quota has already been set'],
  ])('%j with %j is a conflict', (present, given, message) => {
    expect(() => update(present, given)).toThrow(message);
  });

  test('values are judged as at create', () => {
    expect(() => update({}, { memory: MB, memorySwap: 2 * MB })).toThrow('Minimum memory limit allowed is 6MB');
    expect(() => update({}, { nanoCpus: 9e9 })).toThrow('as there are only 4 CPUs available');
  });
});
