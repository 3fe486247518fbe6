import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findPeer } from '../../testbed/nerdctl-program.ts';
import { NOT_JUDGED } from '../../testbed/not-judged.ts';
import { runProgram } from '../../testbed/program.ts';
import { type Bed, openBed, until } from '../e2e/support/harness.ts';
import { type NetworkHost, openNetworkHost } from '../e2e/support/network-host.ts';

/*
 * Docker's own integration tests of containers (of 28.5.2, `integration/container`), with our socket as their target. A
 * program among the peers runs them: `moby-suite SOCKET`, with the package in $PACKAGES, and in $INSIDE the process in
 * whose namespaces the tests run. It prints a line for each test, `PASS container TestExec`. Beside it, in
 * `moby-suite.baseline`, are the tests that a real Docker passes on such a machine.
 */
const SUITE = findPeer('moby-suite');
const PACKAGE = 'container';
/** What differs on purpose: tests, each with its subtests, and the reason. */
const DEVIATIONS: readonly { readonly tests: readonly string[]; readonly why: string }[] = JSON.parse(
  readFileSync(new URL('../docker-tests-deviations.json', import.meta.url), 'utf8'),
);
const LIMIT_MS = 1_500_000;

let bed: Bed;
let host: NetworkHost;
beforeAll(async () => {
  bed = await openBed(['autostart = false', 'network = "bridge"']);
  host = await openNetworkHost(bed);
  // Some tests ask for a published port at the address of eth0.
  await host.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0-peer');
  await host.run('ip', 'address', 'add', '192.0.2.10/24', 'dev', 'eth0');
  for (const name of ['eth0', 'eth0-peer']) await host.run('ip', 'link', 'set', name, 'up');
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

/** The tests of the package that Docker passes. */
function baselineOf(suite: string): readonly string[] {
  const file = join(dirname(suite), 'moby-suite.baseline');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return lines.filter((line) => line.startsWith(`${PACKAGE} `)).map((line) => line.slice(PACKAGE.length + 1));
}

const isOf =
  (test: string) =>
  (name: string): boolean =>
    name === test || name.startsWith(`${test}/`);

test('what Docker passes of its own tests of containers passes here, but for what differs on purpose', async (context) => {
  context.skip(SUITE === undefined, `${NOT_JUDGED}: the directories of HEALTHCTL_PEERS have no moby-suite`);
  const suite = SUITE ?? '';
  const baseline = baselineOf(suite);
  const socket = join(bed.directory, 'docker.sock');
  const monitor = host.spawnWithCgroups('daemon', 'run', '--docker-socket', socket);
  await until(() => monitor.stderr().includes("Docker's Engine API at"), { withinMs: 30_000 });
  const env = {
    ...bed.env,
    // It builds the tests once, and keeps them.
    ...{ HOME: homedir(), PEERS: join(homedir(), '.cache/healthctl-peers') },
    ...{ FORCE: '1', PACKAGES: PACKAGE, INSIDE: `${monitor.pid}:${socket}` },
  };
  const { code, stdout, stderr } = await runProgram([suite, socket], { env, cwd: '/', timeoutMs: LIMIT_MS });
  context.skip(code === 2, `${NOT_JUDGED}: moby-suite could not be run: ${stderr.trim().split('\n').at(-1)}`);
  const passed = new Set(stdout.match(/(?<=^PASS container )\S+/gm));
  const isDeviation = (name: string): boolean => DEVIATIONS.some(({ tests }) => tests.some((one) => isOf(one)(name)));
  expect(passed.size).toBeGreaterThan(200);
  expect(baseline.filter((name) => !passed.has(name) && !isDeviation(name))).toEqual([]);
  // A deviation that names no test would hide nothing, and its reason would stay for ever.
  const named = DEVIATIONS.flatMap(({ tests }) => tests);
  expect(named.filter((one) => !baseline.some(isOf(one)))).toEqual([]);
});
