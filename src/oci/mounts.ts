import { HealthctlError } from '../lib/errors.ts';
import { INIT_PATH } from './process.ts';
import type { Mount } from './types.ts';

export type Propagation = 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave';

/** A directory or file of the host inside the container (`-v`). */
export interface Bind {
  /** Absolute and clean. */
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  readonly propagation: Propagation;
  /** Requested SELinux relabelling; no effect on a host without SELinux. */
  readonly relabel?: 'shared' | 'private';
  /** The part of `-v` after the second colon, as given; absent for `--mount`. */
  readonly mode?: string;
  /** A file system that the runtime mounts, instead of a path of the host: its type and options; `source` is its device. */
  readonly fileSystem?: { readonly type: string; readonly options: readonly string[] };
  /** Whether `--volumes-from` brought it. */
  readonly isInherited?: true;
  /** Whether what is mounted below a read-only one may be written, as with clients of Docker before API 1.44. */
  readonly isWritableBelow?: true;
  /**
   * Of `--mount`: the source must exist, unless it is to be made. `recursive` is about the mounts below it: `disabled` leaves them out,
   * `writable` leaves them writable, `readonly` makes them read-only or fails.
   */
  readonly mount?: {
    readonly recursive: 'enabled' | 'disabled' | 'writable' | 'readonly';
    /** Whether the propagation was given. */
    readonly hasPropagation?: true;
    /** A missing source is made, as with `-v`. */
    readonly makesSource?: true;
  };
}

/** A volume inside the container: `-v NAME:/dir`, `-v /dir`, `--mount type=volume`, or VOLUME of the image. */
export interface VolumeRequest {
  /** Absent: an anonymous one. */
  readonly name?: string;
  readonly destination: string;
  readonly readOnly: boolean;
  /** Whether a new volume stays empty, whatever the image has at the destination. */
  readonly noCopy: boolean;
  /** The directory or file of it that is mounted, by its path in the volume; absent: all of it. */
  readonly part?: string;
  /** Labels for a new volume. */
  readonly labels: Readonly<Record<string, string>>;
  /** Options of the driver for a new volume. */
  readonly options?: Readonly<Record<string, string>>;
  /** The part of `-v` after the second colon, as given; absent otherwise. */
  readonly mode?: string;
  /** Whether `--mount` asked for it. */
  readonly isMount?: true;
  /** Whether `--volumes-from` brought it. */
  readonly isInherited?: true;
}

/** `--tmpfs`. */
export interface Tmpfs {
  readonly destination: string;
  /** Of the mount, with the defaults. */
  readonly options: readonly string[];
  /** The options of `--mount` as given: bytes, and permission bits. */
  readonly mount?: { readonly size?: number; readonly mode?: number };
}

/** The requests of `-v` and `--mount`. */
export type MountRequest =
  | { readonly kind: 'bind'; readonly bind: Bind }
  | { readonly kind: 'volume'; readonly volume: VolumeRequest }
  | { readonly kind: 'tmpfs'; readonly tmpfs: Tmpfs };

/** Files that healthctl writes for a container, by their path on the host; an absent one is the image's own. */
export interface GeneratedFiles {
  readonly hosts?: string;
  readonly hostname?: string;
  readonly resolvConf?: string;
}

export interface MountOptions {
  readonly binds: readonly Bind[];
  readonly tmpfs: readonly Tmpfs[];
  readonly generated: GeneratedFiles;
  /** Bytes of /dev/shm. */
  readonly shmSize: number;
  /** Instead of a tmpfs of its own: a directory of the host, or nothing. */
  readonly shm: { readonly source: string } | 'none' | undefined;
  readonly readOnly: boolean;
  readonly privileged: boolean;
  /** Whether the container may write into its cgroup; absent: if it is privileged. */
  readonly writableCgroups?: boolean | undefined;
  /** Whether kernel and runtime can make a mount read-only with all that is mounted below it. */
  readonly canReadOnlyBelow?: boolean | undefined;
  /** The tini of the host, for `--init`. */
  readonly init: string | undefined;
}

const NO_PRIVILEGES = ['nosuid', 'noexec', 'nodev'];
/** Mounts that stay writable under `--read-only`. */
const ALWAYS_WRITABLE = new Set(['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue']);

function defaultMounts(shmSize: number): readonly Mount[] {
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: NO_PRIVILEGES },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...NO_PRIVILEGES, 'ro'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', ...NO_PRIVILEGES] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: NO_PRIVILEGES },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: [...NO_PRIVILEGES, 'mode=1777', `size=${shmSize}`],
    },
  ];
}

/**
 * All mounts of a container in mount order (moby daemon/pkg/oci/defaults.go and daemon/oci_linux.go): a requested one
 * replaces the default at the same path, and /dev replaces everything below it. Throws INVALID `Duplicate mount point:
 * …`.
 */
