import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerArchive, imageParts } from '../../testbed/image-archive.ts';
import { REGISTRY_USER, type Registry, startRegistry } from '../../testbed/registry.ts';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed, until } from './support/harness.ts';

const CHECK = { Test: ['CMD', 'true'], Interval: 1e9 };

let bed: Bed;
let engine: EngineBed;
let registry: Registry;
beforeAll(async () => {
  bed = await openBed();
  [engine, registry] = await Promise.all([startEngine(bed), startRegistry({ directory: bed.directory, env: bed.env })]);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await bed[Symbol.asyncDispose]();
});

interface Sent {
  readonly body?: Buffer;
  readonly auth?: Readonly<Record<string, string>>;
}

/** Sends bytes or credentials, and reads the answer as bytes. */
async function send(method: string, path: string, { body, auth }: Sent = {}) {
  const headers = {
    ...(body ? { 'content-type': 'application/x-tar', 'content-length': body.length } : {}),
    ...(auth ? { 'x-registry-auth': Buffer.from(JSON.stringify(auth)).toString('base64url') } : {}),
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath: engine.socket, method, path, headers, agent: false }, resolve).on('error', reject).end(body);
  });
  const bytes = await buffer(response);
  return { status: response.statusCode, bytes, text: bytes.toString() };
}

const linesOf = (text: string): readonly Record<string, unknown>[] =>
  text
    .trim()
    .split('\r\n')
    .map((line) => JSON.parse(line));
const statusesOf = (text: string) => linesOf(text).map(({ status, stream, error }) => status ?? stream ?? error);
const load = async (name: string, config: Record<string, unknown> = {}) =>
  send('POST', '/images/load?quiet=1', { body: await dockerArchive({ name, config, files: { name } }) });
const archive = (name: string) => dockerArchive({ name });
const filters = (value: unknown) => encodeURIComponent(JSON.stringify(value));

test('an archive is loaded, and shown in lists and documents', async () => {
  expect(statusesOf((await load('demo/web:1', { Healthcheck: CHECK, Labels: { a: 'b' } })).text)).toEqual([
    'Loaded image: demo/web:1\n',
  ]);
  await engine.ask('POST', '/images/demo/web:1/tag?repo=docker.io/demo/other&tag=2');
  const { json: list } = await engine.ask('GET', `/images/json?filters=${filters({ reference: ['demo/*'] })}`);
  const { json: image } = await engine.ask('GET', '/v1.51/images/docker.io/demo/web:1/json');
  expect(list).toEqual([
    expect.objectContaining({ RepoTags: ['demo/other:2', 'demo/web:1'], Labels: { a: 'b' }, SharedSize: -1 }),
  ]);
  expect(image).toMatchObject({ RepoTags: ['demo/other:2', 'demo/web:1'], Config: { Healthcheck: CHECK } });
  const { json: history } = await engine.ask('GET', '/images/demo/web:1/history');
  expect(history).toEqual([
    expect.objectContaining({ CreatedBy: 'healthctl tests', Tags: ['demo/other:2', 'demo/web:1'] }),
  ]);
  expect(await engine.ask('DELETE', '/images/demo/other:2')).toMatchObject({ json: [{ Untagged: 'demo/other:2' }] });
});

test('the progress of a load', async () => {
  const { text } = await send('POST', '/images/load?quiet=0', { body: await archive('demo/progress:1') });
  const counts = linesOf(text).filter(({ progress }) => progress !== undefined);
  expect(counts[0]).toMatchObject({ status: 'Loading layer', progressDetail: { current: expect.any(Number) } });
  expect(statusesOf(text).at(-1)).toBe('Loaded image: demo/progress:1\n');
});

test('a saved image can be loaded again', async () => {
  await load('demo/save:1', { Healthcheck: CHECK });
  const { status, bytes } = await send('GET', '/images/get?names=demo/save:1');
  expect(status).toBe(200);
  await engine.ask('DELETE', '/images/demo/save:1?force=1');
  const { text } = await send('POST', '/images/load', { body: bytes });
  expect(statusesOf(text)).toEqual(['Loaded image: demo/save:1\n']);
  expect((await send('GET', '/images/demo/save:1/get')).bytes.equals(bytes)).toBe(true);
});

