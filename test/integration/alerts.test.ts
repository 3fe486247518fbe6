import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAlerts } from '../../src/daemon/alerts/alerts.ts';
import { createPost } from '../../src/daemon/alerts/post.ts';
import type { PostOutcome } from '../../src/daemon/alerts/retry.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { UrlHookSettings } from '../../src/lib/settings.ts';
import { AUTHORITY, SIGNED } from '../../testbed/certificates.ts';
import { SELF_SIGNED } from '../../testbed/self-signed.ts';
import { until } from '../../testbed/until.ts';

// Hooks with a URL with real servers, correct and hostile ones: each delivery ends within a limit, and leaves no
// socket.

let directory: string;
const closers: (() => Promise<void>)[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'healthctl-alerts-'));
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  rmSync(directory, { recursive: true });
});

async function listen(server: Server): Promise<{ readonly port: number; readonly open: Set<Socket> }> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, open };
}

interface Got {
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A handler that records requests, and answers them. */
function receiver(answer: (response: ServerResponse, count: number) => void) {
  const got: Got[] = [];
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      got.push({ url: request.url, headers: request.headers, body });
      answer(response, got.length);
    });
  };
  return { got, handle };
}

const aHook = (over: Partial<UrlHookSettings>): UrlHookSettings => ({
  ...{ url: '', on: ['unhealthy', 'healthy', 'restart'], format: 'json', timeoutMs: 2_000, retries: 2 },
  ...{ body: undefined, contentType: 'application/json', headers: {}, secretFile: undefined, caFile: undefined },
  ...{ minIntervalMs: 0, labels: {}, priority: 4 },
  ...over,
});

function openAlerts(hook: UrlHookSettings) {
  const logged: string[] = [];
  const log = { info: (text: string) => logged.push(text), warn: (text: string) => logged.push(text) };
  const alerts = createAlerts({
    hooks: [hook],
    clock: systemClock,
    log,
    path: join(directory, 'alerts.json'),
    healthOf: async () => undefined,
  });
  closers.push(alerts.stop);
  const emit = (event: 'unhealthy' | 'healthy', id = 'c1'): void =>
    alerts.enqueue({ event, time: '2026-01-01T00:00:00Z', namespace: 'default', id, name: 'web', image: 'demo' });
  return { alerts, emit, logged };
}

describe('a delivery', () => {
  test('has headers, credentials and a signature of body and time', async () => {
    const { got, handle } = receiver((response) => response.writeHead(204).end());
    const { port, open } = await listen(createHttpServer(handle));
    const secretFile = join(directory, 'secret');
    const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
    writeFileSync(secretFile, `${secret}\n`);
    const url = `http://user:pass%20word@127.0.0.1:${port}/in?x=1`;
    const { emit } = openAlerts(aHook({ url, secretFile, headers: { 'X-Team': 'web' } }));
    emit('unhealthy');
    await until(() => got.length === 1);
    const [{ url: path, headers, body } = { url: '', headers: {}, body: '' }] = got;
    expect(path).toBe('/in?x=1');
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-team': 'web', 'user-agent': 'healthctl' });
    expect(headers.authorization).toBe(`Basic ${Buffer.from('user:pass word').toString('base64')}`);
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const mac = createHmac('sha256', '0123456789abcdef0123456789abcdef').update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${mac}`);
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
    expect(JSON.parse(body)).toMatchObject({ event: 'unhealthy', name: 'web', host: expect.any(String) });
    await until(() => open.size === 0);
  });

  test('is repeated with the same id after a 503, when the server asks for it', async () => {
    const { got, handle } = receiver((response, count) =>
      count === 1 ? response.writeHead(503, { 'Retry-After': '2' }).end('busy') : response.end('ok'),
    );
    const { port } = await listen(createHttpServer(handle));
    const { emit, logged } = openAlerts(aHook({ url: `http://127.0.0.1:${port}/` }));
    const beganMs = Date.now();
    emit('unhealthy');
    await until(() => got.length === 2);
    expect(Date.now() - beganMs).toBeGreaterThanOrEqual(1_900);
    expect(got[0]?.headers['webhook-id']).toBe(got[1]?.headers['webhook-id']);
    expect(logged).toEqual([
      `hook 1 (http://127.0.0.1:${port}) for unhealthy of container default/web (c1) failed; retrying in 2 s: it answered 503: busy`,
    ]);
  });

  test('has the body of the template', async () => {
    const { got, handle } = receiver((response) => response.end());
    const { port } = await listen(createHttpServer(handle));
    const body = '{{.name}} is {{upper .event}}{{if .exitCode}} ({{.exitCode}}){{end}} {{json .image}}';
    const { emit } = openAlerts(aHook({ url: `http://127.0.0.1:${port}/`, body, contentType: 'text/plain' }));
    emit('unhealthy');
    await until(() => got.length === 1);
    expect(got[0]).toMatchObject({ body: 'web is UNHEALTHY "demo"', headers: { 'content-type': 'text/plain' } });
  });

  test('is not sent without its signature', async () => {
    const { got, handle } = receiver((response) => response.end());
    const { port } = await listen(createHttpServer(handle));
    const secretFile = join(directory, 'secret');
    const { emit, logged } = openAlerts(aHook({ url: `http://127.0.0.1:${port}/`, secretFile }));
    emit('unhealthy');
    await until(() => logged.length === 1);
    expect(logged[0]).toContain(`failed; retrying in 1 s: secret_file ${secretFile}: no such file or directory`);
    expect(got).toEqual([]);
    writeFileSync(secretFile, 'a secret of many letters');
    await until(() => got.length === 1);
  });
});

