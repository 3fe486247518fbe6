import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ClientReadableStream,
  credentials,
  makeGenericClientConstructor,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { afterAll, describe, expect, test } from 'vitest';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
} from '../../src/containerd/gen/grpc/health.ts';
import { frameMessage } from '../../src/containerd/grpc-frames.ts';
import { type HealthSource, openGrpcHealthServer, type ServingStatus } from '../../src/daemon/grpc/grpc-health.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { startProgram } from '../../testbed/program.ts';
import { until } from '../../testbed/until.ts';

// The health protocol on a real socket: a gRPC library asks like any client, then plain HTTP/2 asks as no client
// should.

const FLOOD = fileURLToPath(new URL('../../testbed/http2-flood.mjs', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'healthctl-grpc-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface FakeSource extends HealthSource {
  set(service: string, status: ServingStatus | undefined): void;
  readonly listeners: number;
}

function createSource(statuses: Readonly<Record<string, ServingStatus>> = {}): FakeSource {
  const known = new Map(Object.entries(statuses));
  const listeners = new Set<(service: string) => void>();
  return {
    statusOf: (service) => known.get(service),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set: (service, status) => {
      if (status === undefined) known.delete(service);
      else known.set(service, status);
      for (const listener of listeners) listener(service);
    },
    get listeners() {
      return listeners.size;
    },
  };
}

let count = 0;
async function serve(statuses: Readonly<Record<string, ServingStatus>> = {}) {
  count += 1;
  const path = join(dir, `${count}.sock`);
  const source = createSource(statuses);
  const server = openGrpcHealthServer({ path, source, clock: systemClock, log: silentLogger });
  await server.start();
  return { path, source, server, [Symbol.asyncDispose]: () => server.stop() };
}

const definition: ServiceDefinition = Object.fromEntries(
  ['Check', 'Watch'].map((name) => [
    name,
    {
      path: `/grpc.health.v1.Health/${name}`,
      requestStream: false,
      responseStream: name === 'Watch',
      requestSerialize: (service: string) => Buffer.from(HealthCheckRequest.encode({ service }).finish()),
      requestDeserialize: (bytes: Buffer) => HealthCheckRequest.decode(bytes).service,
      responseSerialize: (status: Status) => Buffer.from(HealthCheckResponse.encode({ status }).finish()),
      responseDeserialize: (bytes: Buffer) => Status[HealthCheckResponse.decode(bytes).status],
    },
  ]),
);
const HealthClient = makeGenericClientConstructor(definition, 'Health');

interface Watching {
  readonly call: ClientReadableStream<string>;
  readonly seen: string[];
  /** The status with which it ended. */
  readonly ended: Promise<number>;
  sees(...statuses: readonly string[]): Promise<void>;
}

function openClient(path: string) {
  const client = new HealthClient(`unix://${path}`, credentials.createInsecure());
  const call = <T>(name: string, ...args: unknown[]): T =>
    (client[name] as (...args: unknown[]) => T).apply(client, args);
  return {
    check: (service: string) =>
      new Promise<string>((resolve, reject) => {
        call('Check', service, (error: ServiceError | null, status: string) =>
          error ? reject(error) : resolve(status),
        );
      }),
    watch: (service: string, options = {}): Watching => {
      const stream = call<ClientReadableStream<string>>('Watch', service, options);
      const seen: string[] = [];
      stream.on('data', (status: string) => seen.push(status));
      const ended = new Promise<number>((resolve) => {
        stream.on('error', (error: ServiceError) => resolve(error.code));
        stream.on('end', () => resolve(0));
      });
      return {
        call: stream,
        seen,
        ended,
        sees: async (...statuses) => {
          await until(() => seen.length >= statuses.length, { withinMs: 5_000, everyMs: 5, what: `${statuses}` });
          expect(seen).toEqual(statuses);
        },
      };
    },
    [Symbol.dispose]: () => client.close(),
  };
}

describe('Check', () => {
  test.each([
    ['default/web', 'SERVING'],
    ['default/db', 'NOT_SERVING'],
    ['default/new', 'UNKNOWN'],
    ['', 'SERVING'],
  ])('%j is %s', async (service, expected) => {
    await using served = await serve({
      'default/web': 'SERVING',
      'default/db': 'NOT_SERVING',
      'default/new': 'UNKNOWN',
    });
    using client = openClient(served.path);
    expect(await client.check(service)).toBe(expected);
  });

  test('an unknown service is NOT_FOUND, whatever its name', async () => {
    await using served = await serve();
    using client = openClient(served.path);
    for (const name of ['default/none', 'ä\n"%', 'x'.repeat(3_000)])
      await expect(client.check(name)).rejects.toMatchObject({ code: 5, details: `unknown service ${name}` });
  });

  test('answers many calls at once', async () => {
    await using served = await serve({ 'default/web': 'SERVING' });
    using client = openClient(served.path);
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => client.check('default/web')));
    expect(new Set(answers)).toEqual(new Set(['SERVING']));
  });
});

