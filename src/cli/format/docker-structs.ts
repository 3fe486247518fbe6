import { type GoValue, nilMap, nilPointer, nilSlice } from '../../go/template/template.ts';

/** A field of one of Docker's structs: its name in Go, its key in JSON if that differs, and its default. */
export interface DockerField {
  readonly name: string;
  readonly key?: string;
  readonly zero: GoValue;
}

const text = (...names: readonly string[]): readonly DockerField[] => names.map((name) => ({ name, zero: '' }));
const no = (...names: readonly string[]): readonly DockerField[] => names.map((name) => ({ name, zero: false }));
const number = (name: string, key = name): DockerField => ({ name, key, zero: 0 });
const list = (name: string, key = name, type = '[]string'): DockerField => ({ name, key, zero: nilSlice(type) });
const map = (name: string): DockerField => ({ name, zero: nilMap() });
const pointer = (name: string, type: string): DockerField => ({ name, zero: nilPointer(type) });

/** moby: api/types/container/config.go, in its order, which is that in which a template prints it. */
export const CONFIG_FIELDS: readonly DockerField[] = [
  ...text('Hostname', 'Domainname', 'User'),
  ...no('AttachStdin', 'AttachStdout', 'AttachStderr'),
  { name: 'ExposedPorts', zero: nilMap('container.PortSet') },
  ...no('Tty', 'OpenStdin', 'StdinOnce'),
  list('Env'),
  list('Cmd'),
  pointer('Healthcheck', '*container.HealthConfig'),
  ...no('ArgsEscaped'),
  ...text('Image'),
  map('Volumes'),
  ...text('WorkingDir'),
  list('Entrypoint'),
  ...no('NetworkDisabled'),
  list('OnBuild'),
  map('Labels'),
  ...text('StopSignal'),
  pointer('StopTimeout', '*int'),
  list('Shell'),
];

/** The part of HostConfig that is a struct of its own in Go. */
export const RESOURCES_FIELDS: readonly DockerField[] = [
  number('CPUShares', 'CpuShares'),
  number('Memory'),
  number('NanoCPUs', 'NanoCpus'),
  ...text('CgroupParent'),
  number('BlkioWeight'),
  list('BlkioWeightDevice'),
  list('BlkioDeviceReadBps'),
  list('BlkioDeviceWriteBps'),
  list('BlkioDeviceReadIOps'),
  list('BlkioDeviceWriteIOps'),
  number('CPUPeriod', 'CpuPeriod'),
  number('CPUQuota', 'CpuQuota'),
  number('CPURealtimePeriod', 'CpuRealtimePeriod'),
  number('CPURealtimeRuntime', 'CpuRealtimeRuntime'),
  ...text('CpusetCpus', 'CpusetMems'),
  list('Devices'),
  list('DeviceCgroupRules'),
  list('DeviceRequests'),
  number('MemoryReservation'),
  number('MemorySwap'),
  pointer('MemorySwappiness', '*int64'),
  pointer('OomKillDisable', '*bool'),
  pointer('PidsLimit', '*int64'),
  list('Ulimits'),
  number('CPUCount', 'CpuCount'),
  number('CPUPercent', 'CpuPercent'),
  number('IOMaximumIOps'),
  number('IOMaximumBandwidth'),
];

/** moby: api/types/container/hostconfig.go. */
export const HOST_CONFIG_FIELDS: readonly DockerField[] = [
  list('Binds'),
  ...text('ContainerIDFile', 'LogConfig', 'NetworkMode'),
  map('PortBindings'),
  ...text('RestartPolicy'),
  ...no('AutoRemove'),
  ...text('VolumeDriver'),
  list('VolumesFrom'),
  list('ConsoleSize'),
  map('Annotations'),
  list('CapAdd'),
  list('CapDrop'),
  ...text('CgroupnsMode'),
  list('DNS', 'Dns'),
  list('DNSOptions', 'DnsOptions'),
  list('DNSSearch', 'DnsSearch'),
  list('ExtraHosts'),
  list('GroupAdd'),
  ...text('IpcMode', 'Cgroup'),
  list('Links'),
  number('OomScoreAdj'),
  ...text('PidMode'),
  ...no('Privileged', 'PublishAllPorts', 'ReadonlyRootfs'),
  list('SecurityOpt'),
  map('StorageOpt'),
  map('Tmpfs'),
  ...text('UTSMode', 'UsernsMode'),
  number('ShmSize'),
  map('Sysctls'),
  ...text('Runtime', 'Isolation'),
  ...RESOURCES_FIELDS,
  list('Mounts'),
  list('MaskedPaths'),
  list('ReadonlyPaths'),
  pointer('Init', '*bool'),
];

/** moby: api/types/container MountPoint. */
export const MOUNT_POINT_FIELDS: readonly DockerField[] = [
  ...text('Type', 'Name', 'Source', 'Destination', 'Driver', 'Mode'),
  ...no('RW'),
  ...text('Propagation'),
];
