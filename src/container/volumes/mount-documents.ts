import type { CreateRequest } from '../../record/create-request.ts';
import type { MountPoint } from '../../record/mount-point.ts';
import type { UsedVolume } from './request.ts';

type Mounts = Pick<CreateRequest, 'binds' | 'volumes' | 'tmpfs'>;

/**
 * Docker's `Mounts` of a new container. Docker shows `z` for a volume without a mode, unless it is anonymous and from
 * `-v` or the image.
 */
export function mountPointsFrom({ binds, tmpfs }: Mounts, volumes: readonly UsedVolume[]): readonly MountPoint[] {
  return [
    ...binds.map(
      ({ source, destination, mode = '', readOnly, propagation }): MountPoint => ({
        Type: 'bind',
        Source: source,
        Destination: destination,
        Mode: mode,
        RW: !readOnly,
        Propagation: propagation,
      }),
    ),
    ...volumes.map(
      ({ request, volume, isAnonymous }): MountPoint => ({
        Type: 'volume',
        Name: volume.name,
        Source: volume.mountpoint,
        Destination: request.destination,
        Driver: 'local',
        Mode: request.mode || (isAnonymous && !request.isMount ? '' : 'z'),
        RW: !request.readOnly,
        Propagation: '',
      }),
    ),
    ...tmpfs
      .filter(({ mount }) => mount)
      .map(
        ({ destination, options }): MountPoint => ({
          Type: 'tmpfs',
          Source: '',
          Destination: destination,
          Mode: '',
          RW: !options.includes('ro'),
          Propagation: '',
        }),
      ),
  ];
}

/** Docker's `HostConfig.Binds`: the values of `-v` with a source. */
export function bindTextsOf({ binds, volumes }: Mounts): readonly string[] {
  return [
    ...binds.flatMap(({ source, destination, mode, mount, isInherited }) =>
      mount || isInherited ? [] : [textOf(source, destination, mode)],
    ),
    ...volumes.flatMap(({ name, destination, mode, isMount, isInherited }) =>
      name === undefined || isMount || isInherited ? [] : [textOf(name, destination, mode)],
    ),
  ];
}

const textOf = (source: string, destination: string, mode: string | undefined): string =>
  `${source}:${destination}${mode ? `:${mode}` : ''}`;

/** Docker's `HostConfig.Mounts`: the values of `--mount`; the key is absent without one. */
export function mountOptionsOf({ binds, volumes, tmpfs }: Mounts): { readonly Mounts?: readonly object[] } {
  const entries = [
    ...binds.flatMap(({ source, destination, readOnly, propagation, mount }) => {
      if (!mount) return [];
      const options = {
        ...(propagation === 'rprivate' ? {} : { Propagation: propagation }),
        ...(mount.recursive === 'disabled' ? { NonRecursive: true } : {}),
        ...(mount.makesSource ? { CreateMountpoint: true } : {}),
        ...(mount.recursive === 'writable' ? { ReadOnlyNonRecursive: true } : {}),
        ...(mount.recursive === 'readonly' ? { ReadOnlyForceRecursive: true } : {}),
      };
      const given = Object.keys(options).length > 0 ? { BindOptions: options } : {};
      return [{ Type: 'bind', Source: source, Target: destination, ...ifTrue('ReadOnly', readOnly), ...given }];
    }),
    ...volumes.flatMap(({ name, destination, readOnly, noCopy, labels, part, options: driver = {}, isMount }) => {
      if (!isMount) return [];
      const options = {
        ...ifTrue('NoCopy', noCopy),
        ...(Object.keys(labels).length > 0 ? { Labels: labels } : {}),
        ...(part === undefined ? {} : { Subpath: part }),
        ...(Object.keys(driver).length > 0 ? { DriverConfig: { Options: driver } } : {}),
      };
      const given = Object.keys(options).length > 0 ? { VolumeOptions: options } : {};
      const source = name === undefined ? {} : { Source: name };
      return [{ Type: 'volume', ...source, Target: destination, ...ifTrue('ReadOnly', readOnly), ...given }];
    }),
    ...tmpfs.flatMap(({ destination, options, mount }) => {
      if (!mount) return [];
      const { size, mode } = mount;
      const own = { ...(size ? { SizeBytes: size } : {}), ...(mode ? { Mode: mode } : {}) };
      const given = Object.keys(own).length > 0 ? { TmpfsOptions: own } : {};
      return [{ Type: 'tmpfs', Target: destination, ...ifTrue('ReadOnly', options.includes('ro')), ...given }];
    }),
  ];
  return entries.length > 0 ? { Mounts: entries } : {};
}

const ifTrue = (key: string, value: boolean): Readonly<Record<string, true>> => (value ? { [key]: true } : {});

/** Docker's `Config.Volumes`: the paths of anonymous volumes of `-v` and the image. */
export function volumePathsOf(
  { volumes }: Mounts,
  imageVolumes: readonly string[],
): Readonly<Record<string, object>> | null {
  const own = volumes.flatMap(({ name, destination, isMount }) =>
    name === undefined && !isMount ? [destination] : [],
  );
  const paths = [...imageVolumes, ...own];
  return paths.length > 0 ? Object.fromEntries(paths.map((path) => [path, {}])) : null;
}
