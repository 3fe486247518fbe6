import { expect, test } from 'vitest';
import { aTopRow } from '../../../test/builders/top.ts';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { UsageMeter } from './usage.ts';

function meterWith() {
  const clock = createFakeClock();
  const kernel = { cpuMs: 100 as number | undefined, reads: 0, finds: 0 };
  const meter = new UsageMeter(clock, {
    find: (pid) => {
      kernel.finds += 1;
      return pid === 1 ? undefined : { isV1: false, cpu: `${pid}`, memory: undefined };
    },
    read: () => {
      kernel.reads += 1;
      return { cpuMs: kernel.cpuMs, memoryBytes: 4096 };
    },
  });
  return { clock, kernel, usage: (over = {}) => meter.measure([aTopRow(over)]).get('default/web') };
}

test('a share of the time between two measures; the files are looked for once', async () => {
  const { clock, kernel, usage } = meterWith();
  expect(usage()).toEqual({ cpu: undefined, memoryBytes: 4096 });
  await clock.advance(2_000);
  kernel.cpuMs = 600;
  expect(usage()?.cpu).toBe(0.25);
  expect(kernel.finds).toBe(1);
  // Too short to say anything: the last measure stays.
  await clock.advance(100);
  kernel.cpuMs = 700;
  expect(usage()?.cpu).toBe(0.25);
  expect(kernel.reads).toBe(2);
});

test('another process starts over', async () => {
  const { clock, kernel, usage } = meterWith();
  usage();
  await clock.advance(2_000);
  kernel.cpuMs = 5;
  expect(usage({ pid: 4712 })?.cpu).toBeUndefined();
});

test('nothing without a process, without a cgroup of its own, or when that is gone', async () => {
  const { clock, kernel, usage } = meterWith();
  expect(usage({ pid: undefined })).toBeUndefined();
  expect(usage({ pid: 1 })).toEqual({ cpu: undefined, memoryBytes: undefined });
  usage();
  await clock.advance(2_000);
  kernel.cpuMs = undefined;
  expect(usage()?.cpu).toBeUndefined();
});
