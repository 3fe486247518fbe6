import { expect, test } from 'vitest';
import { aRecord } from '../../../test/builders/container.ts';
import { aConfig, aResult, aRun, aState, T0 } from '../../../test/builders/health.ts';
import type { ContainerdEvent } from '../../containerd/events.ts';
import { COLUMNS } from '../../metrics/definitions.ts';
import type { KnownContainer } from '../../monitor/host-model.ts';
import { compactRecordOf } from '../../record/compact-record.ts';
import { createMetricsRecorder } from './recorder.ts';

function aKnownContainer(over: Partial<KnownContainer> = {}): KnownContainer {
  const { id = 'c1' } = over;
  return {
    ...{ namespace: 'default', id, damage: undefined, processJson: undefined, isStartSeen: true, isOutOfMemory: false },
    record: compactRecordOf(aRecord({ id, labels: { 'nerdctl/name': 'web' } })),
    config: aConfig(),
    task: undefined,
    run: aRun(),
    stored: { log: [], state: undefined },
    ...over,
  };
}

function setUp() {
  const model = new Map<string, KnownContainer>([['default/c1', aKnownContainer()]]);
  const recorder = createMetricsRecorder({
    clock: { now: () => T0 + 90_000 },
    model,
    settings: { maxContainers: 10, containerLabels: [] },
  });
  const emit = (kind: string) =>
    recorder.onEvent({ kind, namespace: 'default', id: 'c1', atMs: T0 } as unknown as ContainerdEvent);
  const at = (column: number) => [...recorder.containers.series][0]?.columns[column];
  return { model, recorder, emit, at };
}

test('a result, in seconds', () => {
  const { recorder, at } = setUp();
  recorder.onResult(aKnownContainer(), { state: aState(), result: aResult(1_000, 1), lagMs: 4 });
  recorder.onResult(aKnownContainer(), { state: aState(), result: aResult(2_000), lagMs: undefined });
  expect([0, 1, 2, 3].map((index) => at(COLUMNS.outcomes + index))).toEqual([1, 1, 0, 0]);
  expect([at(COLUMNS.durationSum), at(COLUMNS.lastCheck)]).toEqual([0.02, (T0 + 2_010) / 1_000]);
  expect([recorder.checkLag.sum, [...Array.from(recorder.checkLag.buckets)].reduce((a, b) => a + b)]).toEqual([
    0.004, 1,
  ]);
});

test('a start, out of memory, an end, and a removal', () => {
  const { recorder, emit, at } = setUp();
  emit('task-started');
  emit('task-oom');
  expect([at(COLUMNS.oomKills), at(COLUMNS.interval)]).toEqual([1, 30]);
  recorder.onExit(aKnownContainer({ run: undefined }));
  expect(at(COLUMNS.running)).toBe(0);
  emit('container-deleted');
  expect(recorder.containers.size).toBe(0);
});

test('a removed container has no series; a present one with its key keeps its own', () => {
  const { recorder, model } = setUp();
  recorder.observe(aKnownContainer());
  recorder.onGone(aKnownContainer());
  expect(recorder.containers.size).toBe(1);
  model.delete('default/c1');
  recorder.onGone(aKnownContainer());
  expect(recorder.containers.size).toBe(0);
});

test('counts restarts and connections', () => {
  const { recorder, at } = setUp();
  recorder.onRestarted(aKnownContainer());
  recorder.onLive();
  recorder.onLive();
  expect([at(COLUMNS.restarts), recorder.connections]).toEqual([1, 2]);
});
