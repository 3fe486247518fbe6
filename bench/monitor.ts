// What the monitor costs and how punctual it is, on its own containerd. Needs root, containerd, runc, and cgroup v1 for
// "all CPU".
//   node --import tsx bench/monitor.ts [--only memory,steady,ps,cpu,lateness,start] [--containers 60] [--rounds 21]
//       [--seconds 60] [--late 50]
// Prints the load average beside each figure: other work on the machine affects all of them, above all the lateness.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DaemonStatus } from '../src/daemon/api/answers.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../src/daemon/node-process.ts';
import { hostIdOf } from '../src/lib/dirs.ts';
import { dockerArchive } from '../testbed/image-archive.ts';
import { startContainerd, testbedEnvironment } from '../testbed/private-containerd.ts';
import { descendantsOf, hasEnvironment, listProcesses } from '../testbed/processes.ts';
import { MARK } from '../testbed/testbed-remains.ts';
import { until } from '../testbed/until.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'memory,steady,ps,cpu,lateness,start' },
    containers: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '21' },
    seconds: { type: 'string', default: '60' },
    late: { type: 'string', default: '50' },
  },
});
const launcher = fileURLToPath(new URL('../bin/healthctl', import.meta.url));
const parts = new Set(values.only.split(','));
const image = 'docker.io/bench/busybox:1';
const CPUACCT = '/sys/fs/cgroup/cpuacct';
/** V8 collects the garbage of past work only some seconds later. */
const SETTLE_MS = 20_000;
/** After so many containers all needed code is compiled: the one-time cost is over. */
const WARM = 60;
const MS_PER_TICK = 10; // USER_HZ is 100 on every Linux that Node.js runs on

const containerd = await startContainerd();
const { directory, address } = containerd;
const runRoot = join(directory, 'r');
const env = { ...testbedEnvironment(directory), HEALTHCTL_TOML: join(directory, 'healthctl.toml') };
const flags = [
  ...['--address', address, '--namespace', 'bench'],
  ...['--run-root', runRoot, '--data-root', join(directory, 'd')],
];
const healthctl = (...args: string[]) => [launcher, ...flags, ...args];
const must = (...args: string[]): string =>
  execFileSync(process.execPath, healthctl(...args), { env, encoding: 'utf8' });
const status = (): DaemonStatus => JSON.parse(must('daemon', 'status', '--format', 'json'));
/** For commands that may fail: prints nothing. */
const quietly = { env, stdio: 'ignore' } as const;
let daemon: ChildProcess | undefined;

try {
  writeFileSync(env.HEALTHCTL_TOML, 'watch_namespaces = ["bench"]\nautostart = false\nnetwork = "none"\n');
  const archive = join(directory, 'image.tar');
  writeFileSync(archive, await dockerArchive({ name: image, config: {} }));
  must('load', '-q', '-i', archive);
  const count = Number(values.containers);

  if (parts.has('memory') || parts.has('steady') || parts.has('ps')) {
    const atStart = await memoryOfNew();
    print('memory at start', `${(atStart / 1e6).toFixed(1)} MB`);
    runMany(0, 1, '1h');
    await sleep(SETTLE_MS);
    const withOne = memoryOf(pidOfDaemon());
    print('memory after the first container was started', `${(withOne / 1e6).toFixed(1)} MB`);
    runMany(1, Math.min(count, WARM), '1h');
    await sleep(SETTLE_MS);
    const warm = memoryOf(pidOfDaemon());
    runMany(WARM, count, '1h');
    await sleep(SETTLE_MS);
    const grown = memoryOf(pidOfDaemon());
    print(`memory after ${count} were started, from none`, perContainer(grown, atStart, count));
    print(`memory after ${count} were started, from the first`, perContainer(grown, withOne, count - 1));
    if (count > WARM)
      print(`memory after ${count} were started, from the ${WARM}th`, perContainer(grown, warm, count - WARM));
    if (parts.has('steady')) await steadyState();
    if (parts.has('ps')) comparePs();
    await stopDaemon();
    print(`memory of one that finds ${count} running`, perContainer(await memoryOfNew(), atStart, count));
    removeAll();
    await stopDaemon();
  }
  if (parts.has('cpu')) await cpuOfChecks();
  if (parts.has('lateness')) await lateness();
  if (parts.has('start')) await startUntilHealthy();
} finally {
  await stopDaemon();
  await containerd.stop();
}

