import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import { DAY_MS } from './files.ts';
import type { Change, KeyedSample, Phase, Sample } from './model.ts';
import { createHistoryRecorder } from './recorder.ts';

const T0 = Date.parse('2026-03-01T12:00:00Z');
const NOW = Number.POSITIVE_INFINITY;

function setUp({ lastMs, recent = [] }: { lastMs?: number; recent?: readonly Change[] } = {}) {
  const clock = createFakeClock(T0);
  const batches: { atMs: number; samples: readonly KeyedSample[]; changes: Change[] }[] = [];
  const warnings: string[] = [];
  const disk = { isFull: false, refusesChanges: false, opens: 0 };
  const recorder = createHistoryRecorder({
    clock,
    log: { debug: () => {}, warn: (text) => void warnings.push(text) },
    recentChanges: () => recent,
    openStore: async () => {
      disk.opens += 1;
      if (disk.isFull) throw new HealthctlError('EXHAUSTED', 'no space');
      return {
        lastMs,
        appendSamples: async (atMs, samples) => {
          if (disk.isFull) throw new HealthctlError('EXHAUSTED', 'no space');
          batches.push({ atMs, samples, changes: [] });
        },
        appendChanges: async (_, changes) => {
          if (disk.isFull || disk.refusesChanges) throw new HealthctlError('EXHAUSTED', 'no space');
          batches.at(-1)?.changes.push(...changes);
        },
        close: async () => {},
      };
    },
  });
  const observe = (phase: Phase, change = {}) =>
    recorder.observe({
      ...{ key: 'default/a', name: 'web', image: 'nginx', phase, atMs: NOW, exitCode: undefined, reason: '' },
      ...change,
    });
  const changes = () => batches.flatMap((batch) => batch.changes);
  return { clock, recorder, batches, warnings, disk, observe, changes };
}

const sample: Sample = { atMs: T0, durationMs: 1, lagMs: 0, status: 'healthy', exitCode: 0, output: '' };

test('writes the results of five seconds at once, and nothing without results', async () => {
  const { clock, recorder, batches } = setUp();
  await recorder.start();
  await clock.advance(5_000);
  const afterStart = batches.length;
  for (let n = 0; n < 3; n += 1) recorder.sample('default/a', sample);
  await clock.advance(5_000);
  expect(batches).toHaveLength(afterStart + 1);
  expect(batches.at(-1)?.samples).toHaveLength(3);
  await clock.advance(30_000);
  expect(batches).toHaveLength(afterStart + 1);
  await clock.advance(60_000);
  expect(batches.length).toBeLessThanOrEqual(afterStart + 3);
  await recorder.stop();
  expect(clock.sleepers).toBe(0);
});

test('writes at once on request, one batch at a time', async () => {
  const { recorder, batches } = setUp();
  await recorder.start();
  await recorder.flush();
  const before = batches.length;
  recorder.sample('default/a', sample);
  await Promise.all([recorder.flush(), recorder.flush(), recorder.flush()]);
  expect(batches.slice(before).map(({ samples }) => samples.length)).toEqual([1]);
  await recorder.stop();
});

describe('phases', () => {
  test('are recorded when they change; a name and an image only once', async () => {
    const { recorder, observe, changes } = setUp();
    await recorder.start();
    observe('starting');
    observe('healthy');
    observe('healthy');
    observe('unhealthy', { exitCode: 1, reason: 'no' });
    observe('unhealthy', { name: 'web2' });
    await recorder.stop();
    expect(changes()).toEqual([
      { kind: 'seen', atMs: T0, key: 'default/a', name: 'web', image: 'nginx' },
      ...['starting', 'healthy'].map((phase) => ({ kind: 'phase', atMs: T0, key: 'default/a', phase, reason: '' })),
      { kind: 'phase', atMs: T0, key: 'default/a', phase: 'unhealthy', exitCode: 1, reason: 'no' },
      { kind: 'seen', atMs: T0, key: 'default/a', name: 'web2', image: 'nginx' },
    ]);
  });

  test('begin at their cause, but never before the previous phase', async () => {
    const { clock, recorder, observe, changes } = setUp();
    await recorder.start();
    observe('starting', { atMs: T0 - 500 });
    await clock.advance(2_000);
    observe('ended', { atMs: T0 - 900 });
    await recorder.stop();
    expect(changes().flatMap((one) => (one.kind === 'phase' ? one.atMs : []))).toEqual([T0 - 500, T0 - 500]);
  });

  test('are repeated every day with their beginning, so that old days can be dropped', async () => {
    const { clock, recorder, observe, changes } = setUp();
    await recorder.start();
    observe('unhealthy', { exitCode: 1, reason: 'no' });
    await clock.advance(DAY_MS);
    await recorder.stop();
    expect(changes().at(-1)).toMatchObject({ phase: 'unhealthy', sinceMs: T0, exitCode: 1, reason: 'no' });
    expect(changes().filter(({ kind }) => kind === 'seen')).toHaveLength(2);
  });

  test('of an earlier monitor are repeated when they are seen, with the reason for which they began', async () => {
    const key = 'default/a';
    const { clock, recorder, observe, changes } = setUp({
      recent: [
        { kind: 'seen', atMs: T0 - 9_000, key, name: 'web', image: 'nginx' },
        { kind: 'phase', atMs: T0 - 8_000, key, phase: 'unhealthy', exitCode: 1, reason: 'no' },
      ],
    });
    await recorder.start();
    await clock.advance(DAY_MS);
    expect(changes()).toEqual([]);
    observe('unhealthy', { exitCode: 2, reason: 'still not' });
    await recorder.stop();
    expect(changes().at(-1)).toMatchObject({ sinceMs: T0 - 8_000, exitCode: 1, reason: 'no' });
  });

  test('continue those of an earlier monitor; the time between is a gap, and a missing container is gone', async () => {
    const before: Change[] = ['a', 'b'].flatMap((id) => [
      { kind: 'seen', atMs: T0 - 9_000, key: `default/${id}`, name: id === 'a' ? 'web' : 'old', image: 'nginx' },
      { kind: 'phase', atMs: T0 - 8_000, key: `default/${id}`, phase: 'healthy', exitCode: undefined, reason: '' },
    ]);
    const { recorder, observe, changes } = setUp({ lastMs: T0 - 5_000, recent: before });
    await recorder.start();
    observe('healthy');
    observe('healthy');
    recorder.markOthers(new Set(['default/a']), () => 'gone');
    await recorder.stop();
    expect(changes()).toEqual([
      { kind: 'gap', atMs: T0 - 5_000, toMs: T0 },
      // Seen again after the gap, so that the time of the gap counts too.
      { kind: 'seen', atMs: T0, key: 'default/a', name: 'web', image: 'nginx' },
      { kind: 'phase', atMs: T0, key: 'default/a', phase: 'healthy', sinceMs: T0 - 8_000, reason: '' },
      // The days before, with its name, are dropped first.
      { kind: 'seen', atMs: T0, key: 'default/b', name: 'old', image: 'nginx' },
      { kind: 'phase', atMs: T0, key: 'default/b', phase: 'gone', reason: '' },
    ]);
  });
});

