import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEventLog, readEventLog } from '../../src/events/event-log.ts';
import type { HostEvent } from '../../src/events/host-event.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { until } from '../../testbed/until.ts';

let dir: string;
let nowMs: number;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'healthctl-events-')), 'log');
  nowMs = 1_000;
});
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }));

const open = (maxEvents = 4096) => openEventLog({ dir, clock: { now: () => nowMs }, log: silentLogger, maxEvents });
const event = (atMs: number): HostEvent => ({
  type: 'container',
  action: 'start',
  id: 'c1',
  namespace: 'default',
  atMs,
  attributes: { name: 'web', note: 'two\nlines' },
});
const times = (events: readonly HostEvent[]) => events.map(({ atMs }) => atMs);

test('a second log reads the written events of its range', () => {
  const log = open();
  for (const atMs of [1_100, 1_200, 1_300]) log.append(event(atMs));
  expect(log.read({})).toEqual([event(1_100), event(1_200), event(1_300)]);
  expect(times(log.read({ sinceMs: 1_200 }))).toEqual([1_200, 1_300]);
  expect(times(log.read({ untilMs: 1_200 }))).toEqual([1_100, 1_200]);
  nowMs = 1_500;
  log.close();
  log.close();
  log.append(event(9_999));
  nowMs = 2_000;
  const next = open();
  next.append(event(2_100));
  expect(times(next.read({}))).toEqual([1_100, 1_200, 1_300, 2_100]);
  expect(readEventLog(dir).known).toEqual([
    { fromMs: 1_000, toMs: 1_500 },
    { fromMs: 2_000, toMs: 2_100 },
  ]);
  next.close();
});

test('only the user can read the files', () => {
  open().close();
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  expect(statSync(join(dir, 'events.jsonl')).mode & 0o777).toBe(0o600);
});

test('a missing directory is an empty log', () => {
  expect(readEventLog(dir)).toEqual({ events: [], known: [] });
});

test('keeps the last events, within its limit', () => {
  const log = open(10);
  const sizes: number[] = [];
  for (let index = 0; index < 95; index += 1) {
    nowMs = 2_000 + index;
    log.append(event(nowMs));
    sizes.push(log.read({}).length);
  }
  expect(Math.max(...sizes)).toBe(20);
  expect(Math.min(...sizes.slice(10))).toBeGreaterThanOrEqual(10);
  expect(times(log.read({}))).toEqual(Array.from({ length: 15 }, (_, index) => 2_080 + index));
  // The dropped events count as unknown, and there is no gap between the segments.
  expect(readEventLog(dir).known).toEqual([{ fromMs: 2_080, toMs: 2_094 }]);
  log.close();
  // A log that is opened again continues counting.
  const next = open(10);
  for (let index = 0; index < 6; index += 1) next.append(event(3_000 + index));
  expect(times(next.read({}))).toEqual([2_090, 2_091, 2_092, 2_093, 2_094, 3_000, 3_001, 3_002, 3_003, 3_004, 3_005]);
  next.close();
});

test('continues in a new directory after the old one was removed', () => {
  const log = open();
  log.append(event(1_100));
  rmSync(dir, { recursive: true });
  nowMs = 1_200;
  log.append(event(1_300));
  expect(readEventLog(dir)).toEqual({ events: [event(1_300)], known: [{ fromMs: 1_200, toMs: 1_300 }] });
  log.close();
});

test('a torn last line is lost, and no other', () => {
  const log = open();
  log.append(event(1_100));
  log.append(event(1_200));
  log.close();
  const path = join(dir, 'events.jsonl');
  const whole = readFileSync(path, 'utf8').replace(/\{"ended.*\n/, '');
  truncateSync(path, whole.length - 10);
  const next = open();
  next.append(event(2_100));
  expect(times(next.read({}))).toEqual([1_100, 2_100]);
  next.close();
});

test('lines that are not ours are no events', () => {
  const log = open();
  appendFileSync(join(dir, 'events.jsonl'), 'garbage\n{"type":"volume"}\n\n{"began":"x"}\n');
  log.append(event(1_100));
  expect(times(log.read({}))).toEqual([1_100]);
  log.close();
});

test('a writer that is killed at any time leaves everything that it wrote, except its current line', async () => {
  const program = `
    import { openEventLog } from ${JSON.stringify(fileURLToPath(new URL('../../src/events/event-log.ts', import.meta.url)))};
    const log = openEventLog({ dir: process.argv[2], clock: Date, log: { warn() {}, debug() {} }, maxEvents: 500 });
    const note = 'x'.repeat(2000);
    for (let at = 1; ; at += 1) {
      log.append({ type: 'container', action: 'start', id: 'c1', namespace: 'n', atMs: at, attributes: { note } });
      if (!process.stdout.write(at + '\\n')) await new Promise((resolve) => process.stdout.once('drain', resolve));
    }`;
  const tsx = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url));
  const path = join(dir, '..', 'writer.mts');
  writeFileSync(path, program);
  for (let round = 0; round < 3; round += 1) {
    rmSync(dir, { recursive: true, force: true });
    const child = spawn(process.execPath, ['--import', tsx, path, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const closed = new Promise((resolve) => child.on('close', resolve));
    try {
      await until(() => existsSync(dir) && output.split('\n').length > 300 + round * 400, { withinMs: 40_000 });
    } finally {
      child.kill('SIGKILL');
      await closed;
    }
    const last = Number(output.split('\n').at(-2));
    const kept = times(readEventLog(dir).events);
    expect(kept.at(-1)).toBeGreaterThanOrEqual(last);
    expect(kept).toEqual(kept.map((_, index) => (kept[0] ?? 0) + index));
    expect(kept.length).toBeGreaterThanOrEqual(Math.min(500, last));
  }
});
