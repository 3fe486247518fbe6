import { type DeviceRequest, parseDevice } from '../../oci/devices.ts';
import { parseUlimit } from '../../oci/parse.ts';
import type { Limits } from '../../oci/resources.ts';
import type { Rlimit } from '../../oci/types.ts';
import { EngineError } from '../errors.ts';
import type { GoStruct } from '../go-struct.ts';

/**
 * The limits among Docker's `Resources`, at the top of an update and in the HostConfig of a create; zero and null are no
 * limit.
 */
export function limitsIn(resources: GoStruct): Limits {
  const int = <K extends keyof Limits>(key: K, name: string): { readonly [P in K]?: number } => {
    const value = resources.int(name) ?? 0;
    return (value === 0 ? {} : { [key]: value }) as { readonly [P in K]?: number };
  };
  const text = (key: 'cpusetCpus' | 'cpusetMems', name: string): Limits => {
    const value = resources.text(name);
    return value === '' ? {} : { [key]: value };
  };
  return {
    ...int('memory', 'Memory'),
    ...int('memorySwap', 'MemorySwap'),
    ...int('memoryReservation', 'MemoryReservation'),
    ...(resources.flag('OomKillDisable') ? { oomKillDisable: true } : {}),
    ...int('nanoCpus', 'NanoCpus'),
    ...int('cpuShares', 'CpuShares'),
    ...int('cpuPeriod', 'CpuPeriod'),
    ...int('cpuQuota', 'CpuQuota'),
    ...int('cpuRealtimePeriod', 'CpuRealtimePeriod'),
    ...int('cpuRealtimeRuntime', 'CpuRealtimeRuntime'),
    ...text('cpusetCpus', 'CpusetCpus'),
    ...text('cpusetMems', 'CpusetMems'),
    ...int('pidsLimit', 'PidsLimit'),
  };
}

export function ulimitsIn(host: GoStruct): readonly Rlimit[] {
  return (host.structs('Ulimits') ?? []).map((ulimit) =>
    parseUlimit(`${ulimit.text('Name')}=${ulimit.int('Soft') ?? 0}:${ulimit.int('Hard') ?? 0}`),
  );
}

/** Throws EngineError 400 for a device by a driver, such as a GPU. */
export function devicesIn(host: GoStruct): readonly DeviceRequest[] {
  const [request] = host.structs('DeviceRequests') ?? [];
  if (request) {
    const wanted = request.text('Driver') || (request.texts('DeviceIDs') ?? []).join(', ') || 'one of any driver';
    throw new EngineError(400, `could not select device driver ${JSON.stringify(wanted)}: healthctl has none`);
  }
  return (host.structs('Devices') ?? []).map((device) => {
    const onHost = device.text('PathOnHost');
    return parseDevice(
      `${onHost}:${device.text('PathInContainer') || onHost}:${device.text('CgroupPermissions') || 'rwm'}`,
    );
  });
}
