import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeClock, type FakeClock } from '../../test/fakes/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import { createEngine, type Engine } from './engine.ts';
import { empty, json, type Route } from './route.ts';

const seen: { signal?: AbortSignal; body?: string } = {};
const warnings: string[] = [];
const routes: readonly Route[] = [
  { method: 'GET', path: '/value', handle: () => json({ a: 1 }) },
  { method: 'POST', path: '/empty', handle: () => empty() },
  { method: 'POST', path: '/body', handle: async (call) => json(await call.json({ isRequired: true })) },
  {
    method: 'GET',
    path: '/fails/{code}',
    handle: ({ part }) => {
      throw part('code') === 'odd' ? new TypeError('odd') : new HealthctlError(part('code') as 'CONFLICT', 'no');
    },
  },
  {
    method: 'GET',
    path: '/stream',
    handle: async (call) => {
      seen.signal = call.signal;
      const answer = call.stream({ contentType: 'application/json' });
      if (!call.query.flag('silent')) await answer.write('{"n":1}\n');
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    },
  },
  {
    method: 'POST',
    path: '/echo',
    handle: async (call) => {
      seen.body = JSON.stringify(await call.json());
      const { stream } = await call.hijack({ contentType: 'application/x-echo', hasHeaders: true });
      stream.on('data', (chunk: Buffer) => stream.write(`>${chunk}`));
      await once(stream, 'end');
      stream.write('over');
    },
  },
  {
    method: 'POST',
    path: '/held',
    handle: async (call) => {
      const { stream } = await call.hijack({ contentType: 'application/x-held', hasHeaders: false });
      stream.resume();
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    },
  },
  {
    method: 'POST',
    path: '/streamed',
    handle: async (call) => {
      const body = call.body();
      if (call.query.flag('fails')) await pipeline(body, failing()).catch(() => {});
      else await body[Symbol.asyncIterator]().next();
      if (call.query.flag('answers')) return json('failed');
      await call.stream({ contentType: 'application/json' }).write('{"error":"no archive"}\n');
      return undefined;
    },
  },
  {
    method: 'POST',
    path: '/flood',
    handle: async (call) => {
      const { stream } = await call.hijack({ contentType: 'application/x-flood', hasHeaders: false });
      stream.write(Buffer.alloc(FLOOD_BYTES));
    },
  },
];
const failing = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done(new Error('no')) });
const FLOOD_BYTES = 4 << 20;

let directory: string;
let path: string;
let engine: Engine;
let close: () => Promise<void>;
let clock: FakeClock;
/** Of the server, the newest last. */
const accepted: Socket[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'engine-'));
  path = join(directory, 's');
  warnings.length = 0;
  accepted.length = 0;
  clock = createFakeClock();
  engine = createEngine({
    routes,
    log: { warn: (line) => void warnings.push(line), debug: () => {} },
    clock,
  });
  const server = createServer(engine.handle);
  server.on('connection', (socket) => accepted.push(socket));
  server.on('upgrade', (request, socket, head) => engine.handleUpgrade(request, socket as Socket, head));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
});
afterEach(async () => {
  engine.stop();
  await close();
  rmSync(directory, { recursive: true });
});

function ask(method: string, target: string, body?: string, headers = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath: path, method, path: target, headers }, resolve).on('error', reject);
    request.end(body);
  });
}

/** Sends bytes and reads to the end of the connection. */
async function exchange(bytes: string, then: (socket: Socket) => void = (socket) => socket.end()): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.write(bytes);
  then(socket);
  return text(socket);
}

test('a value in JSON ends with a newline, and has the headers of Docker', async () => {
  const answer = await ask('GET', '/v1.44/value');
  expect(await text(answer)).toBe('{"a":1}\n');
  expect(answer.headers).toMatchObject({
    'api-version': '1.51',
    'docker-experimental': 'false',
    ostype: 'linux',
    server: 'Docker/28.5.2 (linux)',
    'content-length': '8',
  });
});

