#!/usr/bin/env node
// Programs of other projects with which healthctl shares containers, for the tests in test/peers.
//
//   npm run peers [-- NAME...]                         finds each, or builds it with Go, and prints its path
//   npm run peers -- list                              prints the names
//   npm run test:peers [-- NAME] [-- VITEST OPTIONS]   runs test/peers with nerdctl NAME (default: the newest)
//   npm run test:peers -- all [-- VITEST OPTIONS]      every nerdctl, on the machine's containerd and on the newest
//
// A missing program is reported, and its tests are skipped.
//
// Programs are searched in the directories in HEALTHCTL_PEERS, then in ~/.cache/healthctl-peers/bin; the newest nerdctl
// also on the PATH. Builds go to the second, once, with sources from the Go module proxy or from NAME.tar.gz in a
// directory of HEALTHCTL_PEERS. HEALTHCTL_TEST_BIN names directories with another containerd, as in other tests.
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

const buildkit = (program) => ({
  module: 'github.com/moby/buildkit',
  version: 'v0.34.2',
  program: `cmd/${program}`,
});

/** The newest nerdctl comes first: it is the default of the tests. */
const PEERS = {
  'nerdctl-2.3.5': nerdctl('2.3.5'),
  'nerdctl-2.1.5': nerdctl('2.1.5'),
  'nerdctl-main': { ...nerdctl('main'), version: 'main' },
  containerd: containerd('containerd'),
  'containerd-shim-runc-v2': containerd('containerd-shim-runc-v2'),
  ctr: containerd('ctr'),
  'docker-29': {
    module: 'github.com/docker/cli',
    version: 'v29.9.3+incompatible',
    program: 'cmd/docker',
    versionVariable: 'github.com/docker/cli/cli/version.Version',
    // The version that it names is not on the module proxy.
    replace: 'github.com/moby/swarmkit/v2=github.com/moby/swarmkit/v2@v2.1.2',
  },
  // The image of a builder, for test/peers/build.test.ts.
  buildkitd: buildkit('buildkitd'),
  buildctl: buildkit('buildctl'),
  // Docker's compose, for test/long/compose.test.ts; Debian has older ones.
  'compose-5': {
    module: 'github.com/docker/compose/v5',
    version: 'v5.6.0',
    program: 'cmd',
    versionVariable: 'github.com/docker/compose/v5/internal.Version',
  },
  // For test/long/traefik.test.ts, without the libraries of 150 DNS providers, which would be most of the build.
  traefik: {
    module: 'github.com/traefik/traefik/v3',
    version: 'v3.6.12',
    program: 'cmd/traefik',
    versionVariable: 'github.com/traefik/traefik/v3/pkg/version.Version',
    stub: {
      module: 'github.com/go-acme/lego/v4',
      file: 'providers/dns/zz_gen_dns_providers.go',
      by: 'testbed/traefik/no-dns-providers.go',
    },
  },
  // The end-to-end tests of the version that Debian has, for test/long/compose-suite.test.ts.
  'compose-e2e/e2e.test': {
    module: 'github.com/docker/compose/v2',
    version: 'v2.40.3',
    tests: 'pkg/e2e',
    helper: { name: 'example-provider', source: 'docs/examples/provider.go' },
  },
  // A main of our own around modules of others: what receives OpenTelemetry in test/long/telemetry.test.ts.
  collector: { sources: 'testbed/collector', program: '' },
  // The session of a client in test/long/clients.test.ts.
  'testcontainers-go': { sources: 'testbed/testcontainers-go', program: '' },
};
const NEWEST = Object.keys(PEERS)[0];
const NERDCTLS = Object.keys(PEERS).filter((name) => name.startsWith('nerdctl-'));
const CONTAINERD = ['containerd', 'containerd-shim-runc-v2', 'ctr'];
const BUILT = join(homedir(), '.cache/healthctl-peers/bin');
const givenDirectories = () => (process.env.HEALTHCTL_PEERS ?? '').split(delimiter).filter(Boolean);

