import type { ContainerRecord } from '../containerd/containers.ts';
import { familiarRecordName } from '../image/reference.ts';
import type { ImageIdOf } from '../image/users.ts';
import { decodeRuntimeSpec } from '../oci/read-spec.ts';
import type { RuntimeSpec } from '../oci/types.ts';
import { type EndpointConfig, endpointsOf } from './endpoint-config.ts';
import { foreignConfig, foreignHostConfig } from './foreign-config.ts';
import { foreignMounts } from './foreign-mounts.ts';
import type { MountPoint } from './mount-point.ts';
import { networksOf } from './networks.ts';
import { shownLabels } from './shown-labels.ts';
import { mountPointsOf, type StoredConfig, storedConfigOf } from './stored-config.ts';

/** The known settings with which a container was created. */
export interface Details {
  /** Whether healthctl made it, and so knows all settings. */
  readonly isOurs: boolean;
  /** As the user named it; for a foreign container, the familiar name of its record. Empty without an image. */
  readonly image: string;
  /** Docker's image id; for a foreign container the name, because the id is unknown. */
  readonly imageId: string;
  /** The program and its arguments. */
  readonly args: readonly string[];
  /** Docker's `Config`, without the health check. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Docker's `HostConfig`, with the options that were given. */
  readonly hostConfig: Readonly<Record<string, unknown>>;
  readonly mounts: readonly MountPoint[];
  readonly networks: readonly string[];
  /** What was asked for on them; empty for a foreign container. */
  readonly endpoints: readonly EndpointConfig[];
}

/** The details in a line of `ps`. */
export type Brief = Pick<Details, 'image' | 'imageId' | 'args'>;

/** Docker's id of the image; undefined for a foreign container. */
export const imageIdOf: ImageIdOf = (record) => storedConfigOf(record)?.ImageId;

/** Like `detailsOf`, without computing the rest. */
export function briefOf(record: ContainerRecord): Brief {
  const stored = storedConfigOf(record);
  if (stored) return { image: stored.Config.Image, imageId: stored.ImageId, args: stored.Args };
  return { image: familiarRecordName(record.image), imageId: record.image, args: specOf(record)?.process?.args ?? [] };
}

/**
 * The details of a container: for ours, from the stored config; for foreign ones, from runtime spec and labels, which
 * cost more to read.
 *
 * @param options.isNerdctls nerdctl made it, so its labels can be trusted (see isNerdctls of store/state-dir.ts).
 *   Default: no
 */
export function detailsOf(record: ContainerRecord, options: { readonly isNerdctls?: boolean } = {}): Details {
  const stored = storedConfigOf(record);
  if (!stored) return foreignDetails(record, options.isNerdctls === true);
  return {
    isOurs: true,
    image: stored.Config.Image,
    imageId: stored.ImageId,
    args: stored.Args,
    config: { ...stored.Config, ...macOf(stored), Labels: shownLabels(record) },
    hostConfig: stored.HostConfig,
    mounts: mountPointsOf(stored),
    networks: networksOf(record),
    endpoints: endpointsOf(stored),
  };
}

/** Docker shows the address asked for on the network of the mode as that of the container. */
function macOf(stored: StoredConfig): { readonly MacAddress?: string } {
  const mode = stored.HostConfig.NetworkMode;
  const mac = endpointsOf(stored).find(({ network }) => network === mode)?.mac;
  return mac === undefined ? {} : { MacAddress: mac };
}

/** Undefined for a container without a spec or with a damaged one: the rest can still be shown. */
export function specOf(record: ContainerRecord): RuntimeSpec | undefined {
  const json = record.specJson();
  if (json === undefined) return undefined;
  try {
    return decodeRuntimeSpec(json);
  } catch {
    return undefined;
  }
}

function foreignDetails(record: ContainerRecord, isNerdctls: boolean): Details {
  const spec = specOf(record);
  const networks = networksOf(record);
  const labels = isNerdctls ? record.labels : {};
  return {
    isOurs: false,
    image: familiarRecordName(record.image),
    imageId: record.image,
    args: spec?.process?.args ?? [],
    config: { ...foreignConfig(record, { spec, labels }), Labels: shownLabels(record) },
    hostConfig: foreignHostConfig(record, { spec, labels, networks }),
    mounts: foreignMounts(record, spec),
    networks,
    endpoints: [],
  };
}
