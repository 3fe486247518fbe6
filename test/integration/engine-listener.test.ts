import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import {
  createEngineListener,
  type EngineAddress,
  type EngineListener,
} from '../../src/daemon/engine/engine-listener.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { json, type Route } from '../../src/engine/route.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { AUTHORITY, SIGNED } from '../../testbed/certificates.ts';
import { freePort } from '../../testbed/free-port.ts';
import { SELF_SIGNED } from '../../testbed/self-signed.ts';

const directory = mkdtempSync(join(tmpdir(), 'healthctl-engine-listener-'));
afterAll(() => rmSync(directory, { recursive: true }));

const fileOf = (name: string, content: string): string => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};
const tls = {
  certFile: fileOf('cert.pem', SIGNED.good),
  keyFile: fileOf('key.pem', SIGNED.key),
  caFile: fileOf('ca.pem', AUTHORITY),
};

const routes: readonly Route[] = [
  { method: 'GET', path: '/_ping', handle: () => json('OK') },
  {
    method: 'POST',
    path: '/echo',
    handle: async (call) => {
      const { stream } = await call.hijack({ contentType: 'application/x-echo', hasHeaders: true });
      stream.on('data', (chunk: Buffer) => stream.write(`>${chunk}`));
      await once(stream, 'end');
      stream.write('over');
    },
  },
];

const opened: EngineListener[] = [];
const logged: string[] = [];
let port: number;

async function serve(at: EngineAddress): Promise<EngineListener> {
  const log = { ...silentLogger, warn: (line: string) => void logged.push(line) };
  const engine = createEngine({ routes, log, clock: systemClock });
  const listener = createEngineListener({ at, maxConnections: 8, groupId: undefined, engine, clock: systemClock, log });
  opened.push(listener);
  await listener.start();
  return listener;
}

const tcp = (): EngineAddress => ({ kind: 'tcp', listen: { host: '127.0.0.1', port }, tls });

beforeEach(async () => {
  logged.length = 0;
  port = await freePort();
});
afterEach(async () => {
  for (const listener of opened.splice(0)) await listener.stop();
});

function ping(options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/_ping', ca: AUTHORITY, agent: false, ...options });
    asked.once('response', (answer) => text(answer).then(resolve, reject));
    asked.once('error', reject).end();
  });
}

test('a client with a certificate of the authority is served on TCP', async () => {
  const listener = await serve(tcp());
  expect(listener.host).toBe(`tcp://127.0.0.1:${port}`);
  expect(await ping({ cert: SIGNED.good, key: SIGNED.key })).toBe('"OK"\n');
});

test.each<[string, RequestOptions]>([
  ['none', {}],
  ['one of another authority', { cert: SELF_SIGNED.cert, key: SELF_SIGNED.key }],
  ['one that has expired', { cert: SIGNED.expired, key: SIGNED.key }],
  ['a good one, with an old TLS', { cert: SIGNED.good, key: SIGNED.key, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }],
])('a client is refused with this certificate: %s', async (_name, options) => {
  await serve(tcp());
  await expect(ping(options)).rejects.toThrow();
});

test('there is no answer without TLS, on loopback either', async () => {
  await serve(tcp());
  const asked = plainRequest({ host: '127.0.0.1', port, path: '/_ping', agent: false }).end();
  await expect(once(asked, 'response')).rejects.toThrow();
});

test('a client that attaches with TLS may end its input, and reads on', async () => {
  await serve(tcp());
  const client = { host: '127.0.0.1', port, ca: AUTHORITY, cert: SIGNED.good, key: SIGNED.key, allowHalfOpen: true };
  const socket = connect(client);
  await once(socket, 'secureConnect');
  socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
  socket.end('hello');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 101 UPGRADED\r\n[\s\S]*\r\n\r\n>helloover$/);
});

test('an address whose certificate is missing is logged, and another one is served', async () => {
  const path = join(directory, 'docker.sock');
  const missing = { ...tls, caFile: join(directory, 'nosuch.pem') };
  const failed = await serve({ kind: 'tcp', listen: { host: '127.0.0.1', port }, tls: missing });
  const served = await serve({ kind: 'path', path });
  expect([failed.host, served.host]).toEqual([undefined, `unix://${path}`]);
  expect(logged).toEqual([expect.stringMatching(/no Docker API at 127\.0\.0\.1 port \d+, retrying: .*nosuch\.pem/)]);
  await served.stop();
  expect(existsSync(path)).toBe(false);
});

test('the end does not wait for a client whose connection was taken over', async () => {
  const path = join(directory, 'held.sock');
  const served = await serve({ kind: 'path', path });
  const socket = connectPlain({ path, allowHalfOpen: true });
  socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nx');
  await once(socket, 'data');
  await served.stop();
  socket.destroy();
});
