import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aRecord, aTask } from '../../../test/builders/container.ts';
import { aConfig, aResult, aRun, aState } from '../../../test/builders/health.ts';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import type { HealthStatus, StoredHealth } from '../../health/state.ts';
import type { UrlHookSettings } from '../../lib/settings.ts';
import type { KnownContainer } from '../../monitor/host-model.ts';
import { compactRecordOf } from '../../record/compact-record.ts';
import { hookEventOf } from '../hooks/hook-event.ts';
import { createAlerts } from './alerts.ts';
import type { PostOutcome } from './retry.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'healthctl-alerts-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const aHook = (over: Partial<UrlHookSettings> = {}): UrlHookSettings => ({
  ...{
    url: 'https://example.org/secret-path',
    on: ['unhealthy', 'healthy', 'restart'],
    format: 'json',
    timeoutMs: 10_000,
  },
  ...{
    retries: 2,
    body: undefined,
    contentType: 'application/json',
    headers: {},
    secretFile: undefined,
    caFile: undefined,
  },
  ...{ minIntervalMs: 60_000, labels: {}, priority: 4 },
  ...over,
});
const aKnown = (status: HealthStatus = 'healthy', over: Partial<KnownContainer> = {}): KnownContainer => ({
  ...{ namespace: 'default', id: 'c1', config: aConfig(), damage: undefined, processJson: undefined },
  record: compactRecordOf(aRecord({ id: 'c1', labels: { 'nerdctl/name': 'web' } })),
  ...{ task: aTask(), run: aRun(), isStartSeen: true, isOutOfMemory: false },
  stored: { log: [aResult(0, status === 'healthy' ? 0 : 1)], state: aState({ status, run: aRun().id }) },
  ...over,
});
const KEY = 'default/c1';
const answered = (status: number, text = ''): PostOutcome => ({
  kind: 'answered',
  status,
  retryAfter: undefined,
  text,
});

function setUp(...hooks: UrlHookSettings[]) {
  const clock = createFakeClock();
  const [requests, logged]: [Record<string, unknown>[], string[]] = [[], []];
  const now = {
    outcome: answered(200),
    hangs: false,
    stored: async (): Promise<StoredHealth | undefined> => undefined,
  };
  const alerts = createAlerts({
    ...{ hooks, clock, path: join(directory, 'alerts.json'), healthOf: () => now.stored() },
    log: { info: (text) => logged.push(text), warn: (text) => logged.push(text) },
    post:
      () =>
      async ({ body }, signal) => {
        requests.push({ at: clock.monotonic(), ...(JSON.parse(body) as object) });
        if (now.hangs) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        return now.hangs ? { kind: 'failed', isReached: true, reason: 'cancelled' } : now.outcome;
      },
  });
  const emit = (event: 'unhealthy' | 'healthy' | 'restart', container = aKnown()): void =>
    alerts.enqueue(hookEventOf(container, clock.now(), { event, failingStreak: 3, exitCode: 1, output: 'refused\n' }));
  const events = (): readonly unknown[] => requests.map(({ at, event }) => `${event}@${at}`);
  return { clock, requests, logged, now, alerts, emit, events };
}

test('posts the event, its host, and since when the container is unhealthy', async () => {
  const { clock, requests, emit, alerts } = setUp(aHook());
  emit('unhealthy');
  await clock.advance(10);
  emit('healthy');
  await clock.advance(60_000);
  const common = { namespace: 'default', id: 'c1', name: 'web', image: 'docker.io/library/demo:1' };
  const facts = { host: expect.any(String), failingStreak: 3, exitCode: 1, output: 'refused\n' };
  expect(requests).toEqual([
    { at: 0, event: 'unhealthy', time: '2026-01-01T00:00:00Z', ...common, ...facts },
    {
      ...{ at: 60_000, event: 'healthy', time: '2026-01-01T00:00:00.01Z', ...common, ...facts },
      unhealthySince: '2026-01-01T00:00:00Z',
    },
  ]);
  await alerts.stop();
});