/** With the flags of autostart and unit. */
async function startDaemon(): Promise<void> {
  const args = [...NODE_FLAGS, '--', ...healthctl('daemon', 'run')];
  daemon = spawn(process.execPath, args, {
    env: { ...NODE_ENVIRONMENT, ...env },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  await until(() => isAnswering(), { withinMs: 15_000, everyMs: 50, what: 'the monitor to answer' });
}

function isAnswering(): boolean {
  try {
    execFileSync(process.execPath, healthctl('daemon', 'status'), quietly);
    return true;
  } catch {
    return false;
  }
}

async function stopDaemon(): Promise<void> {
  if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = new Promise((resolve) => daemon?.once('exit', resolve));
  daemon.kill('SIGTERM');
  await ended;
}

function pidOfDaemon(): number {
  return daemon?.pid ?? 0;
}

/** The memory of a monitor that was just started. */
async function memoryOfNew(): Promise<number> {
  await startDaemon();
  await sleep(SETTLE_MS);
  return memoryOf(pidOfDaemon());
}

function runMany(from: number, to: number, interval: string): void {
  const health = ['--health-cmd', '["/bin/true"]', '--health-interval', interval];
  for (let i = from; i < to; i += 1) must('run', '-d', '--name', `c${i}`, ...health, image, 'sleep', '3600');
}

function removeAll(): void {
  must('rm', '-f', ...must('ps', '-aq').trim().split('\n'));
}

function perContainer(now: number, atStart: number, count: number): string {
  return `${(now / 1e6).toFixed(1)} MB, ${((now - atStart) / 1024 / count).toFixed(1)} KiB for each`;
}

/**
 * Nothing is due, so the monitor must neither write nor call. Both would be a write(2), to a file or to containerd's
 * socket, and a call has an answer to read too. Node.js's own threads wake the event loop with a write to an eventfd,
 * which it reads: these few are counted too. Three windows, because V8 collects garbage for some time after work.
 */
async function steadyState(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    const before = { ...ioOf(pidOfDaemon()), cpuMs: cpuMsOf(pidOfDaemon()) };
    await sleep(20_000);
    const after = { ...ioOf(pidOfDaemon()), cpuMs: cpuMsOf(pidOfDaemon()) };
    const of = (key: keyof typeof before): number => after[key] - before[key];
    const io = `${of('syscw')} writes (${of('wchar')} bytes), ${of('syscr')} reads (${of('rchar')} bytes)`;
    print('20 s without a check', `${io}, ${of('write_bytes')} bytes to disks, ${of('cpuMs')} ms of CPU`);
  }
}

function ioOf(pid: number) {
  const text = readFileSync(`/proc/${pid}/io`, 'utf8');
  const of = (key: string): number => Number(new RegExp(`^${key}: (\\d+)$`, 'm').exec(text)?.[1]);
  return {
    ...{ syscw: of('syscw'), syscr: of('syscr'), wchar: of('wchar'), rchar: of('rchar') },
    write_bytes: of('write_bytes'),
  };
}

function comparePs(): void {
  const subjects = { node: ['-e', '0'], ps: healthctl('ps') };
  const seen = { node: [] as number[], ps: [] as number[] };
  for (let round = -2; round < Number(values.rounds); round += 1) {
    const order = Object.keys(subjects) as (keyof typeof subjects)[];
    for (const name of round % 2 === 0 ? order : order.reverse()) {
      const start = process.hrtime.bigint();
      execFileSync(process.execPath, subjects[name], { env, stdio: ['ignore', 'ignore', 'ignore'] });
      if (round >= 0) seen[name].push(Number(process.hrtime.bigint() - start) / 1e6);
    }
  }
  const [node, ps] = [quantile(seen.node, 0.5), quantile(seen.ps, 0.5)];
  print(
    `ps of ${values.containers} by the monitor`,
    `${ps.toFixed(1)} ms, bare node ${node.toFixed(1)} ms: ${(ps / node).toFixed(2)} times`,
  );
}

/**
 * Ten containers, each checked every half second. The monitor's own CPU is the utime and stime of its process. All CPU
 * is that of a cpuacct cgroup, into which containerd and the monitor are moved before the first container, so that
 * shims and runc start in it; and that of the containers' cgroups, into which runc moves what it executes. So short
 * processes count, and other work of the machine does not.
 */
async function cpuOfChecks(): Promise<void> {
  await startDaemon();
  const group = makeGroup([
    ...ours()
      .filter(({ name }) => name === 'containerd')
      .map(({ pid }) => pid),
    pidOfDaemon(),
  ]);
  runMany(0, 10, '500ms');
  await sleep(3_000);
  const groups = [group, ...groupsOfContainers().filter((path) => !path.startsWith(`${group}/`))];
  const cpuOfAll = (): number =>
    groups.reduce((sum, path) => sum + Number(readFileSync(join(path, 'cpuacct.usage'), 'utf8')) / 1e6, 0);
  const sample = () => ({ checks: status().checksMade, own: cpuMsOf(pidOfDaemon()), all: cpuOfAll() });
  const seen: { own: number; all: number; checks: number; node: number }[] = [];
  for (let round = 0; round < 5; round += 1) {
    const before = sample();
    await sleep(10_000);
    const after = sample();
    const checks = after.checks - before.checks;
    const node = cpuMsOfNode();
    seen.push({ checks, node, own: (after.own - before.own) / checks, all: (after.all - before.all) / checks });
  }
  const own = seen.map((one) => one.own);
  const all = seen.map((one) => one.all);
  const checks = seen.reduce((sum, one) => sum + one.checks, 0);
  const range = (list: number[]) =>
    `${quantile(list, 0.5).toFixed(2)} ms (${quantile(list, 0).toFixed(2)} to ${quantile(list, 1).toFixed(2)})`;
  print("the monitor's own CPU for a check", `${range(own)}, five times ${Math.round(checks / 5)} checks`);
  print('all CPU for a check', range(all));
  print('CPU of bare node, in turn with these', range(seen.map((one) => one.node)));
  removeAll();
  await stopDaemon();
  await moveBack(group);
}

function makeGroup(pids: readonly number[]): string {
  const group = join(CPUACCT, `healthctl-bench-${process.pid}`);
  mkdirSync(group);
  for (const pid of pids) writeFileSync(join(group, 'cgroup.procs'), `${pid}`);
  return group;
}

/** A cgroup can be removed once no process is in it. */
async function moveBack(group: string): Promise<void> {
  const isEmpty = (): boolean => {
    for (const pid of readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n')) {
      try {
        if (pid !== '') writeFileSync(join(CPUACCT, 'cgroup.procs'), pid);
      } catch {
        // it has just ended
      }
    }
    try {
      rmdirSync(group);
      return true;
    } catch {
      return false;
    }
  };
  await until(isEmpty, { withinMs: 5_000, everyMs: 50, what: 'the cgroup to be empty' });
}

/** The present speed of the machine: user and system time of `node -e 0`, the median of five. */
function cpuMsOfNode(): number {
  const took = Array.from({ length: 5 }, () => {
    const times = execFileSync('bash', ['-c', '"$0" -e 0; times', process.execPath], { env, encoding: 'utf8' });
    const [, children = ''] = times.trim().split('\n');
    const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(([, m, s]) => Number(m) * 60 + Number(s));
    return 1_000 * seconds.reduce((sum, one) => sum + one, 0);
  });
  return quantile(took, 0.5);
}

function groupsOfContainers(): readonly string[] {
  const shims = ours().filter(({ name }) => name.startsWith('containerd-shim'));
  const found = descendantsOf(shims, listProcesses()).map(({ pid }) => cgroupOf(pid));
  return [...new Set(found)].filter((path) => path !== undefined && path !== CPUACCT) as string[];
}

function cgroupOf(pid: number): string | undefined {
  try {
    const path = /^\d+:[^:\n]*\bcpuacct\b[^:\n]*:(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
    return path === undefined ? undefined : join(CPUACCT, path);
  } catch {
    return undefined;
  }
}

function ours() {
  return listProcesses().filter(({ pid }) => hasEnvironment(pid, `${MARK}=${directory}`));
}

/**
 * Containers at two seconds, 50 by default. Lateness by the monitor's own measure, and from its log: start minus the
 * previous end minus the interval.
 */
async function lateness(): Promise<void> {
  const interval = 2_000;
  await startDaemon();
  runMany(0, Number(values.late), `${interval}ms`);
  await stopDaemon();
  await startDaemon(); // so that its measure does not include the start of the containers
  await sleep(interval + 1_000);
  const late = new Map<string, number>();
  const base = join(runRoot, hostIdOf(address), 'bench');
  const from = Date.now();
  const load = loadavg()[0] ?? 0;
  while (Date.now() - from < Number(values.seconds) * 1_000) {
    await sleep(4_000);
    for (const id of readdirSync(base).filter((name) => !name.startsWith('.'))) {
      const lines = readFileSync(join(base, id, 'health.json'), 'utf8')
        .trim()
        .split('\n');
      const log = lines.map((line) => JSON.parse(line) as { Start: string; End: string });
      for (const [i, { Start }] of log.entries()) {
        const before = log[i - 1];
        if (before && Date.parse(before.End) >= from)
          late.set(`${id} ${Start}`, Date.parse(Start) - Date.parse(before.End) - interval);
      }
    }
  }
  const { lag } = status();
  const written = [...late.values()];
  const three = (p50: number, p99: number, max: number, count: number) =>
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms of ${count} checks; load before ${load.toFixed(2)}`;
  print(
    `later than due, ${values.late} at 2 s, by the monitor`,
    three(lag?.p50Ms ?? -1, lag?.p99Ms ?? -1, lag?.maxMs ?? -1, lag?.count ?? 0),
  );
  print(
    'later than due, by health.json',
    three(quantile(written, 0.5), quantile(written, 0.99), quantile(written, 1), written.length),
  );
  removeAll();
  await stopDaemon();
}

/** From the start event to the healthy event. */
async function startUntilHealthy(): Promise<void> {
  await startDaemon();
  const events = spawn(process.execPath, healthctl('events', '--format', 'json'), {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  events.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await sleep(1_000);
  const took: number[] = [];
  const whole: number[] = [];
  const health = ['--health-cmd', '["/bin/true"]', '--health-interval', '30s'];
  const early = ['--health-start-interval', '100ms', '--health-start-period', '10s'];
  for (let i = 0; i < 7; i += 1) {
    const begun = Date.now();
    const id = must('run', '-d', ...health, ...early, image, 'sleep', '3600').trim();
    const timeOf = (action: string): number | undefined => {
      const found = text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
        .find((event) => event.Actor.ID === id && event.Action === action);
      return found && found.timeNano / 1e6;
    };
    await until(() => timeOf('health_status: healthy') !== undefined, { withinMs: 10_000, everyMs: 20 });
    const end = timeOf('health_status: healthy') ?? 0;
    took.push(end - (timeOf('start') ?? 0));
    whole.push(end - begun);
  }
  events.kill('SIGTERM');
  print(
    'start to healthy',
    `${quantile(took, 0.5).toFixed(0)} ms (${quantile(took, 0).toFixed(0)} to ${quantile(took, 1).toFixed(0)}), from the command ${quantile(whole, 0.5).toFixed(0)} ms`,
  );
  removeAll();
  await stopDaemon();
}

/** User and system time of a process, without its children. */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

function quantile(list: readonly number[], share: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function print(what: string, figure: string): void {
  console.log(`${what.padEnd(44)} ${figure}  [load ${loadavg()[0]?.toFixed(2)}]`);
}
