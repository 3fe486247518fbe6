import type { ContainerRecord } from '../containerd/containers.ts';
import {
  as,
  type Guard,
  isBoolean,
  isObject,
  isText,
  isTexts,
  mapOf,
  objectOf,
  optional,
  parseJsonText,
  textMapIn,
} from '../lib/shape.ts';
import { CONFIG_EXTENSION } from '../lib/trusted-labels.ts';
import { isMountPoints, type MountPoint } from './mount-point.ts';

/**
 * A container's settings in Docker's document forms, as far as runtime spec and labels lack them: stored in
 * containerd's record of the container, written at create, and when its networks change.
 */
export interface StoredConfig {
  /** Docker's `Config`, without the health check, which is stored in labels. */
  readonly Config: Readonly<Record<string, unknown>> & {
    readonly Image: string;
    readonly Tty: boolean;
    readonly OpenStdin: boolean;
    /** All labels of user and image, including those that containerd drops because they are too long or empty. */
    readonly Labels: Readonly<Record<string, string>>;
  };
  /** Docker's `HostConfig`. */
  readonly HostConfig: Readonly<Record<string, unknown>> & {
    readonly NetworkMode: string;
    readonly AutoRemove: boolean;
  };
  /** Docker's image id: the digest of the config. */
  readonly ImageId: string;
  /** Its networks: see endpointsOf. Absent for a container made by an earlier version. */
  readonly Endpoints?: unknown;
  /** Written by earlier versions: further names on its only network. */
  readonly Aliases?: unknown;
  /** The program and its arguments, without a preceding init. */
  readonly Args: readonly string[];
  /** Docker's `Mounts`. Absent for a container made by an earlier version. */
  readonly Mounts?: readonly MountPoint[];
  /** The parts of volumes that are mounted instead of all of them: destination to the path in the volume. */
  readonly VolumeParts?: Readonly<Record<string, string>>;
  /** Names of the anonymous volumes created for this container: they may be removed with it. */
  readonly AnonymousVolumes?: readonly string[];
  /** The output is also written as Docker's json-file, with these attributes. Absent: it is not. */
  readonly JsonLog?: unknown;
}

/** Undefined for a container that healthctl did not make, and for a value by another tool. */
export function storedConfigOf(record: Pick<ContainerRecord, 'extensionJson'>): StoredConfig | undefined {
  return as(isStoredConfig, parseJsonText(record.extensionJson(CONFIG_EXTENSION)));
}

/** The attributes of each line of the json-file; undefined if none is written. */
export function jsonLogOf({ JsonLog }: Pick<StoredConfig, 'JsonLog'>): Readonly<Record<string, string>> | undefined {
  return isObject(JsonLog) ? textMapIn(JsonLog) : undefined;
}

/** `--domainname`; empty without. */
export function domainnameOf({ Config: { Domainname } }: StoredConfig): string {
  return isText(Domainname) ? Domainname : '';
}

/** The host mounts of a container of ours. */
export function mountPointsOf({ Mounts, HostConfig }: StoredConfig): readonly MountPoint[] {
  if (Mounts) return Mounts;
  return isTexts(HostConfig.Binds) ? HostConfig.Binds.map(mountPointOfBind) : [];
}

/** `source:destination[:ro]`; neither path can contain a colon. */
function mountPointOfBind(text: string): MountPoint {
  const [Source = '', Destination = '', Mode = ''] = text.split(':');
  return { Type: 'bind', Source, Destination, Mode, RW: !Mode.split(',').includes('ro'), Propagation: 'rprivate' };
}
const isStoredConfig: Guard<StoredConfig> = objectOf({
  Config: objectOf({ Image: isText, Tty: isBoolean, OpenStdin: isBoolean, Labels: mapOf(isText) }),
  HostConfig: objectOf({ NetworkMode: isText, AutoRemove: isBoolean }),
  ...{ ImageId: isText, Args: isTexts },
  ...{ Mounts: optional(isMountPoints), AnonymousVolumes: optional(isTexts), VolumeParts: optional(mapOf(isText)) },
});