test('an image is pushed and pulled with progress', async () => {
  const name = `${registry.host}/demo/push`;
  await load(`${name}:1`);
  const pushed = linesOf((await send('POST', `/images/${name}/push?tag=1`)).text);
  expect(pushed[0]).toEqual({ status: `The push refers to repository [${name}]` });
  expect(pushed.at(-1)).toMatchObject({ aux: { Tag: '1', Digest: expect.stringMatching(/^sha256:/) } });
  await engine.ask('DELETE', `/images/${name}:1?force=1`);
  const { status, text } = await send('POST', `/images/create?fromImage=${encodeURIComponent(name)}&tag=1`);
  expect(status).toBe(200);
  expect(statusesOf(text)[0]).toBe(`Pulling from ${name}`);
  expect(statusesOf(text)).toContain('Pull complete');
  expect(statusesOf(text).at(-1)).toBe(`Status: Downloaded newer image for ${name}:1`);
  const { json } = await engine.ask('GET', `/distribution/${name}:1/json`);
  expect(json).toMatchObject({ Platforms: [{ os: 'linux' }] });
});

test('credentials of a request are used for it alone', async () => {
  await using locked = await startRegistry({ directory: bed.directory, env: bed.env, auth: true });
  const auth = { username: REGISTRY_USER.name, password: REGISTRY_USER.password, serveraddress: locked.host };
  await locked.push({ name: 'demo/secret:1' });
  const path = `/images/create?fromImage=${locked.host}/demo/secret&tag=1`;
  expect((await send('POST', path)).status).toBe(500);
  expect(statusesOf((await send('POST', path, { auth })).text).at(-1)).toContain('Downloaded newer image');
  expect((await send('POST', path)).status).toBe(500);
  expect(await engine.ask('POST', '/auth', auth)).toMatchObject({ status: 200, json: { Status: 'Login Succeeded' } });
  expect(await engine.ask('POST', '/auth', { ...auth, password: 'wrong' })).toMatchObject({
    status: 500,
    json: { message: `login attempt to http://${locked.host}/v2/ failed with status: 401 Unauthorized` },
  });
});

test('a file system is imported', async () => {
  const change = encodeURIComponent('HEALTHCHECK --interval=1s CMD ["true"]');
  const { layer } = await imageParts({ name: 'x' });
  const path = `/images/create?fromSrc=-&repo=demo/imported&tag=1&message=mine&changes=${change}`;
  const { status, text } = await send('POST', path, { body: gzipSync(layer.bytes) });
  const [id] = statusesOf(text);
  expect([status, id]).toEqual([200, expect.stringMatching(/^sha256:[0-9a-f]{64}$/)]);
  const { json } = await engine.ask('GET', '/images/demo/imported:1/json');
  expect(json).toMatchObject({
    Id: id,
    Comment: 'mine',
    Config: { Healthcheck: CHECK },
    RootFS: { Layers: [layer.digest] },
  });
  expect(await bed.ok(['run', '--rm', 'demo/imported:1', 'echo', 'it runs'])).toBe('it runs');
  const empty = statusesOf((await send('POST', '/images/create?fromSrc=-&repo=demo/empty')).text);
  expect(empty).toEqual([expect.stringMatching(/^sha256:/)]);
});

test('what happens to images is told by events', async () => {
  const since = Date.now() / 1000;
  await load('demo/events:1');
  await send('GET', '/images/demo/events:1/get');
  await engine.ask('DELETE', '/images/demo/events:1?force=1');
  const query = `since=${since}&filters=${filters({ type: ['image'] })}`;
  const actions = async (): Promise<readonly string[]> => {
    const { text } = await engine.ask('GET', `/events?${query}&until=${Date.now() / 1000}`);
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).Action]));
  };
  await until(async () => (await actions()).includes('delete'));
  expect(await actions()).toEqual(expect.arrayContaining(['load', 'tag', 'save', 'untag', 'delete']));
});

