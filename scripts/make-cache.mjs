// Writes the caches beside a healthctl.cjs: V8's compiled forms of it, made after commands have run, so that they
// contain the functions that commands need, not only the outermost. healthctl.cache is for all commands. Some words
// have a smaller cache with what they alone need (bin/healthctl chooses). scripts/build.mjs calls this script; alone it
// shows the output of the commands.
//   node scripts/make-cache.mjs dist/healthctl.cjs [WORD]
//
// The commands ask a stand-in for containerd, `ps` and completion also one for the monitor, so that they do all their
// work and change nothing. Commands that start a container need root, as in use. Without it the cache contains less.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { Worker } from 'node:worker_threads';

/** The words with a cache of their own, and the commands that are run for it. */
const OWN = {
  '--version': [['--version']],
  ps: [['ps'], ['ps', '-a']],
  run: [['run', '-d', '--name', 'fresh', '--health-cmd', 'true', 'demo', 'sleep', '1']],
  healthcheck: [
    ['container', 'healthcheck', 'warm-up'],
    ['healthcheck', 'run', 'warm-up'],
  ],
  __complete: [
    ['__complete', '--', 'logs', ''],
    // No monitor is there: containerd is asked.
    ['__complete', '--', '--run-root=/nowhere', 'logs', ''],
    ['__complete', '--bash', '--', 'healthctl run --network=', ''],
    ['__complete', '--', 'run', '--'],
    ['__complete', '--', 'run', ''],
  ],
};
const ANY = [
  ...Object.values(OWN).flat(),
  ['--help'],
  ['version'],
  ['ps', '--format', '{{.Names}} {{json .Status}}'],
  ['inspect', 'warm-up'],
  ['images'],
  ['run', '--help'],
  ['create', '--name', 'fresh', 'demo'],
];
const LIMIT_MS = 5_000;

const file = resolve(process.argv[2] ?? 'dist/healthctl.cjs');
const word = process.argv[3];
if (word === undefined) {
  // Each in a process of its own: code that has run once stays compiled.
  for (const own of Object.keys(OWN))
    execFileSync(process.execPath, [fileURLToPath(import.meta.url), file, own], { stdio: 'inherit' });
}

const folder = mkdtempSync(join(tmpdir(), 'healthctl-cache-'));
const [socket, rootfs, settings] = ['containerd.sock', 'rootfs', 'healthctl.toml'].map((name) => join(folder, name));
// Like daemonPathsOf in src/daemon/daemon-paths.ts.
const monitorDir = join(folder, 'run', createHash('sha256').update(socket).digest('hex').slice(0, 8), '.daemon');
const monitor = word === 'ps' || word === '__complete' ? join(monitorDir, 'api.sock') : undefined;
mkdirSync(monitorDir, { recursive: true });
mkdirSync(rootfs);
writeFileSync(settings, 'autostart = false\nnetwork = "none"\n');
const worker = new Worker(new URL('./warm-up-server.mjs', import.meta.url), {
  workerData: { socket, rootfs, monitor },
});
await new Promise((ready, reject) => worker.once('message', ready).once('error', reject));

Object.assign(process.env, {
  CONTAINERD_ADDRESS: socket,
  CONTAINERD_NAMESPACE: 'warm-up',
  HEALTHCTL_RUN_ROOT: join(folder, 'run'),
  HEALTHCTL_DATA_ROOT: join(folder, 'data'),
  HEALTHCTL_TOML: settings,
});
const leave = process.exit;
// The same source as in bin/healthctl: V8 compares it.
const script = new Script(readFileSync(file, 'latin1'), { filename: file });
for (const argv of word === undefined ? ANY : OWN[word]) await runOnce(argv);
const cache = file.replace(/\.cjs$/, word === undefined ? '.cache' : `.${word.replace(/^--/, '')}.cache`);
writeFileSync(`${cache}.new`, script.createCachedData());
renameSync(`${cache}.new`, cache);
rmSync(folder, { recursive: true });
leave(0);

/** Runs one command in this process, to the point where it would exit. */
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
