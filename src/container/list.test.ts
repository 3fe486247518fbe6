import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { createFakeTransport } from '../../test/fakes/transport.ts';
import { connectOver } from '../containerd/client.ts';
import { silentLogger } from '../lib/logger.ts';
import { createMemoryHealthStore } from '../store/memory-health-store.ts';
import type { ContainerContext } from './context.ts';
import { listContainers } from './list.ts';

function setUp(count: number) {
  const ids = Array.from({ length: count }, (_, i) => `c${i}`);
  const labels = { 'nerdctl/healthcheck': '{"Test":["CMD","true"]}' };
  const transport = createFakeTransport({
    'Containers/ListStream': () =>
      ids.map((id, i) => ({ container: { id, labels, createdAt: { seconds: i + 1, nanos: 0 }, extensions: {} } })),
    'Tasks/List': () => ({
      tasks: ids.map((id) => ({ containerId: '', id, pid: process.pid, status: 2, exitStatus: 0 })),
    }),
  });
  const ctx: ContainerContext = {
    containerd: connectOver(transport, { address: '/x', namespace: 'ns' }),
    clock: createFakeClock(),
    log: silentLogger,
    store: createMemoryHealthStore(),
    dirs: { hostId: 'x', runRoot: '/nonexistent', dataRoot: '/nonexistent', nerdctlDataRoot: '/nonexistent' },
    endNerdctlTimer: async () => true,
    snapshotter: 'overlayfs',
    network: { defaultNetwork: 'none', bridgeSubnet: undefined, cniBinDir: undefined },
  };
  return { ctx, transport };
}

test.each([1, 200])('lists %d containers with two calls, the newest first', async (count) => {
  const { ctx, transport } = setUp(count);
  const listed = await listContainers(ctx);
  expect([...transport.calls].sort()).toEqual(['Containers/ListStream', 'Tasks/List']);
  expect(listed).toHaveLength(count);
  expect(listed[0]).toMatchObject({
    view: { name: `c${count - 1}`, state: 'running' },
    health: { state: { status: 'starting' } },
  });
});
