import { expect, test } from 'vitest';
import { aTask } from '../../test/builders/container.ts';
import { ownRecord } from '../../test/builders/listed.ts';
import { createFakeClock } from '../../test/fakes/clock.ts';
import type { ContainerContext } from './context.ts';
import { waitForForeignRestart } from './foreign-restart.ts';

const LABEL = 'containerd.io/restart.explicitly-stopped';
/** Longer than any wait for a restart. */
const LONG_MS = 30_000;

/**
 * Whether the container counts as restarted, and how long the decision took.
 *
 * @param seen the states of its task, at intervals of 100 ms; the last one repeats; `none`: there is no task
 */
async function outcomeOf(label: string | undefined, seen: readonly ('running' | 'stopped' | 'none')[]) {
  const clock = createFakeClock();
  const { labels } = ownRecord();
  const record = ownRecord({ labels: label === undefined ? labels : { ...labels, [LABEL]: label } });
  let lookups = 0;
  const find = async () => {
    const status = seen[Math.min(lookups++, seen.length - 1)] ?? 'none';
    return status === 'none' ? undefined : aTask({ status });
  };
  const ctx = { clock, containerd: { containers: { get: async () => record }, tasks: { find } } };
  let tookMs = -1;
  const isRestarted = waitForForeignRestart(ctx as unknown as ContainerContext, record.id).then((result) => {
    tookMs = clock.monotonic();
    return result;
  });
  await clock.advance(LONG_MS);
  return { isRestarted: await isRestarted, tookMs };
}

test('does not wait for a container that nerdctl never touched', async () => {
  expect(await outcomeOf(undefined, ['stopped'])).toEqual({ isRestarted: false, tookMs: 0 });
});

test.each([
  ['between its stop and its start', 'true', ['stopped', 'stopped', 'none', 'none', 'running']],
  ['once nerdctl has begun the start', 'false', ['stopped', 'stopped', 'none', 'running']],
  ['once the old task is deleted', 'false', ['none', 'none', 'none', 'stopped', 'stopped', 'running']],
  ['once it runs again', undefined, ['running']],
] as const)('recognises a restart %s', async (_, label, seen) => {
  expect(await outcomeOf(label, seen)).toMatchObject({ isRestarted: true });
});

test.each(['true', 'false'])('waits 2 s for a restart that does not come, with the label %s', async (label) => {
  expect(await outcomeOf(label, ['stopped'])).toEqual({ isRestarted: false, tookMs: 2_000 });
});