test.each([
  ['removed', undefined, 0],
  ['without a check', aKnown('unhealthy', { config: undefined }), 0],
  ['ended', aKnown('unhealthy', { run: undefined }), 5_000],
  ['found healthy', aKnown('healthy'), 1_000],
])('resolves an unhealthy container that is %s', async (_what, container, afterMs) => {
  const { clock, emit, alerts, events } = setUp(aHook({ minIntervalMs: 0 }));
  emit('unhealthy');
  alerts.onChange(KEY, aKnown('unhealthy'));
  await clock.advance(10);
  alerts.onChange(KEY, container);
  await clock.advance(10_000);
  expect(events()).toEqual([
    'unhealthy@0',
    `${container?.run && container.config ? 'healthy' : 'gone'}@${10 + afterMs}`,
  ]);
});

test('sends a container that is found unhealthy once', async () => {
  const { clock, alerts, events } = setUp(aHook());
  for (let i = 0; i < 5; i += 1) {
    alerts.onChange(KEY, aKnown('unhealthy'));
    alerts.onChange('default/c2', aKnown('healthy', { id: 'c2' }));
    await clock.advance(100_000);
  }
  expect(events()).toEqual(['unhealthy@1000']);
});

test('adds the output of a result that follows', async () => {
  const { clock, alerts, emit, requests } = setUp(aHook());
  alerts.onChange(KEY, aKnown('unhealthy'));
  await clock.advance(10);
  emit('unhealthy');
  await clock.advance(5_000);
  expect(requests).toMatchObject([{ at: 10, event: 'unhealthy', output: 'refused\n' }]);
});

/** As the monitor keeps it: without the output. */
const aFound = (): KnownContainer =>
  aKnown('unhealthy', {
    stored: { log: [{ ...aResult(0, 4), output: '' }], state: aState({ status: 'unhealthy', run: aRun().id }) },
  });
const STORED: StoredHealth = {
  log: [aResult(0, 4), { ...aResult(30, 7), output: 'disk full\n' }],
  state: aState({ status: 'unhealthy', failingStreak: 9 }),
};

test.each(['json', 'slack', 'ntfy', 'alertmanager'] as const)(
  '%s: adds the stored output to a state that is found',
  async (format) => {
    const { clock, alerts, requests, now } = setUp(aHook({ format, url: 'https://example.org/topic' }));
    now.stored = async () => STORED;
    alerts.onChange(KEY, aFound());
    await clock.advance(2_000);
    expect(requests).toHaveLength(1);
    const text = JSON.stringify(requests);
    expect(text).toContain('disk full');
    if (format === 'json') expect(requests).toMatchObject([{ failingStreak: 9, exitCode: 7, output: 'disk full\n' }]);
    await alerts.stop();
  },
);

test.each([
  ['another state is stored', async () => ({ ...STORED, state: aState({ status: 'healthy' }) }), []],
  ['none is stored', async () => undefined, []],
  [
    'it cannot be read',
    async () => Promise.reject(new Error('EIO')),
    ['container default/web (c1): its stored health could not be read: EIO'],
  ],
])('a found state is sent without an output if %s', async (_what, stored, warnings) => {
  const { clock, alerts, requests, now, logged } = setUp(aHook());
  now.stored = stored;
  alerts.onChange(KEY, aFound());
  await clock.advance(2_000);
  expect(requests).toMatchObject([{ event: 'unhealthy', exitCode: 4, output: '' }]);
  expect(logged).toEqual(warnings);
  await alerts.stop();
});

test('an alert of an earlier monitor is sent again with the stored output', async () => {
  const hook = aHook({ format: 'alertmanager' });
  const first = setUp(hook);
  first.emit('unhealthy');
  await first.clock.advance(10);
  await first.alerts.stop();
  const { clock, alerts, requests, now } = setUp(hook);
  now.stored = async () => STORED;
  alerts.onLive(() => aFound());
  await clock.advance(1_000);
  expect(JSON.stringify(requests)).toContain('disk full');
  await alerts.stop();
});

