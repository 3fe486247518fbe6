import { execFileSync, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../testbed/until.ts';
import { cpuMsOfGroup, cpuMsOfProcess } from './cpu.ts';
import type { Side } from './side.ts';
import { quantile } from './table.ts';

/** Its HEALTHCHECK is `CMD /bin/true`: on a command line, Docker takes a check only as a text for the shell. */
export const IMAGE = 'docker.io/bench/busybox:1';
/** Nothing is due during the measurement. */
export const NEVER = ['--health-interval', '1h'];

/** CPU time in milliseconds: of one check, or of one second without a check. */
export interface Cpu {
  readonly own: number;
  readonly all: number;
}

export function must(side: Side, ...args: string[]): string {
  const [file = '', ...before] = side.program;
  return execFileSync(file, [...before, ...args], {
    env: side.env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** @returns the id */
function run(side: Side, health: readonly string[], command = ['sleep', '3600'], image = IMAGE): string {
  const place = ['--network', 'none', '--security-opt', `seccomp=${side.seccomp}`];
  return must(side, 'run', '-d', ...place, ...health, image, ...command).trim();
}

/** @returns the ids */
export async function runMany(side: Side, { containers, flags, command, image }: Load): Promise<readonly string[]> {
  const ids: string[] = [];
  while (ids.length < containers) {
    ids.push(run(side, flags, command, image));
    await sleep(0); // lets a signal be handled
  }
  return ids;
}

export function removeAll(side: Side): void {
  must(side, 'rm', '-f', ...must(side, 'ps', '-aq').trim().split('\n'));
}

/**
 * By then both sides have collected the garbage from creating the containers: healthctl does so 10 s after the last
 * start.
 */
const SETTLE_MS = 15_000;
/**
 * containerd's shims return memory at this interval, each counted from its own start. Over whole rounds the cost is the
 * same for all.
 */
const SHIM_ROUND_S = 30;

/**
 * The CPU time per second of sides whose containers run without a check. At the same time: each side has its own
 * cgroup.
 */
export async function idleCpu(sides: readonly Side[], shimRounds: number): Promise<readonly Cpu[]> {
  await sleep(SETTLE_MS);
  const all = await Promise.all(sides.map((side) => cpuDuring(side, shimRounds * SHIM_ROUND_S)));
  return all.map(({ own, all, tookS }) => ({ own: own / tookS, all: all / tookS }));
}

/** How containers are checked while CPU time is measured. */
export interface Load {
  readonly containers: number;
  readonly flags: readonly string[];
  readonly command?: string[];
  /** Default: IMAGE. */
  readonly image?: string;
  /** How long checks run before the measurement; default 2 s. */
  readonly warmUpMs?: number;
}

/**
 * The check of the image every second: so few that checks do not wait for each other, even on two processors. After 15
 * s both sides have collected the garbage from creating the containers.
 */
export const FRESH: Load = { containers: 5, flags: ['--health-interval', '1s'], warmUpMs: 15_000 };
/** The same program, in a resident shell. */
export const RESIDENT: Load = {
  containers: 10,
  flags: ['--health-interval', '400ms', '--health-exec', 'resident', '--health-cmd', '/bin/true'],
};
/** A server in the container that forks for each request. */
export const HTTP: Load = {
  containers: 10,
  flags: [
    '--health-interval',
    '400ms',
    '--health-http',
    'http://127.0.0.1:8080/etc/passwd',
    '--health-http-status',
    '200',
  ],
  command: ['busybox', 'httpd', '-f', '-p', '8080', '-h', '/'],
};

export const NGINX_IMAGE = 'docker.io/bench/nginx:1';
/**
 * A real server, on a host whose processors do not sleep between checks (150 a second), and with a warm monitor: V8
 * compiles its code during the first half minute of such checks.
 */
export const HTTP_MANY: Load = {
  ...{ containers: 60, warmUpMs: 20_000, image: NGINX_IMAGE },
  flags: ['--health-interval', '400ms', '--health-http', 'http://127.0.0.1/', '--health-http-status', '200'],
  command: ['nginx', '-g', 'daemon off;'],
};

/**
 * @returns the CPU time of a check, with everything else that the side does meanwhile, and the duration of checks:
 *   medians from the health logs, in milliseconds
 */
export async function cpuOfCheck(
  side: Side,
  seconds: number,
  load: Load = FRESH,
): Promise<Cpu & { checks: number; tookMs: number }> {
  await runMany(side, load);
  await sleep(load.warmUpMs ?? 2_000);
  const checksBefore = side.checksMade();
  const { own, all } = await cpuDuring(side, seconds);
  const checks = side.checksMade() - checksBefore;
  const results = await side.results();
  removeAll(side);
  const tookMs = quantile(
    results.map(({ startMs, endMs }) => endMs - startMs),
    0.5,
  );
  return { checks, tookMs, own: own / checks, all: all / checks };
}

/** The side gets no request in between. */
async function cpuDuring(side: Side, seconds: number): Promise<Cpu & { readonly tookS: number }> {
  const sample = () => ({
    own: cpuMsOfProcess(side.daemonPid),
    all: cpuMsOfGroup(side.group),
    atMs: performance.now(),
  });
  const before = sample();
  await sleep(seconds * 1_000);
  const after = sample();
  return {
    own: after.own - before.own,
    all: after.all - before.all,
    tookS: (after.atMs - before.atMs) / 1_000,
  };
}

/** The output of `events` so far, until it is ended. */
export function followEvents({ program, env }: Side) {
  const [file = '', ...args] = program;
  const events = spawn(file, [...args, 'events', '--format', '{{json .}}'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  events.stdout.on('data', (chunk) => {
    text += chunk;
  });
  return {
    timeMsOf: (id: string, action: string): number | undefined => {
      const whole = text.split('\n').slice(0, -1);
      const found = whole.map((line) => JSON.parse(line)).find((one) => one.Actor.ID === id && one.Action === action);
      return found && found.timeNano / 1e6;
    },
    end: () => events.kill('SIGTERM'),
  };
}

/** The time from the start event, and from the command, to the healthy event. */
export async function startToHealthy(side: Side, { timeMsOf }: ReturnType<typeof followEvents>) {
  const early = ['--health-interval', '30s', '--health-start-interval', '100ms', '--health-start-period', '10s'];
  const begunMs = Date.now();
  const id = run(side, early);
  const endMs = await until(() => timeMsOf(id, 'health_status: healthy'), { everyMs: 20, what: 'the healthy event' });
  const startMs = await until(() => timeMsOf(id, 'start'), { everyMs: 20, what: 'the start event' });
  return { fromStart: endMs - startMs, fromCommand: endMs - begunMs };
}

export function wallMsOf(program: readonly string[], env: Record<string, string>): number {
  const [file = '', ...args] = program;
  const start = process.hrtime.bigint();
  execFileSync(file, args, { env, stdio: 'ignore' });
  return Number(process.hrtime.bigint() - start) / 1e6;
}
