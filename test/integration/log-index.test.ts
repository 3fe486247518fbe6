import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyRange } from '../../src/container/logs/follow.ts';
import { openGrowingFile } from '../../src/container/logs/growing-file.ts';
import { cutLogs } from '../../src/container/logs/log-cut.ts';
import { readTimes } from '../../src/container/logs/log-index-file.ts';
import { indexLogs } from '../../src/container/logs/log-indexer.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { until } from '../../testbed/until.ts';
import { createFakeClock } from '../fakes/clock.ts';

let dir: string;
let warnings: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'log-index-'));
  warnings = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const log = { warn: (text: string) => void warnings.push(text), debug: () => {} };
const index = (limit?: { maxSize: number; maxFile: number }) =>
  indexLogs({ dataDir: dir, limit, startedAtMs: Date.now(), clock: systemClock, log });
const stdout = () => join(dir, 'stdout.log');

test('records when bytes came, and writes nothing for a silent container', async () => {
  writeFileSync(stdout(), '');
  const indexer = index();
  const before = Date.now();
  appendFileSync(stdout(), 'one\n');
  await until(() => readTimes(stdout()).end === 4);
  expect(statSync(join(dir, 'stdout.times')).mode & 0o777).toBe(0o600);
  const first = readTimes(stdout()).at(4);
  expect(first?.isExact).toBe(true);
  expect(first?.atMs).toBeGreaterThan(before - 20); // the kernel's clock is coarse
  expect(first?.atMs).toBeLessThanOrEqual(Date.now());
  await systemClock.sleep(300); // of silence, which must not change times
  const written = statSync(join(dir, 'stdout.times')).mtimeMs;
  appendFileSync(stdout(), 'two\n');
  await until(() => readTimes(stdout()).end === 8);
  expect(readTimes(stdout()).at(4)).toEqual(first);
  expect((readTimes(stdout()).at(8)?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(250);
  expect(statSync(join(dir, 'stdout.times')).mtimeMs).toBeGreaterThan(written);
  expect(existsSync(join(dir, 'stderr.times'))).toBe(false);
  indexer.end();
  appendFileSync(stdout(), 'unseen\n');
  expect(readTimes(stdout()).end).toBe(8);
  expect(warnings).toEqual([]);
});

test('output that came without a monitor has no exact time', async () => {
  writeFileSync(stdout(), 'old\n');
  const indexer = indexLogs({
    dataDir: dir,
    limit: undefined,
    startedAtMs: Date.now() - 60_000,
    clock: systemClock,
    log,
  });
  indexer.end();
  expect(readTimes(stdout()).at(4)).toEqual({ atMs: expect.any(Number), isExact: false });
});

test('a truncated file begins anew', () => {
  writeFileSync(stdout(), 'a long first line\n');
  index().end();
  const indexer = index();
  writeFileSync(stdout(), 'new\n');
  indexer.write();
  expect(readTimes(stdout()).end).toBe(4);
  indexer.end();
  writeFileSync(stdout(), 'x\n'); // without a monitor
  index().end();
  expect(readTimes(stdout()).end).toBe(2);
});

test('a renamed file gets no more times, nor does a removed one', () => {
  writeFileSync(stdout(), 'old\n');
  const indexer = index();
  appendFileSync(stdout(), 'more\n');
  renameSync(stdout(), join(dir, 'stdout.1.log'));
  renameSync(join(dir, 'stdout.times'), join(dir, 'stdout.1.times'));
  writeFileSync(stdout(), 'new\n');
  indexer.write();
  expect([readTimes(join(dir, 'stdout.1.log')).end, readTimes(stdout()).end]).toEqual([4, 4]);
  rmSync(dir, { recursive: true });
  indexer.end();
  expect(warnings).toEqual([]);
});

test('cutting a log loses no byte of a writer that appends meanwhile', async () => {
  const LINES_A_ROUND = 100;
  writeFileSync(stdout(), '');
  // It writes until the test has seen enough cuts, however fast either of them is.
  const enough = join(dir, 'enough');
  const script = `i=0; until [ -e "$1" ]; do i=$((i+1)); seq -f "$i %04g" ${LINES_A_ROUND}; done >>"$0"`;
  const writer = spawn('sh', ['-c', script, stdout(), enough]);
  const ended = new Promise((resolve) => writer.once('exit', resolve));
  const limit = { maxSize: 20_000, maxFile: 3 };
  for (let cuts = 0; cuts < 4; ) {
    const before = statSync(stdout()).blocks;
    cutLogs(dir, limit);
    if (statSync(stdout()).blocks < before) cuts += 1;
    await systemClock.sleep(2);
  }
  writeFileSync(enough, '');
  await ended;
  cutLogs(dir, limit);
  const { size, blocks } = statSync(stdout());
  expect(blocks * 512).toBeLessThanOrEqual(limit.maxSize * limit.maxFile + 8_192);
  const file = await openGrowingFile(stdout());
  const from = await file.dataFrom(0);
  expect(from).toBeGreaterThan(0);
  let text = '';
  const signal = new AbortController().signal;
  const write = async (bytes: Buffer) => {
    text += bytes.toString();
  };
  // From an offset within the dropped part: the copy skips the rest of that part.
  await copyRange(file, { from: 4096, to: size, write, signal });
  await file.close();
  expect(text.length).toBe(size - from);
  expect(text.length).toBeGreaterThanOrEqual(limit.maxSize * (limit.maxFile - 1) - 8_192);
  const lines = text.split('\n').slice(1, -1);
  const rounds = Number.parseInt(lines.at(-1) ?? '', 10);
  const all = Array.from({ length: rounds }, (_, i) =>
    Array.from({ length: LINES_A_ROUND }, (_, j) => `${i + 1} ${String(j + 1).padStart(4, '0')}`),
  ).flat();
  expect(lines).toEqual(all.slice(-lines.length));
  expect(
    readFileSync(stdout())
      .subarray(0, from)
      .every((byte) => byte === 0),
  ).toBe(true);
});

test('drops whole files of earlier runs first', () => {
  for (const name of ['stdout.1', 'stdout.2', 'stdout']) {
    writeFileSync(join(dir, `${name}.log`), 'x'.repeat(30_000));
    writeFileSync(join(dir, `${name}.times`), '');
  }
  cutLogs(dir, { maxSize: 40_000, maxFile: 2 });
  const there = ['stdout.1', 'stdout.2', 'stdout'].map((name) => existsSync(join(dir, `${name}.log`)));
  expect(there).toEqual([false, true, true]);
  expect(existsSync(join(dir, 'stdout.1.times'))).toBe(false);
  expect(statSync(stdout()).blocks).toBeGreaterThan(0);
});

test('a log stays within its limit while the container writes 40 MB/s', async () => {
  const A_MILLISECOND = Buffer.alloc(40_000, 'x');
  writeFileSync(stdout(), '');
  const limit = { maxSize: 20_000_000, maxFile: 1 };
  // Time passes only between two writes, so that the rate is the same on every machine.
  const clock = createFakeClock();
  const indexer = indexLogs({ dataDir: dir, limit, startedAtMs: clock.now(), clock, log });
  appendFileSync(stdout(), A_MILLISECOND);
  await until(() => clock.sleepers > 0, { what: 'the kernel to report the first write' });
  let most = 0;
  for (let ms = 1; ms < 2_500; ms += 1) {
    await clock.advance(1);
    appendFileSync(stdout(), A_MILLISECOND);
    const { size, blocks } = statSync(stdout());
    most = Math.max(most, Math.min(size, blocks * 512));
  }
  indexer.end();
  expect(statSync(stdout()).size).toBe(100_000_000);
  expect(most).toBeLessThanOrEqual(limit.maxSize);
  expect(warnings).toEqual([]);
});
