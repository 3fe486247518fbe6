import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed, until } from './support/harness.ts';
import { hijack } from './support/hijack.ts';

let bed: Bed;
let image: string;
let engine: EngineBed;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image();
  engine = await startEngine(bed);
});
afterAll(() => bed[Symbol.asyncDispose]());

const attach = (id: string, query: string, options = {}) =>
  hijack(engine.socket, `/containers/${id}/attach?${query}`, options);
const ALL = 'stream=1&stdin=1&stdout=1&stderr=1';
const start = (id: string) => engine.ask('POST', `/containers/${id}/start`);

test('a client that attached before the start misses nothing, and its input arrives', async () => {
  const script = 'echo first; read a; echo "got $a"; echo err >&2; exit 7';
  const id = await bed.ok(['create', '-i', image, 'sh', '-c', script]);
  const client = await attach(id, ALL);
  expect(client.head).toBe(
    'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
  );
  expect(await start(id)).toMatchObject({ status: 204 });
  client.write('hello\n');
  await client.ended;
  expect(client.frames()).toMatchObject({ stdout: 'first\ngot hello\n', stderr: 'err\n' });
});

test('the end of the input reaches the container, and its answer comes back', async () => {
  const id = await bed.ok(['create', '-i', '-a', 'stdin', '-a', 'stdout', image, 'cat']);
  const client = await attach(id, ALL);
  client.end('all of it');
  await start(id);
  await client.ended;
  expect(client.frames().stdout).toBe('all of it');
});

test('several clients, one of which does not ask for an upgrade; a body is not input', async () => {
  const id = await bed.ok(['create', '-i', image, 'sh', '-c', 'echo out; echo err >&2']);
  const clients = await Promise.all([
    attach(id, 'stream=1&stdout=1', { isUpgrade: false }),
    attach(id, 'stream=1&stderr=1', { body: { stream: true } }),
  ]);
  expect(clients[0].head).toContain('HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n');
  await start(id);
  await Promise.all(clients.map(({ ended }) => ended));
  expect(clients.map((client) => client.frames())).toMatchObject([
    { stdout: 'out\n', stderr: '' },
    { stdout: '', stderr: 'err\n' },
  ]);
});

test('a terminal: bytes, its size, and the keys that detach', async () => {
  const id = await bed.ok(['create', '-it', image, 'sh', '-c', 'read a; stty size; read b']);
  expect(await engine.ask('POST', `/containers/${id}/resize?h=10&w=20`)).toMatchObject({
    status: 409,
    json: { message: `container ${id} is not running` },
  });
  const client = await attach(id, `${ALL}&detachKeys=ctrl-a`);
  expect(client.head).toContain('Content-Type: application/vnd.docker.raw-stream\r\n');
  await start(id);
  expect(await engine.ask('POST', `/containers/${id}/resize?h=10&w=20`)).toMatchObject({ status: 200, text: '' });
  client.write('\r');
  await until(() => client.bytes().includes('10 20\r\n'));
  client.write('\x01');
  await client.ended;
  expect(await bed.ok(['inspect', '-f', '{{.State.Status}}', id])).toBe('running');
  await bed.ok(['rm', '-f', id]);
});

test('of one that runs: from now on, or with its past', async () => {
  const script = 'echo early; while read a; do echo "got $a"; done; sleep 60';
  const id = await bed.ok(['create', '-i', image, 'sh', '-c', script]);
  await start(id);
  const past = await attach(id, `logs=1&${ALL}`);
  await until(() => past.frames().stdout === 'early\n');
  const later = await attach(id, 'stream=1&stdout=1');
  past.write('x\n');
  await until(() => past.frames().stdout === 'early\ngot x\n' && later.frames().stdout === 'got x\n');
  const logsOnly = await attach(id, 'logs=1&stdout=1');
  await logsOnly.ended;
  expect(logsOnly.frames().stdout).toBe('early\ngot x\n');
  await bed.ok(['rm', '-f', id]);
  await Promise.all([past.ended, later.ended]);
});

test('of one that has ended: until its next start has ended', async () => {
  const id = await bed.ok(['create', image, 'echo', 'again']);
  await bed.ok(['start', '-a', id]);
  const client = await attach(id, 'stream=1&stdout=1');
  await start(id);
  await client.ended;
  expect(client.frames().stdout).toBe('again\n');
});

test.each([
  ['a start that fails', ['nosuch'], (id: string) => start(id)],
  ['a removal by another process', ['true'], (id: string) => bed.ok(['rm', id])],
])('%s ends the attachment', async (_, command, work) => {
  const id = await bed.ok(['create', image, ...command]);
  const client = await attach(id, ALL);
  await work(id);
  await client.ended;
  expect(client.bytes()).toHaveLength(0);
});

test('a start by another process connects too', async () => {
  const id = await bed.ok(['create', image, 'sh', '-c', 'sleep 1; echo late']);
  const client = await attach(id, 'stream=1&stdout=1');
  await bed.ok(['start', id]);
  await client.ended;
  expect(client.frames().stdout).toBe('late\n');
});

test.each([
  ['nosuch', '404 Not Found', 'No such container: nosuch\r\n'],
  ['PAUSED', '409 Conflict', 'is paused, unpause the container before attach\r\n'],
])('of %s: refused as plain text', async (name, status, text) => {
  const id = name === 'PAUSED' ? await bed.ok(['run', '-d', image, 'sleep', '60']) : name;
  if (name === 'PAUSED') await bed.ok(['pause', id]);
  const client = await attach(id, 'stream=1&stdout=1');
  await client.ended;
  expect(client.head).toContain(`HTTP/1.1 ${status}\r\n`);
  expect(client.bytes().toString()).toContain(text);
  if (name === 'PAUSED') await bed.ok(['rm', '-f', id]);
});

test('a client that was killed while nothing is printed is cut off', async () => {
  const id = await bed.ok(['create', image, 'sleep', '60']);
  const connections = () => readdirSync(`/proc/${engine.monitor.pid}/fd`).length;
  const before = connections();
  const waits = await attach(id, 'stream=1&stdout=1');
  await start(id);
  const attached = await attach(id, 'stream=1&stdout=1');
  expect(connections()).toBeGreaterThan(before);
  for (const client of [waits, attached]) client.destroy();
  await until(() => connections() <= before, { withinMs: 20_000 });
  await bed.ok(['rm', '-f', id]);
});

test('clients that go, or never read, leave nothing', async () => {
  const before = await bed.traces();
  const id = await bed.ok(['create', '-i', image, 'sh', '-c', 'yes | head -c 30000000; sleep 60']);
  const [waits, stalls] = await Promise.all([attach(id, ALL), attach(id, ALL)]);
  stalls.pause();
  waits.destroy();
  await start(id);
  const half = await attach(id, ALL);
  half.end();
  for (const client of [stalls, half]) client.destroy();
  await bed.ok(['rm', '-f', id]);
  await bed.expectNothingLeft(before);
});
