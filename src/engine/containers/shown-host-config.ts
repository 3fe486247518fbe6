import type { GoStruct } from '../go-struct.ts';

/** What healthctl has no use for comes back as it was asked for, with Go's zero value if it was not. */
const AS_ASKED: Readonly<Record<string, unknown>> = {
  ContainerIDFile: '',
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  Cgroup: '',
  Links: null,
  UsernsMode: '',
  Isolation: '',
  CgroupParent: '',
  CapAdd: null,
  CapDrop: null,
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  DeviceRequests: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
};
/** Lists whose values are stored as they are used: only an empty one, and none, come back as they were sent. */
const LISTS = [
  'PortBindings',
  'Dns',
  'DnsOptions',
  'DnsSearch',
  'ExtraHosts',
  'Ulimits',
  'Devices',
  'DeviceCgroupRules',
] as const;
/** Docker leaves them out unless they were asked for. */
const IF_ASKED = ['Mounts', 'Tmpfs', 'StorageOpt', 'Sysctls', 'Annotations', 'Init'] as const;

/**
 * The keys of a HostConfig that the document gives back as they were sent: clients make the next container from it. A
 * key that a start reads is not among them.
 */
export function shownHostConfigOf(host: GoStruct): Readonly<Record<string, unknown>> {
  const asked = Object.entries(AS_ASKED).map(([key, zero]) => [key, host.raw(key) ?? zero]);
  const lists = LISTS.filter((key) => isEmpty(host.raw(key))).map((key) => [key, host.raw(key) ?? null]);
  const given = IF_ASKED.filter((key) => !isEmpty(host.raw(key))).map((key) => [key, host.raw(key)]);
  return {
    ...Object.fromEntries([...asked, ...lists, ...given]),
    OomKillDisable: host.raw('OomKillDisable') ?? false,
    MemorySwappiness: host.raw('MemorySwappiness') ?? null,
    SecurityOpt: securityIn(host),
  };
}

/** Docker adds that SELinux does not confine what has processes or memory of the host (moby: generateSecurityOpt). */
function securityIn(host: GoStruct): readonly string[] | null {
  const given = host.texts('SecurityOpt') ?? [];
  const isLabelled = given.some((text) => text.split('=', 1)[0] === 'label');
  const isOfHost = host.flag('Privileged') || host.text('IpcMode') === 'host' || host.text('PidMode') === 'host';
  const all = isOfHost && !isLabelled ? [...given, 'label=disable'] : given;
  return all.length === 0 ? null : all;
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
