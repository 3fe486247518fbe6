import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeFrames } from '../builders/frames.ts';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
let engine: EngineBed;
let id: string;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image();
  engine = await startEngine(bed);
  id = await bed.ok(['run', '-d', image, 'sh', '-c', 'echo one; sleep 0.3; echo two >&2; sleep 1.2; echo three']);
  await bed.ok(['wait', id]);
});
afterAll(() => bed[Symbol.asyncDispose]());

const framesOf = async (query: string, container = id) =>
  decodeFrames(await buffer(await engine.open('GET', `/containers/${container}/logs?${query}`)));

test.each([
  ['stdout=1&stderr=1', 'one\nthree\n', 'two\n'],
  ['stdout=1', 'one\nthree\n', ''],
  ['stderr=true', '', 'two\n'],
  ['stdout=1&stderr=1&tail=1', 'three\n', ''],
  // What is not shown counts.
  ['stdout=1&tail=2', 'three\n', ''],
  ['stdout=1&stderr=1&tail=0', '', ''],
  ['stdout=1&stderr=1&tail=-1', 'one\nthree\n', 'two\n'],
  ['stdout=1&stderr=1&tail=x&since=0&until=0', 'one\nthree\n', 'two\n'],
  ['stdout=1&until=1.5', '', ''],
])('%s', async (query, stdout, stderr) => {
  expect(await framesOf(query)).toMatchObject({ stdout, stderr });
});

test('times of nine digits, which choose a part', async () => {
  const { stdout, stderr } = await framesOf('stdout=1&stderr=1&timestamps=1');
  expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z one\n\S{30} three\n$/);
  const between = Date.parse(stderr.split(' ')[0] ?? '') / 1000 + 0.6;
  expect(await framesOf(`stdout=1&stderr=1&since=${between}`)).toMatchObject({ stdout: 'three\n', stderr: '' });
  expect(await framesOf(`stdout=1&stderr=1&until=${between}`)).toMatchObject({ stdout: 'one\n', stderr: 'two\n' });
});

test('what follows comes as it is printed, until the container ends', async () => {
  const name = bed.name();
  await bed.ok(['run', '-d', '--name', name, image, 'sh', '-c', 'echo a; read x < /proc/self/fd/0; sleep 1; echo b']);
  const answer = await engine.open('GET', `/containers/${name}/logs?stdout=1&follow=1`);
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  await until(() => chunks.length > 0);
  expect(decodeFrames(Buffer.concat(chunks)).stdout).toBe('a\n');
  await new Promise((resolve) => answer.once('end', resolve));
  expect(decodeFrames(Buffer.concat(chunks)).stdout).toBe('a\nb\n');
});

test('with a terminal there are no frames, and a container never started has no output', async () => {
  const tty = await bed.ok(['run', '-d', '-t', image, 'sh', '-c', 'echo out; echo err >&2']);
  await bed.ok(['wait', tty]);
  const raw = await engine.open('GET', `/containers/${tty}/logs?stdout=1`);
  expect(raw.headers['content-type']).toBe('application/vnd.docker.raw-stream');
  expect(await text(raw)).toBe('out\r\nerr\r\n');
  const never = await bed.ok(['create', image]);
  expect(await framesOf('stdout=1&follow=1', never)).toMatchObject({ count: 0 });
});

test.each([
  ['1.41', 'raw-stream'],
  ['1.42', 'multiplexed-stream'],
])('the content type for API %s: %s', async (version, type) => {
  const answer = await engine.open('GET', `/v${version}/containers/${id}/logs?stdout=1`);
  expect(answer.headers['content-type']).toBe(`application/vnd.docker.${type}`);
  expect(decodeFrames(await buffer(answer)).stdout).toBe('one\nthree\n');
});

test.each([
  ['x', 'tail=1', 400, 'Bad parameters: you must choose at least one stream'],
  ['x', 'stdout=1', 404, 'No such container: x'],
  ['ID', 'stdout=1&since=yesterday', 500, 'strconv.ParseInt: parsing "yesterday": invalid syntax'],
])('the logs of %s?%s: %i', async (container, query, status, message) => {
  const answer = await engine.ask('GET', `/containers/${container.replace('ID', id)}/logs?${query}`);
  expect(answer).toMatchObject({ status, json: { message } });
});

test('a container without a log', async () => {
  const silent = await bed.ok(['create', '--log-driver', 'none', image]);
  expect(await engine.ask('GET', `/containers/${silent}/logs?stdout=1`)).toMatchObject({
    status: 501,
    json: { message: 'configured logging driver does not support reading' },
  });
});

test('followers that go, or never read, leave nothing', async () => {
  const before = await bed.traces();
  const name = bed.name();
  await bed.ok(['run', '-d', '--name', name, image, 'sh', '-c', 'yes | head -c 30000000; sleep 60']);
  const stalled = await engine.open('GET', `/containers/${name}/logs?stdout=1&follow=1`);
  const idle = await engine.open('GET', `/containers/${name}/logs?stdout=1&follow=1&tail=0`);
  for (const answer of [stalled, idle]) answer.on('error', () => {}).destroy();
  await bed.ok(['rm', '-f', name]);
  await bed.expectNothingLeft(before);
});
