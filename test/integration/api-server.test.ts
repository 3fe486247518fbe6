import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createApiServer } from '../../src/daemon/api/server.ts';
import type { Service } from '../../src/daemon/api/service.ts';
import { createMetricsAnswerer } from '../../src/daemon/metrics/answer.ts';
import type { EventStreams } from '../../src/daemon/routes.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { HealthctlError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { compactRecordOf } from '../../src/record/compact-record.ts';
import { documentOf } from '../../src/record/document.ts';
import { mismatches, openApi, resolveRef } from '../../testbed/openapi.ts';
import { until } from '../../testbed/until.ts';
import { aConfig, aResult, aRun, aState, T0 } from '../builders/health.ts';
import { aHealth, aView, ownRecord } from '../builders/listed.ts';

// Tests the API server on a real socket, with a fake service behind it: every answer must match docs/openapi.json.

const dir = mkdtempSync(join(tmpdir(), 'healthctl-api-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const EVENT = {
  type: 'container',
  action: 'start',
  id: 'c1',
  namespace: 'default',
  atMs: 1.5,
  attributes: { name: 'web' },
};

const details = {
  ...{
    isOurs: true,
    image: 'demo:1',
    imageId: 'sha256:00',
    args: ['sleep', '60'],
    mounts: [],
    networks: ['none'],
    endpoints: [],
  },
  ...{ config: { Cmd: ['sleep', '60'] }, hostConfig: {} },
};

/** Containers by name; each is one case. */
const service: Service = {
  status: () => ({
    ...{
      id: 'abc',
      version: '0.1.0',
      commit: '1234567',
      program: '/usr/bin/healthctl',
      apiVersion: 1,
      pid: 1,
      startedAt: '2026-01-01T00:00:00.000Z',
      isAutostarted: false,
    },
    ...{
      address: '/run/containerd/containerd.sock',
      namespaces: [],
      isLive: true,
      containers: 2,
      watched: 1,
      unhealthy: 1,
    },
    ...{ troubled: 0, checksInFlight: 0, checksWaiting: 0, checksMade: 3, memoryBytes: 1 },
    descriptors: { open: 20, limit: 1024 },
    lag: { count: 3, p50Ms: 0.25, p99Ms: 1, maxMs: 1 },
  }),
  list: (namespace) => {
    if (namespace !== 'default') throw new HealthctlError('UNWATCHED', `namespace ${namespace} is not monitored`);
    const record = compactRecordOf(ownRecord());
    const foreign = compactRecordOf(
      ownRecord({ extensionJson: () => undefined, specJson: () => '{"ociVersion":"1.0.2"}' }),
    );
    return [
      {
        record,
        task: { pid: 1, status: 'running', exitStatus: 0 },
        run: aRun(),
        health: aState(),
        lastCheck: { start: aResult().start, end: aResult().end, exitCode: 0 },
        nextCheckAt: aResult().end,
        isRestarting: false,
        isStateUnknown: false,
        nextRestart: null,
      },
      {
        ...{ lastCheck: null, nextCheckAt: null },
        ...{
          record: foreign,
          run: null,
          health: aState({ run: undefined }),
          isRestarting: true,
          nextRestart: aResult().end,
          isStateUnknown: false,
        },
        task: { pid: 1, status: 'stopped', exitStatus: 137, exitedAtMs: T0 },
      },
      {
        record,
        task: null,
        run: null,
        health: null,
        ...{ lastCheck: null, nextCheckAt: null },
        isRestarting: false,
        isStateUnknown: true,
        nextRestart: null,
      },
    ];
  },
  inspect: async (_, name) => {
    if (name === 'a/b ü')
      throw new HealthctlError('NOT_FOUND', `No such container: ${name}`, { hint: 'look elsewhere' });
    const paths = { LogPath: '', ResolvConfPath: '', HostnamePath: '', HostsPath: '' };
    const health = name === 'plain' ? { config: undefined, state: undefined, log: [] } : aHealth({ config: aConfig() });
    return documentOf({ view: aView(), health, details, paths } as never);
  },
  health: async (_, name) =>
    name === 'plain'
      ? { Status: 'none', FailingStreak: 0, Log: [] }
      : {
          Status: 'healthy',
          FailingStreak: 0,
          Log: [{ Start: '2026-01-01T00:00:00Z', End: '2026-01-01T00:00:00Z', ExitCode: -1, Output: 'ü' }],
        },
  serving: (_, name) => {
    if (name === 'gone') throw new HealthctlError('NOT_FOUND', 'No such container: gone');
    if (name === 'lost') throw new HealthctlError('UNAVAILABLE', 'the monitor has lost containerd');
    const [status = '', up] = name.split('-');
    return { status: status as 'none', isUp: up === 'up' };
  },
  check: async (_, name, signal) => {
    if (signal.aborted) return { kind: 'dropped', reason: 'cancelled' };
    if (name === 'stopped') throw new HealthctlError('CONFLICT', 'container is not running', { exitCode: 125 });
    if (name === 'broken') throw new TypeError('a mistake of ours');
    return name === 'paused'
      ? { kind: 'dropped', reason: 'paused' }
      : { kind: 'recorded', result: aResult(), state: aState(), statusChanged: true };
  },
  remove: async (_, name, { force }) => {
    if (name === 'up' && !force) throw new HealthctlError('CONFLICT', 'container is running');
  },
  refresh: async () => {},
};

const streams: EventStreams = {
  open: (query) => {
    if (query.get('since') === 'x') throw new HealthctlError('USAGE', 'since must be milliseconds since the epoch');
    return async (write, signal) => {
      await write(JSON.stringify(EVENT));
      if (query.has('until')) return;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    };
  },
};

const metrics = createMetricsAnswerer(
  {
    read: async (format) => {
      const text = Buffer.from(format === 'openmetrics' ? 'a 1\n# EOF\n' : 'a 1\n');
      return { parts: [text], byteLength: text.length, release: () => {} };
    },
    stop: () => {},
  },
  systemClock,
);

let count = 0;
interface Serving {
  readonly groupId?: number;
  readonly maxConnections?: number;
  readonly service?: Service;
}

async function serve(options: Serving = {}) {
  count += 1;
  const path = join(dir, `${count}.sock`);
  const warnings: string[] = [];
  let stops = 0;
  const server = createApiServer({
    ...{ path, groupId: options.groupId, maxConnections: options.maxConnections ?? 100, streams, metrics },
    service: options.service ?? service,
    flushHistory: async () => {},
    clock: systemClock,
    log: { ...silentLogger, warn: (text) => warnings.push(text) },
    onStop: () => {
      stops += 1;
    },
  });
  await server.start();
  return { path, server, warnings, stops: () => stops, [Symbol.asyncDispose]: () => server.stop() };
}

interface Answered {
  readonly status: number;
  readonly version: unknown;
  readonly type: string | undefined;
  readonly body: string;
  readonly allow: string | undefined;
}

function ask(
  socketPath: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      const { headers, statusCode: status = 0 } = response;
      const facts = { status, version: headers['healthctl-api'], type: headers['content-type'], allow: headers.allow };
      response.on('end', () => resolve({ ...facts, body }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** The places where an answer differs from the document's description of its status. */
function undescribed(method: string, path: string, { status, type, body }: Answered): readonly string[] {
  const { responses = {} } = openApi.paths[path]?.[method.toLowerCase()] ?? {};
  const described = responses[`${status}`] ?? responses.default;
  if (!described) return [`${status} is not described`];
  const { content } = resolveRef(described);
  if (!content) return body === '' ? [] : ['a body is not described'];
  const schema = content[type ?? '']?.schema;
  if (!schema) return [`${type} is not described`];
  if (type?.startsWith('text/plain')) return mismatches(schema, body);
  if (type === 'application/json') return mismatches(schema, JSON.parse(body));
  const lines = body.split('\n').filter((line) => line !== '');
  return lines.flatMap((line) => mismatches(schema, JSON.parse(line)));
}

const C = '/namespaces/{namespace}/containers/{name}';

/** Method and path; for each answer the name of the container, perhaps with a query, and the status. */
const CASES: readonly [method: string, path: string, answers: Readonly<Record<string, number>>][] = [
  ['GET', '/daemon', { '': 200 }],
  ['DELETE', '/daemon/{id}', { abc: 204, 'another-one': 404 }],
  ['GET', '/namespaces/{namespace}/containers', { '': 200 }],
  ['GET', C, { web: 200, plain: 200, 'a%2Fb%20%C3%BC': 404 }],
  ['DELETE', C, { web: 204, up: 409, 'up?force=1': 204, 'up?force=0': 409 }],
  ['GET', `${C}/health`, { web: 200, plain: 200 }],
  [
    'GET',
    `${C}/healthz`,
    { 'healthy-up': 200, 'none-up': 200, none: 503, 'starting-up': 503, unhealthy: 503, gone: 404, lost: 503 },
  ],
  ['POST', `${C}/healthcheck`, { web: 200, paused: 200, stopped: 409, broken: 500 }],
  ['POST', `${C}/refresh`, { web: 204 }],
  ['POST', '/history/flush', { '': 204 }],
  ['GET', '/events', { '?until=1': 200, '?since=x': 400 }],
  ['GET', '/metrics', { '': 200 }],
];

test('every operation of the document is tested', () => {
  const described = Object.entries(openApi.paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((key) => key !== 'parameters' && key !== 'servers')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(CASES.map(([method, path]) => `${method} ${path}`).toSorted()).toEqual(described.toSorted());
});

describe('answers match the document', () => {
  test.each(CASES)('%s %s', async (method, path, answers) => {
    await using served = await serve();
    for (const [given, status] of Object.entries(answers)) {
      const [name = '', query] = given.split('?');
      const asked = `${openApi.paths[path]?.servers ? '' : '/v1'}${path.replace('{namespace}', 'default').replace(/\{(name|id)\}/, name)}${query ? `?${query}` : ''}`;
      const answer = await ask(served.path, method, asked);
      expect([asked, answer.status, answer.version]).toEqual([asked, status, '1']);
      expect(undescribed(method, path, answer), asked).toEqual([]);
    }
  });
});

test('errors have code, text, hint and exit status; our own errors are logged', async () => {
  await using served = await serve();
  const errorOf = async (method: string, path: string) => JSON.parse((await ask(served.path, method, path)).body);
  const container = (name: string) => `/v1/namespaces/default/containers/${name}`;
  expect(await errorOf('GET', container('a%2Fb%20%C3%BC'))).toEqual({
    ...{ code: 'NOT_FOUND', message: 'No such container: a/b ü', hint: 'look elsewhere' },
  });
  expect(await errorOf('POST', container('stopped/healthcheck'))).toMatchObject({ code: 'CONFLICT', exitCode: 125 });
  expect(await errorOf('GET', '/v1/namespaces/other/containers')).toMatchObject({ code: 'UNWATCHED' });
  expect(served.warnings).toEqual([]);
  expect(await errorOf('POST', container('broken/healthcheck'))).toEqual({
    ...{ code: 'INTERNAL', message: 'a mistake of ours' },
  });
  expect(served.warnings).toEqual([`POST ${container('broken/healthcheck')}: a mistake of ours`]);
});

test.each([
  ['GET', '/v2/daemon', 404],
  ['GET', '/daemon', 404],
  ['GET', '/v1/metrics', 404],
  ['POST', '/metrics', 405],
  ['GET', '/v1/nothing', 404],
  ['GET', '/v1/daemon/', 404],
  ['PUT', '/v1/daemon', 405],
])('%s %s is not found', async (method, path, status) => {
  await using served = await serve();
  const answer = await ask(served.path, method, path);
  expect([answer.status, answer.version]).toEqual([status, '1']);
  expect(mismatches(openApi.components.schemas.Error ?? {}, JSON.parse(answer.body))).toEqual([]);
});

test('a wrong method gives the allowed ones, and HEAD gives no body', async () => {
  await using served = await serve();
  const methods = await ask(served.path, 'PUT', '/v1/namespaces/default/containers/web');
  expect([methods.status, methods.allow]).toEqual([405, 'GET, DELETE']);
  expect(await ask(served.path, 'HEAD', '/v1/daemon')).toMatchObject({ status: 200, body: '' });
});

test('the stream of events ends with an empty line', async () => {
  await using served = await serve();
  const { body } = await ask(served.path, 'GET', '/v1/events?until=1');
  expect(body).toBe(`${JSON.stringify(EVENT)}\n\n`);
});

test.each([
  [undefined, 'text/plain; version=0.0.4; charset=utf-8', 'a 1\n'],
  ['application/openmetrics-text', 'application/openmetrics-text; version=1.0.0; charset=utf-8', 'a 1\n# EOF\n'],
])('metrics for a client that accepts %s', async (accept, type, body) => {
  await using served = await serve();
  expect(await ask(served.path, 'GET', '/metrics', { ...(accept && { accept }) })).toMatchObject({ type, body });
  expect(await ask(served.path, 'HEAD', '/metrics', {})).toMatchObject({ status: 200, body: '' });
});

test('answers the request to stop before it stops', async () => {
  await using served = await serve();
  expect((await ask(served.path, 'DELETE', '/v1/daemon/abc')).status).toBe(204);
  await until(() => served.stops() === 1);
});

test('a late request to stop another monitor stops none', async () => {
  await using served = await serve();
  const { status, body } = await ask(served.path, 'DELETE', '/v1/daemon/of-an-earlier-one');
  expect([status, JSON.parse(body).code, served.stops()]).toEqual([404, 'NOT_FOUND', 0]);
});

describe('a client that disconnects before its request is read', () => {
  /** Sends requests and disconnects, before the server gets to read them. */
  async function giveUp(path: string, ...requests: string[]): Promise<void> {
    const sockets = await Promise.all(requests.map(() => connected(path)));
    for (const [index, socket] of sockets.entries()) {
      socket.write(`${requests[index]} HTTP/1.0\r\nHost: x\r\n\r\n`);
      socket.destroy();
    }
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
  }

  test('causes no stop, no removal and no check', async () => {
    const done: string[] = [];
    const noting: Service = {
      ...service,
      remove: async (_, name) => void done.push(`rm ${name}`),
      check: async (_, name) => {
        done.push(`check ${name}`);
        return { kind: 'dropped', reason: 'paused' };
      },
    };
    await using served = await serve({ service: noting });
    const web = '/v1/namespaces/default/containers/web';
    await giveUp(served.path, 'DELETE /v1/daemon/abc', `DELETE ${web}?force=1`, `POST ${web}/healthcheck`);
    await ask(served.path, 'DELETE', '/v1/namespaces/default/containers/other'); // comes after the others
    await until(() => served.server.busy === 0);
    expect([served.stops(), done]).toEqual([0, ['rm other']]);
  });

  test('is noticed when the removal of a container begins', async () => {
    const begun: boolean[] = [];
    let goOn = (): void => {};
    const noting: Service = {
      ...service,
      remove: async (_, __, { signal }) => {
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
        begun.push(signal.aborted);
      },
    };
    await using served = await serve({ service: noting });
    const socket = await connected(served.path);
    socket.write('DELETE /v1/namespaces/default/containers/web HTTP/1.0\r\n\r\n');
    await until(() => served.server.busy === 1);
    socket.destroy();
    await until(() => served.server.busy === 0);
    goOn();
    await until(() => begun.length === 1);
    expect(begun).toEqual([true]);
  });
});

describe('more connections than allowed', () => {
  test('an idle connection is closed for a new one', async () => {
    await using served = await serve({ maxConnections: 2 });
    const idle = await Promise.all([1, 2, 3, 4].map(() => connected(served.path)));
    for (let n = 0; n < 3; n += 1) expect((await ask(served.path, 'GET', '/v1/daemon')).status).toBe(200);
    await until(() => idle.filter((socket) => socket.destroyed).length >= 3);
    for (const socket of idle) socket.destroy();
  });

  test('if all are in use, the next gets an error at once', async () => {
    await using served = await serve({ maxConnections: 2 });
    const following = await Promise.all(
      [1, 2].map(async () => {
        const socket = await connected(served.path);
        socket.write('GET /v1/events HTTP/1.0\r\n\r\n');
        await once(socket, 'data');
        return socket;
      }),
    );
    const refused = await ask(served.path, 'GET', '/v1/daemon');
    expect([refused.status, refused.version, JSON.parse(refused.body)]).toEqual([
      503,
      '1',
      { code: 'UNAVAILABLE', message: 'the monitor has all the connections open that it may have' },
    ]);
    expect(mismatches(openApi.components.schemas.Error ?? {}, JSON.parse(refused.body))).toEqual([]);
    following[0]?.destroy();
    await until(async () => (await ask(served.path, 'GET', '/v1/daemon')).status === 200);
    following[1]?.destroy();
  });

  test('a flood of connections needs no more descriptors than allowed', async () => {
    await using served = await serve({ maxConnections: 3 });
    const sockets = await Promise.all(Array.from({ length: 100 }, () => connected(served.path)));
    await until(() => sockets.filter((socket) => socket.destroyed).length >= 97);
    for (const socket of sockets) socket.destroy();
  });

  test('a connection without a request is closed after some seconds', async () => {
    await using served = await serve();
    const socket = await connected(served.path);
    const partial = await connected(served.path);
    partial.write('GET /v1/dae');
    await until(() => socket.destroyed && partial.destroyed, { withinMs: 20_000 });
  }, 30_000);
});

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path, () => resolve(socket));
    socket.on('error', reject);
    socket.resume();
  });
}

test('counts as busy while a client follows events; a stop ends streams and removes the socket', async () => {
  await using served = await serve();
  expect(served.server.busy).toBe(0);
  const following = ask(served.path, 'GET', '/v1/events').catch((error: unknown) => error);
  await until(() => served.server.busy === 1);
  await served.server.stop();
  await served.server.stop();
  await following;
  expect(served.server.busy).toBe(0);
  expect(() => statSync(served.path)).toThrow('ENOENT');
});

test('serves again after a stop and a start', async () => {
  await using served = await serve();
  await served.server.stop();
  await served.server.start();
  const { body } = await ask(served.path, 'POST', '/v1/namespaces/default/containers/web/healthcheck');
  expect(JSON.parse(body)).toMatchObject({ kind: 'recorded' });
});

test.each([
  ['/v1/namespaces/%00/containers', '"\\u0000" must be letters and digits'],
  ['/v1/namespaces/a%00b/containers/web', '"a\\u0000b" must be letters and digits'],
  ['/v1/namespaces/..%2f..%2fx/containers', '"../../x" must be letters and digits'],
  [`/v1/namespaces/${'a'.repeat(77)}/containers`, 'is longer than 76 characters'],
  ['/v1/namespaces/default/containers/%00', 'no name is called "\\u0000"'],
])('%s is refused as a name', async (path, reason) => {
  await using served = await serve();
  const { status, body } = await ask(served.path, 'GET', path);
  expect([status, JSON.parse(body).message]).toEqual([400, expect.stringContaining(reason)]);
});

test('only the owner can use the socket', async () => {
  await using own = await serve();
  expect(statSync(own.path).mode & 0o777).toBe(0o600);
});

test.skipIf(process.getuid?.() !== 0)('a configured group can use the socket too', async () => {
  await using shared = await serve({ groupId: 1 });
  const { mode, gid } = statSync(shared.path);
  expect([mode & 0o777, gid]).toEqual([0o660, 1]);
});
