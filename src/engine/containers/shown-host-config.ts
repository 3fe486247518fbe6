import type { GoStruct } from '../go-struct.ts';

/** The keys of Docker's HostConfig that come back as they were asked for, with Go's zero value if they were not. */
const AS_ASKED: Readonly<Record<string, unknown>> = {
  Binds: null,
  ContainerIDFile: '',
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  Cgroup: '',
  Links: null,
  PidMode: '',
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  Isolation: '',
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
};
/** Those that Docker leaves out unless they were asked for. */
const IF_ASKED = ['Mounts', 'Tmpfs', 'StorageOpt', 'Sysctls', 'Annotations', 'Init'] as const;
/** Those whose value Docker replaces only if there is none. */
const IF_GIVEN = ['PortBindings'] as const;

/** Docker's document gives a HostConfig back as it was asked for: clients make the next container from it. */
export function shownHostConfigOf(host: GoStruct): Readonly<Record<string, unknown>> {
  const asked = Object.entries(AS_ASKED).map(([key, zero]) => [key, host.raw(key) ?? zero] as const);
  const given = [...IF_ASKED, ...IF_GIVEN].flatMap((key) => {
    const value = host.raw(key);
    return value === undefined || isEmpty(value) ? [] : [[key, value] as const];
  });
  return {
    ...Object.fromEntries(asked),
    ...Object.fromEntries(given),
    // Docker tells its own default too.
    OomKillDisable: host.raw('OomKillDisable') ?? false,
    MemorySwappiness: host.raw('MemorySwappiness') ?? null,
  };
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;
