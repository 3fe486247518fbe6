import { expect, test } from 'vitest';
import { aResult, aState } from '../../test/builders/health.ts';
import { createFakeClock } from '../../test/fakes/clock.ts';
import type { ContainerContext } from '../container/context.ts';
import { silentLogger } from '../lib/logger.ts';
import type { KnownContainer } from '../monitor/host-model.ts';
import type { Duties } from './duties.ts';
import { monitorHooksOf } from './monitor-hooks.ts';

const WEB = {
  namespace: 'default',
  id: 'c1',
  record: { labels: { 'nerdctl/name': 'web' } },
} as unknown as KnownContainer;

/** Duties that only record the calls they get. */
function setUp() {
  const called: string[] = [];
  const note = (what: string) => void called.push(what);
  const duties = {
    hub: { applyList: () => note('hub.applyList'), receive: () => note('hub.receive') },
    hooks: { enqueue: ({ event }: { event: string }) => note(`hooks.enqueue ${event}`) },
    alerts: { onChange: () => note('alerts.onChange'), onLive: () => note('alerts.onLive') },
    adoption: { forget: () => note('adoption.forget') },
    afterExit: { onExit: async () => note('afterExit.onExit'), onGone: async () => note('afterExit.onGone') },
    outputIndexer: { onChange: () => note('outputIndexer.onChange') },
    networkRepair: { attachMissed: async () => note('networkRepair.attachMissed') },
    nameServers: { follow: () => note('nameServers.follow'), onExit: () => note('nameServers.onExit') },
    supervisor: { onChange: () => note('supervisor.onChange'), onResult: () => note('supervisor.onResult') },
    healthChanges: { notify: (names: readonly string[]) => note(`healthChanges.notify ${names}`) },
    memoryReleaser: { onStarted: () => note('memoryReleaser.onStarted') },
    historyNotes: {
      onResult: () => note('historyNotes.onResult'),
      onChange: () => note('historyNotes.onChange'),
      onGone: () => note('historyNotes.onGone'),
      onLive: () => note('historyNotes.onLive'),
    },
    live: { onResult: () => {}, onChange: () => {}, onGone: () => {} },
    clearForeignStopNotes: () => note('clearForeignStopNotes'),
    metrics: { onLive: () => {}, onEvent: () => {}, onGone: () => {}, onExit: () => {}, onResult: () => {} },
  } as unknown as Duties;
  const events = { publish: async () => note('publish') };
  const hooks = monitorHooksOf({
    ...{ duties, clock: createFakeClock(), log: silentLogger, onLive: () => note('onLive') },
    contextOf: () => ({ containerd: { events } }) as unknown as ContainerContext,
    model: { get: (key: string) => (key === 'default/c1' ? WEB : undefined), all: () => [WEB] } as never,
  });
  return { hooks, called };
}

test('a change is passed to subscribers, by key and name, to the supervisor, the log indexer, the history, and alerts', () => {
  const { hooks, called } = setUp();
  hooks.onChange('default/c1');
  expect(called).toEqual([
    'healthChanges.notify default/c1,default/web',
    'supervisor.onChange',
    'outputIndexer.onChange',
    'historyNotes.onChange',
    'alerts.onChange',
  ]);
});

test('without a record, a container is known by its key only', async () => {
  const { hooks, called } = setUp();
  hooks.onChange('default/other');
  await hooks.onGone(WEB);
  expect(called).toEqual([
    ...['healthChanges.notify default/other', 'supervisor.onChange', 'outputIndexer.onChange', 'alerts.onChange'],
    ...['adoption.forget', 'historyNotes.onGone', 'healthChanges.notify default/c1,default/web', 'afterExit.onGone'],
  ]);
});

test('hooks are called for healthy and unhealthy, but not for starting', () => {
  const { hooks, called } = setUp();
  for (const status of ['starting', 'unhealthy', 'healthy'] as const)
    hooks.onStatus(WEB, aState({ status }), aResult());
  expect(called.filter((what) => what.startsWith('hooks'))).toEqual([
    'hooks.enqueue unhealthy',
    'hooks.enqueue healthy',
  ]);
});

test('a start also repairs the network; other events go to subscribers only', () => {
  const { hooks, called } = setUp();
  const event = { namespace: 'default', id: 'c1', atMs: 0 };
  hooks.onEvent({ ...event, kind: 'task-started', pid: 1 } as never);
  hooks.onEvent({ ...event, kind: 'task-paused' } as never);
  const started = ['memoryReleaser.onStarted', 'nameServers.follow', 'networkRepair.attachMissed'];
  expect(called).toEqual(['hub.receive', ...started, 'hub.receive']);
});

test('after the first list, containers that another tool started are attached to their networks', () => {
  const { hooks, called } = setUp();
  hooks.onLive?.();
  expect(called).toEqual(['onLive', 'historyNotes.onLive', 'alerts.onLive', 'networkRepair.attachMissed']);
});
