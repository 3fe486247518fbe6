// Runs a benchmark as the monitor is shipped and started: bundled by esbuild, with its flags for Node.js. tsx, for the sake of names in
// stack traces, makes a call for each closure that is created, which would be a sixth of what is measured.
//   node --import tsx bench/bundled.ts bench/schedule.ts [its flags]
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
// In the repository, so that what is not bundled is found.
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
