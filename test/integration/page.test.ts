import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, request as httpRequest, type IncomingMessage } from 'node:http';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHttpListener } from '../../src/daemon/listener/http-listener.ts';
import { openHistoryReader } from '../../src/history/reader.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { ListenTarget } from '../../src/lib/settings.ts';
import type { KnownContainer } from '../../src/monitor/host-model.ts';
import { readAssets } from '../../src/page/assets.ts';
import { type AnswerTo, answerQuery, type HistoryQueries, type HistoryQuery } from '../../src/page/history-queries.ts';
import { MAX_STREAMS } from '../../src/page/live.ts';
import { createPage } from '../../src/page/page.ts';
import type { ContainerAnswer, HostAnswer, LogAnswer, OverviewAnswer } from '../../src/page/wire.ts';
import { compactRecordOf } from '../../src/record/compact-record.ts';
import { readToken } from '../../src/system/bearer-token.ts';
import { freePort } from '../../testbed/free-port.ts';
import { writePast } from '../../testbed/past-week.ts';
import { until } from '../../testbed/until.ts';
import { aRecord, aTask } from '../builders/container.ts';
import { aConfig, aRun } from '../builders/health.ts';

// The page's server on a real port of the loopback and on a Unix socket, with a history in real files.

const dir = mkdtempSync(join(tmpdir(), 'healthctl-page-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const [history, files] = [join(dir, 'history'), join(dir, 'files')];
const [MINUTE, DAY] = [60_000, 86_400_000];
const HOSTILE = '<img src=x onerror=alert(1)>';

beforeAll(async () => {
  const { mkdirSync } = await import('node:fs');
  mkdirSync(files);
  for (const [name, text] of [
    ['index.html', '<!doctype html>'],
    ['page.js', 'x'],
    ['secret.txt', 'no'],
  ] as const)
    writeFileSync(join(files, name), text);
  const nowMs = Date.now();
  await writePast(
    history,
    [
      {
        ...{ key: 'default/c1', name: HOSTILE, image: 'demo:1' },
        phases: [
          { agoMs: 2 * DAY, phase: 'healthy' },
          { agoMs: 20 * MINUTE, phase: 'unhealthy', reason: `${HOSTILE}\x1b[2J`, exitCode: 3 },
          { agoMs: 10 * MINUTE, phase: 'healthy' },
        ],
      },
      {
        key: 'default/old',
        name: 'old',
        image: 'demo:1',
        phases: [
          { agoMs: DAY, phase: 'healthy' },
          { agoMs: 2_000, phase: 'gone' },
        ],
      },
    ],
    { untilMs: nowMs, lengthMs: 2 * DAY, everyMs: 30_000 },
  );
});

const container = (over: Partial<KnownContainer> = {}): KnownContainer => ({
  ...{ namespace: 'default', id: 'c1', damage: undefined, processJson: undefined },
  ...{ isStartSeen: true, isOutOfMemory: false },
  record: compactRecordOf(aRecord({ id: 'c1', labels: { 'nerdctl/name': HOSTILE } })),
  ...{ config: aConfig(), task: aTask(), run: aRun(), stored: { log: [], state: undefined } },
  ...over,
});

interface ServeOptions {
  readonly at?: ListenTarget;
  readonly token?: string;
  readonly hosts?: readonly string[];
}

async function serve({ at: wanted, token, hosts = [] }: ServeOptions = {}) {
  const at = wanted ?? { host: '127.0.0.1', port: await freePort() };
  const model = new Map([['default/c1', container()]]);
  const received: HistoryQuery[] = [];
  const queries: HistoryQueries = {
    ask: async <Query extends HistoryQuery>(query: Query) => {
      received.push(query);
      return answerQuery(openHistoryReader(history, {}), query) as AnswerTo<Query>;
    },
    stop: async () => {},
  };
  const page = createPage({
    ...{ clock: systemClock, log: silentLogger, isRestarting: () => false, history: queries },
    model: { all: () => model.values(), get: (key) => model.get(key) },
    host: () => ({ pid: 1, nowMs: Date.now() }) as HostAnswer,
    configOf: async ({ id }) => ({ config: { fields: [], unchecked: id, nextCheckMs: null, advice: [] } }),
  });
  const assets = readAssets(files);
  const tokenFile = join(dir, 'token');
  if (token !== undefined) writeFileSync(tokenFile, `${token}\n`);
  const hash = token === undefined ? undefined : readToken(tokenFile);
  const listener = createHttpListener({
    ...{ what: 'page', urlPath: '/', at, tls: undefined, maxConnections: 64, clock: systemClock, log: silentLogger },
    open: () => (request, response) => page.handle(request, response, { assets, hosts, token: hash }),
  });
  await listener.start();
  const place = 'path' in at ? { socketPath: at.path } : at;
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
    new Promise<{ status: number; text: string; headers: IncomingMessage['headers'] }>((resolve, reject) => {
      const host = 'path' in at ? 'localhost' : `${at.host}:${at.port}`;
      httpRequest({ ...place, path, method, agent: false, headers: { host, ...headers } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (more: string) => {
          text += more;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
      })
        .on('error', reject)
        .end();
    });
  const json = async <T>(path: string): Promise<T> => JSON.parse((await ask(path)).text) as T;
  return {
    ...{ ask, json, model, page, received, place, at },
    [Symbol.asyncDispose]: async () => {
      await page.stop();
      await listener.stop();
    },
  };
}

describe('static files', () => {
  test('have a type, a policy and a tag; other files of the directory are not served', async () => {
    await using server = await serve();
    const { status, headers, text } = await server.ask('/');
    expect([status, text, headers['content-type']]).toEqual([200, '<!doctype html>', 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    const again = await server.ask('/', { 'if-none-match': `${headers.etag}` });
    expect([again.status, again.text]).toEqual([304, '']);
    const paths = ['/secret.txt', '/../token', '/%2e%2e/token', '//page.js', '/page.js/', '/index.html'];
    expect(await Promise.all(paths.map(async (path) => (await server.ask(path)).status))).toEqual(paths.map(() => 404));
    expect((await server.ask('/page.js', {}, 'HEAD')).text).toBe('');
  });
});

describe('data', () => {
  test('of all containers, with removed ones, and their incidents', async () => {
    await using server = await serve();
    const { containers, incidents } = await server.json<OverviewAnswer>('/data/containers?range=90m');
    expect(containers.map(({ name, status }) => [name, status])).toEqual([
      [HOSTILE, 'starting'],
      ['old', 'gone'],
    ]);
    expect(containers[0]?.bar).toMatch(/^h+u{5,6}h+$/);
    expect(containers[0]?.failed.reduce((total, count) => total + count)).toBe(20);
    expect(containers[0]?.uptime).toBeCloseTo(8 / 9, 1);
    expect(incidents).toMatchObject([
      { key: 'default/c1', reason: `${HOSTILE}\\x1b[2J`, exitCode: 3, isOpen: false, phase: 'unhealthy' },
    ]);
  });

  test.each(['90m', '24h', '7d'] as const)('of one container in %s', async (range) => {
    await using server = await serve();
    const answer = await server.json<ContainerAnswer>(`/data/containers/default%2Fc1?range=${range}`);
    expect(answer.row).toMatchObject({ key: 'default/c1', name: HOSTILE });
    expect(answer.spans.map(({ phase }) => phase)).toEqual(['healthy', 'unhealthy', 'healthy']);
    const counts = answer.plot.reduce((total, { succeeded, failed }) => total + succeeded + failed, 0);
    const bars = [...answer.row.succeeded, ...answer.row.failed].reduce((total, count) => total + count);
    expect(bars).toBe(counts);
    expect(answer.plot.every(({ p50Ms }) => p50Ms > 10 && p50Ms < 14)).toBe(true);
  });

  test('of the log, page by page, complete or failures only', async () => {
    await using server = await serve();
    const path = '/data/containers/default%2Fc1/log';
    const first = await server.json<LogAnswer>(path);
    expect([first.lines.length, first.lines[0]?.word]).toEqual([100, 'ok']);
    const second = await server.json<LogAnswer>(`${path}?before=${first.beforeMs}`);
    expect(second.lines[0]?.atMs).toBeLessThan(first.lines.at(-1)?.atMs ?? 0);
    const failed = await server.json<LogAnswer>(`${path}?failed=1`);
    expect(failed.lines.filter(({ kind }) => kind === 'result').map(({ word }) => word)).toEqual(
      Array(20).fill('failed'),
    );
    expect(failed.lines.some(({ kind, word }) => kind === 'change' && word === 'unhealthy')).toBe(true);
  });

  test('are shared by readers for a moment', async () => {
    await using server = await serve();
    await Promise.all(Array.from({ length: 10 }, () => server.json('/data/containers?range=7d')));
    expect(server.received.length).toBeLessThanOrEqual(2);
  });

  test('that do not exist are not found', async () => {
    await using server = await serve();
    const status = async (path: string) => (await server.ask(path)).status;
    expect(await status('/data/containers/default%2Fnobody')).toBe(404);
    expect(await status('/data/containers/%zz')).toBe(404);
    expect(await status('/data/containers?range=1y')).toBe(400);
    expect(await status('/data/containers/default%2Fc1/log?before=x')).toBe(400);
    expect(await status('/data/nothing')).toBe(404);
    expect((await server.ask('/data/containers/kube-system%2Fother/config')).text).toBe('{"config":null}');
  });
});

describe('access control', () => {
  test('refuses other names, origins, sites and methods', async () => {
    await using server = await serve();
    const status = async (headers: Readonly<Record<string, string>>, path = '/data/host', method = 'GET') =>
      (await server.ask(path, headers, method)).status;
    expect(await status({ host: 'rebound.example' })).toBe(421);
    expect(await status({ host: 'rebound.example' }, '/')).toBe(421);
    expect(await status({ origin: 'https://evil.example' })).toBe(403);
    expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await status({ 'sec-fetch-site': 'cross-site' }, '/')).toBe(200); // a link to the page
    expect(await status({}, '/data/host', 'POST')).toBe(405);
    expect(await status({})).toBe(200);
  });

  test('with a token, serves the files, but data only with the token', async () => {
    await using server = await serve({ token: 'secret-word' });
    expect((await server.ask('/')).status).toBe(200);
    const { status, headers, text } = await server.ask('/data/host');
    expect([status, text, headers['www-authenticate']]).toEqual([
      401,
      '{"message":"a bearer token is needed"}',
      undefined,
    ]);
    expect((await server.ask('/data/stream')).status).toBe(401);
    expect((await server.ask('/data/nothing')).status).toBe(401);
    expect((await server.ask('/data/host', { authorization: 'Bearer secret-wore' })).status).toBe(401);
    expect((await server.ask('/data/host', { authorization: 'Bearer secret-word' })).status).toBe(200);
  });

  test('on a Unix socket, serves a proxy by its configured name', async () => {
    const path = join(dir, 'page.sock');
    await using server = await serve({ at: { path }, hosts: ['health.example'] });
    expect((await server.ask('/data/host', { host: 'health.example' })).status).toBe(200);
    expect((await server.ask('/data/host')).status).toBe(200);
    expect((await server.ask('/data/host', { host: 'other.example' })).status).toBe(421);
  });
});

describe('the stream', () => {
  test("has the monitor's state and changes", async () => {
    await using server = await serve();
    let text = '';
    const request = get({ ...server.place, path: '/data/stream', agent: false }, (response) =>
      response.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      }),
    );
    request.on('error', () => {}); // ended below
    await until(async () => text.includes('event: host'), { withinMs: 10_000 });
    server.page.feed.onResult('default/c1', 1);
    server.model.delete('default/c2');
    server.page.feed.onGone('default/c2');
    await until(async () => text.includes('event: update'), { withinMs: 10_000 });
    const [, data = ''] = /event: update\ndata: (.*)\n\n/.exec(text) ?? [];
    expect(JSON.parse(data)).toMatchObject({
      containers: [{ key: 'default/c1', status: 'starting', failed: 1, succeeded: 0 }],
      gone: ['default/c2'],
    });
    request.destroy();
  });

  test('has a limited number of readers, and disconnects one that does not read', async () => {
    await using server = await serve();
    const { at } = server;
    if ('path' in at) return;
    const open = () => {
      const socket = createConnection(at.port, at.host).on('error', () => {});
      socket.write('GET /data/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return socket;
    };
    const sockets = Array.from({ length: MAX_STREAMS }, open);
    await until(async () => (await server.ask('/data/stream')).status === 503, { withinMs: 10_000 });
    // None of them reads. The kernel buffers some megabytes for each; then the server disconnects them, which frees
    // their slots.
    for (const socket of sockets) socket.pause();
    for (let index = 0; index < 4_000; index += 1)
      server.model.set(`default/${index}`, container({ id: `${index}`.padStart(64, '0') }));
    await until(
      async () => {
        for (const key of server.model.keys()) server.page.feed.onResult(key, 0);
        const again = open();
        const first = await new Promise<string>((resolve) => again.once('data', (bytes) => resolve(`${bytes}`)));
        again.destroy();
        return first.startsWith('HTTP/1.1 200');
      },
      { withinMs: 60_000, everyMs: 1_100 },
    );
    for (const socket of sockets) socket.destroy();
  });
});
