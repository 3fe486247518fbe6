// What the history and the page cost a monitor that checks real containers by HTTP, the cheapest checks. Needs root,
// containerd, runc, cgroup v1 and `npm run build`.
//   node --import tsx bench/history-cost.ts [--running 100] [--rounds 8] [--seconds 30] [--max]
// Pairs of rounds, one with the history and one without, or one with a reader of the page and one without; the order
// changes with each pair. With --max, it fails if the median ratio of CPU per check is above the target.
import { get } from 'node:http';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { DaemonStatus } from '../src/daemon/api/answers.ts';
import type { PrivateContainerd } from '../testbed/private-containerd.ts';
import { withHealthctl } from './docker/bed.ts';
import { cpuMsOfProcess } from './docker/cpu.ts';
import type { HealthctlSide } from './docker/healthctl-side.ts';
import { HTTP, must, runMany } from './docker/measures.ts';
import { quantile, spread } from './docker/table.ts';

const { values } = parseArgs({
  options: {
    running: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '30' },
    max: { type: 'boolean', default: false },
  },
});
/** The monitor keeps the lateness of the last 2,048 checks: a round must make more. */
const running = Number(values.running);
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
/** More CPU for each check with the history. */
const MAX_RATIO = 1.05;
/** V8 compiles what is used, and the monitor collects its garbage 10 s after its start. */
const WARM_UP_MS = 20_000;
/** How often the page in a browser asks: see src/page/client. */
const PAGE_MS = 6_000;

/** Of one round. */
interface Figures {
  /** The monitor's own CPU for a check. */
  readonly usPerCheck: number;
  /** How late the last checks were. */
  readonly p99Ms: number;
}

await withHealthctl(async (side, containerd) => {
  await runMany(side, { ...HTTP, containers: running, flags: [...HTTP.flags, '--health-interval', '1s'] });
  console.log(`${side.versions}, ${running} containers checked each second, load average ${loadavg()[0]?.toFixed(1)}`);
  const ratio = await compareHistory(side);
  await comparePage(side, containerd);
  console.log(`load average ${loadavg()[0]?.toFixed(1)}`);
  if (values.max && ratio > MAX_RATIO) process.exitCode = 1;
});

/** @returns the median ratio of CPU for a check */
async function compareHistory(side: HealthctlSide): Promise<number> {
  const measureWith = async (isEnabled: boolean): Promise<Figures> => {
    await side.reconfigure(`[history]\nenabled = ${isEnabled}\n`);
    await sleep(WARM_UP_MS);
    return measure(side);
  };
  return tell('the history', await inPairs(measureWith));
}

async function comparePage(side: HealthctlSide, { directory }: PrivateContainerd): Promise<void> {
  const socketPath = join(directory, 'page.sock');
  await side.reconfigure(`[page]\nlisten = "${socketPath}"\n`);
  const ids = must(side, 'ps', '-q', '--no-trunc').trim().split('\n');
  await sleep(WARM_UP_MS);
  const measureWith = async (isRead: boolean): Promise<Figures> => {
    const over = new AbortController();
    const reading = isRead ? readPage(socketPath, `${side.group}/${ids[0]}`, over.signal) : undefined;
    try {
      return await measure(side);
    } finally {
      over.abort();
      await reading;
    }
  };
  tell('the page open', await inPairs(measureWith));
}

interface Pair {
  readonly without: Figures;
  readonly with: Figures;
}

async function inPairs(measureWith: (isOn: boolean) => Promise<Figures>): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const isOnFirst = round % 2 === 1;
    const [first, second] = [await measureWith(isOnFirst), await measureWith(!isOnFirst)];
    pairs.push(isOnFirst ? { with: first, without: second } : { with: second, without: first });
  }
  return pairs;
}

async function measure(side: HealthctlSide): Promise<Figures> {
  const [cpuMs, checks] = [cpuMsOfProcess(side.daemonPid), side.checksMade()];
  await sleep(seconds * 1_000);
  const made = side.checksMade() - checks;
  const usPerCheck = ((cpuMsOfProcess(side.daemonPid) - cpuMs) * 1_000) / made;
  const status: DaemonStatus = JSON.parse(must(side, 'daemon', 'status', '--format', 'json'));
  return { usPerCheck, p99Ms: status.lag?.p99Ms ?? Number.NaN };
}

function tell(what: string, pairs: readonly Pair[]): number {
  const cpu = pairs.map((pair) => pair.with.usPerCheck / pair.without.usPerCheck);
  const of = (kind: keyof Pair, figure: keyof Figures) => spread(pairs.map((pair) => pair[kind][figure]));
  console.log(`with ${what} and without, ${pairs.length} pairs of ${seconds} s
  CPU for a check     ${of('with', 'usPerCheck')} us, ${of('without', 'usPerCheck')} us; ratio ${cpu.map((one) => one.toFixed(3)).join(' ')}, median ${quantile(cpu, 0.5).toFixed(3)}
  later than due, p99 ${of('with', 'p99Ms')} ms, ${of('without', 'p99Ms')} ms`);
  return quantile(cpu, 0.5);
}

/** Follows the stream, and asks for the list, a container and its log, as a browser does that shows a container. */
async function readPage(socketPath: string, key: string, signal: AbortSignal): Promise<void> {
  const container = `/data/containers/${encodeURIComponent(key)}`;
  void read(socketPath, '/data/stream', signal).catch(() => {}); // it ends with the round
  while (!signal.aborted) {
    for (const path of ['/data/containers?range=90m', `${container}?range=90m`, `${container}/log`])
      await read(socketPath, path, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    await sleep(PAGE_MS, undefined, { signal }).catch(() => {}); // the round has ended
  }
}

function read(socketPath: string, path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath, path, signal, agent: false, headers: { host: 'localhost' } }, (response) => {
      response.resume().on('end', resolve).on('error', reject);
      if (response.statusCode !== 200) reject(new Error(`${path}: status ${response.statusCode}`));
    });
    request.on('error', reject);
  });
}
