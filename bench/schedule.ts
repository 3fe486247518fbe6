// The cost of scheduling, state and store per check, without containerd: 10,000 containers at an interval of 30 s, with
// a prober that answers in memory. The parts are the monitor's own, the store is the real one, on a tmpfs.
//   node --import tsx bench/bundled.ts bench/schedule.ts [--containers 10000] [--interval 30] [--seconds 60]
//       [--dir /dev/shm] [--max 5]
// The first interval, which creates files and directories, is not counted. Prints the CPU time (user and system) of
// this process as a share of one core and per check, and the cost of its parts, measured one after the other. Fails if
// the share is above --max.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { jsonFromHealthState } from '../src/health/state-json.ts';
import { systemClock as clock } from '../src/lib/clock.ts';
import { LABELS } from '../src/lib/labels.ts';
import { createAgenda } from '../src/monitor/agenda.ts';
import { createLags } from '../src/monitor/lags.ts';
import { createLimiter } from '../src/monitor/limiter.ts';
import { startWorker, type Worker } from '../src/monitor/worker.ts';
import { createCheckBed } from './check-bed.ts';

const { values } = parseArgs({
  options: {
    containers: { type: 'string', default: '10000' },
    interval: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '60' },
    dir: { type: 'string', default: '/dev/shm' },
    max: { type: 'string', default: '5' },
  },
});
const [count, intervalS, seconds] = [Number(values.containers), Number(values.interval), Number(values.seconds)];

const root = mkdtempSync(join(values.dir, 'healthctl-bench-'));
try {
  const { config, store, checkOf } = createCheckBed(root, intervalS);
  const agenda = createAgenda(clock);
  const limiter = createLimiter(8);
  const lags = createLags();
  const workers: Worker[] = [];
  let made = 0;
  for (let i = 0; i < count; i += 1) {
    const worker = startWorker(
      {
        ...{ clock, agenda, limiterOf: () => limiter },
        check: (signal) => checkOf(`c${i}`, signal),
        onReport: (_, lagMs) => {
          made += 1;
          if (lagMs !== undefined) lags.add(lagMs);
        },
        onFailure: (error) => console.error(error),
      },
      {
        ...{ config, testedForMs: 0, status: 'healthy', sinceLastEndMs: undefined, isPaused: false },
        share: i / count,
      },
    );
    workers.push(worker);
  }
  await clock.sleep((intervalS + 1) * 1_000);

  const madeBefore = made;
  const before = process.cpuUsage();
  const fromMs = clock.monotonic();
  await clock.sleep(seconds * 1_000);
  const { user, system } = process.cpuUsage(before);
  const tookMs = clock.monotonic() - fromMs;
  const checks = made - madeBefore;
  const cpuUs = user + system;
  const share = cpuUs / 10 / tookMs;
  const lag = lags.summary();
  const split = `${(user / checks).toFixed(0)} user, ${(system / checks).toFixed(0)} system`;
  console.log(`${count} containers at ${intervalS} s, ${checks} checks in ${(tookMs / 1000).toFixed(1)} s`);
  console.log(`${share.toFixed(2)} % of one core, ${(cpuUs / checks).toFixed(0)} us per check (${split})`);
  console.log(
    `later than due: p50 ${lag?.p50Ms.toFixed(2)} ms, p99 ${lag?.p99Ms.toFixed(2)} ms, max ${lag?.maxMs.toFixed(2)} ms`,
  );
  console.log(`memory ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB, load average ${loadavg()[0]?.toFixed(2)}`);
  await Promise.all(workers.map((worker) => worker.stop()));
  agenda.stop();

  // The cost of the parts: the same containers one after the other, so without scheduling; then without what is above
  // the store; then the parts of that.
  const ids = Array.from({ length: Math.min(count, 3_000) }, (_, i) => `c${i}`);
  const state = { status: 'healthy', failingStreak: 0, inStartPeriod: false, run: 'boot:x' } as const;
  const labels = { [LABELS.nerdctlHealthstate]: JSON.stringify(jsonFromHealthState(state)) };
  const now = new Date().toISOString();
  const result = { start: now, end: now, exitCode: 0, output: 'ok\n' };
  const parts: Record<string, (id: string) => Promise<unknown>> = {
    'a check': (id) => checkOf(id),
    'of it: the check lock': (id) => store.withCheckLock({ namespace: 'bench', id, labels }, async () => {}),
    'of it: locks and read of the store': (id) =>
      store.update({ namespace: 'bench', id, labels }, () => undefined, { retries: 3 }),
    'of it: all of the store, with the write': (id) =>
      store.update({ namespace: 'bench', id, labels }, () => ({ result, state }), { retries: 3 }),
  };
  for (const [name, work] of Object.entries(parts)) {
    for (const id of ids) await work(id);
    const start = process.cpuUsage();
    for (const id of ids) await work(id);
    const used = process.cpuUsage(start);
    console.log(`${name.padEnd(42)} ${((used.user + used.system) / ids.length).toFixed(0)} us`);
  }
  if (share > Number(values.max)) {
    console.error(`above the limit of ${values.max} %`);
    process.exitCode = 1;
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
