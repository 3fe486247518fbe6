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

test('tells when bytes came, and writes nothing for a container that is silent', async () => {
  writeFileSync(stdout(), '');
  const indexer = index();
  const before = Date.now();
  appendFileSync(stdout(), 'one\n');
  await until(() => readTimes(stdout()).end === 4);
  expect(statSync(join(dir, 'stdout.times')).mode & 0o777).toBe(0o600);
  const first = readTimes(stdout()).at(4);
  expect(first?.isExact).toBe(true);
  expect(first?.atMs).toBeGreaterThan(before - 20); // the kernel's coarse clock
  expect(first?.atMs).toBeLessThanOrEqual(Date.now());
  await systemClock.sleep(300); // of silence, which must not show
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

test('what came while nobody watched is known to have no exact time', async () => {
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

test('a file that somebody has emptied begins anew', () => {
  writeFileSync(stdout(), 'a long first line\n');
  index().end();
  const indexer = index();
  writeFileSync(stdout(), 'new\n');
  indexer.write();
  expect(readTimes(stdout()).end).toBe(4);
  indexer.end();
  writeFileSync(stdout(), 'x\n'); // while nobody watches
  index().end();
  expect(readTimes(stdout()).end).toBe(2);
});

test('a file that was put aside gets no more times, nor does one that is gone', () => {
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

test('a writer that appends while the log is cut loses no byte', async () => {
  const LINES = 200_000;
  writeFileSync(stdout(), '');
  const writer = spawn('sh', [
    '-c',
    `i=0; while [ $i -lt ${LINES / 100} ]; do i=$((i+1)); seq -f "$i %04g" 100; done >>"$0"`,
    stdout(),
  ]);
  const limit = { maxSize: 20_000, maxFile: 3 };
  const ended = new Promise((resolve) => writer.once('exit', resolve));
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  let cuts = 0;
  while (!isOver) {
    const before = statSync(stdout()).blocks;
    cutLogs(dir, limit);
    if (statSync(stdout()).blocks < before) cuts += 1;
    await systemClock.sleep(2);
  }
  cutLogs(dir, limit);
  expect(cuts).toBeGreaterThan(3);
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
  // From within what was dropped: it is passed over.
  await copyRange(file, { from: 4096, to: size, write, signal });
  await file.close();
  const lines = text.split('\n').slice(1, -1);
  expect(text.length).toBe(size - from);
  expect(text.length).toBeGreaterThanOrEqual(limit.maxSize * (limit.maxFile - 1) - 8_192);
  const all = Array.from({ length: LINES / 100 }, (_, i) =>
    Array.from({ length: 100 }, (_, j) => `${i + 1} ${String(j + 1).padStart(4, '0')}`),
  ).flat();
  expect(lines).toEqual(all.slice(-lines.length));
  expect(
    readFileSync(stdout())
      .subarray(0, from)
      .every((byte) => byte === 0),
  ).toBe(true);
});

test('of earlier runs whole files go first', () => {
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

test('a limit is kept while the container writes as fast as it can', { retry: 2 }, async () => {
  writeFileSync(stdout(), '');
  const limit = { maxSize: 20_000_000, maxFile: 1 };
  const indexer = index(limit);
  // 40 MB a second, after a pause: five times what may be kept, in two and a half seconds.
  const script = `sleep 0.3; i=0; while [ $i -lt 50 ]; do head -c 2000000 /dev/zero | tr '\\0' x >>"${stdout()}"; sleep 0.05; i=$((i+1)); done`;
  const writer = spawn('sh', ['-c', script]);
  let isOver = false;
  writer.once('exit', () => {
    isOver = true;
  });
  let most = 0;
  while (!isOver) {
    const { size, blocks } = statSync(stdout());
    most = Math.max(most, Math.min(size, blocks * 512));
    await systemClock.sleep(2);
  }
  indexer.end();
  expect(statSync(stdout()).size).toBe(100_000_000);
  expect(most).toBeLessThan(limit.maxSize + 6_000_000);
  expect(warnings).toEqual([]);
});
