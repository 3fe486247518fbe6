import { HealthctlError, messageOf } from '../lib/errors.ts';
import { encodeJson } from '../lib/json.ts';
import { refuseCpuset } from '../oci/cpuset.ts';
import { type Limits, refuseBothTimes, swapOf } from '../oci/resources.ts';
import type { Resources } from '../oci/types.ts';
import { updatedLimits } from '../oci/update-limits.ts';
import { specOf } from '../record/details.ts';
import { limitsOfSpec, presentLimits } from '../record/limits-document.ts';
import { storedConfigOf } from '../record/stored-config.ts';
import { type ContainerView, refuseUnknown } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { readCpuset, readHostFacts } from './host/host-facts.ts';

/**
 * Changes the limits of a container: of its present run, if it runs, of its next ones, and in its document.
 *
 * @param given zero and an empty text mean unchanged; of `pidsLimit` zero and less mean no limit
 * @throws CONFLICT, INVALID with Docker's texts; RUNTIME if the kernel refuses, e.g. less memory than is in use
 */
export async function updateLimits(
  ctx: Pick<ContainerContext, 'containerd'>,
  view: ContainerView,
  given: Limits,
): Promise<void> {
  refuseUnknown(view);
  refuseBothTimes(given);
  const { record } = view;
  const spec = specOf(record);
  if (!spec) throw new HealthctlError('INVALID', `container ${view.name} has no runtime spec`);
  const resources = spec.linux?.resources ?? {};
  const stored = storedConfigOf(record);
  const shown = stored
    ? { ...stored.HostConfig, ...presentLimits(stored.HostConfig, resources) }
    : limitsOfSpec(resources);
  const host = readHostFacts({ withDevices: false });
  const { cpusetCpus: cpus = '', cpusetMems: mems = '' } = given;
  const changed = withId(record.id, () => {
    if (cpus !== '' || mems !== '') refuseCpuset({ cpus, mems }, readCpuset(host));
    return updatedLimits({ limits: limitsFromDocument({ ...shown }), resources }, given, host);
  });
  const isUp = view.state === 'running' || view.state === 'paused';
  if (isUp && Object.keys(changed.live).length > 0) await updateRun(ctx, record.id, changed.live);
  const linux = { ...spec.linux, resources: changed.resources };
  await ctx.containerd.containers.setSpec(record.id, encodeJson({ ...spec, linux }));
  if (!stored) return;
  const config = { ...stored, HostConfig: { ...stored.HostConfig, ...documentFromLimits(changed.limits) } };
  await ctx.containerd.containers.setConfig(record.id, { config: encodeJson(config), labels: {} });
}

async function updateRun(ctx: Pick<ContainerContext, 'containerd'>, id: string, live: Resources): Promise<void> {
  try {
    await ctx.containerd.tasks.update(id, encodeJson(live));
  } catch (cause) {
    if (!(cause instanceof HealthctlError)) throw cause;
    throw new HealthctlError(cause.code, `Cannot update container ${id}: ${messageOf(cause)}`, { cause });
  }
}

/** Docker's beginning of the refusals. */
function withId<T>(id: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof HealthctlError) || error.code !== 'CONFLICT') throw error;
    throw new HealthctlError('CONFLICT', `Cannot update container ${id}: ${messageOf(error)}`, { cause: error });
  }
}

/** Docker's names in HostConfig. */
const NAMES = {
  memory: 'Memory',
  memorySwap: 'MemorySwap',
  memoryReservation: 'MemoryReservation',
  nanoCpus: 'NanoCpus',
  cpuShares: 'CpuShares',
  cpuPeriod: 'CpuPeriod',
  cpuQuota: 'CpuQuota',
  cpuRealtimePeriod: 'CpuRealtimePeriod',
  cpuRealtimeRuntime: 'CpuRealtimeRuntime',
  cpusetCpus: 'CpusetCpus',
  cpusetMems: 'CpusetMems',
  pidsLimit: 'PidsLimit',
} as const satisfies Partial<Record<keyof Limits, string>>;

function limitsFromDocument(document: Readonly<Record<string, unknown>>): Limits {
  const given = Object.entries(NAMES).flatMap(([key, name]) => {
    const value = document[name];
    return typeof value === 'number' || typeof value === 'string' ? [[key, value]] : [];
  });
  const limits: Limits = Object.fromEntries(given);
  return { ...limits, memorySwap: swapOf(limits) };
}

function documentFromLimits(limits: Limits): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(NAMES).flatMap(([key, name]) => {
      const value = limits[key as keyof typeof NAMES];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
