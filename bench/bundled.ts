// Runs a benchmark as the monitor is shipped and started: bundled by esbuild, with the monitor's flags for Node.js. tsx
// adds a call for each closure, to have names in stack traces; that would be a sixth of what is measured.
//   node --import tsx bench/bundled.ts bench/schedule.ts [flags of the benchmark]
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../src/daemon/node-process.ts';

const [bench, ...flags] = process.argv.slice(2);
if (bench === undefined) {
  console.error('usage: node --import tsx bench/bundled.ts BENCHMARK [FLAG...]');
  process.exit(2);
}
// In the repository, so that modules outside the bundle are found.
const outfile = join(fileURLToPath(new URL('..', import.meta.url)), 'dist', `bench-${basename(bench, '.ts')}.mjs`);
try {
  await build({
    ...{ entryPoints: [bench], outfile, bundle: true, minify: true },
    ...{ platform: 'node', format: 'esm', target: 'node20', external: ['koffi'], logLevel: 'warning' },
  });
  const { status } = spawnSync(process.execPath, [...NODE_FLAGS, outfile, ...flags], {
    stdio: 'inherit',
    env: { ...NODE_ENVIRONMENT, ...process.env },
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(outfile, { force: true });
}