test('a container that is missing in a complete list counts as gone', async () => {
  const { clock, alerts, emit, events } = setUp(aHook());
  emit('unhealthy');
  await clock.advance(70_000);
  alerts.onLive(() => undefined);
  await clock.advance(10);
  expect(events()).toEqual(['unhealthy@0', 'gone@70000']);
});

test('logs failures without secrets of the webhook', async () => {
  const { clock, logged, emit, now, alerts } = setUp(
    aHook({ retries: 0, headers: { Authorization: 'Bearer s3cr3t-token' } }),
  );
  now.outcome = answered(403, 'no /secret-path for s3cr3t-token\u001b[2J\nmore');
  emit('unhealthy');
  await clock.advance(1);
  now.outcome = answered(500);
  emit('unhealthy', aKnown('healthy', { id: 'c2' }));
  await clock.advance(1);
  expect(logged).toEqual([
    'hook 1 (https://example.org) for unhealthy of container default/web (c1) failed: it answered 403: no /*** for ***\\x1b[2J',
    'hook 1 (https://example.org) for unhealthy of container default/web (c2) failed; given up: it answered 500',
  ]);
  await alerts.stop();
});

test('a hanging server delays no other hook, and not the end', async () => {
  const { clock, requests, logged, emit, now, alerts } = setUp(aHook(), aHook());
  now.hangs = true;
  emit('unhealthy');
  await clock.advance(1);
  expect(requests).toHaveLength(2);
  const stopped = alerts.stop();
  await clock.advance(3_000);
  await stopped;
  expect(logged).toEqual([1, 2].map((n) => `hook ${n} (https://example.org): 1 event not delivered: the monitor ends`));
  expect(clock.sleepers).toBe(0);
});

test('retries once more at the end what still waits', async () => {
  const { clock, emit, alerts, events } = setUp(aHook());
  for (const event of ['unhealthy', 'healthy', 'restart'] as const) emit(event);
  await clock.advance(1_000);
  await alerts.stop();
  emit('unhealthy');
  await clock.advance(100_000);
  expect(events()).toEqual(['unhealthy@0', 'healthy@1000']);
  expect(clock.sleepers).toBe(0);
});

test('ignores hooks that are programs', async () => {
  const { clock, alerts } = setUp();
  const event = hookEventOf(aKnown(), clock.now(), { event: 'unhealthy' });
  createAlerts({
    hooks: [{ command: ['/x'], on: ['unhealthy'], timeoutMs: 1, retries: 0 }],
    ...{ clock, path: '/nonexistent', log: { info: () => {}, warn: () => {} }, healthOf: async () => undefined },
  }).enqueue(event);
  await alerts.stop();
  expect(clock.sleepers).toBe(0);
});

test('the next monitor resolves what is over, and does not repeat what is not', async () => {
  const first = setUp(aHook());
  for (const id of ['c1', 'c2', 'c3']) first.emit('unhealthy', aKnown('unhealthy', { id }));
  await first.clock.advance(10);
  await first.alerts.stop();
  const { clock, alerts, requests } = setUp(aHook());
  const now = new Map([
    [KEY, aKnown('unhealthy')],
    ['default/c2', aKnown('healthy', { id: 'c2' })],
  ]);
  alerts.onLive((key) => now.get(key));
  await clock.advance(10_000);
  expect(requests.map(({ id, event }) => `${id} ${event}`)).toEqual(['c3 gone', 'c2 healthy']);
  expect(requests[0]).toMatchObject({ name: 'web', reason: 'it was removed', unhealthySince: '2026-01-01T00:00:00Z' });
  await alerts.stop();
});

