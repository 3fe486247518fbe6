import { expect, test } from 'vitest';
import { ownRecord } from '../../../test/builders/listed.ts';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import type { ContainerContext } from '../../container/context.ts';
import type { Settings } from '../../lib/settings.ts';
import type { KnownContainer } from '../../monitor/host-model.ts';
import type { Monitor } from '../../monitor/monitor.ts';
import { compactRecordOf } from '../../record/compact-record.ts';
import { createService } from './service.ts';

const container = {
  ...{ namespace: 'default', id: 'c1', record: compactRecordOf(ownRecord({ id: 'c1' })), config: undefined },
  stored: { state: undefined, log: [] },
} as unknown as KnownContainer;

const serviceWith = (nextCheckAtMs: number | undefined, clock = createFakeClock()) =>
  createService({
    monitor: {
      isLive: true,
      model: { all: () => [container] },
      nextCheckAtMs: () => nextCheckAtMs,
    } as unknown as Monitor,
    contextOf: () => ({}) as ContainerContext,
    clock,
    settings: { monitor: { namespaces: [] } } as unknown as Settings,
    ...{ startedAtMs: 0, isAutostarted: false, identity: { id: 'm', program: 'p' } },
    ...{ isRestarting: () => false, dockerApi: () => undefined, nextRestartAtMs: () => undefined },
  });

test('a list has the wall time of the next check', async () => {
  const clock = createFakeClock();
  await clock.advance(5_000);
  expect(serviceWith(7_500, clock).list('default')).toMatchObject([{ nextCheckAt: '2026-01-01T00:00:07.5Z' }]);
  expect(serviceWith(undefined).list('default')).toMatchObject([{ nextCheckAt: null }]);
});
