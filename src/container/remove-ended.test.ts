import { expect, test } from 'vitest';
import { aTask } from '../../test/builders/container.ts';
import { aStoredConfig, ownRecord } from '../../test/builders/listed.ts';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import type { ContainerContext } from './context.ts';
import { removeEnded } from './remove-ended.ts';
import { restartNote } from './wait/comeback.ts';

/**
 * Whether the container would be removed after its end, with this record of a stop.
 *
 * @param seen the states of its task at each lookup; the last one repeats
 */
async function isRemoved(
  stopped: string | undefined,
  autoRemove = true,
  seen: readonly ('running' | 'stopped')[] = ['stopped'],
): Promise<boolean> {
  const stored = aStoredConfig({ HostConfig: { NetworkMode: 'none', AutoRemove: autoRemove } });
  const { labels } = ownRecord();
  const noted = stopped === undefined ? labels : { ...labels, 'healthctl/stopped': stopped };
  const record = ownRecord({ labels: { ...noted, 'healthctl/started': '{}' } }, stored);
  let lookups = 0;
  const status = () => seen[Math.min(lookups++, seen.length - 1)];
  const ctx = {
    clock: createFakeClock(),
    log: silentLogger,
    dirs: { hostId: 'host', runRoot: '/dev/null/none', dataRoot: '/dev/null/none', nerdctlDataRoot: '/dev/null/none' },
    containerd: {
      namespace: 'default',
      containers: { get: async () => record },
      tasks: { find: async () => aTask({ status: status() ?? 'stopped', exitStatus: 0 }) },
    },
  } as unknown as ContainerContext;
  // A removal takes a lock first, which fails here.
  return removeEnded(ctx, record.id).then(
    () => false,
    () => true,
  );
}

test('removes a container with --rm after its end', async () => {
  expect(await isRemoved(undefined)).toBe(true);
  expect(await isRemoved('2026-01-01T00:00:00Z')).toBe(true);
  expect(await isRemoved(undefined, false)).toBe(false);
});

test('keeps a container that is being restarted', async () => {
  expect(await isRemoved(restartNote('2026-01-01T00:00:00Z'))).toBe(false);
});

test('keeps a container that another tool has started again, even if it ended again: that end is handled by itself', async () => {
  expect(await isRemoved(undefined, true, ['running', 'stopped'])).toBe(false);
});
