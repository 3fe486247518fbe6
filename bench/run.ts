// The duration of `run -d` of a busybox, including the start of Node.js, with each network, and the share of CNI's
// plugins. With a Docker, compared with `docker run -d` with the same runc and seccomp profile. Needs root, runc, CNI's
// plugins, iptables, iproute2 and `npm run build`.
//   node --import tsx bench/run.ts [--docker-root DIR] [--rounds 15]
// Everything is in a network namespace of its own: no bridge and no rule is left on the machine.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/lib/clock.ts';
import { configOf, portmapOf } from '../src/network/bridge-config.ts';
import { callPlugin, findPlugins, type PluginConfig } from '../src/network/plugins.ts';
import { dockerArchive } from '../testbed/image-archive.ts';
import { startContainerd } from '../testbed/private-containerd.ts';
import { until } from '../testbed/until.ts';
import { writeSeccomp } from './docker/bed.ts';
import { startDocker } from './docker/docker-side.ts';
import { startHealthctl } from './docker/healthctl-side.ts';
import { IMAGE, must, removeAll, wallMsOf } from './docker/measures.ts';
import type { Side } from './docker/side.ts';
import { quantile, type Row, spread, tableOf } from './docker/table.ts';

if (process.env.HEALTHCTL_BENCH_INSIDE === undefined) {
  const script = 'ip link set lo up && exec "$@"';
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', ['--net', '/bin/sh', '-c', script, 'sh', ...command], {
    env: { ...process.env, HEALTHCTL_BENCH_INSIDE: '1' },
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}

const { values } = parseArgs({
  options: {
    'docker-root': { type: 'string', default: process.env.HEALTHCTL_DOCKER_ROOT ?? '' },
    rounds: { type: 'string', default: '15' },
  },
});
const rounds = Number(values.rounds);
const root = values['docker-root'] === '' ? undefined : resolve(values['docker-root']);
if (root !== undefined && !existsSync(join(root, 'usr/sbin/dockerd'))) {
  console.error(`no dockerd in ${root}: bench/docker.ts says how to get one`);
  process.exit(1);
}

/** The flags for both sides, and the limit on the ratio of healthctl's time to Docker's. */
const NETWORKS: readonly { readonly name: string; readonly flags: readonly string[]; readonly limit?: number }[] = [
  { name: 'none', flags: ['--network', 'none'], limit: 1.1 },
  { name: 'host', flags: ['--network', 'host'], limit: 1.1 },
  { name: 'bridge', flags: ['--network', 'bridge'], limit: 1.5 },
  { name: 'bridge -p', flags: ['--network', 'bridge', '-p', '80'] },
];

const programs = mkdtempSync(join(tmpdir(), 'healthctl-bench-bin-'));
const stops: (() => Promise<unknown>)[] = [async () => rmSync(programs, { recursive: true })];
if (root !== undefined) {
  for (const name of ['containerd', 'containerd-shim-runc-v2', 'ctr'])
    symlinkSync(join(root, 'usr/bin', name), join(programs, name));
  process.env.HEALTHCTL_TEST_BIN = programs;
}
const stopAll = async (): Promise<void> => {
  for (const stop of stops.splice(0).reverse()) await stop();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopAll().then(() => process.exit(1)));
try {
  const containerd = await startContainerd();
  stops.push(containerd.stop);
  const { directory } = containerd;
  const seccomp = writeSeccomp(directory);
  const sides: Side[] = [];
  if (root !== undefined) {
    mkdirSync(join(directory, 'docker'));
    const docker = await startDocker(root, directory, seccomp, { hasNetworks: true });
    stops.push(docker.stop);
    sides.push(docker);
  }
  const healthctl = await startHealthctl(containerd, seccomp);
  stops.push(healthctl.stop);
  sides.push(healthctl);
  const archive = join(directory, 'image.tar');
  writeFileSync(archive, await dockerArchive({ name: IMAGE, config: {} }));
  for (const side of sides) must(side, 'load', '-q', '-i', archive);
  console.log(`${sides.map(({ versions }) => versions).join('\n')}\nload average ${loadavg()[0]?.toFixed(2)} before`);
  const rows: Row[] = NETWORKS.map((network) => compare(sides, network));
  rows.push(...(await pluginRows(directory)));
  console.log(`\n${tableOf(rows)}`);
} finally {
  await stopAll();
}

