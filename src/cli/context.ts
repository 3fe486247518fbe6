import type { ContainerContext } from '../container/context.ts';
import type { World } from '../world.ts';

/** The slice of the world that container commands use. */
export type ContainerWorld = Pick<World, 'containerd' | 'clock' | 'log' | 'settings' | 'signal' | 'env'>;

/** The same world with another namespace, of the same containerd. */
export function worldIn<W extends Pick<World, 'containerd' | 'settings'>>(world: W, namespace: string): W {
  return {
    ...world,
    settings: { ...world.settings, namespace },
    containerd: async () => (await world.containerd()).inNamespace(namespace),
  };
}

/**
 * Creates the context of container use cases: the only mapping from settings to it. Nothing is asked of containerd yet.
 */
export async function openContainers(world: Omit<ContainerWorld, 'signal' | 'env'>): Promise<ContainerContext> {
  const { clock, log, settings } = world;
  const { runRoot, dataRoot, nerdctlDataRoot, snapshotter, healthLogEntries, network } = settings;
  const [containerd, { createContainerContext }] = await Promise.all([
    world.containerd(),
    import('../container/context.ts'),
  ]);
  return createContainerContext({
    containerd,
    clock,
    log,
    dirs: { runRoot, dataRoot, nerdctlDataRoot },
    snapshotter,
    healthLogEntries,
    network,
  });
}
