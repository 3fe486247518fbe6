import type { ContainerRecord } from '../containerd/containers.ts';
import { familiarRecordName } from '../image/reference.ts';
import { decodeRuntimeSpec } from '../oci/read-spec.ts';
import type { RuntimeSpec } from '../oci/types.ts';
import { foreignConfig, foreignHostConfig } from './foreign-config.ts';
import { foreignMounts } from './foreign-mounts.ts';
import type { MountPoint } from './mount-point.ts';
import { networkConfigOf } from './network-config.ts';
import { networksOf } from './networks.ts';
import { shownLabels } from './shown-labels.ts';
import { mountPointsOf, storedConfigOf } from './stored-config.ts';

/** What a container was asked to be, as far as it is known. */
export interface Details {
  /** Whether healthctl made it, and so knows. */
  readonly isOurs: boolean;
  /** As the user named it; of a foreign container the familiar name of its record. Empty for one without an image. */
  readonly image: string;
  /** Docker's image id; of a foreign container the name, because nothing tells the id. */
  readonly imageId: string;
  /** The program and its arguments. */
  readonly args: readonly string[];
  /** Docker's `Config`, without the health check. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Docker's `HostConfig`, as far as it was asked for. */
  readonly hostConfig: Readonly<Record<string, unknown>>;
  readonly mounts: readonly MountPoint[];
  readonly networks: readonly string[];
  /** `--network-alias`. */
  readonly aliases: readonly string[];
}

/** The part of the details that a line of `ps` shows. */
export type Brief = Pick<Details, 'image' | 'imageId' | 'args'>;

/** The same as in the details, without working out the rest. */
export function briefOf(record: ContainerRecord): Brief {
  const stored = storedConfigOf(record);
  if (stored) return { image: stored.Config.Image, imageId: stored.ImageId, args: stored.Args };
  return { image: familiarRecordName(record.image), imageId: record.image, args: specOf(record)?.process?.args ?? [] };
}

/**
 * Of ours, the stored config tells; of foreign containers, the runtime spec and labels, which cost more to read.
 *
 * @param options.isNerdctls nerdctl made it, so that its labels can be believed (see isNerdctls of store/state-dir.ts). Default: no
 */
export function detailsOf(record: ContainerRecord, options: { readonly isNerdctls?: boolean } = {}): Details {
  const stored = storedConfigOf(record);
  if (!stored) return foreignDetails(record, options.isNerdctls === true);
  return {
    isOurs: true,
    image: stored.Config.Image,
    imageId: stored.ImageId,
    args: stored.Args,
    config: { ...stored.Config, Labels: shownLabels(record) },
    hostConfig: stored.HostConfig,
    mounts: mountPointsOf(stored),
    networks: networksOf(record),
    aliases: networkConfigOf(stored).aliases,
  };
}

/** Undefined for a container without a spec, and for a damaged one: the rest can still be shown. */
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
    aliases: [],
  };
}
