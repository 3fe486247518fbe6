import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, hostname, machine, release, totalmem } from 'node:os';
import { HealthctlError } from '../../lib/errors.ts';
import { momentOf, viewOf } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import { findInit, findRuntime } from './host-facts.ts';

/** Host properties that matter to containers. */
export interface HostInfo {
  readonly KernelVersion: string;
  readonly OperatingSystem: string;
  /** Of the distribution, e.g. `12`. */
  readonly OSVersion: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly NCPU: number;
  /** Bytes. */
  readonly MemTotal: number;
  readonly Name: string;
  readonly CgroupVersion: '1' | '2';
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  readonly CpuCfsQuota: boolean;
  readonly PidsLimit: boolean;
  /** Program by name. */
  readonly Runtimes: Readonly<Record<string, { readonly path: string }>>;
  /** Empty if there is none. */
  readonly InitBinary: string;
}

/** Information from containerd about itself and the namespace. */
export interface ServerInfo {
  readonly ID: string;
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly ContainersPaused: number;
  /** All others, also those never started. */
  readonly ContainersStopped: number;
  readonly Images: number;
  readonly ServerVersion: string;
  readonly Snapshotters: readonly string[];
  readonly Namespaces: readonly string[];
}

/** @param path where to search for programs */
export function readHostInfo(path: string): HostInfo {
  const runtimes = ['runc', 'crun'].flatMap((name) => {
    const program = orUndefined(() => findRuntime(name, path));
    return program === undefined ? [] : [[name, { path: program }] as const];
  });
  return {
    KernelVersion: release(),
    OperatingSystem: releaseField('PRETTY_NAME') ?? 'Linux',
    OSVersion: releaseField('VERSION_ID') ?? '',
    OSType: 'linux',
    Architecture: machine(),
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    Name: hostname(),
    ...readCgroups(),
    Runtimes: Object.fromEntries(runtimes),
    InitBinary: orUndefined(() => findInit(path)) ?? '',
  };
}

/** Docker: daemon/info_unix.go, fillPlatformInfo. */
export function hostWarnings(host: HostInfo): readonly string[] {
  const missing = [
    host.MemoryLimit ? '' : 'No memory limit support',
    host.SwapLimit ? '' : 'No swap limit support',
    host.CpuCfsQuota ? '' : 'No cpu cfs quota support',
    host.PidsLimit ? '' : 'No pids limit support',
    Object.keys(host.Runtimes).length > 0 ? '' : 'no OCI runtime was found on the PATH: install runc or crun',
  ];
  return missing.filter((warning) => warning !== '');
}

function readCgroups(): Pick<HostInfo, 'CgroupVersion' | 'MemoryLimit' | 'SwapLimit' | 'CpuCfsQuota' | 'PidsLimit'> {
  const controllers = '/sys/fs/cgroup/cgroup.controllers';
  if (existsSync(controllers)) {
    const names = readFileSync(controllers, 'latin1').trim().split(' ');
    const memory = names.includes('memory');
    return {
      CgroupVersion: '2',
      MemoryLimit: memory,
      SwapLimit: memory,
      CpuCfsQuota: names.includes('cpu'),
      PidsLimit: names.includes('pids'),
    };
  }
  const has = (file: string): boolean => existsSync(`/sys/fs/cgroup/${file}`);
  return {
    CgroupVersion: '1',
    MemoryLimit: has('memory/memory.limit_in_bytes'),
    SwapLimit: has('memory/memory.memsw.limit_in_bytes'),
    CpuCfsQuota: has('cpu/cpu.cfs_quota_us'),
    PidsLimit: has('pids'),
  };
}

/** Of os-release(5). */
function releaseField(name: 'PRETTY_NAME' | 'VERSION_ID'): string | undefined {
  if (!existsSync('/etc/os-release')) return undefined;
  const text = readFileSync('/etc/os-release', 'utf8');
  return new RegExp(`^${name}=(["']?)(?<value>.*)\\1$`, 'm').exec(text)?.groups?.value;
}

function orUndefined<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof HealthctlError) return undefined;
    throw error;
  }
}

export async function readServerInfo(
  { containerd, clock }: Pick<ContainerContext, 'containerd' | 'clock'>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ServerInfo> {
  const { host, containers, tasks, images } = containerd;
  const [ID, { version }, Snapshotters, Namespaces, records, running, imageRecords] = await Promise.all([
    host.serverId(options),
    host.version(options),
    host.plugins('io.containerd.snapshotter.v1', options),
    host.namespaces(options),
    containers.list([], options),
    tasks.list(options),
    images.list([], options),
  ]);
  const taskOf = new Map(running.map((task) => [task.containerId, task]));
  const moment = momentOf(clock);
  const states = records.map((record) => viewOf(record, taskOf.get(record.id), moment).state);
  const count = (state: string): number => states.filter((other) => other === state).length;
  const [ContainersRunning, ContainersPaused] = [count('running'), count('paused')];
  return {
    ID,
    Containers: states.length,
    ContainersRunning,
    ContainersPaused,
    ContainersStopped: states.length - ContainersRunning - ContainersPaused,
    Images: new Set(imageRecords.map(({ target }) => target.digest)).size,
    ServerVersion: version,
    Snapshotters: Snapshotters.toSorted(),
    Namespaces: Namespaces.toSorted(),
  };
}
