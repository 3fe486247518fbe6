import { HealthctlError } from '../../lib/errors.ts';
import type { Bind, Propagation, VolumeRequest } from '../../oci/mounts.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import { detailsOf } from '../../record/details.ts';
import type { MountPoint } from '../../record/mount-point.ts';
import { storedConfigOf } from '../../record/stored-config.ts';
import type { ContainerContext } from '../context.ts';
import { resolveContainer } from '../resolve.ts';

const PROPAGATIONS: readonly Propagation[] = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

/**
 * A request with the volumes and host paths of other containers (`--volumes-from`), at the same paths. What the request
 * mounts itself at such a path comes first; of several containers the last.
 *
 * @param texts `CONTAINER[:ro|rw]`
 * @throws INVALID for another mode; NOT_FOUND and AMBIGUOUS for a container, in Docker's words
 */
export async function withVolumesFrom(
  ctx: Pick<ContainerContext, 'containerd'>,
  request: CreateRequest,
  { texts, signal }: { readonly texts: readonly string[]; readonly signal: AbortSignal },
): Promise<CreateRequest> {
  if (texts.length === 0) return request;
  const own = [...request.volumes, ...request.binds, ...request.tmpfs];
  const taken = new Set(own.map(({ destination }) => destination));
  const inherited = new Map<string, Inherited>();
  for (const text of texts) {
    const { container, readOnly } = parseVolumesFrom(text);
    const record = await resolveContainer(ctx.containerd, container, { signal });
    for (const mount of detailsOf(record).mounts) {
      if (mount.Type === 'tmpfs' || taken.has(mount.Destination)) continue;
      const part = storedConfigOf(record)?.VolumeParts?.[mount.Destination];
      const access = { RW: mount.RW && !readOnly };
      inherited.set(mount.Destination, { ...mount, ...access, ...(part === undefined ? {} : { part }) });
    }
  }
  const mounts = [...inherited.values()];
  return {
    ...request,
    volumes: [...request.volumes, ...mounts.flatMap(volumeFrom)],
    binds: [...request.binds, ...mounts.flatMap(bindFrom)],
    shownHostConfig: { ...request.shownHostConfig, VolumesFrom: texts },
  };
}

/** moby: volume/mounts/linux_parser.go, ParseVolumesFrom. */
function parseVolumesFrom(text: string): { readonly container: string; readonly readOnly: boolean } {
  if (text === '') throw new HealthctlError('INVALID', 'volumes-from specification cannot be an empty string');
  const [container = '', mode = ''] = text.split(/:(.*)/s, 2);
  const words = mode === '' ? [] : mode.split(',');
  if (words.every((word) => ['ro', 'rw', 'z', 'Z'].includes(word)))
    return { container, readOnly: words.includes('ro') };
  throw new HealthctlError('INVALID', `invalid mode: ${mode}`);
}

type Inherited = MountPoint & { readonly part?: string };

function volumeFrom({ Type, Name, Destination, RW, part }: Inherited): readonly VolumeRequest[] {
  if (Type !== 'volume' || Name === undefined) return [];
  const volume = { name: Name, destination: Destination, readOnly: !RW, noCopy: true, labels: {} };
  return [{ ...volume, ...(part === undefined ? {} : { part }), isInherited: true }];
}

function bindFrom({ Type, Source, Destination, RW, Propagation: given }: MountPoint): readonly Bind[] {
  if (Type !== 'bind') return [];
  const propagation = PROPAGATIONS.find((known) => known === given) ?? 'rprivate';
  return [{ source: Source, destination: Destination, readOnly: !RW, propagation, isInherited: true }];
}