describe('Watch', () => {
  test('sends the status at once, and then each change', async () => {
    await using served = await serve({ 'default/web': 'UNKNOWN' });
    using client = openClient(served.path);
    const watching = client.watch('default/web');
    await watching.sees('UNKNOWN');
    served.source.set('default/web', 'SERVING');
    await watching.sees('UNKNOWN', 'SERVING');
    served.source.set('default/web', 'SERVING');
    served.source.set('default/other', 'NOT_SERVING');
    served.source.set('default/web', 'NOT_SERVING');
    await watching.sees('UNKNOWN', 'SERVING', 'NOT_SERVING');
    watching.call.cancel();
    expect(await watching.ended).toBe(1);
  });

  test('sends the statuses of a service that is created, removed and created again', async () => {
    await using served = await serve();
    using client = openClient(served.path);
    const watching = client.watch('default/web');
    await watching.sees('SERVICE_UNKNOWN');
    served.source.set('default/web', 'SERVING');
    await watching.sees('SERVICE_UNKNOWN', 'SERVING');
    served.source.set('default/web', undefined);
    await watching.sees('SERVICE_UNKNOWN', 'SERVING', 'SERVICE_UNKNOWN');
    served.source.set('default/web', 'NOT_SERVING');
    await watching.sees('SERVICE_UNKNOWN', 'SERVING', 'SERVICE_UNKNOWN', 'NOT_SERVING');
    watching.call.cancel();
    await watching.ended;
  });

  test('ends at its deadline', async () => {
    await using served = await serve({ 'default/web': 'SERVING' });
    const client = await openRaw(served.path);
    const pending = client.request('/grpc.health.v1.Health/Watch', { 'grpc-timeout': '1500m' });
    pending.stream.end(frame('default/web'));
    const { status, messages, tookMs } = await pending.ended;
    expect({ status, messages }).toEqual({ status: '4', messages: [Status.SERVING] });
    expect(tookMs).toBeGreaterThan(1_450);
    client.close();
  });

  test('ends at the deadline of a gRPC library', async () => {
    await using served = await serve({ 'default/web': 'SERVING' });
    using client = openClient(served.path);
    const watching = client.watch('default/web', { deadline: Date.now() + 2_000 });
    expect(await watching.ended).toBe(4);
    expect(watching.seen).toEqual(['SERVING']);
  });

  test('sends a thousand clients the changes of their own service', async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `default/c${index}`);
    await using served = await serve(Object.fromEntries(names.map((name) => [name, 'UNKNOWN' as const])));
    using client = openClient(served.path);
    const watches = names.map((name) => client.watch(name));
    await until(() => watches.every(({ seen }) => seen.length === 1), {
      withinMs: 10_000,
      everyMs: 10,
      what: 'answers',
    });
    for (const [index, name] of names.entries()) served.source.set(name, index % 2 ? 'SERVING' : 'NOT_SERVING');
    await Promise.all(watches.map((watch, index) => watch.sees('UNKNOWN', index % 2 ? 'SERVING' : 'NOT_SERVING')));
    await served.server.stop();
    expect(new Set(await Promise.all(watches.map(({ ended }) => ended)))).toEqual(new Set([14]));
  });
});

