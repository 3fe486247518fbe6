import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createMetricsAnswerer } from '../../src/daemon/metrics/answer.ts';
import { createMetricsServer } from '../../src/daemon/metrics/server.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { MetricsSettings } from '../../src/lib/settings.ts';
import { freePort } from '../../testbed/free-port.ts';
import { SELF_SIGNED } from '../../testbed/self-signed.ts';
import { until } from '../../testbed/until.ts';

// The listener on a real port of the loopback, with a text that is ready at once.

const dir = mkdtempSync(join(tmpdir(), 'healthctl-metrics-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const tls = { certFile: file('cert.pem', SELF_SIGNED.cert), keyFile: file('key.pem', SELF_SIGNED.key) };
const tokenFile = file('token', 'secret-word\n');
const [SMALL, LARGE] = [Buffer.from('a 1\n'), Buffer.alloc(16 << 20, 'x')];

async function serve(options: Partial<MetricsSettings> & { readonly text?: Buffer; readonly port?: number } = {}) {
  const port = options.port ?? (await freePort());
  const { text = SMALL } = options;
  const logged: string[] = [];
  const record = (line: string): void => void logged.push(line.replace(`${port}`, 'PORT'));
  const page = { read: async () => ({ parts: [text], byteLength: text.length, release: () => {} }), stop: () => {} };
  const server = createMetricsServer({
    settings: {
      ...{ tls: undefined, tokenFile: undefined, containerLabels: [], maxContainers: 1, ...options },
      listen: { host: '127.0.0.1', port },
    },
    answerer: createMetricsAnswerer(page, systemClock),
    clock: systemClock,
    log: { ...silentLogger, info: record, warn: record },
  });
  await server.start();
  return { port, server, logged, [Symbol.asyncDispose]: () => server.stop() };
}

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isTls?: boolean;
}

function ask(port: number, { path = '/metrics', method = 'GET', headers = {}, isTls = false }: Asked = {}) {
  return new Promise<{ status: number; body: string; headers: Readonly<Record<string, unknown>> }>(
    (resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, method, headers, agent: false, rejectUnauthorized: false };
      const sent = (isTls ? httpsRequest : httpRequest)(options, (response) => {
        let body = '';
        response.setEncoding('latin1').on('data', (more: string) => {
          body += more;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end();
    },
  );
}

async function connected(port: number): Promise<Socket> {
  const socket = createConnection(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

test('answers only GET /metrics', async () => {
  await using served = await serve();
  const { port } = served;
  expect(await ask(port)).toMatchObject({ status: 200, body: 'a 1\n', headers: { connection: 'close' } });
  expect(await ask(port, { path: '/metrics?name=x' })).toMatchObject({ status: 200 });
  expect(await ask(port, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  for (const path of ['/', '/v1/daemon', '/metrics/', '/../metrics'])
    expect(await ask(port, { path })).toMatchObject({ status: 404 });
  expect(await ask(port, { method: 'DELETE' })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  expect(served.logged).toEqual(['metrics at http://127.0.0.1:PORT/metrics']);
});

test('compresses nothing for a client on this machine', async () => {
  await using served = await serve();
  const { headers } = await ask(served.port, { headers: { 'accept-encoding': 'gzip' } });
  expect(headers['content-encoding']).toBeUndefined();
});

describe.each([false, true])('with a token, TLS: %s', (isTls) => {
  test.each([
    [undefined, 401],
    ['Bearer secret-word', 200],
    ['bearer  secret-word', 200],
    ['Bearer secret-worD', 401],
    ['Bearer ', 401],
    ['Basic secret-word', 401],
  ])('%s: %s', async (authorization, status) => {
    await using served = await serve({ tokenFile, ...(isTls && { tls }) });
    const answer = await ask(served.port, { isTls, headers: { ...(authorization && { authorization }) } });
    expect(answer.status).toBe(status);
    expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined);
    const other = await ask(served.port, { isTls, path: '/', headers: { ...(authorization && { authorization }) } });
    expect(other.status).toBe(status === 401 ? 401 : 404);
  });
});

describe('a listener that cannot be opened is logged once, and retried', () => {
  test('a port that is in use', async () => {
    await using first = await serve();
    const second = await serve({ port: first.port });
    expect(second.logged).toEqual([
      expect.stringMatching(/^no metrics at 127\.0\.0\.1 port PORT, retrying: .*EADDRINUSE/),
    ]);
    await second.server.stop();
  });

  test.each([
    ['an empty token', { tokenFile: file('empty', '\n') }, /empty must have a token: one word without spaces$/],
    ['no certificate', { tls: { certFile: '/nonexistent', keyFile: '/nonexistent' } }, /\/nonexistent: no such file/],
    ['a key of no form', { tls: { ...tls, keyFile: file('bad', 'x') } }, /retrying: ./],
  ])('%s', async (_, settings, text) => {
    await using served = await serve(settings);
    expect(served.logged).toEqual([expect.stringMatching(text)]);
  });
});

describe('hostile clients', () => {
  test.each([false, true])('that send nothing lose their connections to those that ask, TLS: %s', async (isTls) => {
    await using served = await serve(isTls ? { tls } : {});
    const silent = await Promise.all(Array.from({ length: 40 }, () => connected(served.port)));
    await until(() => silent.filter(({ destroyed }) => destroyed).length === 24);
    expect(await ask(served.port, { isTls })).toMatchObject({ status: 200 });
    for (const socket of silent) socket.destroy();
  });

  test('cannot send a head that is too long, or a head or a body without an end', async () => {
    await using served = await serve();
    expect(await ask(served.port, { headers: { x: 'x'.repeat(9_000) } })).toMatchObject({ status: 431 });
    const slow = await connected(served.port);
    const beganMs = systemClock.monotonic();
    slow.write('GET /metrics HTTP/1.1\r\nHost: x\r\nX: ');
    slow.resume();
    const endless = await connected(served.port);
    endless.write('POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
    endless.resume();
    await Promise.all([slow, endless].map((socket) => once(socket, 'close')));
    expect(systemClock.monotonic() - beganMs).toBeLessThan(60_000);
  });

  test('that do not read get at most eight texts, for ten seconds', async () => {
    await using served = await serve({ text: LARGE });
    const readers = await Promise.all(Array.from({ length: 8 }, () => connected(served.port)));
    for (const socket of readers) socket.pause().write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(async () => (await ask(served.port)).status === 503);
    await until(async () => (await ask(served.port)).status === 200, { withinMs: 30_000, everyMs: 500 });
    for (const socket of readers) socket.destroy();
  });
});
