#!/usr/bin/env node
// The e2e tests with other versions of the programs that healthctl uses, one after the other.
//
//   npm run test:versions [-- TARGET...] [-- VITEST OPTIONS]
//
// TARGET: `installed` (containerd and runc of this machine), `crun` (the same containerd with crun), `trixie` and `sid`
// (containerd of these Debian suites, 1.7 and 2.x, with runc of this machine). Default: all four. Without options for
// vitest, the project e2e runs. The packages are unpacked below the temporary directory; nothing is installed.
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, runNodeAsRoot } from './lib/prepare.mjs';
import { bothEnds, Failure, fail, findProgram, run } from './lib/run.mjs';

const SUITES = ['trixie', 'sid'];
const TARGETS = ['installed', 'crun', ...SUITES];
const BINARIES = ['containerd', 'containerd-shim-runc-v2', 'ctr'];
const ROOT = join(tmpdir(), 'healthctl-versions');

/** The Debian mirror that apt uses on this machine. */
async function findMirror() {
  const format = '$(REPO_URI) $(COMPONENT) $(CODENAME)';
  const { output } = await must('apt-get', ['indextargets', '--format', format]);
  const mirror = output.split('\n').find((line) => / main [a-z]+$/.test(line));
  if (!mirror) throw new Failure('apt has no Debian mirror on this machine');
  return mirror.split(' ')[0];
}

/**
 * Downloads a package of another suite with package lists of its own, and unpacks it.
 * @returns the directory of its programs
 */
async function unpackSuite(suite) {
  const directory = join(ROOT, suite);
  const bin = join(directory, 'usr/bin');
  if (BINARIES.every((name) => existsSync(join(bin, name)))) return bin;
  for (const name of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(directory, name), { recursive: true });
  writeFileSync(join(directory, 'sources.list'), `deb [trusted=yes] ${await findMirror()} ${suite} main\n`);
  const options = {
    'Dir::Etc::sourcelist': join(directory, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(directory, 'lists'),
    'Dir::Cache': join(directory, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::Check-Valid-Until': 'false',
    'Acquire::Check-Date': 'false',
    'APT::Sandbox::User': 'root',
  };
  const given = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await must('apt-get', [...given, 'update']);
  await must('apt-get', [...given, 'download', 'containerd'], { cwd: directory });
  const archive = readdirSync(directory).find((name) => name.endsWith('.deb'));
  if (!archive) throw new Failure(`containerd of ${suite} was not downloaded`);
  await must('dpkg-deb', ['-x', join(directory, archive), directory]);
  return bin;
}

/**
 * A directory in which `runc` is crun. crun refuses a cgroup layout with both version 1 and version 2, so containerd
 * runs in a mount namespace of its own without version 2.
 */
function crunInstead() {
  const [crun, containerd] = [findProgram('crun'), findProgram('containerd')];
  if (!crun || !containerd) throw new Failure('crun is not installed');
  const bin = join(ROOT, 'crun');
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  symlinkSync(crun, join(bin, 'runc'));
  const script = `umount /sys/fs/cgroup/unified 2>/dev/null; exec ${containerd} "$@"`;
  writeFileSync(join(bin, 'containerd'), `#!/bin/sh\nexec unshare --mount sh -c '${script}' containerd "$@"\n`, {
    mode: 0o755,
  });
  return bin;
}

async function binOf(target) {
  if (SUITES.includes(target)) return unpackSuite(target);
  return target === 'crun' ? crunInstead() : undefined;
}

async function must(program, args, options = {}) {
  const result = await run(program, args, options);
  if (result.code !== 0) throw new Failure(`${program} failed with ${result.code}:\n${bothEnds(result.output)}`);
  return result;
}

async function main(args) {
  const firstOption = args.findIndex((arg) => !TARGETS.includes(arg));
  const targets = firstOption < 0 ? args : args.slice(0, firstOption);
  const options = firstOption < 0 ? [] : args.slice(firstOption).filter((arg) => arg !== '--');
  await prepare(['docker-registry', 'crun']);
  const failed = [];
  for (const target of targets.length > 0 ? targets : TARGETS) {
    const bin = await binOf(target);
    const { output } = await must(join(bin ?? '', 'containerd'), ['--version']);
    process.stdout.write(`\n== ${target}: ${output.trim()}\n`);
    const env = bin ? { HEALTHCTL_TEST_BIN: bin } : {};
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project=e2e', ...options];
    if ((await runNodeAsRoot(vitest, env)) !== 0) failed.push(target);
  }
  if (failed.length > 0) throw new Failure(`\nfailed with: ${failed.join(', ')}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  fail(error);
}
