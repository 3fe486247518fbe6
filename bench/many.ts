// Many containers at once, half of them checked by HTTP and half by a resident shell, each every second: how late the
// checks are, and what they cost. Needs root, containerd, runc and cgroup v1.
//   node --import tsx bench/many.ts [--containers 500] [--seconds 60]
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { DaemonStatus } from '../src/daemon/api/answers.ts';
import { withHealthctl } from './docker/bed.ts';
import { cpuMsOfGroup, cpuMsOfProcess } from './docker/cpu.ts';
import { HTTP, type Load, must, RESIDENT, runMany } from './docker/measures.ts';
import type { Side } from './docker/side.ts';
import { quantile } from './docker/table.ts';

const { values } = parseArgs({
  options: { containers: { type: 'string', default: '500' }, seconds: { type: 'string', default: '60' } },
});
const count = Number(values.containers);
const seconds = Number(values.seconds);
/** The monitor keeps the lateness of the last 2,048 checks, so each sample is taken before these are replaced. */
const SAMPLE_MS = Math.min(2_000, (1_500 / count) * 1_000);

await withHealthctl(async (side) => {
  for (const load of [HTTP, RESIDENT])
    await runMany(side, { ...load, containers: Math.floor(count / 2), flags: everySecond(load) });
  console.log(`${side.versions}, ${count} containers, load average ${loadOf()}`);
  await sleep(5_000);
  await measure(side);
});

function everySecond({ flags }: Load): readonly string[] {
  return [...flags, '--health-interval', '1s'];
}

async function measure(side: Side): Promise<void> {
  const status = (): DaemonStatus => JSON.parse(must(side, 'daemon', 'status', '--format', 'json'));
  const sample = () => ({
    own: cpuMsOfProcess(side.daemonPid),
    all: cpuMsOfGroup(side.group),
    atMs: performance.now(),
    checks: status().checksMade,
  });
  const lags: number[] = [];
  const before = sample();
  while (performance.now() - before.atMs < seconds * 1_000) {
    await sleep(SAMPLE_MS);
    lags.push(status().lag?.p99Ms ?? Number.NaN);
  }
  const after = sample();
  const tookMs = after.atMs - before.atMs;
  const checks = after.checks - before.checks;
  const { memoryBytes } = status();
  console.log(`checks a second            ${(checks / (tookMs / 1_000)).toFixed(0)}
later than due, p99        ${quantile(lags, 0.5).toFixed(1)} ms (median of ${lags.length} samples, at most ${Math.max(...lags).toFixed(1)} ms)
cores, the monitor's own   ${((after.own - before.own) / tookMs).toFixed(2)}
cores, all of it           ${((after.all - before.all) / tookMs).toFixed(2)}
the monitor's memory       ${(memoryBytes / 1e6).toFixed(0)} MB
load average               ${loadOf()}`);
}

function loadOf(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}
