import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import type { Containerd } from '../containerd/client.ts';
import { silentLogger } from '../lib/logger.ts';
import { type ContainerWorld, openContainers, worldIn } from './context.ts';

test('for another namespace, the context uses another connection to containerd', async () => {
  const connection = (namespace: string) =>
    ({ namespace, address: '/a.sock', inNamespace: connection }) as unknown as Containerd;
  const world = {
    clock: createFakeClock(),
    log: silentLogger,
    settings: { namespace: 'default' },
    containerd: async () => connection('default'),
  } as unknown as ContainerWorld;
  expect((await openContainers(worldIn(world, 'other'))).containerd.namespace).toBe('other');
});
