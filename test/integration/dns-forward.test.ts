import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer } from '../../src/dns/exchange.ts';
import { createForwarding } from '../../src/dns/forward.ts';
import { createFrameReader, framed } from '../../src/dns/frames.ts';
import { parseQuery, type Query, rcodeOf, withId } from '../../src/dns/message.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { openNetworkNamespace } from '../../src/system/netns.ts';
import { readStat } from '../../src/system/proc.ts';

// Other servers on real sockets of this host's loopback.

type Behaviour = (query: Buffer) => readonly Buffer[];

const opened: (() => void)[] = [];
afterAll(() => {
  for (const close of opened) close();
});

/** @returns the port of a server that answers like this, over UDP and TCP */
async function serve(behaviour: Behaviour): Promise<number> {
  for (;;) {
    const port = await tryServe(behaviour);
    if (port !== undefined) return port;
  }
}

/** Undefined if the port that UDP got is not free for TCP. */
function tryServe(behaviour: Behaviour): Promise<number | undefined> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port }) => {
    for (const reply of behaviour(bytes)) socket.send(reply, port, '127.0.0.1');
  });
  const server = createServer((client) => {
    const frames = createFrameReader((query) => client.write(Buffer.concat(behaviour(query).map(framed))));
    client.on('data', (bytes) => frames.push(bytes));
    client.on('error', () => client.destroy());
  });
  return new Promise((resolve) => {
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      server.once('error', () => socket.close(() => resolve(undefined)));
      server.listen(port, '127.0.0.1', () => {
        opened.push(() => {
          socket.close();
          server.close();
        });
        resolve(port);
      });
    });
  });
}

function queryOf(name: string): Query {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  const parsed = parseQuery(Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]));
  if (parsed.kind !== 'query') throw new Error(parsed.kind);
  return parsed.query;
}

function reply(query: Buffer, rcode: number, more = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.concat([query, more]);
  bytes.writeUInt16BE(0x8180 | rcode, 2);
  return bytes;
}

const peer = (port: number): Peer => ({
  ...{ address: '127.0.0.1', port },
  open: (transport, family) => {
    const startTimeTicks = readStat(process.pid)?.startTimeTicks ?? 0;
    const namespace = openNetworkNamespace({ pid: process.pid, startTimeTicks });
    if (!namespace) throw new Error('this process is gone');
    const fd = transport === 'udp' ? namespace.openDatagramSocket(family) : namespace.openSocket(family);
    namespace.close();
    return fd;
  },
});
const ids = [0, 7, 65_535];
const forwarding = (limits = { each: 10, all: 10 }) =>
  createForwarding(limits, { clock, randomId: () => ids[Math.floor(Math.random() * ids.length)] ?? 0 });
const query = queryOf('db.example');

let good: Peer;
let failing: Peer;
let silent: Peer;
let refusing: Peer;
let lying: Peer;
let long: Peer;
beforeAll(async () => {
  good = peer(await serve((bytes) => [reply(bytes, 0)]));
  failing = peer(await serve((bytes) => [reply(bytes, 2)]));
  silent = peer(await serve(() => []));
  long = peer(await serve((bytes) => [reply(bytes, 0, Buffer.alloc(1_000))]));
  const isOther = (bytes: Buffer) => withId(bytes, (bytes.readUInt16BE(0) + 1) % 65_536);
  lying = peer(await serve((bytes) => [isOther(reply(bytes, 3)), Buffer.from('x'), bytes, reply(bytes, 0)]));
  refusing = peer(1);
});

describe.each(['udp', 'tcp'] as const)('a question to other servers over %s', (transport) => {
  const ask = (...servers: readonly Peer[]) => forwarding()().ask(query, transport, servers);

  test("comes back with the client's id", async () => {
    const answer = await ask(good);
    expect([answer?.readUInt16BE(0), answer && rcodeOf(answer)]).toEqual([0x1234, 0]);
  });

  test('goes on to the next one if one refuses, fails or is silent', async () => {
    for (const first of [refusing, failing, silent]) expect((await ask(first, good))?.readUInt16BE(2)).toBe(0x8180);
    expect((await ask(failing, refusing))?.readUInt16BE(2)).toBe(0x8182);
    expect(await ask(refusing, silent)).toBeUndefined();
    expect(await ask()).toBeUndefined();
  });

  test('is answered only by what answers it', async () => {
    expect((await ask(lying))?.readUInt16BE(2)).toBe(0x8180);
  });

  test('no more wait than the limits say, and none after the end', async () => {
    const forwarderOf = forwarding({ each: 2, all: 3 });
    const [a, b] = [forwarderOf(), forwarderOf()];
    const waiting = [a, a, b].map((one) => one.ask(query, transport, [silent, silent, silent, good]));
    expect(await a.ask(query, transport, [good])).toBeUndefined();
    expect(await b.ask(query, transport, [good])).toBeUndefined();
    const began = performance.now();
    a.stop();
    b.stop();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined, undefined]);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

test('an answer that is too long for the client is cut over UDP, and whole over TCP', async () => {
  const ask = async (transport: 'udp' | 'tcp') => (await forwarding()().ask(query, transport, [long]))?.length;
  expect([await ask('udp'), await ask('tcp')]).toEqual([query.bytes.length, query.bytes.length + 1_000]);
});
