import { HealthctlError } from '../../lib/errors.ts';
import type { Bind } from '../../oci/mounts.ts';
import type { ContainerContext } from '../context.ts';

/**
 * A bind of a directory above or below our data, which has mounts that come and go: as in Docker (moby:
 * daemon/container_operations_unix.go, daemon/volumes_unix.go) they must also go in the container, or they stay busy. So
 * it gets the propagation `rslave` if none was given.
 *
 * @throws INVALID with Docker's text for one that was given and keeps them
 */
export function withRootPropagation({ dirs: { dataRoot } }: Pick<ContainerContext, 'dirs'>, bind: Bind): Bind {
  const { source, propagation, mode = '', mount } = bind;
  const isAbove = source === '/' || dataRoot === source || dataRoot.startsWith(`${source}/`);
  if (!isAbove && !source.startsWith(`${dataRoot}/`)) return bind;
  if (propagation === 'rslave' || propagation === 'rshared') return bind;
  const isGiven = mode.split(',').includes(propagation) || mount?.hasPropagation === true;
  if (!isGiven) return { ...bind, propagation: 'rslave' };
  throw new HealthctlError(
    'INVALID',
    `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "${dataRoot}", bind mount source: "${source}", propagation: "${propagation}"`,
  );
}