/** Each side in turn. The first round, which makes bridges and fills caches, does not count. */
function compare(sides: readonly Side[], { name, flags, limit }: (typeof NETWORKS)[number]): Row {
  const seen = new Map(sides.map((side) => [side.name, [] as number[]]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const { program, env, seccomp } = side;
      const rest = ['--security-opt', `seccomp=${seccomp}`, IMAGE, 'sleep', '3600'];
      const tookMs = wallMsOf([...program, 'run', '-d', ...flags, ...rest], env);
      if (round > 0) seen.get(side.name)?.push(tookMs);
      removeAll(side);
    }
  }
  const [ours = [], theirs = []] = [seen.get('healthctl'), seen.get('Docker')];
  const ratio = quantile(ours, 0.5) / quantile(theirs, 0.5);
  return {
    ...{ what: `run -d, ${name}`, healthctl: spread(ours), docker: theirs.length > 0 ? spread(theirs) : '' },
    figure: theirs.length > 0 ? `${ratio.toFixed(2)} times` : '',
    target: limit === undefined || theirs.length === 0 ? '' : `${limit} times`,
    reached: limit === undefined || theirs.length === 0 ? undefined : ratio <= limit,
  };
}

/** The plugins alone, called as by a start and an end. */
async function pluginRows(directory: string): Promise<readonly Row[]> {
  const network = {
    ...{ id: '', name: 'bench', created: '', subnet: '10.99.0.0/24', gateway: '10.99.0.1', bridge: 'hctl-bench' },
    ...{ internal: false, labels: {} },
  };
  const bridge = configOf(network, {
    leases: join(directory, 'leases'),
    ...{ wish: { isAsked: false }, hasDefaultRoute: true },
  });
  const portmap = portmapOf(network, [{ hostIp: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' }]);
  const times: Record<'add' | 'del' | 'addPorts' | 'delPorts', number[]> = {
    add: [],
    del: [],
    addPorts: [],
    delPorts: [],
  };
  for (let round = 0; round <= rounds; round += 1) {
    const holder = await startHolder();
    const call = {
      ...{ containerId: 'bench', netns: `/proc/${holder.pid}/ns/net`, interfaceName: 'eth0' },
      pluginDir: findPlugins(undefined),
    };
    const timed = async (list: number[], command: 'ADD' | 'DEL', config: PluginConfig) => {
      const startMs = performance.now();
      const result = await callPlugin({ clock: systemClock }, { ...call, command, config });
      if (round > 0) list.push(performance.now() - startMs);
      return result;
    };
    const prevResult = await timed(times.add, 'ADD', bridge);
    await timed(times.addPorts, 'ADD', { ...portmap, prevResult });
    await timed(times.delPorts, 'DEL', { ...portmap, prevResult });
    await timed(times.del, 'DEL', { ...bridge, prevResult });
    holder.end();
  }
  const row = (what: string, list: readonly number[]): Row => ({
    ...{ what, healthctl: spread(list), docker: '', figure: '', target: '', reached: undefined },
  });
  return [
    row('of it: plugin bridge, ADD', times.add),
    row('of it: plugin portmap, ADD', times.addPorts),
    row('at the end: plugin bridge, DEL', times.del),
    row('at the end: plugin portmap, DEL', times.delPorts),
  ];
}

/** A process with a network namespace of its own, like a container that waits for its start. */
async function startHolder(): Promise<{ readonly pid: number; end(): void }> {
  const child = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  const own = readlinkSync('/proc/self/ns/net');
  await until(() => readlinkSync(`/proc/${pid}/ns/net`) !== own, { what: 'a network namespace' });
  return { pid, end: () => child.kill('SIGKILL') };
}