test('answers say nothing of the connection, and it stays', async () => {
  const two = await exchange(
    'GET /value HTTP/1.1\r\nHost: d\r\n\r\nPOST /nosuch HTTP/1.1\r\nHost: d\r\nContent-Length: 3\r\n\r\nabcGET /value HTTP/1.1\r\nHost: d\r\n\r\n',
  );
  expect(two.match(/^HTTP\/1.1 \d+/gm)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
  expect(two).not.toMatch(/^connection:/im);
});

test('an answer without a body', async () => {
  const answer = await ask('POST', '/empty');
  expect([answer.statusCode, answer.headers['content-length']]).toEqual([204, undefined]);
});

test.each([
  ['CONFLICT', 409],
  ['NOT_FOUND', 404],
  ['INVALID', 400],
  ['DENIED', 403],
  ['UNAVAILABLE', 500],
])('an error %s is status %i with its message', async (code, status) => {
  const answer = await ask('GET', `/fails/${code}`);
  expect([answer.statusCode, await text(answer)]).toEqual([status, '{"message":"no"}\n']);
});

test('a fault of our own is 500, and logged', async () => {
  expect((await ask('GET', '/fails/odd')).statusCode).toBe(500);
  expect(warnings).toEqual(['Docker API: GET /fails/odd: odd']);
});

test('the connection serves the next request after a refused body', async () => {
  const refused = await ask('POST', '/body', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' });
  expect(await text(refused)).toContain("must be 'application/json'");
  const answer = await ask('POST', '/body', '{"b":2}', { 'content-type': 'application/json' });
  expect(await text(answer)).toBe('{"b":2}\n');
});

test('a body without an end is refused', async () => {
  const head = 'POST /body HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n';
  const told = await exchange(`${head}"${'x'.repeat(4_999_990)}`, () => {});
  expect(told).toContain(' 413 ');
});

test('the connection serves the next request after a refused body of unknown length', async () => {
  const refused = 'POST /nosuch HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n';
  const socket = connect({ path, allowHalfOpen: true });
  const told = text(socket);
  await sent(socket, refused);
  await expect.poll(() => accepted.at(-1)?.bytesWritten).toBeGreaterThan(0);
  await sent(socket, '3\r\nabc\r\n0\r\n\r\n');
  socket.end('GET /value HTTP/1.1\r\nHost: d\r\n\r\n');
  expect((await told).match(/^HTTP\/1.1 \d+/gm)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 200']);
});

test.each([
  ['of known length', `Content-Length: ${2 << 20}`, 'x'],
  ['the last one of a client', 'Connection: close\r\nTransfer-Encoding: chunked', ''],
  ['of unknown length', 'Transfer-Encoding: chunked', `100000\r\n${'x'.repeat(1 << 20)}`],
])('a client that still sends a body reads why it was refused: %s', async (_name, header, begin) => {
  const socket = connect({ path, allowHalfOpen: true });
  socket.write(`POST /nosuch HTTP/1.1\r\nHost: d\r\n${header}\r\n\r\n${begin}`);
  await expect.poll(() => accepted.at(-1)?.writableEnded).toBe(true);
  socket.write('more');
  expect(await text(socket)).toContain('page not found');
  await clock.advance(500);
  await expect.poll(() => accepted.at(-1)?.destroyed).toBe(true);
  socket.destroy();
});

test('a stream begins before there is anything to tell', async () => {
  const answer = await ask('GET', '/stream?silent=1');
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/json']);
  answer.destroy();
});

test('the signal fires when a client goes away, and the call is over', async () => {
  const answer = await ask('GET', '/stream');
  answer.once('data', () => answer.destroy());
  await expect.poll(() => seen.signal?.aborted).toBe(true);
  await expect.poll(() => engine.busy).toBe(0);
});

test('stopping ends the calls in flight', async () => {
  const answer = await ask('GET', '/stream');
  answer.on('error', () => {}).resume();
  engine.stop();
  await expect.poll(() => engine.busy).toBe(0);
  await expect.poll(() => answer.destroyed).toBe(true);
});

test('a connection is taken over: the body is no input, and the end of the input does not end the output', async () => {
  const told = await exchange(
    'POST /echo HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}in',
  );
  expect(seen.body).toBe('{"a":1}');
  const [head, bytes] = told.split('\r\n\r\n');
  expect(bytes).toBe('>inover');
  expect(head?.split('\r\n')).toEqual([
    'HTTP/1.1 101 UPGRADED',
    'Content-Type: application/x-echo',
    'Connection: Upgrade',
    'Upgrade: tcp',
    'Api-Version: 1.51',
    'Docker-Experimental: false',
    'Ostype: linux',
    'Server: Docker/28.5.2 (linux)',
  ]);
});

test('without the headers of an upgrade it is 200, and bytes until the end', async () => {
  const answer = await ask('POST', '/echo', '{}', { 'content-type': 'application/json' });
  const { statusCode, headers } = answer;
  expect([statusCode, headers['content-type'], headers['transfer-encoding'], headers['content-length']]).toEqual([
    200,
    'application/vnd.docker.raw-stream',
    undefined,
    undefined,
  ]);
  expect(await text(answer)).toBe('over');
});

test('a request to upgrade where nothing is to be taken over is an ordinary one', async () => {
  const told = await exchange(
    'GET /value HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    () => {},
  );
  expect(told).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(told).toContain('{"a":1}\n');
  expect(
    await exchange('POST /grpc HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n', () => {}),
  ).toContain(' 404 ');
});

test('requests of one connection are served one after the other, and not too many of them', async () => {
  const get = 'GET /stream HTTP/1.1\r\nHost: d\r\n\r\n';
  const socket = connect({ path }).on('error', () => {});
  socket.write(get.repeat(3));
  await once(socket, 'data');
  expect(engine.busy).toBe(1);
  socket.write(get.repeat(100));
  await once(socket.resume(), 'close');
  await expect.poll(() => engine.busy).toBe(0);
});

test('a connection that waits for its turn is noticed when it goes', async () => {
  const socket = connect({ path });
  socket.write('GET /stream HTTP/1.1\r\nHost: d\r\n\r\nGET /value HTTP/1.1\r\nHost: d\r\n\r\n');
  await once(socket, 'data');
  socket.destroy();
  await expect.poll(() => [engine.busy, seen.signal?.aborted]).toEqual([0, true]);
});

const LOOK_MS = 5_000;

test('a client that goes away after its input has ended is noticed, one that reads on is not cut off', async () => {
  const head = `POST /held HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`;
  const [gone, reading] = [0, 1].map(() => connect({ path, allowHalfOpen: true }));
  for (const socket of [gone, reading]) {
    socket?.end(head);
    if (socket) await once(socket, 'data');
  }
  gone?.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  for (let round = 0; round < 3; round += 1) await clock.advance(LOOK_MS);
  await expect.poll(() => engine.busy).toBe(1);
  reading?.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  for (let round = 0; round < 2; round += 1) await clock.advance(LOOK_MS);
  await expect.poll(() => engine.busy).toBe(0);
});

test.each(['', 'fails=1', 'answers=1', 'fails=1&answers=1'])(
  'an upload that is broken off is noticed: %s',
  async (query) => {
    const socket = connect({ path }).on('error', () => {});
    socket.write(`POST /streamed?${query} HTTP/1.1\r\nHost: d\r\nContent-Length: 250000\r\n\r\n`);
    socket.write(Buffer.alloc(200_000));
    await once(socket, 'data');
    socket.destroy();
    await expect.poll(() => accepted.at(-1)?.destroyed).toBe(true);
  },
);

const MINUTE_MS = 60_000;
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';

/** Sends bytes, and waits until the server has read them. */
async function sent(socket: Socket, bytes: string): Promise<void> {
  socket.write(bytes);
  await expect.poll(() => accepted.at(-1)?.bytesRead).toBe(socket.bytesWritten);
}

test.each([
  ['JSON', 'POST /body HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a'],
  [
    'chunks',
    'POST /body HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{"',
  ],
  ['what is not read', 'POST /empty HTTP/1.1\r\nHost: d\r\nContent-Length: 9\r\n\r\nabc'],
  [
    'what comes before a hijack',
    `POST /echo HTTP/1.1\r\nHost: d\r\n${UPGRADE}Content-Type: application/json\r\nContent-Length: 8\r\n\r\n`,
  ],
])('a body that does not go on ends the connection: %s', async (_name, bytes) => {
  const socket = connect({ path, allowHalfOpen: true }).on('error', () => {});
  const ended = text(socket);
  await sent(socket, bytes);
  await clock.advance(2 * MINUTE_MS);
  await clock.advance(2 * MINUTE_MS);
  await ended;
  await expect.poll(() => [engine.busy, accepted.at(-1)?.destroyed]).toEqual([0, true]);
  socket.destroy();
});

test('a body that goes on may take as long as it likes', async () => {
  const socket = connect({ path });
  const told = text(socket);
  const bytes = '{"a":123}';
  const head = `POST /body HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  await sent(socket, head);
  for (const byte of bytes) {
    await sent(socket, byte);
    await clock.advance(2 * MINUTE_MS);
  }
  expect(await told).toContain('{"a":123}\n');
});

test('the input of a connection that was taken over may wait for ever', async () => {
  const socket = connect({ path });
  socket.setEncoding('utf8');
  const head = 'POST /echo HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\nContent-Type: application/json\r\n';
  await sent(socket, `${head}${UPGRADE}\r\n{}`);
  await once(socket, 'data');
  await clock.advance(24 * 60 * MINUTE_MS);
  socket.write('in');
  expect(await once(socket, 'data')).toEqual(['>in']);
  socket.destroy();
});

test('a client that keeps its side open after a refused upgrade is cut off', async () => {
  const socket = connect({ path, allowHalfOpen: true }).on('error', () => {});
  socket.write(`GET /value HTTP/1.1\r\nHost: d\r\n${UPGRADE}\r\n`);
  expect(await text(socket)).toContain('{"a":1}');
  await clock.advance(10_000);
  await expect.poll(() => accepted.at(-1)?.destroyed).toBe(true);
  socket.destroy();
});

test('the end of a taken-over connection waits for a client that reads slowly', async () => {
  const socket = connect({ path, allowHalfOpen: true });
  socket.pause();
  socket.write(`POST /flood HTTP/1.1\r\nHost: d\r\n${UPGRADE}\r\n`);
  await expect.poll(() => accepted.at(-1)?.writableEnded).toBe(true);
  await clock.advance(30 * MINUTE_MS);
  let length = 0;
  socket.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  socket.resume();
  await once(socket, 'end');
  expect(length).toBeGreaterThan(FLOOD_BYTES);
  await clock.advance(10_000);
  socket.destroy();
});