export function resolveMounts(options: MountOptions): readonly Mount[] {
  const requested = requestedMounts(options);
  const destinations = new Set(requested.map(({ destination }) => destination));
  const kept = defaultMounts(options.shmSize)
    .flatMap((mount) => (mount.destination === SHM ? shmMount(mount, options) : [mount]))
    .filter(({ destination }) => !destinations.has(destination))
    .filter(({ destination }) => !(destinations.has('/dev') && destination.startsWith('/dev/')))
    .map((mount) => restrict(mount, options));
  const init: Mount[] =
    options.init === undefined
      ? []
      : [{ destination: INIT_PATH, type: 'bind', source: options.init, options: ['bind', 'ro'] }];
  return [...kept, ...requested, ...init];
}

const SHM = '/dev/shm';

function shmMount(own: Mount, { shm }: MountOptions): readonly Mount[] {
  if (shm === undefined) return [own];
  if (shm === 'none') return [];
  return [{ destination: SHM, type: 'bind', source: shm.source, options: ['rbind', ...NO_PRIVILEGES, 'rprivate'] }];
}

function restrict(mount: Mount, { readOnly, privileged, writableCgroups = privileged }: MountOptions): Mount {
  const { destination, type, options = [] } = mount;
  if (type === 'cgroup' ? writableCgroups : privileged && destination === '/sys') {
    return { ...mount, options: options.filter((option) => option !== 'ro') };
  }
  if (!readOnly || ALWAYS_WRITABLE.has(destination) || options.includes('ro')) return mount;
  return { ...mount, options: [...options, 'ro'] };
}

function requestedMounts(options: MountOptions): readonly Mount[] {
  const mounts: Mount[] = [
    ...options.binds.map((bind) => bindMount(bind, options.canReadOnlyBelow === true)),
    ...options.tmpfs.map(
      (tmpfs): Mount => ({
        destination: tmpfs.destination,
        type: 'tmpfs',
        source: 'tmpfs',
        options: tmpfs.options,
      }),
    ),
  ];
  refuseDuplicates(mounts);
  const destinations = new Set(mounts.map(({ destination }) => destination));
  const generated = generatedMounts(options).filter(({ destination }) => !destinations.has(destination));
  // A mount below another must come after it. The sort is stable, so equals keep the order of the command line.
  return [...mounts, ...generated].sort((a, b) => depth(a.destination) - depth(b.destination));
}

/** Throws INVALID with Docker's text if two mounts have the same path. */
export function refuseDuplicates(mounts: readonly { readonly destination: string }[]): void {
  const destinations = new Set<string>();
  for (const { destination } of mounts) {
    if (destinations.has(destination)) throw new HealthctlError('INVALID', `Duplicate mount point: ${destination}`);
    destinations.add(destination);
  }
}

function generatedMounts({ generated, readOnly }: MountOptions): readonly Mount[] {
  const files: readonly (readonly [string, string | undefined])[] = [
    ['/etc/resolv.conf', generated.resolvConf],
    ['/etc/hostname', generated.hostname],
    ['/etc/hosts', generated.hosts],
  ];
  return files.flatMap(([destination, source]) =>
    source === undefined ? [] : [bindMount({ source, destination, readOnly, propagation: 'rprivate' }, false)],
  );
}

/** Docker 25 and later make what is mounted below read-only too, where the host can (moby: daemon/oci_linux.go). */
function bindMount(bind: Bind, canReadOnlyBelow: boolean): Mount {
  const { source, destination, readOnly, propagation, mount, fileSystem } = bind;
  if (fileSystem) {
    const { type, options } = fileSystem;
    return { destination, type, source, options: [...options, ...(readOnly && !options.includes('ro') ? ['ro'] : [])] };
  }
  const kind = mount?.recursive === 'disabled' ? 'bind' : 'rbind';
  const isReadOnlyBelow = mount?.recursive === 'readonly' || (canReadOnlyBelow && !isWritableBelow(bind));
  const access = isReadOnlyBelow ? 'rro' : 'ro';
  return { destination, type: 'bind', source, options: [kind, ...(readOnly ? [access] : []), propagation] };
}

/** Whether a read-only bind is asked for whose mounts below stay writable. */
export function isWritableBelow({ mount, isWritableBelow }: Bind): boolean {
  return isWritableBelow === true || mount?.recursive === 'writable';
}

function depth(path: string): number {
  return path === '/' ? 0 : path.split('/').length;
}

/** The propagation that the root needs for shared and slave binds; undefined: the runtime's default. */
export function rootfsPropagation(binds: readonly Bind[]): string | undefined {
  if (binds.some(({ propagation }) => propagation.endsWith('shared'))) return 'shared';
  return binds.some(({ propagation }) => propagation.endsWith('slave')) ? 'rslave' : undefined;
}