test('a container that was never started leaves nothing when it is removed', async () => {
  const { recorder, observe, changes } = setUp();
  await recorder.start();
  observe('gone');
  await recorder.stop();
  expect(changes()).toEqual([]);
});

test('a container that the monitor no longer looks at is unchecked, not gone', async () => {
  const { recorder, observe, changes } = setUp();
  await recorder.start();
  observe('healthy');
  recorder.markOthers(new Set(), () => 'unchecked');
  await recorder.stop();
  expect(changes().at(-1)).toMatchObject({ phase: 'unchecked' });
});

test('after the clock was set back, nothing is recorded in the future', async () => {
  const { clock, recorder, observe, changes } = setUp();
  await recorder.start();
  observe('healthy');
  await recorder.flush();
  const now = clock.now;
  clock.now = () => now() - 2 * DAY_MS;
  await recorder.flush(); // it is another day: the present phases are repeated
  observe('unhealthy');
  await recorder.flush();
  const later = changes().slice(2);
  expect(later.map(({ kind }) => kind)).toEqual(['seen', 'phase', 'phase']);
  for (const change of later) {
    expect(change.atMs).toBe(T0 - 2 * DAY_MS);
    if (change.kind === 'phase') expect(change.sinceMs ?? 0).toBeLessThanOrEqual(change.atMs);
  }
  await recorder.stop();
});

describe('a store that fails', () => {
  test('for changes alone: results are not written twice', async () => {
    const { clock, recorder, batches, changes, disk, observe } = setUp();
    await recorder.start();
    disk.refusesChanges = true;
    recorder.sample('default/a', sample);
    observe('healthy');
    await clock.advance(15_000);
    disk.refusesChanges = false;
    await clock.advance(5_000);
    expect(batches.flatMap(({ samples }) => samples)).toHaveLength(1);
    expect(changes().map(({ kind }) => kind)).toEqual(['seen', 'phase']);
    await recorder.stop();
  });

  test('is reported once; results of that time are written when it works again', async () => {
    const { clock, recorder, batches, warnings, disk } = setUp();
    await recorder.start();
    await clock.advance(5_000);
    disk.isFull = true;
    for (let n = 0; n < 4; n += 1) {
      recorder.sample('default/a', { ...sample, atMs: n });
      await clock.advance(5_000);
    }
    disk.isFull = false;
    await clock.advance(5_000);
    expect(warnings).toEqual(['the history is not written: no space']);
    expect(batches.at(-1)?.samples.map(([, { atMs }]) => atMs)).toEqual([0, 1, 2, 3]);
    await recorder.stop();
  });

  test('may fail at the start', async () => {
    const { clock, recorder, batches, disk } = setUp();
    disk.isFull = true;
    await recorder.start();
    recorder.sample('default/a', sample);
    await clock.advance(20_000);
    disk.isFull = false;
    await clock.advance(5_000);
    expect(batches[0]?.samples).toHaveLength(1);
    await recorder.stop();
  });

  test('never needs more memory than a limit', async () => {
    const { recorder, batches, disk } = setUp();
    disk.isFull = true;
    await recorder.start();
    for (let n = 0; n < 50_000; n += 1) recorder.sample('default/a', { ...sample, atMs: n });
    disk.isFull = false;
    await recorder.stop();
    expect(batches[0]?.samples.length).toBeLessThanOrEqual(20_000);
    expect(batches[0]?.samples.at(-1)?.[1].atMs).toBe(49_999);
  });
});