test.each([
  ['GET', '/images/demo/nosuch/json', 404, 'No such image: demo/nosuch:latest'],
  [
    'POST',
    '/images/create?fromImage=127.0.0.1:1/x&tag=1',
    500,
    'cannot reach registry 127.0.0.1:1: connection refused',
  ],
  [
    'POST',
    '/images/create?fromImage=Bad&tag=1',
    400,
    'invalid reference format: repository name (library/Bad) must be lowercase',
  ],
  ['POST', '/images/create?fromImage=x&tag=-', 400, 'invalid tag format'],
  ['POST', '/images/create?fromSrc=http://x/y', 501, 'healthctl fetches no file systems: '],
  ['POST', '/images/create?fromSrc=-&changes=RUN+x', 400, 'RUN is not a valid change command'],
  ['POST', '/images/create?fromSrc=-&platform=macos', 400, 'operating system is not supported'],
  ['POST', '/images/create?fromImage=x&platform=foobar', 400, 'unknown operating system or architecture'],
  ['POST', '/images/create?fromImage=x&platform=/', 400, 'is an invalid OS component'],
  ['GET', '/images/get?names=demo/nosuch:1', 404, 'No such image: demo/nosuch:1'],
  ['GET', '/images/search?term=x', 501, 'healthctl does not search registries'],
  ['GET', `/images/json?filters=${filters({ until: ['x'] })}`, 500, 'failed to parse value as time or duration: "x"'],
  ['GET', `/images/json?filters=${filters({ nosuch: ['x'] })}`, 400, "invalid filter 'nosuch'"],
  ['GET', `/images/json?filters=${filters({ before: ['demo/nosuch:1'] })}`, 404, 'No such image: demo/nosuch:1'],
  ['POST', '/images/demo/nosuch:1/tag?repo=x', 404, 'No such image: demo/nosuch:1'],
])('%s %s: %i', async (method, path, status, message) => {
  expect(await engine.ask(method, path)).toMatchObject({ status, json: { message: expect.stringContaining(message) } });
});

test('errors after the head has been sent are lines', async () => {
  const nothing = await send('POST', '/images/load', { body: Buffer.from('nothing') });
  expect([nothing.status, linesOf(nothing.text)]).toEqual([
    200,
    [{ errorDetail: { message: 'unexpected EOF' }, error: 'unexpected EOF' }],
  ]);
  const { status, text } = await send('POST', `/images/${registry.host}/demo/nosuch/push?tag=1`);
  expect(status).toBe(200);
  expect(linesOf(text).at(-1)).toMatchObject({
    error: `An image does not exist locally with the tag: ${registry.host}/demo/nosuch`,
  });
});

test('a client that goes away during a load leaves nothing', async () => {
  const before = await bed.traces();
  const body = await dockerArchive({ name: 'demo/gone:1', files: { large: 'g'.repeat(4e6) } });
  await new Promise<void>((resolve) => {
    const call = request({
      socketPath: engine.socket,
      method: 'POST',
      path: '/images/load',
      headers: { 'content-length': body.length },
      agent: false,
    });
    call.on('error', () => resolve());
    call.write(body.subarray(0, 2e6), () => call.destroy());
    call.on('close', () => resolve());
  });
  await bed.expectNothingLeft(before);
});

test('an age is a filter, as in `docker image prune --filter until=24h`', async () => {
  const list = async (until: string) =>
    (await engine.ask('GET', `/images/json?filters=${filters({ until: [until] })}`)).json;
  expect(await list('24h')).not.toEqual([]); // the images of the tests are of 2024
  expect(await list('2020-01-01')).toEqual([]);
  expect((await engine.ask('POST', `/images/prune?filters=${filters({ until: ['24h'] })}`)).status).toBe(200);
});
