import { expect, test } from 'vitest';
import { someFigures } from '../../../test/builders/metrics.ts';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import type { ContainerSeries } from '../../metrics/container-metrics.ts';
import type { HookEvent } from '../hooks/hook-event.ts';
import type { ExportersDeps } from './exporters.ts';
import type { TelemetrySettings } from './settings.ts';
import { createTelemetry, type TelemetrySource } from './telemetry.ts';

const SETTINGS = {
  metrics: { protocol: 'http/protobuf', intervalMs: 10_000 },
  logs: { protocol: 'http/protobuf', delayMs: 1_000 },
} as const;
const EVENT: HookEvent = { event: 'healthy', time: '', namespace: 'default', id: 'c1', name: 'web', image: 'demo:1' };

function setUp(options: { readonly settings?: TelemetrySettings | undefined } = { settings: SETTINGS }) {
  const { settings } = options;
  const clock = createFakeClock();
  const done: string[] = [];
  const logged: string[] = [];
  const state = { isDown: false, isStuck: false, opened: 0 };
  let onLogs: ExportersDeps['onLogs'] = () => {};
  const telemetry = createTelemetry({
    ...{ settings, clock },
    log: { info: (text) => logged.push(text), warn: (text) => logged.push(`warn ${text}`), debug: () => {} },
    open: async (deps) => {
      state.opened += 1;
      onLogs = deps.onLogs;
      return {
        sendMonitor: async () => {
          if (state.isStuck) await new Promise(() => {});
          if (state.isDown) throw new Error('refused');
          done.push('monitor');
        },
        sendContainers: async (series) => void done.push(`containers ${series.length}`),
        log: ({ event }) => void done.push(`log ${event}`),
        stop: async () => void done.push('stop'),
      };
    },
  });
  const source: TelemetrySource = {
    observe: async () => void done.push('observe'),
    series: Array.from({ length: 120 }, () => ({}) as ContainerSeries),
    figures: () => someFigures(),
    startedAtMs: 0,
  };
  return { telemetry, clock, source, done, logged, state, onLogs: (error?: Error) => onLogs(error) };
}

test('loads nothing without settings', async () => {
  const { telemetry, source, state } = setUp({});
  telemetry.start(source);
  telemetry.log(EVENT);
  await telemetry.stop();
  expect(state.opened).toBe(0);
});

test('sends metrics at intervals, containers in groups, and once more at the end', async () => {
  const { telemetry, clock, source, done, state } = setUp();
  telemetry.start(source);
  await clock.advance(9_999);
  expect([state.opened, done]).toEqual([1, []]);
  const once = ['observe', 'monitor', 'containers 50', 'containers 50', 'containers 20'];
  await clock.advance(1);
  expect(done).toEqual(once);
  await clock.advance(10_000);
  await telemetry.stop();
  expect(done).toEqual([...once, ...once, ...once, 'stop']);
  expect(clock.sleepers).toBe(0);
});

test('reports a receiver that does not answer once, until it answers again', async () => {
  const { telemetry, clock, source, logged, state, onLogs } = setUp();
  telemetry.start(source);
  telemetry.log(EVENT);
  state.isDown = true;
  await clock.advance(30_000);
  state.isDown = false;
  await clock.advance(10_000);
  onLogs(new Error('no route'));
  onLogs(new Error('no route'));
  onLogs();
  expect(logged).toEqual([
    'warn OpenTelemetry: metrics are not sent, retrying: refused',
    'OpenTelemetry: metrics are sent again',
    'warn OpenTelemetry: log records are not sent, retrying: no route',
    'OpenTelemetry: log records are sent again',
  ]);
  await telemetry.stop();
});

test('the end does not wait for a receiver that does not answer', async () => {
  const { telemetry, clock, source, state } = setUp();
  state.isStuck = true;
  telemetry.start(source);
  await clock.advance(10_000);
  const stopped = telemetry.stop();
  await clock.advance(2_000);
  await stopped;
});

test('sends only what is configured', async () => {
  const { telemetry, clock, source, done } = setUp({ settings: { ...SETTINGS, metrics: undefined } });
  telemetry.start(source);
  telemetry.log(EVENT);
  await clock.advance(60_000);
  expect(done).toEqual(['log healthy']);
  await telemetry.stop();
  const other = setUp({ settings: { ...SETTINGS, logs: undefined } });
  other.telemetry.log(EVENT);
  await other.telemetry.stop();
  expect(other.state.opened).toBe(0);
});
