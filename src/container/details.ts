import type { ContainerRecord } from '../containerd/containers.ts';
import { familiarRecordName } from '../image/reference.ts';
import { decodeRuntimeSpec } from '../oci/read-spec.ts';
import type { RuntimeSpec } from '../oci/types.ts';
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

/** Of ours, the stored config tells; of foreign containers, the runtime spec and labels, which cost more to read. */
export function detailsOf(record: ContainerRecord): Details {
  const stored = storedConfigOf(record);
  if (!stored) return foreignDetails(record);
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

function foreignDetails(record: ContainerRecord): Details {
  const spec = specOf(record);
  const networks = networksOf(record);
  return {
    isOurs: false,
    image: familiarRecordName(record.image),
    imageId: record.image,
    args: spec?.process?.args ?? [],
    config: foreignConfig(record, spec),
    hostConfig: foreignHostConfig(record, spec, networks),
    mounts: (spec?.mounts ?? []).flatMap(mountOfSpec),
    networks,
    aliases: [],
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

function foreignConfig(record: ContainerRecord, spec: RuntimeSpec | undefined): Details['config'] {
  const process = spec?.process;
  const { uid = 0, gid = 0 } = process?.user ?? {};
  return {
    Hostname: spec?.hostname ?? '',
    Domainname: '',
    User: uid === 0 && gid === 0 ? '' : `${uid}:${gid}`,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: process?.terminal === true,
    OpenStdin: false,
    StdinOnce: false,
    Env: process?.env ?? [],
    Cmd: process?.args ?? null,
    Image: familiarRecordName(record.image),
    Volumes: null,
    WorkingDir: process?.cwd ?? '',
    Entrypoint: null,
    Labels: shownLabels(record),
  };
}

function foreignHostConfig(
  record: ContainerRecord,
  spec: RuntimeSpec | undefined,
  networks: readonly string[],
): Details['hostConfig'] {
  const { memory, cpu, pids } = spec?.linux?.resources ?? {};
  const network = spec?.linux?.namespaces?.find(({ type }) => type === 'network');
  const [quota, period] = [Number(cpu?.quota ?? 0), Number(cpu?.period ?? 0)];
  return {
    NetworkMode: networks[0] ?? (spec && !network ? 'host' : ''),
    ReadonlyRootfs: spec?.root?.readonly === true,
    Runtime: record.runtime,
    Memory: Math.max(0, Number(memory?.limit ?? 0)),
    MemorySwap: Number(memory?.swap ?? 0),
    CpuQuota: quota,
    CpuPeriod: period,
    PidsLimit: pids === undefined ? null : Number(pids.limit),
    MaskedPaths: spec?.linux?.maskedPaths ?? null,
    ReadonlyPaths: spec?.linux?.readonlyPaths ?? null,
  };
}

function mountOfSpec({ type, source = '', destination, options = [] }: NonNullable<RuntimeSpec['mounts']>[number]) {
  const isBind = type === 'bind' || options.includes('bind') || options.includes('rbind');
  if (!isBind) return [];
  const RW = !options.includes('ro');
  const Propagation = options.find((option) => /^r?(?:private|shared|slave)$/.test(option)) ?? '';
  const mount: MountPoint = {
    Type: 'bind',
    Source: source,
    Destination: destination,
    Mode: RW ? '' : 'ro',
    RW,
    Propagation,
  };
  return [mount];
}
