import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type IdleDeps, untilIdle } from '../../src/daemon/idle.ts';
import type { KnownContainer } from '../../src/monitor/host-model.ts';
import { readStat } from '../../src/system/proc.ts';
import { until } from '../../testbed/until.ts';
import { createFakeClock } from '../fakes/clock.ts';

// The start lock is a real file; the clock is a fake.

const dir = mkdtempSync(join(tmpdir(), 'healthctl-idle-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const self = { id: `boot:${process.pid}:${readStat(process.pid)?.startTimeTicks}`, startedAtMs: 0 };
const anEarlierProcess = { id: `boot:${process.pid}:1`, startedAtMs: 0 };

function setUp(
  over: Partial<IdleDeps['monitor']>,
  containers: readonly Partial<KnownContainer>[] = [],
  isBusy = false,
) {
  const clock = createFakeClock();
  const ended = new AbortController();
  let isOver = false;
  const deps = {
    clock,
    monitor: { isLive: true, counts: () => ({ checked: 0 }), model: { all: () => containers }, ...over },
    supervisor: { isBusy },
    server: { busy: 0, start: async () => {}, stop: async () => {} },
    paths: { startLock: join(dir, 'start.lock') },
    idleTimeoutMs: 600_000,
  } as unknown as IdleDeps;
  const idle = untilIdle(deps, ended.signal).then(() => {
    isOver = true;
  });
  const isIdleAfter = async (ms: number): Promise<boolean> => {
    for (let at = 0; at < ms; at += 1_000) await clock.advance(1_000);
    return isOver;
  };
  return { ended, idle, isIdleAfter, isOver: () => isOver };
}

test('a monitor without work ends after its idle time', async () => {
  const { isIdleAfter, isOver } = setUp({});
  expect(await isIdleAfter(599_000)).toBe(false);
  await isIdleAfter(2_000);
  await until(isOver);
});

test('a monitor with work does not end', async () => {
  const { isIdleAfter, ended, idle } = setUp({ counts: () => ({ inFlight: 0, waiting: 0, checked: 1, troubled: 0 }) });
  expect(await isIdleAfter(1_300_000)).toBe(false);
  ended.abort();
  await idle;
});

test('a monitor without containerd ends, even with known checks and planned restarts', async () => {
  const counts = () => ({ inFlight: 0, waiting: 0, checked: 1, troubled: 0 });
  const { isIdleAfter, isOver } = setUp(
    { isLive: false, counts },
    [{ run: anEarlierProcess }, { run: undefined }],
    true,
  );
  expect(await isIdleAfter(599_000)).toBe(false);
  await isIdleAfter(2_000);
  await until(isOver);
});

test('a monitor without containerd does not end while a process of its containers is alive, which it will check again', async () => {
  const { isIdleAfter, ended, idle } = setUp({ isLive: false }, [{ run: self }]);
  expect(await isIdleAfter(1_300_000)).toBe(false);
  ended.abort();
  await idle;
});
