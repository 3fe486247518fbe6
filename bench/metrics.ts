// What metrics cost: the text of 1,000 containers, memory, CPU per check, and whether a scrape each second makes checks late.
//   node --import tsx --expose-gc bench/metrics.ts                 in this process alone: text, memory, CPU
//   node --import tsx --expose-gc bench/metrics.ts --running 200 [--containers 1000] [--rounds 6] [--seconds 10]
//       also a real monitor with so many running containers, checked by HTTP each second, and the rest only created.
//       Needs root, containerd, runc, cgroup v1 and `npm run build`
import { get } from 'node:http';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { DaemonStatus } from '../src/daemon/api/answers.ts';
import { createMetricsPage } from '../src/daemon/metrics/page.ts';
import { createMetricsRecorder } from '../src/daemon/metrics/recorder.ts';
import { systemClock } from '../src/lib/clock.ts';
import { hostIdOf } from '../src/lib/dirs.ts';
import type { KnownContainer } from '../src/monitor/host-model.ts';
import { compactRecordOf } from '../src/record/compact-record.ts';
import { aRecord, aTask } from '../test/builders/container.ts';
import { aConfig, aResult, aRun, aState } from '../test/builders/health.ts';
import { someFigures } from '../test/builders/metrics.ts';
import type { PrivateContainerd } from '../testbed/private-containerd.ts';
import { withHealthctl } from './docker/bed.ts';
import { cpuMsOfProcess } from './docker/cpu.ts';
import type { HealthctlSide } from './docker/healthctl-side.ts';
import { HTTP, IMAGE, must, NEVER, runMany } from './docker/measures.ts';
import { quantile, spread } from './docker/table.ts';

const { values } = parseArgs({
  options: {
    containers: { type: 'string', default: '1000' },
    running: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '10' },
  },
});
const count = Number(values.containers);
const running = Number(values.running);
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

await inThisProcess();
if (running > 0) await withHealthctl(measureMonitor);

async function inThisProcess(): Promise<void> {
  const all = Array.from({ length: count }, (_, index) => containerOf(index));
  const model = new Map(all.map((container) => [`default/${container.id}`, container]));
  const recorder = createMetricsRecorder({
    ...{ clock: systemClock, model },
    settings: { maxContainers: count, containerLabels: [] },
  });
  const before = memory();
  for (const container of all) recorder.observe(container);
  const added = memory() - before;
  const state = aState();
  const result = aResult();
  const add = (times: number): number => {
    const start = process.cpuUsage();
    for (let round = 0; round < times; round += 1)
      for (const container of all) recorder.onResult(container, { state, result, lagMs: 1.5 });
    const { user, system } = process.cpuUsage(start);
    return (user + system) / (times * count);
  };
  add(50);
  const perCheck = Math.min(...Array.from({ length: 7 }, () => add(50)));
  let pauses = 0;
  let sliceStart = 0;
  const slices: number[] = [];
  const pause = async (): Promise<void> => {
    pauses += 1;
    slices.push(performance.now() - sliceStart);
    await new Promise((resolve) => setImmediate(resolve));
    sliceStart = performance.now();
  };
  const [tookMs, cpuMs]: [number[], number[]] = [[], []];
  let bytes = 0;
  for (let round = 0; round < 30; round += 1) {
    const page = createMetricsPage({
      ...{ clock: systemClock, recorder, pause },
      model: { all: () => model.values() },
      figures: () => someFigures(),
    });
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    sliceStart = start;
    bytes = (await page.read('text')).byteLength;
    const { user, system } = process.cpuUsage(cpu);
    if (round >= 10) {
      tookMs.push(performance.now() - start);
      cpuMs.push((user + system) / 1_000);
    }
    page.stop();
    await sleep(20);
  }
  tell('text of all containers', `${(bytes / 1e6).toFixed(2)} MB`);
  tell(
    'time to make it',
    `${spread(tookMs)} ms, in ${Math.round(pauses / 30) + 1} slices, the longest ${Math.max(...slices).toFixed(1)} ms`,
  );
  tell('CPU to make it', `${spread(cpuMs)} ms`);
  tell('memory of the series', `${(added / 1e6).toFixed(2)} MB, ${Math.round(added / count)} bytes a container`);
  tell('CPU added to a check', `${perCheck.toFixed(2)} us`);
}

