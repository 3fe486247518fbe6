// The cost of a native check: HTTP, TCP and gRPC to servers in a network namespace, first the probe alone, then a whole
// check with the real store on a tmpfs.
//   node --import tsx bench/native.ts [--checks 3000] [--at-once 50]
// Needs root and busybox. Prints checks per second, and CPU time of this process per check, without that of the
// servers.
import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type CheckSubject, check } from '../src/check/check.ts';
import { checkKindOf, withDefaults } from '../src/health/config.ts';
import { processOfRun } from '../src/health/state.ts';
import { systemClock as clock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { createNativeProber } from '../src/probe/native.ts';
import type { ProbeCommand, Prober } from '../src/probe/prober.ts';
import { createFileHealthStore } from '../src/store/file-health-store.ts';
import { openNetworkNamespace } from '../src/system/netns.ts';
import { startNetworkServers } from '../testbed/network-servers.ts';

const { values } = parseArgs({
  options: { checks: { type: 'string', default: '3000' }, 'at-once': { type: 'string', default: '50' } },
});
const checks = Number(values.checks);
const atOnce = Number(values['at-once']);

await using servers = await startNetworkServers();
const runRoot = mkdtempSync('/dev/shm/healthctl-bench-');
const native = createNativeProber({ clock });
const prober: Prober = {
  probe: (target, command, signal) => {
    if (command.kind === 'exec') throw new Error('not a native check');
    return native.probe(target, command, signal);
  },
};
const run = { id: servers.runId, startedAtMs: clock.now() };
const items = {
  tcp: ['TCP', `127.0.0.1:${servers.port('ok')}`],
  http: ['HTTP', `http://127.0.0.1:${servers.port('ok')}/`],
  grpc: ['GRPC', `127.0.0.1:${servers.port('grpc')}`],
};
const store = createFileHealthStore({
  dirs: { hostId: '1935db59', runRoot, nerdctlDataRoot: `${runRoot}/nerdctl` },
  ...{ clock, log: silentLogger, writeMirror: async () => {}, exists: async () => true },
});

/** Prints the duration of `checks` of them, with so many at once. */
async function measure(name: string, once: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < checks; index = next++) await once(index % atOnce);
  };
  await Promise.all(Array.from({ length: atOnce }, (_, index) => once(index))); // a warm-up round
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  await Promise.all(Array.from({ length: atOnce }, lane));
  const tookS = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const perCheck = ((user + system) / checks / 1000).toFixed(3);
  console.log(`${name.padEnd(28)} ${String(Math.round(checks / tookS)).padStart(6)} checks/s   ${perCheck} ms CPU`);
}

const target = { containerId: 'c', runId: run.id, processJson: undefined, scratchDir: '/nonexistent', timeoutNs: 30e9 };

async function probeOnce(command: ProbeCommand): Promise<void> {
  const { outcome } = await prober.probe(target, command);
  if (outcome.kind !== 'exited' || outcome.code !== 0) throw new Error(JSON.stringify(outcome));
}

async function checkOnce(test: readonly string[], index: number): Promise<void> {
  const subject: CheckSubject = {
    ...{ namespace: 'bench', id: `c${index}`, labels: {}, processJson: undefined },
    task: { kind: 'running', run },
    started: { ever: true, lastRun: run.id },
    config: { ...withDefaults({ test }), kind: checkKindOf(test) },
  };
  const describe = async () => subject;
  const report = await check({ clock, store, prober, describe, findTask: async () => subject.task }, subject);
  if (report.kind !== 'recorded' || report.result.exitCode !== 0) throw new Error(JSON.stringify(report));
}

/** Opens a namespace, creates a socket in it, and closes both. */
async function enter(): Promise<void> {
  const main = processOfRun(run.id);
  const namespace = main && openNetworkNamespace(main);
  if (!namespace) throw new Error('the servers are gone');
  const socket = new Socket({ fd: namespace.openSocket(4) });
  namespace.close();
  socket.destroy();
}

try {
  console.log(`${checks} checks, ${atOnce} at once, load average ${loadavg()[0]?.toFixed(1)}`);
  await measure('namespace and socket alone', enter);
  for (const [name, test] of Object.entries(items)) {
    const kind = checkKindOf(test);
    if (kind.kind === 'tcp' || kind.kind === 'http' || kind.kind === 'grpc')
      await measure(`${name}, the probe alone`, () => probeOnce(kind));
  }
  for (const [name, test] of Object.entries(items))
    await measure(`${name}, a whole check`, (index) => checkOnce(test, index));
} finally {
  rmSync(runRoot, { recursive: true });
}
