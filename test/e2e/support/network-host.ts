import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  mustRun,
  type ProgramResult,
  type RunningProgram,
  runProgram,
  startProgram,
} from '../../../testbed/program.ts';
import { type Bed, HEALTHCTL } from './harness.ts';

/** A network namespace in place of the host's: bridges, addresses and firewall rules are only there. */
export interface NetworkHost extends AsyncDisposable {
  /** Runs `healthctl ARGS` on it, to its end; never throws for an exit status. */
  cli(...args: readonly string[]): Promise<ProgramResult>;
  /** Like `cli`, with further environment variables. */
  cliWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<ProgramResult>;
  /** Like `cli`, but must exit with 0; returns stdout without the last newline. */
  ok(...args: readonly string[]): Promise<string>;
  spawn(...args: readonly string[]): RunningProgram;
  /** Like `spawn`, with the /sys of the machine, and so its cgroups: `ip netns exec` mounts another. */
  spawnWithCgroups(...args: readonly string[]): RunningProgram;
  /** Runs another program on it, which must succeed; returns stdout. */
  run(...command: readonly string[]): Promise<string>;
  /** Starts another program on it, which ends with the host at the latest. */
  start(...command: readonly string[]): RunningProgram;
  /** The ports in use: `tcp 0.0.0.0:8080`, `udp 127.0.0.1:53`. */
  ports(): Promise<readonly string[]>;
  /** What containers have on it: interfaces, rules, ports, records, leases. */
  remains(): Promise<Readonly<Record<'links' | 'nat' | 'filter' | 'ports' | 'records' | 'leases', readonly string[]>>>;
}

/** @param bed the bed of its containers. Close it before the host */
export async function openNetworkHost(bed: Bed): Promise<NetworkHost> {
  const name = `hctl-${randomBytes(4).toString('hex')}`;
  const options = { env: bed.env, cwd: '/' };
  await mustRun(['ip', 'netns', 'add', name], options);
  const inside = (command: readonly string[]) => ['ip', 'netns', 'exec', name, ...command];
  const healthctl = (args: readonly string[]) => inside([HEALTHCTL, ...bed.globalFlags, ...args]);
  const started: RunningProgram[] = [];
  const start = (command: readonly string[]): RunningProgram => {
    const program = startProgram(command, options);
    started.push(program);
    return program;
  };
  const run: NetworkHost['run'] = (...command) => mustRun(inside(command), options);
  const lines = async (...command: readonly string[]) =>
    (await run(...command)).split('\n').filter((line) => line !== '');
  const ports: NetworkHost['ports'] = async () =>
    (await lines('ss', '-Hlntu'))
      .map((line) => line.split(/\s+/))
      .map(([protocol, , , , place]) => `${protocol} ${place}`)
      .sort();
  const host: NetworkHost = {
    run,
    ports,
    cli: (...args) => runProgram(healthctl(args), options),
    cliWith: (env, ...args) => runProgram(healthctl(args), { ...options, env: { ...options.env, ...env } }),
    ok: async (...args) => (await mustRun(healthctl(args), options)).replace(/\n$/, ''),
    spawn: (...args) => start(healthctl(args)),
    spawnWithCgroups: (...args) =>
      start(['nsenter', `--net=/run/netns/${name}`, HEALTHCTL, ...bed.globalFlags, ...args]),
    start: (...command) => start(inside(command)),
    remains: async () => ({
      links: (await lines('ip', '-o', 'link')).map((line) => line.split(': ')[1]?.split('@')[0] ?? '').sort(),
      nat: await lines('iptables', '-t', 'nat', '-S'),
      filter: await lines('iptables', '-S'),
      ports: await ports(),
      records: namesBelow(bed, 'attached'),
      leases: namesBelow(bed, 'leases').filter((path) => !/(?:lock|last_reserved_ip\.0)$/.test(path)),
    }),
    [Symbol.asyncDispose]: async () => {
      for (const program of started) program.kill('SIGKILL');
      await Promise.all(started.map(({ exited }) => exited));
      await mustRun(['ip', 'netns', 'del', name], options);
    },
  };
  try {
    await run('ip', 'link', 'set', 'lo', 'up');
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Opens a host for a bed and calls `work`. Then closes the bed and after it the host, also if the host cannot be
 * opened.
 *
 * @param closeBed default: disposes of the bed
 */
export async function withNetworkHost<T>(
  bed: Bed,
  work: (host: NetworkHost) => Promise<T>,
  closeBed: () => Promise<void> | PromiseLike<void> = () => bed[Symbol.asyncDispose](),
): Promise<T> {
  let host: NetworkHost | undefined;
  try {
    host = await openNetworkHost(bed);
    return await work(host);
  } finally {
    try {
      await closeBed();
    } finally {
      await host?.[Symbol.asyncDispose]();
    }
  }
}

/** Names below the directory of networks, of which each containerd has one. */
function namesBelow({ dataRoot }: Bed, part: string): readonly string[] {
  const [host = ''] = existsSync(dataRoot) ? readdirSync(dataRoot) : [];
  const directory = join(dataRoot, host, 'network', part);
  return existsSync(directory) ? readdirSync(directory, { recursive: true }).map(String).sort() : [];
}
