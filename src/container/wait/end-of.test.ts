import { expect, test } from 'vitest';
import { createFakeContainer } from '../../../test/fakes/container.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { ContainerContext } from '../context.ts';
import { waitContainer } from './wait-exit.ts';

const closed = () => new HealthctlError('UNKNOWN', 'the shim has closed the connection');
const gone = () => new HealthctlError('NOT_FOUND', 'no task');

/** A wait that fails in these ways, one after the other; the last one repeats. */
function waiting(...failures: (() => HealthctlError)[]) {
  const fake = createFakeContainer();
  const view = fake.view();
  let waits = 0;
  const wait = async () => {
    waits += 1;
    throw (failures[waits - 1] ?? failures.at(-1) ?? gone)();
  };
  const { tasks, ...containerd } = fake.ctx.containerd;
  const ctx = {
    ...fake.ctx,
    containerd: { ...containerd, tasks: { ...tasks, wait, find: async () => undefined } },
  } as ContainerContext;
  return { ...fake, code: waitContainer(ctx, view) };
}

test('a wait continues when the shim dies, and returns 255, the code known by then', async () => {
  const { code, clock } = waiting(closed, closed, gone);
  await clock.advance(300);
  expect(await code).toBe(255);
});

test('a wait for a shim that keeps dying ends after ten seconds', async () => {
  const { code, clock } = waiting(closed);
  const failed = expect(code).rejects.toMatchObject({ code: 'UNKNOWN' });
  await clock.advance(11_000);
  await failed;
});

test('a wait for a container that was removed meanwhile returns 0', async () => {
  const { code, current } = waiting(gone);
  current.isRemoved = true;
  expect(await code).toBe(0);
});
