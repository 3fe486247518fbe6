import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { ContainerContext } from '../context.ts';
import { sharedOutputs } from './output-source.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'outputs-'));
  path = join(directory, 'stdout.log');
  writeFileSync(path, 'a');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A source on a container that ends, or fails, when the test says so. */
function setUp() {
  const clock = createFakeClock();
  const waits: { readonly signal: AbortSignal; end(error?: Error): void }[] = [];
  const wait = (_: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise((resolve, reject) => {
      waits.push({ signal, end: (error) => (error ? reject(error) : resolve({ status: 0, atMs: 1 })) });
      signal.addEventListener('abort', () => reject(new HealthctlError('ABORTED', 'cancelled')));
    });
  const containerd = { tasks: { wait } } as unknown as ContainerContext['containerd'];
  const source = sharedOutputs({ containerd, clock });
  const join = (signal: AbortSignal, shimPid = process.pid) =>
    source.untilComplete({ id: 'c1', shimPid, paths: [path] }, signal);
  return { clock, waits, source, join };
}

const descriptors = () => readdirSync('/proc/self/fd').length;

test('readers of a file share one descriptor, which the last of them closes', async () => {
  const { source } = setUp();
  const before = descriptors();
  const lent = await Promise.all([source.open(path), source.open(path), source.open(path)]);
  expect(descriptors()).toBe(before + 1);
  await lent[0].close();
  await lent[0].close();
  expect((await lent[1].read(0, 10)).toString()).toBe('a');
  await Promise.all(lent.map((file) => file.close()));
  expect(descriptors()).toBe(before);
  const again = await source.open(path);
  expect(await again.size()).toBe(1);
  await again.close();
});

test('all readers hear of a change, and one that has left does not', async () => {
  const { clock, source } = setUp();
  const [first, second] = [await source.open(path), await source.open(path)];
  const heard = [0, 0];
  const leave = first.onChange(() => (heard[0] = (heard[0] ?? 0) + 1));
  const leaveToo = second.onChange(() => (heard[1] = (heard[1] ?? 0) + 1));
  appendFileSync(path, 'b');
  await clock.advance(250);
  await expect.poll(() => heard.every((times) => times > 0)).toBe(true);
  leave();
  const [times = 0, before = 0] = heard;
  appendFileSync(path, 'c');
  await expect.poll(() => (heard[1] ?? 0) > before).toBe(true);
  expect(heard[0]).toBe(times);
  leaveToo();
  await Promise.all([first.close(), second.close()]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(clock.sleepers).toBe(0);
});

test('readers share one wait for the end', async () => {
  const { waits, join } = setUp();
  const leaves = new AbortController();
  const [stays, left] = [join(new AbortController().signal), join(leaves.signal)];
  leaves.abort();
  await expect(left).rejects.toMatchObject({ code: 'ABORTED' });
  expect(waits).toHaveLength(1);
  expect(waits[0]?.signal.aborted).toBe(false);
  waits[0]?.end();
  await stays;
});

test('the last reader that leaves ends the wait, and the next begins another', async () => {
  const { waits, join } = setUp();
  const leaves = new AbortController();
  const left = join(leaves.signal);
  leaves.abort();
  await expect(left).rejects.toMatchObject({ code: 'ABORTED' });
  expect(waits[0]?.signal.aborted).toBe(true);
  const next = join(new AbortController().signal);
  expect(waits).toHaveLength(2);
  waits[1]?.end(new HealthctlError('UNAVAILABLE', 'containerd is gone'));
  await expect(next).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('a reader of the next run does not share the wait of a run whose files are being completed', async () => {
  const { waits, join } = setUp();
  const [first, next] = [join(new AbortController().signal), join(new AbortController().signal, process.ppid)];
  expect(waits).toHaveLength(2);
  waits[0]?.end();
  await first;
  waits[1]?.end(new HealthctlError('UNAVAILABLE', 'containerd is gone'));
  await expect(next).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
