#!/usr/bin/env node
// Prepares a machine for `npm test` and `npm run demo`: installs missing programs from Debian's packages.
//
//   node scripts/setup.mjs [PACKAGE...]     PACKAGE: docker-registry, crun, tini … besides what is always needed
//
// Plain Node.js, so that it works before `npm ci`. Starts no service: the tests run their own containerd.
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bothEnds, Failure, fail, findProgram, isRoot, run } from './lib/run.mjs';

/**
 * Debian package → the programs that it must provide. A program from elsewhere (containerd.io, a tarball) is also
 * accepted.
 */
const PACKAGES = {
  containerd: ['containerd', 'containerd-shim-runc-v2', 'ctr'],
  runc: ['runc'],
  'busybox-static': ['busybox'],
  mount: ['mount', 'umount'],
  procps: ['ps'],
  'docker-registry': ['docker-registry'],
  crun: ['crun'],
  tini: ['tini'],
  zsh: ['zsh'],
  fish: ['fish'],
  mandoc: ['mandoc'],
  chromium: ['chromium'],
  prometheus: ['prometheus', 'promtool'],
  tmux: ['tmux'],
  iproute2: ['ip'],
  iptables: ['iptables'],
  'containernetworking-plugins': ['bridge', 'host-local', 'portmap'],
};
/** Directories of programs that are in no PATH: those of CNI's plugins. */
const OUTSIDE = { 'containernetworking-plugins': ['/usr/lib/cni', '/opt/cni/bin'] };
const ALWAYS = ['containerd', 'runc', 'busybox-static', 'mount', 'procps'];

const POLICY = '/usr/sbin/policy-rc.d';
const POLICY_MARK = '# made by the set-up of healthctl';

/**
 * Installs what is missing. Prints one line, or nothing if nothing is missing. Throws Failure with what to install by
 * hand.
 * @param {string[]} [extra] further packages
 */
export async function setUp(extra = []) {
  if (process.platform !== 'linux') throw new Failure(`healthctl needs Linux; this is ${process.platform}.`);
  const wanted = [...new Set([...ALWAYS, ...extra])];
  const unknown = wanted.filter((name) => !(name in PACKAGES));
  if (unknown.length > 0)
    throw new Failure(`unknown package ${unknown.join(', ')}; known: ${Object.keys(PACKAGES).join(', ')}`);
  removeStalePolicy();
  const missing = wanted.filter(isMissing);
  if (missing.length === 0) return;
  if (!findProgram('apt-get')) throw new Failure(whatToInstall(missing, 'apt-get is not installed'));
  process.stdout.write(`set-up: installing ${missing.join(', ')} (apt-get)\n`);
  await install(missing);
  const still = missing.filter(isMissing);
  if (still.length > 0) throw new Failure(whatToInstall(still, 'apt-get succeeded, but they are still missing'));
}

function isMissing(name) {
  const programs = PACKAGES[name];
  const outside = OUTSIDE[name];
  if (outside) return !outside.some((directory) => programs.every((program) => existsSync(join(directory, program))));
  if (programs.some((program) => !findProgram(program))) return true;
  // Images for the tests contain only this program, so it must not need a C library.
  return name === 'busybox-static' && !isStatic(findProgram('busybox'));
}

/** Whether an ELF program has no dynamic loader (no PT_INTERP segment). */
function isStatic(path) {
  const header = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  readSync(file, header, 0, header.length, 0);
  closeSync(file);
  if (header.readUInt32BE(0) !== 0x7f454c46) return false;
  const wide = header[4] === 2;
  const offset = wide ? Number(header.readBigUInt64LE(32)) : header.readUInt32LE(28);
  const size = header.readUInt16LE(wide ? 54 : 42);
  const count = header.readUInt16LE(wide ? 56 : 44);
  const PT_INTERP = 3;
  for (let at = offset; at < offset + size * count && at + 4 <= header.length; at += size) {
    if (header.readUInt32LE(at) === PT_INTERP) return false;
  }
  return true;
}

async function install(packages) {
  const policy = await forbidServices();
  try {
    // Retried: a mirror may be in the middle of an update, and another apt-get may run.
    const update = await retry(5, () => asRoot('apt-get', ['-q', 'update']));
    const installed = await retry(3, () =>
      asRoot('apt-get', [
        ...['-q', '-y', '--no-install-recommends'],
        ...['-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0', '-o', 'Dpkg::Options::=--force-confold'],
        ...['install', ...packages],
      ]),
    );
    if (installed.code === 0) return;
    const reason = bothEnds((update.code === 0 ? '' : update.output) + installed.output);
    throw new Failure(`${reason}\n\n${whatToInstall(packages, `apt-get failed with exit status ${installed.code}`)}`);
  } finally {
    await policy.remove();
  }
}

async function retry(times, attempt) {
  let result = await attempt();
  // Above 128 a signal ended it: Ctrl-C, for example.
  for (let tried = 1; result.code !== 0 && result.code <= 128 && tried < times; tried += 1) {
    await new Promise((resolve) => setTimeout(resolve, 2000 * tried));
    result = await attempt();
  }
  return result;
}

/** Runs a program as root. sudo may ask for a password if there is a terminal. */
function asRoot(program, args) {
  const env = { DEBIAN_FRONTEND: 'noninteractive', APT_LISTCHANGES_FRONTEND: 'none', NEEDRESTART_SUSPEND: '1' };
  if (isRoot()) return run(program, args, { env });
  const sudo = findProgram('sudo');
  if (!sudo) throw new Failure(`installing ${args.at(-1)} needs root, and sudo is not installed: run this as root.`);
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return run(sudo, [...(process.stdin.isTTY ? [] : ['-n']), 'env', ...settings, program, ...args]);
}

/**
 * Debian starts a service when its package is installed, unless /usr/sbin/policy-rc.d exits with 101. If the machine
 * has no such file, ours exists during the installation. An existing file is a decision of the machine's owner and
 * stays.
 */
async function forbidServices() {
  if (existsSync(POLICY)) return { remove: async () => {} };
  const text = `#!/bin/sh\n${POLICY_MARK}, process ${process.pid}; removed at the end of the installation\nexit 101\n`;
  if (isRoot()) writeFileSync(POLICY, text, { mode: 0o755 });
  else await asRoot('sh', ['-c', `printf %s '${text}' > ${POLICY} && chmod 755 ${POLICY}`]);
  const remove = async () => {
    process.off('exit', removeNow);
    if (isRoot()) removeNow();
    else await asRoot('rm', ['-f', POLICY]);
  };
  const removeNow = () => {
    if (isRoot()) rmSync(POLICY, { force: true });
  };
  process.on('exit', removeNow);
  return { remove };
}

/** Removes a policy of ours whose process was killed before it could do so. */
function removeStalePolicy() {
  if (!isRoot() || !existsSync(POLICY)) return;
  const text = readFileSync(POLICY, 'utf8');
  const owner = /, process (\d+);/.exec(text)?.[1];
  if (text.includes(POLICY_MARK) && !existsSync(`/proc/${owner}`)) rmSync(POLICY, { force: true });
}

function whatToInstall(packages, why) {
  const programs = packages
    .flatMap((name) => PACKAGES[name])
    .map((name) => (name === 'busybox' ? 'busybox (statically linked)' : name));
  return [
    `set-up: missing: ${programs.join(', ')} (${why}).`,
    `Install them by hand and run this again. Debian and Ubuntu: apt-get install ${packages.join(' ')}.`,
    'Other distributions: containerd, runc and a static busybox, with their programs on the PATH.',
  ].join('\n');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await setUp(process.argv.slice(2)).catch(fail);
}
