import { statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
let engine: EngineBed;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image();
  engine = await startEngine(bed);
});
afterAll(() => bed[Symbol.asyncDispose]());

test('only root may use the socket', () => {
  expect(statSync(engine.socket).mode & 0o777).toBe(0o600);
});

test('who answers, and on what host', async () => {
  expect(await engine.ask('GET', '/v1.24/_ping')).toMatchObject({ status: 200, text: 'OK' });
  const { json: version } = await engine.ask('GET', '/version');
  expect(version).toMatchObject({ ApiVersion: '1.51', MinAPIVersion: '1.24', Os: 'linux' });
  const { json: before } = await engine.ask('GET', '/info');
  const id = await bed.ok(['create', image]);
  const { json: after } = await engine.ask('GET', '/info');
  expect(before).toMatchObject({ Containers: 0, OSType: 'linux', Swarm: { LocalNodeState: 'inactive' } });
  expect(after).toMatchObject({ Containers: 1, ContainersStopped: 1, Images: 1 });
  await bed.ok(['rm', id]);
});

test('what the kernel does on bridges is told to old clients alone', async () => {
  expect((await engine.ask('GET', '/v1.49/info')).json).toHaveProperty('BridgeNfIptables');
  expect((await engine.ask('GET', '/v1.50/info')).json).not.toHaveProperty('BridgeNfIptables');
});

test('old clients compare the commits of programs with those that are expected', async () => {
  const commitsFor = async (version: string) => {
    const { json } = await engine.ask('GET', `/v${version}/info`);
    const { ContainerdCommit, RuncCommit, InitCommit } = json as Record<string, { ID: string; Expected?: string }>;
    return [ContainerdCommit, RuncCommit, InitCommit];
  };
  const commits = await commitsFor('1.49');
  expect(commits).toEqual([{ ID: expect.stringMatching(/./) }, { ID: '' }, { ID: '' }]);
  expect(await commitsFor('1.48')).toEqual(commits.map((commit) => ({ ...commit, Expected: commit?.ID })));
});

test.each([
  ['GET', '/nosuch', 404, 'page not found'],
  ['POST', '/grpc', 404, 'page not found'],
  ['GET', '/services', 503, 'This node is not a swarm manager. '],
  ['POST', '/build?t=web', 501, 'healthctl has no classic builder: use buildx'],
  ['GET', '/v1.52/info', 400, 'client version 1.52 is too new. Maximum supported API version is 1.51'],
])('%s %s: %i', async (method, path, status, message) => {
  const answer = await engine.ask(method, path);
  expect(answer).toMatchObject({ status, json: { message: expect.stringContaining(message) } });
});

test('events of a container as they happen, and from the past', async () => {
  const since = Date.now() / 1000;
  const filters = encodeURIComponent('{"type":{"container":true},"label":{"case":true}}');
  const live = await engine.open('GET', `/events?filters=${filters}`);
  let said = '';
  live.setEncoding('utf8').on('data', (more: string) => {
    said += more;
  });
  const name = bed.name();
  const check = ['--health-cmd', 'true', '--health-interval', '200ms'];
  const id = await bed.ok(['run', '-d', '--name', name, '-l', 'case=x', ...check, image, 'sleep', '60']);
  await until(() => said.includes('health_status'));
  await bed.ok(['rm', '-f', name]);
  await until(() => said.includes('destroy'));
  live.destroy();
  const actionsIn = (lines: string): readonly string[] =>
    lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ Action }: { Action: string }) => Action)
      .filter((action) => !action.startsWith('exec_'));
  const past = await engine.ask('GET', `/events?since=${since}&until=${Date.now() / 1000}&filters=${filters}`);
  for (const lines of [said, past.text]) {
    const actions = actionsIn(lines);
    expect(actions.slice(0, 3)).toEqual(['create', 'start', 'health_status: healthy']);
    expect(actions).toContain('die');
    expect(actions.at(-1)).toBe('destroy');
  }
  const [first = ''] = said.split('\n');
  const attributes = expect.objectContaining({ case: 'x', name });
  expect(JSON.parse(first)).toMatchObject({ status: 'create', id, Actor: { ID: id, Attributes: attributes } });
});

test('docker-env names the socket that the monitor serves', async () => {
  expect(await bed.ok(['docker-env'])).toBe(`export DOCKER_HOST=unix://${engine.socket}`);
  expect(await bed.ok(['docker-env', '--shell', 'fish'])).toBe(`set -gx DOCKER_HOST unix://${engine.socket}`);
  expect(await bed.ok(['docker-env', '--context'])).toBe(
    `docker context create healthctl --docker host=unix://${engine.socket}`,
  );
});

test('a bad time is refused as by Docker', async () => {
  expect(await engine.ask('GET', '/events?since=yesterday')).toMatchObject({
    status: 500,
    json: { message: 'strconv.ParseInt: parsing "yesterday": invalid syntax' },
  });
});

test('the monitor ends with clients connected, and leaves no socket', async () => {
  const live = await engine.open('GET', '/events');
  live.on('error', () => {}).resume();
  engine.monitor.kill('SIGTERM');
  expect((await engine.monitor.exited).code).toBe(0);
  expect(() => statSync(engine.socket)).toThrow('ENOENT');
  expect(await bed.cli(['docker-env'])).toMatchObject({
    ...{ code: 1, stdout: '' },
    stderr: expect.stringMatching(/nothing serves Docker's API: no monitor runs\n.*docker_socket = "/),
  });
});
