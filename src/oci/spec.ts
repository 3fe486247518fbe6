import { resolveCapabilities } from './capabilities.ts';
import type { GivenDevice } from './devices.ts';
import type { Bind, GeneratedFiles, Tmpfs } from './mounts.ts';
import { resolveMounts, rootfsPropagation } from './mounts.ts';
import { DEFAULT_NAMESPACES, type NamespaceModes, namespacesOf } from './namespaces.ts';
import { INIT_PATH, resolveArgs, resolveCwd, resolveEnv } from './process.ts';
import { type Limits, resolveResources } from './resources.ts';
import type { GoArch } from './seccomp.ts';
import { parseSeccompProfile, resolveSeccomp } from './seccomp.ts';
import type {
  Capabilities,
  ContainerProcess,
  Device,
  DeviceRule,
  Linux,
  Rlimit,
  RuntimeSpec,
  Seccomp,
} from './types.ts';

/** 64 MiB, Docker's default. */
export const DEFAULT_SHM_SIZE = 64 * 1024 * 1024;

/** The settings of a container. Everything is data: files are read, users looked up and names resolved before. */
export interface SpecOptions {
  readonly id: string;
  /** Of containerd. */
  readonly namespace: string;
  readonly hostname: string;
  /**
   * `--domainname`. The OCI's own field for it is unknown to runc before 1.2: it is set by its sysctl, as Docker does.
   */
  readonly domainname?: string;
  readonly image: ImageDefaults;
  /** The arguments after the image on the command line. */
  readonly command?: readonly string[];
  /** Instead of the image's: see resolveArgs. */
  readonly entrypoint?: readonly string[];
  /** `-e` and `--env-file`, see parseEnv: `NAME=value`, or `NAME` alone to remove it. */
  readonly env?: readonly string[];
  /** Instead of the defaults. */
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  /** `-w`. */
  readonly workingDir?: string;
  /** See resolveUser. */
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
  /** `-t`. */
  readonly terminal?: boolean;
  /** `--read-only`. */
  readonly readOnly?: boolean;
  readonly privileged?: boolean;
  /** `--security-opt no-new-privileges`. */
  readonly noNewPrivileges?: boolean;
  /** `--security-opt writable-cgroups`; absent: if it is privileged. */
  readonly writableCgroups?: boolean;
  /** Whether kernel and runtime can make a mount read-only with all that is mounted below it. */
  readonly canReadOnlyBelow?: boolean;
  /** The first size of its terminal. */
  readonly consoleSize?: { readonly width: number; readonly height: number };
  /** Name of a profile that the kernel has, or `unconfined`; absent where it has no AppArmor. */
  readonly apparmor?: string | undefined;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  /** Absent: Docker's default profile. */
  readonly seccomp?: 'unconfined' | { /** The text of the file. */ readonly profile: string };
  /**
   * `own`: a network namespace of its own, in which only the loopback is up; or that of another container, by its path.
   */
  readonly network: 'own' | 'host' | { readonly path: string };
  /** The tini of the host, for `--init`. */
  readonly init?: string;
  readonly binds?: readonly Bind[];
  readonly tmpfs?: readonly Tmpfs[];
  readonly generated?: GeneratedFiles;
  /** Bytes; 0 or absent: 64 MiB. */
  readonly shmSize?: number;
  readonly limits?: Limits;
  /** Default: its own of each. */
  readonly namespaces?: NamespaceModes;
  /** The content of /dev/shm: a directory of the host, or nothing; absent: a tmpfs of its own. */
  readonly shm?: { readonly source: string } | 'none';
  /** `--device`, as found on the host. */
  readonly devices?: readonly GivenDevice[];
  /** `--device-cgroup-rule`. */
  readonly deviceRules?: readonly DeviceRule[];
  /** `--sysctl`, on top of the defaults. */
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly ulimits?: readonly Rlimit[];
  readonly oomScoreAdj?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly host: HostFacts;
}

/** The values of the raw image config; absent and empty mean the same. */
export interface ImageDefaults {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly workingDir?: string;
}

/** The required facts about the machine. */
export interface HostFacts {
  readonly arch: GoArch;
  /** As `uname -r` says. */
  readonly kernelVersion: string;
  /** Whether /sys/fs/cgroup is cgroup2 alone. */
  readonly cgroup2: boolean;
  /** Whether the kernel can limit swap: always on cgroup2; on v1 when memory.memsw.limit_in_bytes exists. */
  readonly swapLimit: boolean;
  /** Whether the kernel can limit real-time scheduling: cgroup v1 with CONFIG_RT_GROUP_SCHED. */
  readonly cpuRealtime: boolean;
  readonly cpus: number;
  /** The directories with the counters of CPU throttling. */
  readonly throttling: readonly string[];
  /** Our own bounding set, see capabilitiesOfMask. */
  readonly capabilities: readonly string[];
  /** The nodes below /dev, for `--privileged`. */
  readonly devices?: readonly Device[];
}

/**
 * Docker's daemon passes its own umask, 022, to all processes that it starts; ours would have containerd's. runc
 * applies it to an exec from 1.2 on.
 */
const UMASK = 0o022;

/**
 * Sets the OOM score and the umask, which a runtime would otherwise inherit from containerd's shim; the shim's OOM
 * score is containerd's plus one. Limits, niceness, I/O priority and the core dump filter are containerd's, as in
 * Docker: set them in its unit.
 */
export function withoutInherited(process: ContainerProcess): ContainerProcess {
  return { ...process, user: { umask: UMASK, ...process.user }, oomScoreAdj: process.oomScoreAdj ?? 0 };
}

/**
 * Hidden by an empty file or directory (moby daemon/pkg/oci/defaults.go), as are the counters of CPU throttling, which
 * reveal a neighbour's load.
 */
