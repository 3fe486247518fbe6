// Writes healthctl.cache beside a healthctl.cjs: V8's compiled form of it, made after commands have run, so that it holds the
// functions they needed and not only the outermost. scripts/build.mjs calls it; alone it shows what the commands print.
//   node scripts/make-cache.mjs dist/healthctl.cjs
//
// The commands talk to a stand-in for containerd, with one container: they go all the way through gRPC, and change nothing.
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Script } from 'node:vm';
import { Worker } from 'node:worker_threads';

const COMMANDS = [
  ['--version'],
  ['--help'],
  ['version'],
  ['ps'],
  ['ps', '-a', '--format', '{{.Names}} {{json .Status}}'],
  ['inspect', 'warm-up'],
  ['container', 'healthcheck', 'warm-up'],
  ['healthcheck', 'run', 'warm-up'],
  ['images'],
  ['run', '--help'],
];
const LIMIT_MS = 5_000;

const file = resolve(process.argv[2] ?? 'dist/healthctl.cjs');
const folder = mkdtempSync(join(tmpdir(), 'healthctl-cache-'));
const worker = new Worker(new URL('./warm-up-server.mjs', import.meta.url), {
  workerData: join(folder, 'containerd.sock'),
});
await new Promise((ready, reject) => worker.once('message', ready).once('error', reject));

Object.assign(process.env, {
  CONTAINERD_ADDRESS: join(folder, 'containerd.sock'),
  CONTAINERD_NAMESPACE: 'warm-up',
  HEALTHCTL_RUN_ROOT: join(folder, 'run'),
  HEALTHCTL_DATA_ROOT: join(folder, 'data'),
  HEALTHCTL_TOML: '/dev/null',
});
const leave = process.exit;
// Must be what bin/healthctl makes of it: V8 compares the source.
const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'latin1')}\n})`;
const script = new Script(source, { filename: file });
for (const argv of COMMANDS) await runOnce(argv);
const data = script.createCachedData();
writeFileSync(file.replace(/\.cjs$/, '.cache.new'), data);
renameSync(file.replace(/\.cjs$/, '.cache.new'), file.replace(/\.cjs$/, '.cache'));
rmSync(folder, { recursive: true });
leave(0);

/** Runs one command line in this process, up to where it would exit. */
async function runOnce(argv) {
  process.argv = [process.execPath, 'healthctl', ...argv];
  const ended = new Promise((end) => {
    process.exit = end;
    setTimeout(end, LIMIT_MS).unref();
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  await ended;
}
