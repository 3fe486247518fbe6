import { expect, test } from 'vitest';
import { aTask } from '../../../test/builders/container.ts';
import { aStoredConfig, ownRecord } from '../../../test/builders/listed.ts';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import type { ContainerContext } from '../../container/context.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { compactRecordOf } from '../../record/compact-record.ts';
import type { KnownContainer } from '../host-model.ts';
import { createAfterExit } from './after-exit.ts';

test('reports no error for a container that was removed before its ended run was recorded', async () => {
  const clock = createFakeClock();
  const get = async () => {
    throw new HealthctlError('NOT_FOUND', 'container "c1": not found');
  };
  const dirs = { hostId: 'x', runRoot: '/nonexistent', dataRoot: '/nonexistent', nerdctlDataRoot: '/nonexistent' };
  const contextOf = () =>
    ({ clock, dirs, containerd: { namespace: 'ns', containers: { get } } }) as unknown as ContainerContext;
  const afterExit = createAfterExit({ contextOf, clock, log: { warn: () => {}, debug: () => {} } });
  const container: KnownContainer = {
    ...{ namespace: 'ns', id: 'c1', record: compactRecordOf(ownRecord({ id: 'c1' }, aStoredConfig())) },
    ...{ config: undefined, damage: undefined, processJson: undefined, run: undefined, isStartSeen: false },
    ...{ isOutOfMemory: false, task: aTask({ status: 'stopped' }), stored: { log: [], state: undefined } },
  };
  const done = afterExit.onExit(container, { code: 1, atMs: 5 });
  await clock.advance(2_000);
  await expect(done).resolves.toBeUndefined();
});

test.each([
  ['was not seen to start gets a moment: it may never have run', false, 200],
  ['was seen to start gets a second', true, 1_100],
])('the record of a run that %s', async (_what, isStartSeen, limitMs) => {
  const clock = createFakeClock();
  const record = ownRecord({ id: 'c1' }, aStoredConfig());
  const dirs = { hostId: 'x', runRoot: '/nonexistent', dataRoot: '/nonexistent', nerdctlDataRoot: '/nonexistent' };
  const contextOf = () =>
    ({
      ...{ clock, dirs },
      containerd: { namespace: 'ns', containers: { get: async () => record } },
    }) as unknown as ContainerContext;
  const afterExit = createAfterExit({ contextOf, clock, log: { warn: () => {}, debug: () => {} } });
  let isDone = false;
  const container: KnownContainer = {
    ...{ namespace: 'ns', id: 'c1', record: compactRecordOf(record), isStartSeen },
    ...{ config: undefined, damage: undefined, processJson: undefined, run: undefined },
    ...{ isOutOfMemory: false, task: aTask({ pid: 77, status: 'stopped' }), stored: { log: [], state: undefined } },
  };
  void afterExit.onExit(container, { code: 1, atMs: 5 }).then(() => {
    isDone = true;
  });
  await clock.advance(limitMs / 2);
  expect(isDone).toBe(false);
  await clock.advance(limitMs / 2);
  expect(isDone).toBe(true);
});
