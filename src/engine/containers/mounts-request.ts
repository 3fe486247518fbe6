import { messageOf } from '../../lib/errors.ts';
import { parseTmpfs, parseVolume } from '../../oci/mount-flags.ts';
import { type MountFields, mountOf } from '../../oci/mount-option.ts';
import type { Bind, MountRequest } from '../../oci/mounts.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import { EngineError } from '../errors.ts';
import type { GoStruct } from '../go-struct.ts';
import { type ApiVersion, isSince } from '../version.ts';

/** `Binds`, `Mounts`, `Tmpfs` and `Volumes` of a create request. Throws USAGE and INVALID in Docker's words. */
export function mountsIn(
  body: GoStruct,
  host: GoStruct,
  version: ApiVersion,
): Pick<CreateRequest, 'binds' | 'volumes' | 'tmpfs'> {
  const mounts: readonly MountRequest[] = [
    ...(host.texts('Binds') ?? []).map(asDaemon),
    ...(host.structs('Mounts') ?? []).map((mount) => mountOf(mountFieldsIn(mount, version))),
    ...Object.entries(host.textMap('Tmpfs') ?? {}).map(
      ([destination, options]) =>
        ({ kind: 'tmpfs', tmpfs: parseTmpfs(options === '' ? destination : `${destination}:${options}`) }) as const,
    ),
  ];
  const taken = new Set(mounts.map(destinationOf));
  const anonymous = (body.keys('Volumes') ?? [])
    .map((path) => parseVolume(path, '/'))
    .filter((mount) => !taken.has(destinationOf(mount)));
  const all = [...mounts, ...anonymous];
  return {
    binds: all.flatMap((mount) => (mount.kind === 'bind' ? ofVersion(mount.bind, version) : [])),
    volumes: all.flatMap((mount) => (mount.kind === 'volume' ? mount.volume : [])),
    tmpfs: all.flatMap((mount) => (mount.kind === 'tmpfs' ? mount.tmpfs : [])),
  };
}

/** Docker's status and words for a bind that cannot be. */
function asDaemon(text: string): MountRequest {
  try {
    return bindIn(text);
  } catch (error) {
    if (error instanceof EngineError || !/^invalid (volume specification|mode): /.test(messageOf(error))) throw error;
    const type = text.startsWith('/') ? 'bind' : 'volume';
    const message = messageOf(error).replace(
      /^(invalid volume specification: '.*?': )(?=invalid mount path|invalid specification)/s,
      `$1invalid mount config for type "${type}": `,
    );
    throw new EngineError(500, message, { cause: error });
  }
}

/** A client makes paths absolute; a relative one here is taken for the name of a volume, and refused as such. */
function bindIn(text: string): MountRequest {
  const [source = ''] = text.split(':', 1);
  if (!source.startsWith('.')) return parseVolume(text, '/');
  const allowed = '"[a-zA-Z0-9][a-zA-Z0-9_.-]"';
  throw new EngineError(
    400,
    `create ${source}: "${source}" includes invalid characters for a local volume name, only ${allowed} are allowed. If you intended to pass a host directory, use absolute path`,
  );
}

/** Before API 1.44, what is mounted below a read-only bind stays writable. */
function ofVersion(bind: Bind, version: ApiVersion): Bind {
  if (isSince(version, 44)) return bind;
  if (bind.mount?.recursive !== 'readonly') return { ...bind, isWritableBelow: true };
  throw new EngineError(400, 'BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer');
}

function destinationOf(mount: MountRequest): string {
  switch (mount.kind) {
    case 'bind':
      return mount.bind.destination;
    case 'volume':
      return mount.volume.destination;
    case 'tmpfs':
      return mount.tmpfs.destination;
  }
}

const OPTIONS = ['BindOptions', 'VolumeOptions', 'TmpfsOptions'] as const;

/** Throws EngineError with Docker's text for options of another type (moby: daemon/volume/mounts/linux_parser.go). */
function refuseOtherOptions(mount: GoStruct): void {
  const type = mount.text('Type');
  const other = OPTIONS.find((name) => name.toLowerCase() !== `${type}options` && mount.struct(name) !== undefined);
  if (other === undefined || !['bind', 'volume', 'tmpfs'].includes(type)) return;
  throw new EngineError(400, `${other} must not be specified on mount type ${JSON.stringify(type)}`);
}

function mountFieldsIn(mount: GoStruct, version: ApiVersion): MountFields {
  const [bind, volume, tmpfs] = OPTIONS.map((name) => mount.struct(name));
  refuseOtherOptions(mount);
  const part = volume?.text('Subpath') ?? '';
  if (part !== '' && !isSince(version, 45))
    throw new EngineError(400, 'VolumeOptions.Subpath needs API v1.45 or newer');
  const size = tmpfs?.int('SizeBytes') ?? 0;
  const mode = tmpfs?.int('Mode', 'uint32') ?? 0;
  const propagation = bind?.text('Propagation') ?? '';
  return {
    type: mount.text('Type'),
    source: mount.text('Source'),
    target: mount.text('Target'),
    ...(part === '' ? {} : { part }),
    readOnly: mount.flag('ReadOnly'),
    ...(propagation === '' ? {} : { propagation }),
    ...recursionIn(bind),
    // Before API 1.42 it is ignored.
    ...(isSince(version, 42) && bind?.flag('CreateMountpoint') ? { makesSource: true } : {}),
    ...(volume?.flag('NoCopy') ? { noCopy: true } : {}),
    labels: volume?.textMap('Labels') ?? {},
    ...driverOptionsIn(volume?.struct('DriverConfig')),
    ...(size === 0 ? {} : { size }),
    ...(mode === 0 ? {} : { mode }),
    groups: new Set(),
  };
}

/** Throws INVALID for another driver. */
function driverOptionsIn(driver: GoStruct | undefined): Pick<MountFields, 'options'> {
  const name = driver?.text('Name') ?? '';
  if (name !== '' && name !== 'local')
    throw new EngineError(404, `error looking up volume plugin ${name}: plugin "${name}" not found`);
  const options = driver?.textMap('Options') ?? {};
  return Object.keys(options).length === 0 ? {} : { options };
}

function recursionIn(bind: GoStruct | undefined): Pick<MountFields, 'recursive'> {
  if (bind?.flag('NonRecursive')) return { recursive: 'disabled' };
  if (bind?.flag('ReadOnlyNonRecursive')) return { recursive: 'writable' };
  return bind?.flag('ReadOnlyForceRecursive') ? { recursive: 'readonly' } : {};
}
