import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import { CLIENTS, javaLibraries, nodeLibraries, pythonLibraries } from '../../testbed/client-libraries.ts';
import type { Had } from '../../testbed/debian-program.ts';
import { processEnvironment } from '../../testbed/debian-root.ts';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { peerProgram } from '../../testbed/nerdctl-program.ts';
import { NOT_JUDGED } from '../../testbed/not-judged.ts';
import { type EngineBed, startEngine } from '../e2e/support/engine.ts';
import { type Bed, openBed } from '../e2e/support/harness.ts';
import { type NetworkHost, openNetworkHost } from '../e2e/support/network-host.ts';

// Libraries that were written for Docker, unchanged, in sessions as their users write them (testbed/clients).

let bed: Bed;
let host: NetworkHost;
let engine: EngineBed;
beforeAll(async () => {
  bed = await openBed(['autostart = false', 'network = "bridge"']);
  host = await openNetworkHost(bed);
  const archive = join(bed.directory, 'clients.tar');
  const config = {
    Cmd: ['httpd', '-f', '-p', '80', '-h', '/www'],
    Healthcheck: { Test: ['CMD-SHELL', 'test ! -e /tmp/bad'], Interval: 500_000_000, Retries: 1 },
  };
  writeFileSync(archive, await dockerArchive({ name: 'clients:1', config, files: { 'www/index.html': 'served\n' } }));
  await bed.ok(['load', '--quiet', '--input', archive]);
  engine = await startEngine(bed, [], (args) => host.spawnWithCgroups(...args));
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

/**
 * Runs a session on the host of the containers; it must end with 0, and leave nothing.
 *
 * @returns the lines that it prints
 */
async function play(
  command: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const env = {
    ...processEnvironment(),
    DOCKER_HOST: `unix://${engine.socket}`,
    DOCKER_CONFIG: join(bed.directory, 'docker'),
    TESTCONTAINERS_RYUK_DISABLED: 'true',
    ...more,
  };
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const { code, stdout, stderr } = await host.start('timeout', '300', 'env', '-i', ...assignments, ...command).exited;
  expect(code, `${stdout}\n${stderr}\n${engine.monitor.stderr().slice(-5_000)}`).toBe(0);
  expect((await engine.ask('GET', '/containers/json?all=1')).json).toEqual([]);
  const networks = (await engine.ask('GET', '/networks')).json as { readonly Name: string }[];
  expect(networks.map(({ Name }) => Name)).toEqual(['bridge', 'host', 'none']);
  return stdout.trimEnd().split('\n');
}

/** The path of libraries, or skips the test aloud. */
function pathOf(context: TestContext, had: Had): string {
  if ('missing' in had) return context.skip(`${NOT_JUDGED}: ${had.missing}`);
  return had.path;
}

/** Plays a session of Node.js, which finds its libraries beside itself. */
async function playNode(context: TestContext, session: string): Promise<readonly string[]> {
  const libraries = pathOf(context, await nodeLibraries());
  const directory = join(bed.directory, session);
  mkdirSync(directory);
  copyFileSync(join(CLIENTS, session), join(directory, session));
  symlinkSync(join(libraries, 'node_modules'), join(directory, 'node_modules'));
  return play([process.execPath, join(directory, session)]);
}

test('dockerode', async (context) => {
  expect(await playNode(context, 'dockerode.mjs')).toEqual([
    'event "health_status: healthy" "dockerode-web" "dockerode"',
    'health "healthy" 0',
    'port "served"',
    'exec ["out\\n","err\\n",3]',
    'exec with input ["some input","",0]',
    'run in the network 0 "served"',
    'archive "passwd" true',
    'copied "1"',
    'top true',
    'stats true',
    'listed [[["/dockerode-web"],"(unhealthy)"]]',
    'networks ["dockerode","dockerode-2"]',
    'logs "line 1\\nline 2\\nline 3\\n" "end\\n"',
    'wait 5',
    'died "137"',
    'missing [404,"No such container: dockerode-web"]',
  ]);
});

test('testcontainers for Node.js', async (context) => {
  expect(await playNode(context, 'testcontainers.mjs')).toEqual([
    'healthy "served\\n" "copied"',
    'exec true "blue\\n" "err\\n" 4',
    'network "served\\n"',
    'logs "started\\nready\\n"',
    'http and ports',
    'restarted 200',
    'archive true',
    'unhealthy "Health check failed: unhealthy"',
    'stopped',
  ]);
});

test('docker-py', async (context) => {
  const PYTHONPATH = pathOf(context, await pythonLibraries());
  expect(await play(['python3', join(CLIENTS, 'docker-py.py')], { PYTHONPATH })).toEqual([
    'version 1.51 True',
    'health healthy running',
    'port True',
    "exec ExecResult(exit_code=3, output=(b'out\\n', b'err\\n'))",
    "exec stream b'1\\n2\\n3\\n'",
    "run b'served\\n'",
    "fails 7 b'bad\\n'",
    "put True b'hello'",
    "get copied 5 b'hello'",
    "socket b'input'",
    "listed ['docker-py-web']",
    'stats True top True',
    'health unhealthy True',
    "networks ['docker-py', 'docker-py-2']",
    "volume b'kept\\n'",
    "logs [b'one\\n', b'two\\n'] 0",
    "stderr b'two\\n'",
    "image ['clients:1'] ['CMD-SHELL', 'test ! -e /tmp/bad'] True",
    "load [['clients:1']]",
    'exited 137',
    "events ['create', 'health_status: healthy', 'health_status: unhealthy', 'rename', 'destroy']",
    'missing 404 No such container: docker-py-renamed',
    "df ['BuildCache', 'Containers']",
  ]);
});

test('testcontainers for Java', async (context) => {
  const classPath = join(pathOf(context, await javaLibraries()), '*');
  const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
  expect(await play(['java', quiet, '-cp', classPath, join(CLIENTS, 'Testcontainers.java')])).toEqual([
    'healthy true served copied',
    'exec 4 blue err',
    'copied more',
    'network served',
    'logs started ready later',
    'http served',
    'ports',
    'one shot done',
    'unhealthy Container startup failed for image clients:1',
    'stopped',
  ]);
});

test('testcontainers for Go', async (context) => {
  const program = pathOf(context, await peerProgram('testcontainers-go'));
  expect(await play([program])).toEqual([
    'healthy served copied',
    'state running healthy',
    'exec 4 blue <nil>',
    'copied more <nil>',
    'network served <nil>',
    'logs [started ready] <nil>',
    'http and ports',
    'exited 3 <nil>',
    'unhealthy true',
    'started again true',
  ]);
});