describe('start and stop', () => {
  test('leave no descriptor and no timer', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    await (await serve()).server.stop(); // loads and opens what is used only once
    const before = descriptors();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const timersBefore = timers();
    const served = await serve({ 'default/web': 'SERVING' });
    const client = await openRaw(served.path);
    const watches = Array.from({ length: 20 }, () => client.request('/grpc.health.v1.Health/Watch'));
    for (const { stream } of watches) stream.end(frame('default/web'));
    const check = client.request('/grpc.health.v1.Health/Check');
    check.stream.end(frame('default/web'));
    expect(await check.ended).toMatchObject({ status: '0', messages: [Status.SERVING] });
    expect(served.source.listeners).toBe(1);
    await served.server.stop();
    await served.server.stop();
    for (const { ended } of watches) expect(await ended).toMatchObject({ status: '14', messages: [Status.SERVING] });
    expect(served.source.listeners).toBe(0);
    expect(existsSync(served.path)).toBe(false);
    client.close();
    await until(() => descriptors() === before, { withinMs: 2_000, everyMs: 10, what: 'descriptors' });
    await until(() => timers() <= timersBefore, { withinMs: 2_000, everyMs: 10, what: 'timers' });
  });

  test('can be repeated', async () => {
    await using served = await serve();
    await served.server.stop();
    await Promise.all([served.server.start(), served.server.start()]);
    using client = openClient(served.path);
    expect(await client.check('')).toBe('SERVING');
  });

  test('the socket is private, and replaces one that was left', async () => {
    const path = join(dir, 'left.sock');
    const left = createServer();
    await new Promise<void>((resolve) => left.listen(path, resolve));
    const server = openGrpcHealthServer({ path, source: createSource(), clock: systemClock, log: silentLogger });
    await server.start();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await server.stop();
    const shared = openGrpcHealthServer({
      path,
      source: createSource(),
      clock: systemClock,
      log: silentLogger,
      groupId: 65_534,
    });
    await shared.start();
    const { mode, gid } = statSync(path);
    expect({ mode: mode & 0o777, gid }).toEqual({ mode: 0o660, gid: 65_534 });
    await shared.stop();
    await new Promise((resolve) => left.close(resolve));
  });

  test('a file in place of the socket is set aside', async () => {
    const path = join(dir, 'precious');
    writeFileSync(path, 'x');
    const server = openGrpcHealthServer({ path, source: createSource(), clock: systemClock, log: silentLogger });
    await server.start();
    expect(statSync(path).isSocket()).toBe(true);
    await server.stop();
    expect(readdirSync(dir)).toContainEqual(expect.stringMatching(/^precious\.not-ours-/));
  });

  test('a stop does not wait for a client that does not read', async () => {
    const served = await serve({ 'default/web': 'SERVING' });
    const client = await openRaw(served.path);
    client.session.setLocalWindowSize(65_535);
    const pending = client.request('/grpc.health.v1.Health/Watch');
    pending.stream.end(frame('default/web'));
    await until(() => pending.messages().length === 1, { withinMs: 2_000, everyMs: 5, what: 'the first' });
    client.socket.pause();
    await served.server.stop(); // would never return if it waited for the client
    client.close();
  });
});