const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** Low ports and ping without capabilities, in a network namespace of its own (moby daemon/oci_linux.go). */
const NETWORK_SYSCTLS = {
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.ipv4.ping_group_range': '0 2147483647',
};

/**
 * Builds the runtime spec of a container like Docker. `root.path` is `rootfs`, relative to the bundle, where
 * containerd's shim mounts the snapshot. Throws INVALID with Docker's texts for impossible settings. Encode it with
 * encodeJson: rlimits may be bigint.
 */
export function buildSpec(options: SpecOptions): RuntimeSpec {
  const { privileged = false, readOnly = false } = options;
  const capabilities = resolveCapabilities({
    add: options.capAdd ?? [],
    drop: options.capDrop ?? [],
    privileged,
    available: options.host.capabilities,
  });
  return {
    ociVersion: '1.0.2',
    process: buildProcess(options, capabilities),
    root: { path: 'rootfs', ...(readOnly && { readonly: true }) },
    ...(options.namespaces?.uts !== 'host' && { hostname: options.hostname }),
    mounts: resolveMounts({
      binds: options.binds ?? [],
      tmpfs: options.tmpfs ?? [],
      generated: options.generated ?? {},
      shmSize: options.shmSize || DEFAULT_SHM_SIZE,
      shm: options.shm,
      readOnly,
      privileged,
      writableCgroups: options.writableCgroups,
      canReadOnlyBelow: options.canReadOnlyBelow,
      init: options.init,
    }),
    linux: buildLinux(options, capabilities),
    ...(options.annotations && { annotations: options.annotations }),
  };
}

function buildProcess(options: SpecOptions, capabilities: readonly string[]): ContainerProcess {
  const { image, terminal = false, ulimits = [], oomScoreAdj } = options;
  const args = resolveArgs({
    imageEntrypoint: image.entrypoint ?? [],
    imageCmd: image.cmd ?? [],
    entrypoint: options.entrypoint,
    command: options.command ?? [],
  });
  return withoutInherited({
    terminal,
    ...(terminal && options.consoleSize && { consoleSize: options.consoleSize }),
    user: options.user,
    args: options.init === undefined ? args : [INIT_PATH, '--', ...args],
    env: resolveEnv({ image: image.env ?? [], given: options.env ?? [], hostname: options.hostname, terminal }),
    cwd: resolveCwd(options.workingDir, image.workingDir),
    capabilities: capabilitySets(capabilities, options.user.uid),
    noNewPrivileges: options.noNewPrivileges ?? false,
    ...(options.apparmor !== undefined && { apparmorProfile: options.apparmor }),
    ...(ulimits.length > 0 && { rlimits: ulimits }),
    ...(oomScoreAdj !== undefined && { oomScoreAdj }),
  });
}

/**
 * The state after execve: a user other than root keeps only the bounding set. None are inheritable (CVE-2022-24769).
 */
function capabilitySets(capabilities: readonly string[], uid: number): Capabilities {
  if (uid !== 0) return { bounding: capabilities };
  return { bounding: capabilities, effective: capabilities, permitted: capabilities };
}

/** The cgroup path of our containers, below the root of each hierarchy. */
export function cgroupsPathOf({ namespace, id }: { readonly namespace: string; readonly id: string }): string {
  return `/${namespace}/${id}`;
}

function buildLinux(options: SpecOptions, capabilities: readonly string[]): Linux {
  const { privileged = false, host, devices = [] } = options;
  const sysctl = {
    ...(options.network === 'own' && NETWORK_SYSCTLS),
    ...(options.domainname !== undefined && { 'kernel.domainname': options.domainname }),
    ...options.sysctls,
  };
  const propagation = rootfsPropagation(options.binds ?? []);
  const seccomp = buildSeccomp(options, capabilities);
  return {
    cgroupsPath: cgroupsPathOf(options),
    namespaces: namespacesOf(options.namespaces ?? DEFAULT_NAMESPACES, {
      network: options.network,
      cgroup2: host.cgroup2,
    }),
    resources: resolveResources({
      ...options.limits,
      privileged,
      cpus: host.cpus,
      cgroup2: host.cgroup2,
      swapLimit: host.swapLimit,
      cpuRealtime: host.cpuRealtime,
      devices,
      deviceRules: options.deviceRules ?? [],
    }),
    ...(Object.keys(sysctl).length > 0 && { sysctl }),
    ...((privileged || devices.length > 0) && { devices: devicesOf(options) }),
    ...(!privileged && {
      maskedPaths: options.maskedPaths ?? [...MASKED_PATHS, ...host.throttling],
      readonlyPaths: options.readonlyPaths ?? READONLY_PATHS,
    }),
    ...(seccomp && { seccomp }),
    ...(propagation !== undefined && { rootfsPropagation: propagation }),
  };
}

/** A given device replaces the host's own, for `--privileged`, at the same path. */
function devicesOf({ privileged = false, host, devices = [] }: SpecOptions): readonly Device[] {
  const given = devices.map(({ device }) => device);
  const givenPaths = new Set(given.map(({ path }) => path));
  const all = privileged ? (host.devices ?? []).filter(({ path }) => !givenPaths.has(path)) : [];
  return [...all, ...given];
}

/** A privileged container is filtered only by an explicitly given profile. */
function buildSeccomp(options: SpecOptions, capabilities: readonly string[]): Seccomp | undefined {
  const { seccomp, privileged = false, host } = options;
  const conditions = { capabilities, arch: host.arch, kernelVersion: host.kernelVersion };
  if (seccomp === 'unconfined') return undefined;
  if (seccomp !== undefined) return parseSeccompProfile(seccomp.profile, conditions);
  return privileged ? undefined : resolveSeccomp(conditions);
}
