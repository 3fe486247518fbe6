// The cost of the history: CPU time for each result, its size after a week, the time to read it.
//   node --import tsx bench/bundled.ts bench/history.ts [--containers 200] [--interval 5] [--days 7] [--dir /tmp]
// The results are generated, with the jitter of real ones and a failure in 500; time is a counter. The store, its files
// and the reader are the real ones. Prints the targets beside the figures and fails if one is missed: a week of 200
// containers within the size limit; a day of one container at 1 s read in 100 ms of CPU time, because the machine may
// be busy; per result at most 5 % of the cost of a check without its probe (bench/schedule.ts: some 60 µs).
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pastContainers } from '../src/history/containers.ts';
import { DAY_MS, historyFiles } from '../src/history/files.ts';
import type { Sample } from '../src/history/model.ts';
import { openHistoryReader } from '../src/history/reader.ts';
import { historyRows } from '../src/history/rows.ts';
import { openHistoryStore } from '../src/history/store.ts';
import { checkSums, summaryOf } from '../src/history/summary.ts';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';

const { values } = parseArgs({
  options: {
    containers: { type: 'string', default: '200' },
    interval: { type: 'string', default: '5' },
    days: { type: 'string', default: '7' },
    dir: { type: 'string', default: '/tmp' },
  },
});
const [count, intervalS, days] = [Number(values.containers), Number(values.interval), Number(values.days)];
const T0 = Date.UTC(2026, 0, 1);
const BATCH_MS = 5_000;
const MIB = 1 << 20;

let seed = 1;
/** From 0 to 1, the same numbers in each run. */
const random = (): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return seed / 2 ** 31;
};
function resultAt(atMs: number): Sample {
  const isFailure = random() < 1 / 500;
  return {
    atMs,
    durationMs: Math.round(20 + 60 * random() ** 3),
    lagMs: Math.round(3 * random() ** 4),
    status: isFailure ? 'unhealthy' : 'healthy',
    exitCode: isFailure ? 1 : 0,
    output: isFailure ? 'curl: (7) Failed to connect to localhost port 80: Connection refused' : '',
  };
}

async function fill(dir: string, what: { containers: number; everyMs: number; days: number }): Promise<Filled> {
  let nowMs = T0;
  const store = await openHistoryStore({
    ...{ dir, limits: { maxAgeMs: 7 * DAY_MS, maxBytes: 256 * MIB }, log: silentLogger },
    clock: { ...systemClock, now: () => nowMs, sleep: async () => {} },
  });
  const keys = Array.from({ length: what.containers }, (_, n) => `default/${n.toString(16).padStart(64, '0')}`);
  await store.appendChanges(
    T0,
    keys.flatMap((key, n) => [
      { kind: 'seen', atMs: T0, key, name: `web-${n}`, image: 'docker.io/library/nginx:latest' },
      { kind: 'phase', atMs: T0, key, phase: 'healthy', exitCode: undefined, reason: '' },
    ]),
  );
  let results = 0;
  const before = process.cpuUsage();
  for (const endMs = T0 + what.days * DAY_MS; nowMs < endMs; nowMs += BATCH_MS) {
    const samples: (readonly [string, Sample])[] = [];
    for (let atMs = nowMs; atMs < nowMs + BATCH_MS; atMs += what.everyMs)
      for (const key of keys) samples.push([key, resultAt(atMs + Math.round(20 * random()))]);
    results += samples.length;
    await store.appendSamples(nowMs + BATCH_MS, samples);
  }
  const { user, system } = process.cpuUsage(before);
  await store.close();
  const bytes = historyFiles(dir).reduce((sum, { path }) => sum + statSync(path).size, 0);
  return { bytes, microsPerResult: (user + system) / results, nowMs, keys };
}

interface Filled {
  readonly bytes: number;
  readonly microsPerResult: number;
  readonly nowMs: number;
  readonly keys: readonly string[];
}

function medianMs(work: () => unknown, times = 9): number {
  const durations = Array.from({ length: times }, () => {
    const began = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1_000;
  });
  return durations.sort((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN;
}

let isMissed = false;
function report(what: string, value: number, { unit, max }: { unit: string; max?: number }): void {
  const isOver = max !== undefined && value > max;
  isMissed ||= isOver;
  const limit = max === undefined ? '' : `  (at most ${max})${isOver ? '  MISSED' : ''}`;
  console.log(`${what.padEnd(64)} ${value.toFixed(1).padStart(9)} ${unit}${limit}`);
}

const root = mkdtempSync(join(values.dir, 'healthctl-bench-history-'));
try {
  const before = process.cpuUsage();
  for (let n = 0; n < 1_000_000; n += 1) resultAt(n);
  const making = process.cpuUsage(before);
  const makingMicros = (making.user + making.system) / 1_000_000;

  const one = join(root, 'one');
  const day = await fill(one, { containers: 1, everyMs: 1_000, days: 1 });
  const period = { fromMs: day.nowMs - DAY_MS, toMs: day.nowMs };
  const reader = openHistoryReader(one, {});
  const [key = ''] = day.keys;
  report('a day of one container at 1 s: size', day.bytes / MIB, { unit: 'MiB' });
  report(
    '  its results read',
    medianMs(() => reader.samples(key, period)),
    { unit: 'ms', max: 100 },
  );
  const [container] = pastContainers(reader.changes(period));
  if (container)
    report(
      '  as rows of a table',
      medianMs(() => historyRows(reader, [container], period)),
      { unit: 'ms' },
    );

  const many = join(root, 'many');
  const week = await fill(many, { containers: count, everyMs: intervalS * 1_000, days });
  report(`${days} days of ${count} containers at ${intervalS} s: size`, week.bytes / MIB, { unit: 'MiB', max: 256 });
  report('  CPU for each result, all writing included', week.microsPerResult - makingMicros, { unit: 'µs', max: 3 });
  const all = openHistoryReader(many, {});
  const lastDay = { fromMs: week.nowMs - DAY_MS, toMs: week.nowMs };
  report(
    '  health of all, the last day',
    medianMs(() => {
      const sums = checkSums(all, lastDay);
      return pastContainers(all.changes({ ...lastDay, fromMs: T0 })).map((past) =>
        summaryOf(past, sums.get(past.key), lastDay),
      );
    }, 5),
    { unit: 'ms' },
  );
  report(
    '  results of one, the last day',
    medianMs(() => all.samples(week.keys[3] ?? '', lastDay), 5),
    { unit: 'ms', max: 100 },
  );
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.exitCode = isMissed ? 1 : 0;
