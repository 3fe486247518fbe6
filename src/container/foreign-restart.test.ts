import { expect, test } from 'vitest';
import { aTask } from '../../test/builders/container.ts';
import { ownRecord } from '../../test/builders/listed.ts';
import { createFakeClock } from '../../test/fakes/clock.ts';
import type { ContainerContext } from './context.ts';
import { waitForForeignRestart } from './foreign-restart.ts';

const LABEL = 'containerd.io/restart.explicitly-stopped';
/** More than any wait for a restart takes. */
const LONG_MS = 30_000;

/**
 * Whether the container counts as started again, and how long that took.
 *
 * @param seen the states of its task, 100 ms apart; the last one from then on; `none`: there is no task
 */
async function outcomeOf(label: string | undefined, seen: readonly ('running' | 'stopped' | 'none')[]) {
  const clock = createFakeClock();
  const { labels } = ownRecord();
  const record = ownRecord({ labels: label === undefined ? labels : { ...labels, [LABEL]: label } });
  let asked = 0;
  const find = async () => {
    const status = seen[Math.min(asked++, seen.length - 1)] ?? 'none';
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

test('a container that nerdctl never touched is not waited for', async () => {
  expect(await outcomeOf(undefined, ['stopped'])).toEqual({ isRestarted: false, tookMs: 0 });
});

test.each([
  ['between its stop and its start', 'true', ['stopped', 'stopped', 'none', 'none', 'running']],
  ['when nerdctl has begun to start it', 'false', ['stopped', 'stopped', 'none', 'running']],
  ['when the old task is deleted already', 'false', ['none', 'none', 'none', 'stopped', 'stopped', 'running']],
  ['when it runs again', undefined, ['running']],
] as const)('a restart is seen %s', async (_, label, seen) => {
  expect(await outcomeOf(label, seen)).toMatchObject({ isRestarted: true });
});

test.each(['true', 'false'])('an end that stays one is waited for 2 s, with the label %s', async (label) => {
  expect(await outcomeOf(label, ['stopped'])).toEqual({ isRestarted: false, tookMs: 2_000 });
});