describe('the result with a server that', () => {
  const post = createPost(systemClock);
  const send = async (url: string, { ca = undefined as string | undefined, timeoutMs = 1_000 } = {}) => {
    const request = { url: new URL(url), headers: {}, body: '{}', ca, timeoutMs };
    const beganMs = performance.now();
    const outcome = await post(request, new AbortController().signal);
    expect(performance.now() - beganMs).toBeLessThan(timeoutMs + 2_000);
    return outcome;
  };
  const raw = (handle: (socket: Socket) => void) =>
    listen(createServer((socket) => socket.once('data', () => handle(socket))));
  const forever = (text: string) => (socket: Socket) => {
    const write = (): void => {
      if (!socket.destroyed) socket.write(text, () => setImmediate(write));
    };
    write();
  };
  const failed = (reason: string | RegExp, isReached = true): PostOutcome => ({
    ...{ kind: 'failed', isReached },
    reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
  });
  const answered = (status: number, text = ''): PostOutcome => ({
    ...{ kind: 'answered', status, text, retryAfter: undefined },
  });
  const big = 'x'.repeat(64 * 1024);

  test.each<[what: string, handle: (socket: Socket) => void, outcome: PostOutcome]>([
    ['hangs', () => {}, failed('no answer within 1 s')],
    ['closes at once', (socket) => void socket.end(), failed('the connection was closed without an answer')],
    ['resets', (socket) => void socket.resetAndDestroy(), failed('the connection was closed without an answer')],
    [
      'does not speak HTTP',
      (socket) => void socket.end('220 mail.example.org ESMTP\r\n'),
      failed('it does not speak HTTP'),
    ],
    [
      'sends headers without end',
      forever(`HTTP/1.1 200 OK\r\nX-A: ${big}`),
      failed('its answer has too large headers'),
    ],
    [
      'sends interim answers without end',
      forever('HTTP/1.1 102 Processing\r\n\r\n'),
      failed('it sent interim answers without end'),
    ],
    [
      'answers with another protocol',
      (socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
      failed('it answered with another protocol'),
    ],
    [
      'accepts, with a body without end',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        forever(big)(socket);
      },
      answered(200),
    ],
    [
      'refuses, with a body without end',
      (socket) => {
        socket.write('HTTP/1.1 500 Oops\r\n\r\n');
        forever(big)(socket);
      },
      answered(500, 'x'.repeat(1024)),
    ],
    [
      'refuses, and does not send the body',
      (socket) => void socket.write('HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\nhal'),
      answered(500),
    ],
    [
      'redirects',
      (socket) => void socket.end('HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'),
      answered(307),
    ],
  ])('%s', async (_what, handle, outcome) => {
    const { port, open } = await raw(handle);
    expect(await send(`http://127.0.0.1:${port}/`)).toEqual(outcome);
    await until(() => open.size === 0);
  });

  test('is not there', async () => {
    const { port } = await listen(createServer());
    await closers.pop()?.();
    expect(await send(`http://127.0.0.1:${port}/`)).toEqual(failed('connection refused', false));
    expect(await send('http://nowhere.invalid/')).toEqual(
      failed(/^(no such host|EAI_AGAIN|getaddrinfo .*|temporary failure.*)$/, false),
    );
  });

  test.each([
    ['good', AUTHORITY, answered(200)],
    ['good', undefined, failed('the certificate is signed by an authority that is not trusted', false)],
    ['expired', AUTHORITY, failed('the certificate, or one that signed it, has expired', false)],
    ['self-signed', undefined, failed('the certificate is self-signed, and not one that is trusted', false)],
  ] as const)('has a certificate that is %s', async (which, ca, outcome) => {
    const { good, expired, key } = SIGNED;
    const own = { cert: which === 'good' ? good : expired, key };
    const { got, handle } = receiver((response) => response.end());
    const server = createHttpsServer(which === 'self-signed' ? SELF_SIGNED : own, handle);
    server.on('tlsClientError', () => undefined);
    const { port, open } = await listen(server);
    expect(await send(`https://127.0.0.1:${port}/`, { ca })).toEqual(outcome);
    expect(got).toHaveLength(outcome.kind === 'answered' ? 1 : 0);
    if (which === 'good' && ca)
      expect(await send(`https://localhost:${port}/`, { ca })).toEqual(
        failed('the certificate is not for localhost', false),
      );
    await until(() => open.size === 0);
  });

  test('does not speak TLS, or never answers over it', async () => {
    const plain = await raw((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await send(`https://127.0.0.1:${plain.port}/`)).toEqual(failed(/^TLS failed: /, false));
    const mute = await raw(() => {});
    expect(await send(`https://127.0.0.1:${mute.port}/`)).toEqual(failed('no answer within 1 s', false));
    await until(() => plain.open.size + mute.open.size === 0);
  });

  test('a cancelled request leaves nothing', async () => {
    const { port, open } = await raw(() => {});
    const cancel = new AbortController();
    const request = {
      url: new URL(`http://127.0.0.1:${port}/`),
      headers: {},
      body: '',
      ca: undefined,
      timeoutMs: 60_000,
    };
    const sent = post(request, cancel.signal);
    await until(() => open.size === 1);
    cancel.abort();
    expect(await sent).toEqual(failed('cancelled'));
    expect(await post(request, cancel.signal)).toEqual(failed('cancelled', false));
    await until(() => open.size === 0);
  });
});
