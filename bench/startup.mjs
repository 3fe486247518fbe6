// What starting costs: commands of bin/healthctl against bare `node -e 0`, run in turn so that a busy machine hurts all alike.
//   node bench/startup.mjs [--rounds 40] [--max 1.6] [-- COMMAND ARG...]     default command: --version
// Prints medians and the ratio; exit 1 when the ratio is above --max. NODE_EXTRA_CA_CERTS is unset: Node.js 20 would parse it at every start.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '40' }, max: { type: 'string' } },
  allowPositionals: true,
});
const launcher = fileURLToPath(new URL('../bin/healthctl', import.meta.url));
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
const rounds = Math.max(20, Number(values.rounds));
const subjects = {
  'node -e 0': ['-e', '0'],
  healthctl: [launcher, ...(positionals.length > 0 ? positionals : ['--version'])],
};

const times = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
for (let round = -2; round < rounds; round += 1) {
  // Every other round backwards: whoever runs second finds warmer caches.
  const order = Object.entries(subjects);
  for (const [name, args] of round % 2 === 0 ? order : order.reverse()) {
    const tookMs = runOnce(args);
    if (round >= 0) times[name].push(tookMs);
  }
}

const [base, subject] = Object.values(times);
const ratios = subject.map((tookMs, index) => tookMs / base[index]);
for (const [name, list] of Object.entries(times))
  console.log(`${name.padEnd(12)} median ${median(list).toFixed(1)} ms, min ${Math.min(...list).toFixed(1)} ms`);
const ratio = median(subject) / median(base);
console.log(
  `ratio        of medians ${ratio.toFixed(2)}, median of pairs ${median(ratios).toFixed(2)}, of minima ${(Math.min(...subject) / Math.min(...base)).toFixed(2)}`,
);
if (values.max !== undefined && ratio > Number(values.max)) {
  console.error(`above ${values.max}`);
  process.exitCode = 1;
}

function runOnce(args) {
  const start = process.hrtime.bigint();
  const { error } = spawnSync(process.execPath, args, { env, stdio: 'ignore' });
  if (error) throw error;
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function median(list) {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
