// The cost of commands that ask containerd directly: `ps` with 60 running containers, and `container healthcheck`,
// compared with bare `node -e 0`.
//   node --import tsx bench/commands.ts [--containers 60] [--rounds 25]
// Starts its own containerd. Interleaved rounds; medians and ratios of the wall time of ps and of the CPU time of the
// healthctl process of a check.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dockerArchive } from '../testbed/image-archive.ts';
import { startContainerd, testbedEnvironment } from '../testbed/private-containerd.ts';

const { values } = parseArgs({
  options: { containers: { type: 'string', default: '60' }, rounds: { type: 'string', default: '25' } },
});
const launcher = fileURLToPath(new URL('../bin/healthctl', import.meta.url));

const containerd = await startContainerd();
try {
  const { directory, address } = containerd;
  const HEALTHCTL_TOML = join(directory, 'healthctl.toml');
  writeFileSync(HEALTHCTL_TOML, 'autostart = false\nnetwork = "none"\n'); // so that containerd itself is asked
  const env = { ...testbedEnvironment(directory), HEALTHCTL_TOML };
  mkdirSync(join(directory, 'tmp'), { recursive: true });
  const flags = [
    '--address',
    address,
    '--namespace',
    'bench',
    '--run-root',
    join(directory, 'r'),
    '--data-root',
    join(directory, 'd'),
  ];
  const healthctl = (...args: string[]) => [launcher, ...flags, ...args];
  const must = (args: string[]) => execFileSync(process.execPath, args, { env, encoding: 'utf8' });

  const image = 'docker.io/bench/busybox:1';
  const archive = join(directory, 'image.tar');
  writeFileSync(archive, await dockerArchive({ name: image, config: {} }));
  must(healthctl('load', '-q', '-i', archive));
  const count = Number(values.containers);
  for (let i = 0; i < count; i += 1)
    must(healthctl('run', '-d', '--name', `c${i}`, '--health-cmd', 'true', image, 'sleep', '3600'));

  const subjects = {
    'node -e 0': ['-e', '0'],
    ps: healthctl('ps'),
    'container healthcheck': healthctl('container', 'healthcheck', 'c0'),
  };
  const seen = Object.fromEntries(Object.keys(subjects).map((name) => [name, [] as Cost[]]));
  for (let round = -2; round < Number(values.rounds); round += 1) {
    const order = Object.entries(subjects);
    for (const [name, args] of round % 2 === 0 ? order : order.reverse()) {
      const cost = measure(args, env);
      if (round >= 0) seen[name]?.push(cost);
    }
  }
  const base = medians(seen['node -e 0'] ?? []);
  console.log(`${count} containers, medians of ${values.rounds} interleaved rounds`);
  for (const [name, costs] of Object.entries(seen)) {
    const { wallMs, cpuMs } = medians(costs);
    const ratios = `wall ${(wallMs / base.wallMs).toFixed(2)}x  cpu ${(cpuMs / base.cpuMs).toFixed(2)}x`;
    console.log(`${name.padEnd(22)} wall ${wallMs.toFixed(1)} ms  cpu ${cpuMs.toFixed(1)} ms  of bare node: ${ratios}`);
  }
} finally {
  await containerd.stop();
}

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Wall and CPU time (user and system) of one process, measured with bash's `times`. */
function measure(args: readonly string[], env: Record<string, string>): Cost {
  const start = process.hrtime.bigint();
  const script = '"$@" >/dev/null 2>&1 </dev/null || exit; times';
  const times = execFileSync('bash', ['-c', script, 'bash', process.execPath, ...args], { env, encoding: 'utf8' });
  const wallMs = Number(process.hrtime.bigint() - start) / 1e6;
  const [, children = ''] = times.trim().split('\n');
  const cpuMs = children
    .split(' ')
    .map((text) => /^(\d+)m([\d.]+)s$/.exec(text))
    .reduce((sum, match) => sum + Number(match?.[1] ?? 0) * 60_000 + Number(match?.[2] ?? 0) * 1_000, 0);
  return { wallMs, cpuMs };
}

function medians(costs: readonly Cost[]): Cost {
  const middle = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
  return { wallMs: middle(costs.map((cost) => cost.wallMs)), cpuMs: middle(costs.map((cost) => cost.cpuMs)) };
}
