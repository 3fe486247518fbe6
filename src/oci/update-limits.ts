import { HealthctlError } from '../lib/errors.ts';
import { type Limits, type ResourceOptions, resolveResources } from './resources.ts';
import type { Resources } from './types.ts';

/** Which keys belong to which part of a runtime spec's resources. */
const MEMORY = ['memory', 'memorySwap', 'memoryReservation'] as const;
const CPU = [
  ...(['nanoCpus', 'cpuShares', 'cpuPeriod', 'cpuQuota', 'cpusetCpus', 'cpusetMems'] as const),
  ...(['cpuRealtimePeriod', 'cpuRealtimeRuntime'] as const),
];

export type HostLimits = Pick<ResourceOptions, 'cpus' | 'cgroup2' | 'swapLimit' | 'cpuRealtime'>;

export interface UpdatedLimits {
  readonly limits: Limits;
  /** For the next start. */
  readonly resources: Resources;
  /** For the running container: only what changes. */
  readonly live: Resources;
}

/**
 * The limits of a container after an update (moby: container/container_unix.go, UpdateContainer). Zero and an empty text
 * mean unchanged; but of `pidsLimit` zero and less mean no limit.
 *
 * @param present.limits with the default of memory and swap together computed
 * @throws CONFLICT and INVALID with Docker's texts
 */
export function updatedLimits(
  present: { readonly limits: Limits; readonly resources: Resources },
  given: Limits,
  host: HostLimits,
): UpdatedLimits {
  refuseConflicts(present.limits, given);
  const changed = Object.fromEntries(
    Object.entries(given).filter(([key, value]) => key !== 'pidsLimit' && value !== 0 && value !== ''),
  ) as Limits;
  const isUnlimited = given.pidsLimit !== undefined && given.pidsLimit <= 0;
  const pids = given.pidsLimit === undefined ? {} : { pidsLimit: isUnlimited ? 0 : given.pidsLimit };
  const limits: Limits = { ...present.limits, ...changed, ...pids };
  const { memory, cpu, pids: newPids } = resolveResources({ ...limits, ...host, privileged: false });
  const { pids: oldPids, ...old } = present.resources;
  const shownPids = given.pidsLimit === undefined ? oldPids : newPids;
  const isTouched = (keys: readonly (keyof Limits)[]): boolean => keys.some((key) => changed[key] !== undefined);
  return {
    limits,
    resources: {
      ...old,
      ...(memory || old.memory ? { memory: { ...old.memory, ...memory } } : {}),
      ...(cpu || old.cpu ? { cpu: { ...old.cpu, ...cpu } } : {}),
      ...(shownPids ? { pids: shownPids } : {}),
    },
    live: {
      ...(isTouched(MEMORY) && memory ? { memory } : {}),
      ...(isTouched(CPU) && cpu ? { cpu } : {}),
      // runc needs -1 to remove a limit.
      ...(given.pidsLimit === undefined ? {} : { pids: newPids ?? { limit: -1 } }),
    },
  };
}

function refuseConflicts(present: Limits, given: Limits): void {
  const refuse = (message: string) => new HealthctlError('CONFLICT', message);
  const has = (limits: Limits, key: 'nanoCpus' | 'cpuPeriod' | 'cpuQuota'): boolean => (limits[key] ?? 0) > 0;
  const conflict = (what: string, set: string) =>
    refuse(`Conflicting options: ${what} cannot be updated as ${set} has already been set`);
  if (has(given, 'nanoCpus') && has(present, 'cpuPeriod')) throw conflict('Nano CPUs', 'CPU Period');
  if (has(given, 'nanoCpus') && has(present, 'cpuQuota')) throw conflict('Nano CPUs', 'CPU Quota');
  if (has(given, 'cpuPeriod') && has(present, 'nanoCpus')) throw conflict('CPU Period', 'NanoCPUs');
  if (has(given, 'cpuQuota') && has(present, 'nanoCpus')) throw conflict('CPU Quota', 'NanoCPUs');
  const { memory = 0, memorySwap = 0 } = given;
  if (memory > 0 && memory > (present.memorySwap ?? 0) && memorySwap === 0) {
    throw refuse(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  }
}
