import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DaemonStatus } from '../../src/daemon/api/answers.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../src/daemon/node-process.ts';
import { hostIdOf } from '../../src/lib/dirs.ts';
import { type PrivateContainerd, testbedEnvironment } from '../../testbed/private-containerd.ts';
import { endProcesses, hasEnvironment, listProcesses, readProcess } from '../../testbed/processes.ts';
import { MARK } from '../../testbed/testbed-remains.ts';
import { until } from '../../testbed/until.ts';
import { CPUACCT } from './cpu.ts';
import { readResults, watchFiles } from './health-files.ts';
import type { Side } from './side.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/healthctl', import.meta.url));

export interface HealthctlSide extends Side {
  /** Adds lines to the configuration, instead of those added before. Restarts the monitor, which keeps its pid. */
  reconfigure(lines: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts healthctl's monitor on a private containerd, with the flags of autostart and unit. */
export async function startHealthctl(
  { directory, address }: PrivateContainerd,
  seccomp: string,
  options: {
    /** Serves Docker's API there. */
    readonly dockerSocket?: string;
  } = {},
): Promise<HealthctlSide> {
  // also the namespace: the cgroups of its containers are below the cgroup with its name
  const group = `healthctl-bench-${process.pid}`;
  // A tmpfs, like /run: on a disk each check would include the cost of its file system.
  const runRoot = mkdtempSync('/dev/shm/healthctl-bench-');
  const env = { ...testbedEnvironment(directory), HEALTHCTL_TOML: join(directory, 'healthctl.toml') };
  const configure = (lines: string) =>
    writeFileSync(env.HEALTHCTL_TOML, `watch_namespaces = ["${group}"]\nautostart = false\n${lines}`);
  configure('');
  writeFileSync(join(directory, 'namespaces', group), ''); // so that the cgroups are removed with the test bed
  const program = [
    ...[process.execPath, LAUNCHER, '--address', address, '--namespace', group],
    ...['--run-root', runRoot, '--data-root', join(directory, 'd')],
  ];
  const [node = '', ...args] = program;
  const ask = (...command: string[]) =>
    execFileSync(node, [...args, ...command], { env, encoding: 'utf8', stdio: 'pipe' });
  const status = (): DaemonStatus => JSON.parse(ask('daemon', 'status', '--format', 'json'));

  const { dockerSocket } = options;
  const serving = dockerSocket === undefined ? [] : ['--docker-socket', dockerSocket];
  const monitor = spawn(node, [...NODE_FLAGS, '--', ...args, 'daemon', 'run', ...serving], {
    env: { ...NODE_ENVIRONMENT, ...env },
    stdio: 'ignore',
    detached: true,
  });
  const daemonPid = monitor.pid ?? 0;
  const answers = () => {
    try {
      return status();
    } catch {
      return undefined;
    }
  };
  await until(answers, { withinMs: 15_000, what: 'the monitor to answer' });
  mkdirSync(join(CPUACCT, group));
  for (const pid of [daemonPid, ...containerdsOf(directory)])
    writeFileSync(join(CPUACCT, group, 'cgroup.procs'), `${pid}`);

  const files = () => healthFilesIn(join(runRoot, hostIdOf(address), group));
  return {
    ...{ name: 'healthctl', program, env, daemonPid, group, seccomp },
    versions: versionsOf(env),
    checksMade: () => status().checksMade,
    results: async () => [...files().values()].flatMap(readResults),
    followResults: (ids, onResults) =>
      watchFiles(
        [...files()].filter(([id]) => ids.has(id)),
        onResults,
      ),
    reconfigure: async (lines) => {
      configure(lines);
      process.kill(daemonPid, 'SIGHUP');
      await sleep(1_000); // the restart needs a moment to begin
      await until(answers, { withinMs: 15_000, what: 'the monitor to answer' });
    },
    stop: async () => {
      await endProcesses(
        [readProcess(daemonPid)].filter((one) => one !== undefined),
        { graceMs: 10_000 },
      );
      rmSync(runRoot, { recursive: true, force: true });
    },
  };
}

/** Without the containerd that dockerd started in the same directory. */
function containerdsOf(directory: string): number[] {
  return listProcesses()
    .filter(({ name, args }) => name === 'containerd' && args.includes(join(directory, 'config.toml')))
    .filter(({ pid }) => hasEnvironment(pid, `${MARK}=${directory}`))
    .map(({ pid }) => pid);
}

function versionsOf(env: Record<string, string>): string {
  const of = (file: string) =>
    / (?:version )?v?(\d\S+)/.exec(execFileSync(file, ['--version'], { env, encoding: 'utf8' }));
  return `healthctl on Node.js ${process.versions.node}, containerd ${of('containerd')?.[1]}, runc ${of('runc')?.[1]}`;
}

/** By the id of the container. */
function healthFilesIn(base: string): ReadonlyMap<string, string> {
  const ids = readdirSync(base).filter((name) => !name.startsWith('.'));
  return new Map(ids.map((id) => [id, join(base, id, 'health.json')]));
}