describe('invalid requests', () => {
  const check = '/grpc.health.v1.Health/Check';
  const prefixed = (flag: number, length: number, body = Buffer.alloc(0)) => {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt8(flag, 0);
    prefix.writeUInt32BE(length, 1);
    return Buffer.concat([prefix, body]);
  };

  test.each([
    ['an unknown method', '/grpc.health.v1.Health/Nope', {}, frame(''), { status: '12' }],
    ['an unknown service', '/x.Y/Check', {}, frame(''), { status: '12' }],
    ['a path of another kind', '/', {}, Buffer.alloc(0), { status: '12' }],
    ['a request that announces a huge length', check, {}, prefixed(0, 2 ** 32 - 1), { status: '8' }],
    ['a request that is too large', check, {}, frame('x'.repeat(5_000)), { status: '8' }],
    ['a compressed request', check, { 'grpc-encoding': 'gzip' }, prefixed(1, 1, Buffer.from('x')), { status: '12' }],
    ['a request that is compressed without a header', check, {}, prefixed(1, 1, Buffer.from('x')), { status: '13' }],
    ['an invalid message', check, {}, frameMessage(Buffer.from([0x0a, 0x7f, 0x41])), { status: '13' }],
    ['half a message', check, {}, prefixed(0, 10, Buffer.from('abc')), { status: '13' }],
    ['no message', check, {}, Buffer.alloc(0), { status: '13' }],
    ['two messages', check, {}, Buffer.concat([frame(''), frame('')]), { status: '13' }],
    ['an unknown encoding', check, { 'grpc-encoding': 'identity' }, frame(''), { status: '0' }],
    ['an invalid timeout', check, { 'grpc-timeout': 'soon' }, frame(''), { status: '13' }],
    ['a timeout that has passed', check, { 'grpc-timeout': '0m' }, undefined, { status: '4' }],
    ['GET', check, { ':method': 'GET' }, undefined, { http: 405 }],
    ['a content type other than gRPC', check, { 'content-type': 'application/json' }, frame(''), { http: 415 }],
    ['another encoding of messages', check, { 'content-type': 'application/grpc+json' }, frame(''), { http: 415 }],
    ['a type with parameters', check, { 'content-type': 'application/grpc+proto; x=y' }, frame(''), { status: '0' }],
  ])('%s', async (_case, path, headers, body, expected) => {
    await using served = await serve({ 'default/web': 'SERVING' });
    const client = await openRaw(served.path);
    const pending = client.request(path, headers);
    if (body) pending.stream.end(body);
    expect(await pending.ended).toMatchObject({ http: 200, ...expected });
    // Other clients are not affected.
    const next = client.request(check);
    next.stream.end(frame('default/web'));
    expect(await next.ended).toMatchObject({ status: '0', messages: [Status.SERVING] });
    client.close();
  });

  test('a request that never ends is dropped', async () => {
    await using served = await serve();
    const client = await openRaw(served.path);
    const pending = client.request('/grpc.health.v1.Health/Nope');
    const more = setInterval(() => pending.stream.destroyed || pending.stream.write(Buffer.alloc(16_384)), 1);
    expect(await pending.ended).toMatchObject({ status: '12' });
    clearInterval(more);
    client.close();
  });

  test.each([
    ['settings', 1 << 20],
    ['pings', 1 << 20],
    ['window-updates', 2 << 20],
    ['priorities', 2 << 20],
    ['unknown', 2 << 20],
    ['empty-data', 1 << 20],
    ['continuations', 4 << 20],
    ['empty-continuations', 1 << 20],
    ['resets', 1 << 20],
    ['headers', 32 << 20],
    ['calls', 1 << 20],
  ])('%s without end are read up to a limit, and other clients are answered', async (kind, mostBytes) => {
    await using served = await serve({ 'default/web': 'SERVING' });
    using client = openClient(served.path);
    const flooding = startProgram([process.execPath, FLOOD, served.path, kind, '2000'], { env: {} });
    await flooding.prints(/^started\n/);
    expect(await client.check('default/web')).toBe('SERVING');
    await flooding.exited;
    const { bytes } = JSON.parse(flooding.stdout().split('\n')[1] ?? '') as { readonly bytes: number };
    expect(bytes).toBeLessThan(mostBytes);
  });

  test('streams that are opened and reset', async () => {
    await using served = await serve({ 'default/web': 'SERVING' });
    const client = await openRaw(served.path);
    for (let round = 0; round < 500; round += 1) {
      const { stream } = client.request('/grpc.health.v1.Health/Watch');
      if (round % 2) stream.end(frame('default/web'));
      stream.close(constants.NGHTTP2_CANCEL);
    }
    client.close();
    using other = openClient(served.path);
    expect(await other.check('default/web')).toBe('SERVING');
  });

  test.each([
    ['HTTP/1', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['noise', `${'\u0000\u00ff'.repeat(5_000)}`],
    ['a preface followed by noise', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\u00ff'.repeat(100)}`],
  ])('%s', async (_case, bytes) => {
    await using served = await serve({ 'default/web': 'SERVING' });
    const socket = createConnection(served.path);
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    socket.write(Buffer.from(bytes, 'latin1'));
    await closed;
    using client = openClient(served.path);
    expect(await client.check('default/web')).toBe('SERVING');
  });

  test('a slow client gets the last of many changes, and costs no memory', async () => {
    await using served = await serve({ 'default/web': 'UNKNOWN' });
    const client = await openRaw(served.path);
    const pending = client.request('/grpc.health.v1.Health/Watch');
    pending.stream.end(frame('default/web'));
    await until(() => pending.messages().length === 1, { withinMs: 2_000, everyMs: 5, what: 'the first' });
    client.socket.pause();
    for (let round = 0; round < 200_000; round += 1)
      served.source.set('default/web', round % 2 ? 'SERVING' : 'NOT_SERVING');
    served.source.set('default/web', 'UNKNOWN');
    client.socket.resume();
    await until(() => pending.messages().at(-1) === Status.UNKNOWN && pending.messages().length > 1, {
      withinMs: 2_000,
      everyMs: 5,
      what: 'the last',
    });
    expect(pending.messages().length).toBeLessThan(10);
    client.close();
  });
});

function frame(service: string): Buffer {
  return frameMessage(HealthCheckRequest.encode({ service }).finish());
}

interface RawAnswer {
  readonly http: number;
  readonly status: string | undefined;
  readonly messages: readonly Status[];
  readonly tookMs: number;
}

interface RawCall {
  readonly stream: ClientHttp2Stream;
  readonly ended: Promise<RawAnswer>;
  messages(): readonly Status[];
}

/** Plain HTTP/2. */
async function openRaw(path: string) {
  const socket = createConnection(path);
  const session: ClientHttp2Session = connect('http://localhost', { createConnection: () => socket });
  session.on('error', () => {});
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  return {
    socket,
    session,
    close: () => session.destroy(),
    request: (target: string, headers = {}): RawCall => {
      const begun = performance.now();
      const stream = session.request(
        { ':method': 'POST', ':path': target, 'content-type': 'application/grpc', te: 'trailers', ...headers },
        { endStream: false },
      );
      const chunks: Buffer[] = [];
      let fields: IncomingHttpHeaders = {};
      const messages = () => [...messagesIn(Buffer.concat(chunks))];
      stream.on('error', () => {});
      stream.on('data', (bytes: Buffer) => chunks.push(bytes));
      stream.on('response', (found) => {
        fields = { ...fields, ...found };
      });
      stream.on('trailers', (found) => {
        fields = { ...fields, ...found };
      });
      const ended = new Promise<RawAnswer>((resolve) => {
        stream.once('close', () =>
          resolve({
            http: Number(fields[':status']),
            status: fields['grpc-status'] as string | undefined,
            messages: messages(),
            tookMs: performance.now() - begun,
          }),
        );
      });
      return { stream, ended, messages };
    },
  };
}

function* messagesIn(bytes: Buffer): Generator<Status> {
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    yield HealthCheckResponse.decode(bytes.subarray(at + 5, at + 5 + length)).status;
    at += 5 + length;
  }
}