/** @returns the path of a peer that exists, or undefined */
function findPeer(name) {
  const found = [...givenDirectories(), BUILT].map((directory) => join(directory, name)).find(isProgram);
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

/** Builds a peer in a copy of its module, because Go uses `replace` lines only in the main module. Throws Failure. */
async function buildPeer(name) {
  const go = findGo();
  if (!go) throw new Failure('Go is not installed');
  const { module, version, program, versionVariable, sources } = PEERS[name];
  mkdirSync(BUILT, { recursive: true });
  const directory = mkdtempSync(join(tmpdir(), 'healthctl-peer-'));
  process.stderr.write(`peers: building ${name} (${sources ?? `${module}@${version}`})\n`);
  try {
    await unpackSources(go, name, directory);
    const options = { cwd: directory, env: { CGO_ENABLED: '0', GOFLAGS: '-mod=mod' } };
    await nameModules(go, name, options);
    if (PEERS[name].tests) {
      await buildTests(go, name, options);
      return join(BUILT, name);
    }
    if (PEERS[name].stub) await putStub(go, PEERS[name].stub, options);
    if (!sources) await dropTestModules(go, module, directory);
    const flags = versionVariable ? `-s -w -X ${versionVariable}=${version}` : '-s -w';
    const unfinished = join(BUILT, `${name}.${process.pid}`);
    await must(go, ['build', '-trimpath', '-ldflags', flags, '-o', unfinished, `./${program}`], options);
    renameSync(unfinished, join(BUILT, name));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return join(BUILT, name);
}

/** The tests of a package, as a program in a directory with their fixtures and a program that they run. */
async function buildTests(go, name, options) {
  const { tests, helper } = PEERS[name];
  const unfinished = mkdtempSync(join(BUILT, 'unfinished-'));
  try {
    const flags = ['-trimpath', '-ldflags', '-s -w', '-o'];
    await must(go, ['test', '-c', '-vet=off', ...flags, join(unfinished, basename(name)), `./${tests}`], options);
    await must(go, ['build', ...flags, join(unfinished, helper.name), helper.source], options);
    cpSync(join(options.cwd, tests, 'fixtures'), join(unfinished, 'fixtures'), { recursive: true });
    rmSync(join(BUILT, dirname(name)), { recursive: true, force: true });
    renameSync(unfinished, join(BUILT, dirname(name)));
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** From an archive in HEALTHCTL_PEERS, else from the module proxy. */
async function unpackSources(go, name, directory) {
  const archive = givenDirectories()
    .map((given) => join(given, `${name}.tar.gz`))
    .find(existsSync);
  if (archive) return must('tar', ['-xzf', archive, '-C', directory]);
  const { module, version, sources: own } = PEERS[name];
  if (own) return cpSync(fileURLToPath(new URL(`../${own}`, import.meta.url)), directory, { recursive: true });
  const { code, output } = await run(go, ['mod', 'download', '-json', `${module}@${version}`], { cwd: directory });
  const { Dir: sources, Error: reason } = parsedOr(output, { Error: output });
  if (code !== 0 || !sources)
    throw new Failure(
      `the Go module proxy has no ${module}@${version}: ${bothEnds(reason ?? '', 3)}\nput ${name}.tar.gz with its sources, or the program itself, into a directory of HEALTHCTL_PEERS`,
    );
  cpSync(sources, directory, { recursive: true });
  await must('chmod', ['-R', 'u+w', directory]); // Go's module cache is read-only
}

/** docker's command line has its list of modules under another name. */
async function nameModules(go, name, options) {
  const { replace } = PEERS[name];
  const at = (file) => join(options.cwd, file);
  if (!existsSync(at('go.mod')) && existsSync(at('vendor.mod')))
    for (const part of ['mod', 'sum']) renameSync(at(`vendor.${part}`), at(`go.${part}`));
  if (replace) await must(go, ['mod', 'edit', '-replace', replace], options);
}

/** Replaces one file of a module that the program uses, in a copy of that module. */
async function putStub(go, { module, file, by }, options) {
  const { output } = await must(go, ['mod', 'download', '-json', module], options);
  const copy = join(options.cwd, 'stub');
  cpSync(JSON.parse(output).Dir, copy, { recursive: true });
  await must('chmod', ['-R', 'u+w', copy]);
  cpSync(fileURLToPath(new URL(`../${by}`, import.meta.url)), join(copy, file));
  await must(go, ['mod', 'edit', '-replace', `${module}=./stub`], options);
}

function parsedOr(text, otherwise) {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}

/**
 * Removes the sources that only tests need, and the modules in subdirectories (`replace … => ./mod/tigron`), which the
 * archive on the proxy does not contain. nerdctl's program has a file with helpers for its tests.
 */
async function dropTestModules(go, module, directory) {
  const { Replace = [] } = JSON.parse((await must(go, ['mod', 'edit', '-json'], { cwd: directory })).output);
  const nested = (Replace ?? []).filter(
    ({ New }) => New.Path.startsWith('./') && !existsSync(join(directory, New.Path, 'go.mod')),
  );
  if (nested.length === 0) return;
  const unwanted = [`${module}/pkg/testutil`, ...nested.map(({ Old }) => Old.Path)];
  for (const path of readdirSync(directory, { recursive: true })) {
    if (!path.endsWith('.go')) continue;
    const file = join(directory, path);
    const text = readFileSync(file, 'utf8');
    if (path.endsWith('_test.go') || unwanted.some((name) => text.includes(`"${name}`))) rmSync(file);
  }
  for (const { Old } of nested) {
    const replaced = Old.Version ? `${Old.Path}@${Old.Version}` : Old.Path;
    await must(go, ['mod', 'edit', `-dropreplace=${replaced}`, `-droprequire=${Old.Path}`], { cwd: directory });
  }
}

function findGo() {
  const usual = '/usr/local/go/bin/go';
  return findProgram('go') ?? (isProgram(usual) ? usual : undefined);
}

async function must(program, args, options) {
  const { code, output } = await run(program, args, options);
  if (code !== 0) throw new Failure(`${program} ${args[0]} failed with ${code}:\n${bothEnds(output, 5)}`);
  return { output };
}

const findOrBuild = async (name) => findPeer(name) ?? (await buildPeer(name));

async function printPeers(names) {
  if (names[0] === 'list') {
    process.stdout.write(`${Object.keys(PEERS).join('\n')}\n`);
    return;
  }
  const unknown = names.filter((name) => !(name in PEERS));
  if (unknown.length > 0)
    throw new Failure(`unknown peer ${unknown.join(', ')}; known: ${Object.keys(PEERS).join(', ')}`);
  for (const name of names.length > 0 ? names : [NEWEST]) process.stdout.write(`${await findOrBuild(name)}\n`);
}

async function testBesidePeers(args) {
  const name = (args[0] ?? '') in PEERS || args[0] === 'all' ? args[0] : NEWEST;
  const options = args.filter((arg, index) => arg !== '--' && !(index === 0 && arg === name));
  const pairs = name === 'all' ? await matrix() : await pairOf(name);
  if (pairs.length === 0) return;
  await prepare(['iproute2', 'iptables', 'containernetworking-plugins', 'tini']);
  const results = [];
  for (const { nerdctl: path, containerd } of pairs) {
    const beside = `beside ${path}, on ${containerd ? join(containerd, 'containerd') : "the machine's containerd"}`;
    process.stdout.write(`test:peers: ${beside}\n`);
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project=peers', ...options];
    const env = {
      HEALTHCTL_NERDCTL: path,
      PATH: fullPath(),
      ...(containerd ? { HEALTHCTL_TEST_BIN: containerd } : {}),
    };
    results.push({ beside, code: await runNodeAsRoot(vitest, env) });
  }
  const failed = results.filter(({ code }) => code !== 0);
  if (results.length > 1) {
    for (const { beside, code } of results)
      process.stdout.write(`test:peers: ${code === 0 ? 'passed' : 'FAILED'} ${beside}\n`);
  }
  process.exitCode = failed[0]?.code ?? 0;
}

/** One nerdctl on the containerd of the environment; none if it cannot be had, which is reported. */
async function pairOf(name) {
  const path = await findOrSkip(name);
  return path ? [{ nerdctl: path, containerd: undefined }] : [];
}

/** Each available nerdctl on each available containerd. */
async function matrix() {
  const nerdctls = [];
  for (const name of NERDCTLS) nerdctls.push(await findOrSkip(name));
  const containerds = [undefined];
  const parts = [];
  for (const name of CONTAINERD) parts.push(await findOrSkip(name));
  const directories = new Set(parts.map((path) => path && dirname(path)));
  if (directories.size === 1) containerds.push(...directories);
  else process.stdout.write('test:peers: SKIPPED: containerd, its shim and ctr are not in one directory\n');
  return containerds
    .filter((directory, index) => index === 0 || directory)
    .flatMap((directory) => nerdctls.filter(Boolean).map((path) => ({ nerdctl: path, containerd: directory })));
}

/** The path of a peer; undefined if it cannot be had, and then prints the reason. */
async function findOrSkip(name) {
  try {
    return await findOrBuild(name);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stdout.write(`test:peers: SKIPPED: ${name} was not found and could not be built: ${error.message}\n`);
    return undefined;
  }
}

try {
  const args = process.argv.slice(2);
  await (args[0] === '--test' ? testBesidePeers(args.slice(1)) : printPeers(args));
} catch (error) {
  fail(error);
}
