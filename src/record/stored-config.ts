import type { ContainerRecord } from '../containerd/containers.ts';
import { CONFIG_EXTENSION } from '../lib/trusted-labels.ts';
import { type MountPoint, parseMountPoints } from './mount-point.ts';

/**
 * A container's settings in Docker's document forms, as far as runtime spec and labels lack them: stored in
 * containerd's record of the container, written once at create.
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
  /** Further names on its network. */
  readonly Aliases?: unknown;
  /** The program and its arguments, without a preceding init. */
  readonly Args: readonly string[];
  /** Docker's `Mounts`. Absent for a container made by an earlier version. */
  readonly Mounts?: readonly MountPoint[];
  /** Names of the anonymous volumes created for this container: they may be removed with it. */
  readonly AnonymousVolumes?: readonly string[];
  /** The output is also written as Docker's json-file, with these attributes. Absent: it is not. */
  readonly JsonLog?: unknown;
}

/** Undefined for a container that healthctl did not make, and for a value by another tool. */
export function storedConfigOf(record: Pick<ContainerRecord, 'extensionJson'>): StoredConfig | undefined {
  const json = record.extensionJson(CONFIG_EXTENSION);
  if (json === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return isStoredConfig(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The attributes of each line of the json-file; undefined if none is written. */
export function jsonLogOf({ JsonLog }: Pick<StoredConfig, 'JsonLog'>): Readonly<Record<string, string>> | undefined {
  if (!isObject(JsonLog)) return undefined;
  return Object.fromEntries(
    Object.entries(JsonLog).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])),
  );
}

/** `--domainname`; empty without. */
export function domainnameOf({ Config: { Domainname } }: StoredConfig): string {
  return typeof Domainname === 'string' ? Domainname : '';
}

/** The host mounts of a container of ours. */
export function mountPointsOf({ Mounts, HostConfig }: StoredConfig): readonly MountPoint[] {
  if (Mounts) return Mounts;
  return isStrings(HostConfig.Binds) ? HostConfig.Binds.map(mountPointOfBind) : [];
}

/** `source:destination[:ro]`; neither path can contain a colon. */
function mountPointOfBind(text: string): MountPoint {
  const [Source = '', Destination = '', Mode = ''] = text.split(':');
  return { Type: 'bind', Source, Destination, Mode, RW: !Mode.split(',').includes('ro'), Propagation: 'rprivate' };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
export const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function isStoredConfig(value: unknown): value is StoredConfig {
  if (!isObject(value)) return false;
  const { Config: config, HostConfig: host, ImageId: imageId, Args: args, Mounts, AnonymousVolumes } = value;
  if (Mounts !== undefined && parseMountPoints(Mounts) === undefined) return false;
  if (AnonymousVolumes !== undefined && !isStrings(AnonymousVolumes)) return false;
  if (!isObject(config) || !isObject(host) || typeof imageId !== 'string' || !isStrings(args)) return false;
  const labels = config.Labels;
  if (!isObject(labels) || !Object.values(labels).every((label) => typeof label === 'string')) return false;
  if (typeof config.Image !== 'string' || typeof config.Tty !== 'boolean' || typeof config.OpenStdin !== 'boolean')
    return false;
  return typeof host.NetworkMode === 'string' && typeof host.AutoRemove === 'boolean';
}