test('Alertmanager gets firing alerts every minute, until they end', async () => {
  const { clock, alerts, emit, requests, now } = setUp(aHook({ format: 'alertmanager', minIntervalMs: 0 }));
  emit('unhealthy');
  await clock.advance(30_000);
  emit('unhealthy', aKnown('unhealthy', { id: 'c2' }));
  await clock.advance(40_000);
  emit('healthy');
  await clock.advance(1);
  now.outcome = answered(503);
  await clock.advance(70_000);
  emit('healthy', aKnown('healthy', { id: 'c2' }));
  now.outcome = answered(200);
  await clock.advance(300_000);
  const shown = requests.map(({ at, ...alerts }) => [
    at,
    ...Object.values(alerts as Record<string, { labels: { container_id: string }; endsAt: string }>).map(
      ({ labels, endsAt }) => `${labels.container_id} ${Date.parse(endsAt) - Date.parse('2026-01-01T00:00:00Z')}`,
    ),
  ]);
  expect(shown).toEqual([
    [0, 'c1 240000'],
    [30_000, 'c2 270000'],
    [60_000, 'c1 300000', 'c2 300000'],
    [70_000, 'c1 70000'],
    [120_000, 'c2 360000'],
    [135_000, 'c2 375000'],
    [140_001, 'c2 140001'],
  ]);
  await alerts.stop();
});

test.each([
  ['sends again what holds', aKnown('unhealthy'), 'unhealthy'],
  ['resolves what does not', undefined, 'gone'],
])('after a kill during a delivery, the next monitor %s', async (_what, container, event) => {
  const first = setUp(aHook());
  first.now.hangs = true;
  first.emit('unhealthy');
  await first.clock.advance(1);
  const { clock, alerts, requests } = setUp(aHook());
  alerts.onLive(() => container);
  await clock.advance(10_000);
  expect(requests).toMatchObject([{ id: 'c1', event }]);
  await alerts.stop();
  const stopped = first.alerts.stop();
  await first.clock.advance(3_000);
  await stopped;
});

test('after a kill, the next monitor does not repeat what was delivered half a second before', async () => {
  const first = setUp(aHook());
  first.emit('unhealthy');
  await first.clock.advance(500);
  const { clock, alerts, events } = setUp(aHook());
  alerts.onLive(() => aKnown('unhealthy'));
  await clock.advance(10_000);
  expect(events()).toEqual([]);
  await Promise.all([alerts.stop(), first.alerts.stop()]);
});

test('Alertmanager gets again at the start of a monitor what fires, and no healthy container', async () => {
  const hook = aHook({ format: 'alertmanager', on: ['unhealthy', 'healthy'] });
  const first = setUp(hook);
  first.emit('healthy', aKnown('healthy', { id: 'c2' }));
  first.emit('unhealthy');
  await first.clock.advance(10);
  expect(first.requests).toHaveLength(1);
  await first.alerts.stop();
  const { clock, alerts, requests, now, logged } = setUp(hook);
  now.outcome = answered(503);
  alerts.onLive(() => aKnown('unhealthy'));
  await clock.advance(40_000);
  expect(requests.map(({ at }) => at)).toEqual([0, 15_000, 30_000]);
  expect(logged).toEqual([expect.stringMatching(/: 1 firing alert not sent again; retrying: it answered 503$/)]);
  await alerts.stop();
});

test('says how many changes in between were not sent', async () => {
  const { clock, alerts, emit, requests } = setUp(aHook());
  for (const event of ['unhealthy', 'healthy', 'unhealthy', 'healthy'] as const) {
    emit(event);
    await clock.advance(10);
  }
  await clock.advance(60_000);
  expect(requests).toMatchObject([{ event: 'unhealthy' }, { event: 'healthy', damped: 1 }]);
  await alerts.stop();
});

test('logs how many events of further containers were dropped, after the next delivery', async () => {
  const { clock, alerts, emit, logged, now } = setUp(aHook({ on: ['unhealthy'] }));
  now.outcome = { kind: 'failed', isReached: false, reason: 'down' };
  for (let i = 0; i < 1_002; i += 1) emit('unhealthy', aKnown('unhealthy', { id: `c${i}` }));
  await clock.advance(10);
  now.outcome = answered(200);
  await clock.advance(5_000);
  expect(logged.slice(1)).toEqual(['hook 1 (https://example.org): queue full, 2 events dropped']);
  await alerts.stop();
});
