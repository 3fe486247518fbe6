import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DaemonStatus } from '../../src/daemon/api/answers.ts';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed, until } from './support/harness.ts';
import { differences } from './support/traces.ts';

// Clients that do not behave: whatever they do is bounded, leaves nothing, and does not keep checks from being made.

const CREATE = '/containers/create';
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';

let bed: Bed;
let engine: EngineBed;
let image: string;
let container: string;
/** Of a test; cut off after it. */
const sockets = new Set<Socket>();

const statusNow = async (): Promise<DaemonStatus> => JSON.parse(await bed.ok(['daemon', 'status', '--format', 'json']));
const headOf = (method: string, path: string, more = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: docker\r\n${more}\r\n`;

/** Opens a connection, and sends bytes on it. */
async function dial(bytes: string | Buffer): Promise<Socket> {
  const socket = connect({ path: engine.socket, allowHalfOpen: true });
  sockets.add(socket);
  socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
  await once(socket, 'connect');
  if (bytes.length > 0) socket.write(bytes);
  return socket;
}

async function dialMany(count: number, bytes: string): Promise<readonly Socket[]> {
  const made: Socket[] = [];
  // The kernel queues 511 connections that were not accepted yet.
  for (let index = 0; index < count; index += 100)
    made.push(...(await Promise.all(Array.from({ length: Math.min(100, count - index) }, () => dial(bytes)))));
  return made;
}

function cutOffAll(): void {
  for (const socket of sockets) socket.destroy();
}

/** What `work` leaves open is nothing, and checks are made meanwhile. */
async function leavesNothing(work: () => Promise<void>): Promise<void> {
  const before = await statusNow();
  await work();
  expect((await engine.ask('GET', '/_ping')).text).toBe('OK');
  await until(async () => (await statusNow()).checksMade > before.checksMade, { withinMs: 20_000, everyMs: 200 });
  cutOffAll();
  // A check in flight has some of its own.
  const isBack = async () => (await statusNow()).descriptors.open <= before.descriptors.open + 6;
  await until(isBack, { withinMs: 20_000, everyMs: 300, what: 'the descriptors to be closed' });
}

beforeAll(async () => {
  bed = await openBed();
  image = await bed.image();
  engine = await startEngine(bed);
  const check = ['--health-cmd', 'true', '--health-interval', '300ms'];
  container = await bed.ok(['run', '-d', '--network', 'none', ...check, image, 'sleep', '1000']);
});
afterAll(async () => {
  cutOffAll();
  await bed[Symbol.asyncDispose]();
});

test('heads that never end are cut off', () =>
  leavesNothing(async () => {
    const slow = await dialMany(200, 'GET /_ping HTTP/1.1\r\nHost: d\r\nX-Slow: ');
    for (const socket of slow) socket.resume().once('end', () => socket.destroy());
    const [first] = slow;
    const drip = setInterval(() => first?.write('x'), 500);
    await until(() => sockets.size === 0, { withinMs: 30_000, what: 'all to be cut off' });
    clearInterval(drip);
  }));

test('a head of more than 1 MiB is refused, one of less is not', async () => {
  const padded = (bytes: number) => headOf('GET', '/_ping', `Connection: close\r\nX-Pad: ${'x'.repeat(bytes)}\r\n`);
  expect(await text(await dial(padded(1_000_000)))).toMatch(/^HTTP\/1\.1 200 /);
  await leavesNothing(async () => {
    const long = await Promise.all(Array.from({ length: 20 }, () => dial(padded(1_200_000))));
    for (const socket of long) expect(await text(socket).catch(() => '')).not.toContain('OK');
  });
});

test('bodies that do not go on hold nobody up', () =>
  leavesNothing(async () => {
    await dialMany(50, headOf('POST', '/images/load', 'Content-Type: application/x-tar\r\nContent-Length: 100000\r\n'));
    await dialMany(50, `${headOf('POST', CREATE, `${JSON_TYPE}Content-Length: 900\r\n`)}{"Image":`);
    await dialMany(50, headOf('POST', `/containers/${container}/attach?stream=1`, `${UPGRADE}Content-Length: 9\r\n`));
    expect((await engine.ask('GET', '/containers/json')).status).toBe(200);
  }));

test('uploads that are broken off leave nothing', async () => {
  // Its first check makes files.
  const health = () => bed.ok(['inspect', '--format', '{{.State.Health.Status}}', container]);
  await until(async () => (await health()) === 'healthy');
  const before = await bed.traces();
  await leavesNothing(async () => {
    const upload = Buffer.concat([Buffer.from('x'.repeat(100)), Buffer.alloc(400_000)]);
    const archive = `/containers/${container}/archive?path=/`;
    for (const [method, path] of [
      ['POST', '/images/load'],
      ['PUT', archive],
    ] as const) {
      const head = headOf(method, path, 'Content-Type: application/x-tar\r\nContent-Length: 5000000\r\n');
      const begun = await dialMany(20, head);
      for (const socket of begun) socket.write(upload);
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (const socket of begun) socket.destroy();
    }
  });
  // A check may have been under way then, or be so now, with a runc of its own.
  const isOfCheck = (line: string): boolean => /healthctl-check-|contained runc init$/.test(line);
  const left = async () => differences(before, await bed.traces()).filter((line) => !isOfCheck(line));
  await until(async () => (await left()).length === 0).catch(() => undefined);
  expect(await left()).toEqual([]);
});

test('connections that were taken over, and are half closed or dropped', () =>
  leavesNothing(async () => {
    const path = `/containers/${container}/attach?stream=1&stdin=1&stdout=1&stderr=1`;
    const attached = await dialMany(100, headOf('POST', path, UPGRADE));
    await Promise.all(attached.map((socket) => once(socket, 'data')));
    for (const [index, socket] of attached.entries()) {
      if (index % 2 === 0) socket.end();
      else socket.destroy();
    }
    await until(() => sockets.size <= 50);
  }));

test('bad JSON of every kind is refused', async () => {
  const body = JSON.stringify({
    ...{ Image: image, Cmd: ['true'], Labels: { a: 'b' }, Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9 } },
    HostConfig: { Memory: 64 << 20, PortBindings: { '80/tcp': [{ HostPort: '' }] }, NetworkMode: 'none' },
  });
  const post = async (bytes: string | Buffer): Promise<string> => {
    const head = headOf(
      'POST',
      CREATE,
      `Connection: close\r\n${JSON_TYPE}Content-Length: ${Buffer.byteLength(bytes)}\r\n`,
    );
    return text(await dial(Buffer.concat([Buffer.from(head), Buffer.from(bytes)])));
  };
  const refused = /^HTTP\/1\.1 4\d\d [\s\S]*\r\n\r\n\{"message":".+"\}\n$/;
  const nested = fc
    .tuple(
      fc.constantFrom('[', '{"a":', '{"HostConfig":', '{"Healthcheck":{"Test":['),
      fc.integer({ min: 1, max: 100_000 }),
    )
    .map(([opening, depth]) => opening.repeat(depth));
  const cut = fc.integer({ min: 1, max: body.length - 1 }).map((length) => body.slice(0, length));
  const wrong = fc.constantFrom(
    ...[
      '[]',
      '"x"',
      '1',
      'true',
      '{"Image":1}',
      '{"Image":{}}',
      '{"Cmd":{}}',
      '{"HostConfig":[]}',
      '{"Labels":{"a":1}}',
    ],
    ...['{"HostConfig":{"Memory":1.5}}', '{"HostConfig":{"Memory":1e99}}', '{"HostConfig":{"PortBindings":[]}}'],
    ...['{"Image":"a"}{"Image":"b"}', '\uFEFF{}', "{'Image':'a'}", '{"Healthcheck":{"Interval":"1s"}}', '{"Cmd":[[]]}'],
  );
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((array) => Buffer.from(array));
  await leavesNothing(async () => {
    for (const bad of [nested, cut, wrong, bytes] as readonly fc.Arbitrary<string | Buffer>[])
      await fc.assert(
        fc.asyncProperty(bad, async (sent) => {
          expect(await post(sent)).toMatch(refused);
        }),
        { numRuns: 40 },
      );
  });
  expect(await bed.ok(['ps', '-aq', '--no-trunc'])).toBe(container);
});

test('a client that asks and asks, and reads no answer', () =>
  leavesNothing(async () => {
    const { memoryBytes } = await statusNow();
    const greedy = await dialMany(10, '');
    const requests = Buffer.from(headOf('GET', '/info').repeat(1_000));
    for (const socket of greedy) {
      socket.pause();
      socket.write(requests);
    }
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect((await statusNow()).memoryBytes - memoryBytes).toBeLessThan(100 << 20);
  }));

test('1,000 connections at a time are served', () =>
  leavesNothing(async () => {
    const many = await dialMany(1_000, headOf('HEAD', '/_ping'));
    await Promise.all(many.map(async (socket) => socket.readableLength || (await once(socket, 'readable'))));
    for (const socket of many) expect(String(socket.read())).toMatch(/^HTTP\/1\.1 200 /);
    expect((await engine.ask('GET', '/containers/json')).status).toBe(200);
  }));

test('1,000 clients wait for events: each costs little, and hears of each', () =>
  leavesNothing(async () => {
    const before = await statusNow();
    const filters = encodeURIComponent('{"event":["rename"]}');
    const many = await dialMany(1_000, headOf('GET', `/events?filters=${filters}`));
    const heard = many.map(() => '');
    for (const [index, socket] of many.entries())
      socket.setEncoding('utf8').on('data', (more: string) => {
        heard[index] += more;
      });
    await until(() => heard.every((said) => said.includes('\r\n\r\n')), { withinMs: 30_000 });
    const { memoryBytes } = await statusNow();
    const perClient = (memoryBytes - before.memoryBytes) / many.length;
    expect(perClient).toBeLessThan(64 << 10); // bench/engine-clients.ts measures it: here it may be garbage
    await bed.ok(['rename', container, 'renamed']);
    await until(() => heard.every((said) => said.includes('"Action":"rename"')), { withinMs: 30_000 });
  }));
