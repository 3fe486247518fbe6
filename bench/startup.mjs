// The cost of starting: commands of bin/healthctl compared with bare `node -e 0`, in turn, so that a busy machine
// affects all alike.
//   node bench/startup.mjs [--rounds 40] [--max 1.6] [--node NODE]... [--launcher OTHER/bin/healthctl]
//       [-- COMMAND ARG...]
//
//   COMMAND     default --version. All ask a stand-in for containerd, so that `ps` does all its work
//   --node      another Node.js, can be given several times; default: the one that runs this
//   --launcher  a second healthctl, in turn with this one: the state before a change
// Prints medians and ratios for each Node.js; exits with 1 if a ratio is above --max. Unsets NODE_EXTRA_CA_CERTS, which
// Node.js 20 would parse at every start. The data root is new: the first rounds, which do not count, write the caches
// in it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

const WARM_UP_ROUNDS = 10;

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '40' },
    max: { type: 'string' },
    node: { type: 'string', multiple: true, default: [process.execPath] },
    launcher: { type: 'string' },
  },
  allowPositionals: true,
});
const command = positionals.length > 0 ? positionals : ['--version'];
const rounds = Math.max(20, Number(values.rounds));
const folder = mkdtempSync(join(tmpdir(), 'healthctl-startup-'));
const [socket, rootfs, settings] = ['containerd.sock', 'rootfs', 'healthctl.toml'].map((name) => join(folder, name));
mkdirSync(rootfs);
writeFileSync(settings, 'autostart = false\nnetwork = "none"\n');
const server = new URL('../scripts/warm-up-server.mjs', import.meta.url);
const worker = new Worker(server, { workerData: { socket, rootfs, monitor: undefined } });
await new Promise((ready, reject) => worker.once('message', ready).once('error', reject));
const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
const env = {
  ...inherited,
  CONTAINERD_ADDRESS: socket,
  CONTAINERD_NAMESPACE: 'warm-up',
  HEALTHCTL_RUN_ROOT: join(folder, 'run'),
  HEALTHCTL_DATA_ROOT: join(folder, 'data'),
  HEALTHCTL_TOML: settings,
};
try {
  for (const node of values.node) compare(node);
} finally {
  await worker.terminate();
  rmSync(folder, { recursive: true });
}

function compare(node) {
  const launcher = fileURLToPath(new URL('../bin/healthctl', import.meta.url));
  const subjects = {
    'node -e 0': ['-e', '0'],
    healthctl: ['--', launcher, ...command],
    ...(values.launcher === undefined ? {} : { other: ['--', resolve(values.launcher), ...command] }),
  };
  const times = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
  const cpuMs = Object.fromEntries(Object.keys(subjects).map((name) => [name, 0]));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    // Every second round is backwards: the second program finds warmer caches.
    const order = Object.entries(subjects);
    for (const [name, args] of round % 2 === 0 ? order : order.reverse()) {
      const before = cpuOfChildrenMs();
      const tookMs = runOnce(node, args);
      if (round < 0) continue;
      times[name].push(tookMs);
      cpuMs[name] += cpuOfChildrenMs() - before;
    }
  }
  console.log(`${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}: ${command.join(' ')}`);
  const { 'node -e 0': base, ...others } = times;
  for (const [name, list] of Object.entries(times))
    console.log(
      `${name.padEnd(12)} median ${median(list).toFixed(1)} ms, min ${Math.min(...list).toFixed(1)} ms, CPU ${(cpuMs[name] / rounds).toFixed(1)} ms`,
    );
  for (const [name, list] of Object.entries(others)) {
    const pairs = list.map((tookMs, index) => tookMs / base[index]);
    const ratio = median(list) / median(base);
    console.log(
      `${`${name}/node`.padEnd(15)} of medians ${ratio.toFixed(2)}, median of pairs ${median(pairs).toFixed(2)}, of minima ${(Math.min(...list) / Math.min(...base)).toFixed(2)}, of CPU ${(cpuMs[name] / cpuMs['node -e 0']).toFixed(2)}`,
    );
    if (name === 'healthctl' && values.max !== undefined && ratio > Number(values.max)) {
      console.error(`above ${values.max}`);
      process.exitCode = 1;
    }
  }
}

function runOnce(node, args) {
  const start = process.hrtime.bigint();
  const { error } = spawnSync(node, args, { env, stdio: 'ignore' });
  if (error) throw error;
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/** User and system time of the processes that have ended, in steps of 10 ms (proc(5), cutime and cstime). */
function cpuOfChildrenMs() {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

function median(list) {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
