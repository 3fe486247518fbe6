import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { COMPOSE_IMAGES } from '../../testbed/compose-images.ts';
import { composeProgram, dockerProgram, type Had } from '../../testbed/debian-program.ts';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { findPeer } from '../../testbed/nerdctl-program.ts';
import { NOT_JUDGED } from '../../testbed/not-judged.ts';
import { type EngineBed, startEngine } from '../e2e/support/engine.ts';
import { type Bed, openBed } from '../e2e/support/harness.ts';
import { type NetworkHost, openNetworkHost } from '../e2e/support/network-host.ts';

// The end-to-end tests of Docker's compose 2.40, unmodified, with docker's command line, on our socket.
const suite = findPeer('compose-e2e/e2e.test');

const BUILDS = 'builds an image on top of one that it would pull from a registry';
const PULLS = 'pulls from a registry';
/** Tests that are not judged here, with the reason. A Docker without a registry fails in them too, but for builds. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['LocalComposeBuild', 'CommentsInEnvFile', 'EnvPriority', 'UnsetEnv', 'LocalComposeRun', 'LocalComposeVolume'],
      ...['RunBuildOnce', 'ScaleDownNoRecreate', 'UpWithBuildDependencies', 'RebuildOnDotEnvWithExternalNetwork'],
      ...['CheckWarningXInitialSyn', 'ComposeCancel'],
    ].map((name) => [`Test${name}`, BUILDS]),
  ),
  TestConvertAndTransformList: PULLS,
  TestPublish: PULLS,
  TestComposePull: PULLS,
  TestLoggingDriver: 'needs the image of fluent-bit',
  TestImageVolume: 'mounts of images are not there: docs/compose.md',
  TestPauseServiceAlreadyPaused: 'asks a real nginx for its health',
};
/** The first wants the processes of real images, the second the detector of secrets that Debian's compose is not built with. */
const SKIPPED_PARTS = 'TestLocalComposeUp/top|TestPublishChecks/detect_sensitive_data';

const listed = suite ? execFileSync(suite, ['-test.list', '.'], { encoding: 'utf8' }).trimEnd().split('\n') : [];
const NAMES = listed.filter((name) => !/^Test(?:Build|Watch)/.test(name) && LEFT_OUT[name] === undefined);

let bed: Bed;
let host: NetworkHost;
let engine: EngineBed;
let missing: string | undefined;
/** The command and its environment, before the name of the test. */
let command: readonly string[];
let imageIds: ReadonlySet<string>;

describe.skipIf(!suite)("compose's own end-to-end tests", () => {
  beforeAll(async () => {
    const [docker, compose] = [await dockerProgram('sid'), await composeProgram()];
    missing = [docker, compose].flatMap((had) => ('missing' in had ? had.missing : []))[0];
    bed = await openBed(['network = "bridge"']);
    host = await openNetworkHost(bed);
    engine = await startEngine(bed, [], (args) => host.spawnWithCgroups(...args));
    command = prepare(pathOf(docker), pathOf(compose));
    await loadImages();
    imageIds = new Set(await idsOf('/images/json'));
  });
  afterEach(removeAll);
  afterAll(async () => {
    await bed[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  });

  // Some of them fail now and then on a real Docker too.
  test.each(NAMES)('%s', { retry: 1, timeout: 300_000 }, async (name) => {
    const { code, stdout, stderr } = await host.start(...command, '-test.run', `^${name}$`).exited;
    expect(code, `${stdout}\n${stderr}`).toBe(0);
  });
});

test('the suite is there', (context) => {
  context.skip(suite === undefined, `${NOT_JUDGED}: it is not built: npm run peers -- compose-e2e/e2e.test`);
  context.skip(missing !== undefined, `${NOT_JUDGED}: ${missing}`);
  expect(NAMES.length).toBeGreaterThanOrEqual(90);
});

const pathOf = (had: Had): string => ('missing' in had ? '/nowhere' : had.path);

/** Makes what the tests look for: their fixtures, beside which they write, and programs under the names of their own. */
function prepare(docker: string, compose: string): readonly string[] {
  const from = dirname(suite ?? '');
  // A test wants this name.
  const at = (...path: readonly string[]) => join(bed.directory, 'e2e', ...path);
  for (const directory of ['bin', 'home/.docker/cli-plugins', 'tmp']) mkdirSync(at(directory), { recursive: true });
  cpSync(join(from, 'fixtures'), at('fixtures'), { recursive: true });
  writeFileSync(at('home/.docker/config.json'), '{}');
  // They do not hand DOCKER_HOST on.
  const script = `#!/bin/sh\nexport DOCKER_HOST=unix://${engine.socket}\nexec ${docker} "$@"\n`;
  writeFileSync(at('bin/docker'), script, { mode: 0o755 });
  symlinkSync(compose, at('bin/docker-compose'));
  symlinkSync(join(from, 'example-provider'), at('bin/example-provider'));
  const variables = {
    PATH: `${at('bin')}:${bed.env.PATH}`,
    HOME: at('home'),
    TMPDIR: at('tmp'),
    USER: 'root',
    COMPOSE_E2E_BIN_PATH: at('bin/docker-compose'),
  };
  return [
    ...['env', '-i', `--chdir=${at()}`, ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)],
    ...[suite ?? '', '-test.v', '-test.timeout', '240s', '-test.skip', SKIPPED_PARTS],
  ];
}

/** Those that are missing: some tests remove the images of their services. */
async function loadImages(): Promise<void> {
  for (const image of COMPOSE_IMAGES) {
    if ((await engine.ask('GET', `/images/${image.name}/json`)).status === 200) continue;
    await bed.ok(['load', '--quiet'], { stdin: await dockerArchive(image) });
  }
}

async function idsOf(path: string): Promise<readonly string[]> {
  return ((await engine.ask('GET', path)).json as readonly { readonly Id: string }[]).map(({ Id }) => Id);
}

/** What a test has left, or a failed one. */
async function removeAll(): Promise<void> {
  for (const id of await idsOf('/containers/json?all=1')) await engine.ask('DELETE', `/containers/${id}?force=1&v=1`);
  await engine.ask('POST', '/networks/prune');
  await engine.ask('POST', `/volumes/prune?filters=${encodeURIComponent('{"all":["true"]}')}`);
  for (const id of await idsOf('/images/json'))
    if (!imageIds.has(id)) await engine.ask('DELETE', `/images/${id}?force=1`);
  await loadImages();
}
