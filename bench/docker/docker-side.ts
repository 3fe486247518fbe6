import { execFileSync, spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { testbedEnvironment } from '../../testbed/private-containerd.ts';
import { descendantsOf, endProcesses, listProcesses, readProcess } from '../../testbed/processes.ts';
import { removeCgroups } from '../../testbed/testbed-remains.ts';
import { until } from '../../testbed/until.ts';
import { CPUACCT } from './cpu.ts';
import { type LogEntry, type Result, resultOf, type SeenResults } from './result.ts';
import type { Following, Side } from './side.ts';

const SCRIPT = fileURLToPath(new URL('dockerd.sh', import.meta.url));

interface DockerVersion {
  readonly Version: string;
  readonly Components: readonly { readonly Name: string; readonly Version: string }[];
}

interface DockerContainer {
  readonly State: { readonly Health?: { readonly Log: readonly LogEntry[] | null } };
}

/** Shorter than five checks at 2 s: Docker keeps five results. */
const POLL_EVERY_MS = 6_000;

const NO_NETWORK = '--bridge none --iptables=false --ip6tables=false --ip-forward=false';

/**
 * Starts the dockerd of a root directory with the host's runc, and all its files in `directory`.
 *
 * @param options.hasNetworks whether it makes its bridge and sets rules, in a network namespace of its own; default: no
 */
export async function startDocker(
  root: string,
  directory: string,
  seccomp: string,
  options: { readonly hasNetworks?: boolean } = {},
): Promise<Side & { stop(): Promise<void> }> {
  const env = testbedEnvironment(directory);
  const socket = join(directory, 'docker.sock');
  const group = `healthctl-bench-${process.pid}-docker`;
  const log = join(directory, 'dockerd.log');
  const output = openSync(log, 'a');
  // If this process is killed, so is dockerd.
  const outer = spawn('setpriv', ['--pdeathsig', 'KILL', '/bin/sh', SCRIPT], {
    env: {
      ...env,
      ROOT: root,
      BED: directory,
      GROUP: group,
      NETWORK: options.hasNetworks ? '' : NO_NETWORK,
      ...runcOf(env),
    },
    stdio: ['ignore', output, output],
    detached: true, // a session of its own, like a service: the kernel shares the processors among sessions
  });
  const outerProcess = readProcess(outer.pid ?? 0);
  const inside = () => (outerProcess ? descendantsOf([outerProcess], listProcesses()) : []);
  const dockerd = () => inside().filter(({ name }) => name === 'dockerd');
  const stop = async (): Promise<void> => {
    await endProcesses(dockerd(), { graceMs: 20_000 });
    if (outerProcess) await endProcesses([outerProcess], { graceMs: 0 });
    await until(() => inside().length === 0, { what: "dockerd's processes to end" });
    const isRemoved = () => {
      removeCgroups(group);
      return !existsSync(join(CPUACCT, group));
    };
    await until(isRemoved, { what: 'the cgroups of Docker to be empty' });
  };
  try {
    const isUp = async () => outer.exitCode !== null || (await ask(socket, '/_ping').catch(() => undefined)) === 'OK';
    await until(isUp, { withinMs: 20_000, what: 'dockerd to answer' });
    const daemonPid = dockerd()[0]?.pid;
    if (daemonPid === undefined) throw new Error(`dockerd ended:\n${readFileSync(log, 'utf8').slice(-2000)}`);
    return {
      ...{ name: 'Docker', env, daemonPid, group, seccomp, stop },
      versions: versionsOf(JSON.parse(await ask(socket, '/version'))),
      program: [join(root, 'usr/bin/docker'), '--host', `unix://${socket}`],
      checksMade: () => checksOf(daemonPid),
      results: async () => [...(await logsOf(socket)).values()].flat(),
      followResults: async (ids, onResults) => followLogs(socket, ids, onResults),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * The runc that healthctl's containerd finds, and the library with which it loads seccomp profiles, whose version
 * matters too.
 */
function runcOf(env: Record<string, string>): { RUNC: string; LIBSECCOMP: string } {
  const run = (file: string, ...args: string[]) => execFileSync(file, args, { env, encoding: 'utf8' });
  const runc = run('/bin/sh', '-c', 'command -v runc').trim();
  return { RUNC: runc, LIBSECCOMP: /=> (\S+libseccomp\S+)/.exec(run('ldd', runc))?.[1] ?? '' };
}

function versionsOf({ Version, Components }: DockerVersion): string {
  const of = (name: string) => Components.find(({ Name }) => Name === name)?.Version;
  return `Docker ${Version}, containerd ${of('containerd')}, runc ${of('runc')}`;
}

/** Docker's own counter. Its port is in dockerd's network namespace. */
function checksOf(pid: number): number {
  const script = "fetch('http://127.0.0.1:9323/metrics').then((answer) => answer.text()).then(console.log)";
  const args = ['--target', `${pid}`, '--net', process.execPath, '-e', script];
  const text = execFileSync('nsenter', args, { encoding: 'utf8' });
  return Number(/^engine_daemon_health_checks_total (\S+)$/m.exec(text)?.[1]);
}

/** Over the API: a command that inspects fifty containers would use a share of the processors. */
async function logsOf(socket: string): Promise<ReadonlyMap<string, readonly Result[]>> {
  const logs = new Map<string, readonly Result[]>();
  for (const { Id } of JSON.parse(await ask(socket, '/containers/json')) as { Id: string }[]) {
    const { State }: DockerContainer = JSON.parse(await ask(socket, `/containers/${Id}/json`));
    logs.set(Id, (State.Health?.Log ?? []).map(resultOf));
  }
  return logs;
}

/**
 * Docker reports a result that does not change the health by no event and in no file (handleProbeResult in
 * daemon/health.go: a copy in memory). It sets the end of a result when the probe has returned, and stores it next. So
 * a result counts as stored at its end, which favours Docker. The results are requested rarely, because each request
 * costs Docker time, but before five newer ones replace them.
 */
function followLogs(socket: string, ids: ReadonlySet<string>, onResults: (seen: SeenResults) => void): Following {
  const poll = async () => {
    for (const [id, results] of await logsOf(socket)) {
      if (!ids.has(id)) continue;
      for (const result of results) onResults({ id, results: [result], storedMs: result.endMs });
    }
  };
  const stopped = new AbortController();
  const polling = (async () => {
    for (; !stopped.signal.aborted; await sleep(POLL_EVERY_MS, undefined, stopped).catch(() => undefined)) await poll();
    await poll();
  })();
  const failed = new Promise<never>((_, reject) => void polling.catch(reject));
  failed.catch(() => undefined); // seen by those who wait for it
  return {
    failed,
    stop: () => {
      stopped.abort();
      return polling;
    },
  };
}

function ask(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end();
  });
}
