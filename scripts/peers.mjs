#!/usr/bin/env node
// Real programs of others that healthctl works beside, for the tests in test/peers.
//
//   npm run peers [-- NAME...]                    finds each, or builds it with Go; prints its path. `list`: the names
//   npm run test:peers [-- NAME] [-- VITEST OPTIONS]   runs test/peers beside nerdctl NAME (default: the newest); skipped, and said so, without it
//
// Looked for, in this order: the directories in HEALTHCTL_PEERS, ~/.cache/healthctl-peers/bin, and for the newest nerdctl a `nerdctl` on the PATH.
// What is built goes to the second, and is built once. Directories in HEALTHCTL_TEST_BIN hold another containerd for the tests, as elsewhere.
import { accessSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { prepare, runNodeAsRoot } from './lib/prepare.mjs';
import { bothEnds, Failure, fail, findProgram, fullPath, run } from './lib/run.mjs';

const nerdctl = (version) => ({
  module: 'github.com/containerd/nerdctl/v2',
  version: `v${version}`,
  program: 'cmd/nerdctl',
  versionVariable: 'github.com/containerd/nerdctl/v2/pkg/version.Version',
});
const containerd = (program) => ({
  module: 'github.com/containerd/containerd/v2',
  version: 'v2.4.2',
  program: `cmd/${program}`,
  versionVariable: 'github.com/containerd/containerd/v2/version.Version',
});

/** The newest nerdctl first: it is what the tests run beside unless told otherwise. */
const PEERS = {
  'nerdctl-2.3.5': nerdctl('2.3.5'),
  'nerdctl-2.1.5': nerdctl('2.1.5'),
  containerd: containerd('containerd'),
  'containerd-shim-runc-v2': containerd('containerd-shim-runc-v2'),
  ctr: containerd('ctr'),
};
const NEWEST = Object.keys(PEERS)[0];
const BUILT = join(homedir(), '.cache/healthctl-peers/bin');

/** @returns the path of a peer that is here, or undefined */
function findPeer(name) {
  const given = (process.env.HEALTHCTL_PEERS ?? '').split(delimiter).filter(Boolean);
  const found = [...given, BUILT].map((directory) => join(directory, name)).find(isProgram);
  return found ?? (name === NEWEST ? findProgram('nerdctl') : undefined);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // not in this directory
  }
}

/** Builds a peer as a dependency of a module of ours, because `go install` refuses a module that replaces others. Throws Failure. */
async function buildPeer(name) {
  const go = findGo();
  if (!go) throw new Failure('there is no Go here');
  const { module, version, program, versionVariable } = PEERS[name];
  mkdirSync(BUILT, { recursive: true });
  const directory = mkdtempSync(join(tmpdir(), 'healthctl-peer-'));
  process.stderr.write(`peers: building ${name} (${module}@${version})\n`);
  try {
    writeFileSync(join(directory, 'go.mod'), 'module peer\n\ngo 1.25\n');
    const options = { cwd: directory, env: { CGO_ENABLED: '0', GOFLAGS: '-mod=mod' } };
    await must(go, ['get', `${module}/${program}@${version}`], options);
    const flags = `-s -w -X ${versionVariable}=${version}`;
    const unfinished = join(BUILT, `${name}.${process.pid}`);
    await must(go, ['build', '-trimpath', '-ldflags', flags, '-o', unfinished, `${module}/${program}`], options);
    renameSync(unfinished, join(BUILT, name));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return join(BUILT, name);
}

function findGo() {
  const usual = '/usr/local/go/bin/go';
  return findProgram('go') ?? (isProgram(usual) ? usual : undefined);
}

async function must(program, args, options) {
  const { code, output } = await run(program, args, options);
  if (code !== 0) throw new Failure(`${program} ${args[0]} failed with ${code}:\n${bothEnds(output, 5)}`);
}

const findOrBuild = async (name) => findPeer(name) ?? (await buildPeer(name));

async function printPeers(names) {
  if (names[0] === 'list') {
    process.stdout.write(`${Object.keys(PEERS).join('\n')}\n`);
    return;
  }
  const unknown = names.filter((name) => !(name in PEERS));
  if (unknown.length > 0)
    throw new Failure(`no peer called ${unknown.join(', ')}; there are: ${Object.keys(PEERS).join(', ')}`);
  for (const name of names.length > 0 ? names : [NEWEST]) process.stdout.write(`${await findOrBuild(name)}\n`);
}

async function testBesidePeers(args) {
  const name = (args[0] ?? '') in PEERS ? args[0] : NEWEST;
  const options = args.filter((arg, index) => arg !== '--' && !(index === 0 && arg === name));
  let path;
  try {
    path = await findOrBuild(name);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stdout.write(`test:peers: SKIPPED: ${name} is neither here nor could it be built: ${error.message}\n`);
    return;
  }
  await prepare(['iproute2', 'iptables', 'containernetworking-plugins']);
  process.stdout.write(`test:peers: beside ${path}\n`);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project=peers', ...options];
  process.exitCode = await runNodeAsRoot(vitest, { HEALTHCTL_NERDCTL: path, PATH: fullPath() });
}

try {
  const args = process.argv.slice(2);
  await (args[0] === '--test' ? testBesidePeers(args.slice(1)) : printPeers(args));
} catch (error) {
  fail(error);
}