function containerOf(index: number): KnownContainer {
  const id = index.toString(16).padStart(64, 'a');
  const run = aRun();
  return {
    ...{ namespace: 'default', id, damage: undefined, processJson: undefined, isStartSeen: true, isOutOfMemory: false },
    record: compactRecordOf(aRecord({ id, labels: { 'nerdctl/name': `service-${`${index}`.padStart(4, '0')}` } })),
    ...{ config: aConfig(), task: aTask({ containerId: id }), run },
    stored: { log: [aResult()], state: aState({ run: run.id }) },
  };
}

function memory(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function measureMonitor(side: HealthctlSide, { address }: PrivateContainerd): Promise<void> {
  const runRoot = side.program[side.program.indexOf('--run-root') + 1] ?? '';
  const socketPath = join(runRoot, hostIdOf(address), '.daemon', 'api.sock');
  const status = (): DaemonStatus => JSON.parse(must(side, 'daemon', 'status', '--format', 'json'));
  for (let index = running; index < count; index += 1) {
    must(side, 'create', '--network', 'none', '--health-cmd', 'true', ...NEVER, IMAGE, 'sleep', '3600');
    await sleep(0);
  }
  await runMany(side, { ...HTTP, containers: running, flags: [...HTTP.flags, '--health-interval', '1s'] });
  await sleep(20_000);
  const atFirst = status().memoryBytes;
  const lags: Record<'quiet' | 'scraped', number[]> = { quiet: [], scraped: [] };
  const cpu: Record<'quiet' | 'scraped', number[]> = { quiet: [], scraped: [] };
  const took: number[] = [];
  let bytes = 0;
  for (let round = 0; round < 2 * rounds; round += 1) {
    const kind = round % 2 === 0 ? 'quiet' : 'scraped';
    const [beganMs, cpuMs] = [performance.now(), cpuMsOfProcess(side.daemonPid)];
    while (performance.now() - beganMs < seconds * 1_000) {
      const startMs = performance.now();
      if (kind === 'scraped') {
        bytes = await scrape(socketPath);
        took.push(performance.now() - startMs);
      }
      await sleep(1_000 - (performance.now() - startMs));
    }
    cpu[kind].push(((cpuMsOfProcess(side.daemonPid) - cpuMs) / (performance.now() - beganMs)) * 100);
    lags[kind].push(status().lag?.p99Ms ?? Number.NaN);
  }
  console.log(`${side.versions}, ${running} of ${count} containers run, load average ${loadavg()[0]?.toFixed(1)}`);
  tell('a scrape over the socket', `${spread(took)} ms, ${(bytes / 1e6).toFixed(2)} MB`);
  tell('lateness of checks, p99, not scraped', `${spread(lags.quiet)} ms`);
  tell('lateness of checks, p99, scraped each second', `${spread(lags.scraped)} ms`);
  tell('the monitor’s own CPU, not scraped', `${quantile(cpu.quiet, 0.5).toFixed(1)} %`);
  tell('the monitor’s own CPU, scraped each second', `${quantile(cpu.scraped, 0.5).toFixed(1)} %`);
  await sleep(20_000);
  tell('memory before and after', `${(atFirst / 1e6).toFixed(1)} MB, ${(status().memoryBytes / 1e6).toFixed(1)} MB`);
}

function scrape(socketPath: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path: '/metrics', agent: false }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => resolve(bytes));
    }).on('error', reject);
  });
}

function tell(what: string, figure: string): void {
  console.log(`${what.padEnd(46)} ${figure}`);
}
