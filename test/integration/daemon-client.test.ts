import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createDaemonClient } from '../../src/daemon/api/client.ts';
import { type MonitorRequest, REQUESTS } from '../../src/daemon/api/requests.ts';
import type { Guard } from '../../src/lib/shape.ts';
import { until } from '../../testbed/until.ts';

// Tests the client with a server that sends what the test wants, byte for byte.

const dir = mkdtempSync(join(tmpdir(), 'healthctl-client-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const servers: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];
afterEach(() => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

const isAnything: Guard<unknown> = (value): value is unknown => value !== Symbol.iterator;
const GET: MonitorRequest<unknown> = { method: 'GET', path: '/daemon', isAnswer: isAnything };

let count = 0;
/** A monitor that sends these pieces to each client, and then closes the connection unless `stays` is set. */
async function monitorSaying(pieces: readonly string[], { stays = false } = {}) {
  count += 1;
  const path = join(dir, `${count}.sock`);
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.once('data', async (data) => {
      requests.push(data.toString().split('\r\n')[0] ?? '');
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      if (!stays) socket.end();
    });
  });
  servers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { client: createDaemonClient(path), requests, sockets };
}

const head = (status: number, fields = '', version = 1) =>
  `HTTP/1.1 ${status} Text\r\nHealthctl-Api: ${version}\r\n${fields}\r\n`;
const json = (status: number, value: unknown, version = 1): string => {
  const body = JSON.stringify(value);
  return `${head(status, `Content-Length: ${Buffer.byteLength(body)}\r\n`, version)}${body}`;
};
const ask = async (...pieces: string[]) => (await monitorSaying(pieces)).client.ask(GET);

describe('the reason why the monitor does not answer', () => {
  const whyOf = async (path: string) => {
    const client = createDaemonClient(path);
    expect(await client.ask(GET)).toBeUndefined();
    return client.unanswered;
  };
  const listening = async (answer: string): Promise<string> => {
    count += 1;
    const path = join(dir, `${count}.sock`);
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    });
    servers.push({ server, sockets: new Set() });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  };

  test('is absent if nobody listens', async () => {
    expect(await whyOf(join(dir, 'nothing.sock'))).toEqual({ kind: 'absent' });
  });

  test.runIf(process.geteuid?.() === 0)('is unknown if we have no permission for the socket', async () => {
    const path = await listening('');
    chmodSync(dir, 0o711);
    chmodSync(path, 0o600);
    process.seteuid?.(65534);
    try {
      expect(await whyOf(path)).toEqual({ kind: 'denied' });
    } finally {
      process.seteuid?.(0);
    }
  });

  test('is cut-off if the connection is closed without an answer, as by a monitor without descriptors', async () => {
    expect(await whyOf(await listening(''))).toEqual({ kind: 'cut-off' });
    expect(await whyOf(await listening('HTTP/1.1 200'))).toEqual({ kind: 'cut-off' });
  });

  test("is refused, with the monitor's text", async () => {
    expect(await whyOf(await listening(json(503, { code: 'UNAVAILABLE', message: 'no place' })))).toEqual({
      kind: 'refused',
      message: 'no place',
    });
  });

  test.each([
    ['text that is not JSON', `${head(200, 'Content-Length: 5\r\n')}{"a":`],
    ['another form', json(200, { id: 7 })],
  ])('is the form of the answer: %s', async (_, answer) => {
    const client = createDaemonClient(await listening(answer));
    expect(await client.ask(REQUESTS.status)).toBeUndefined();
    expect(client.unanswered).toEqual({ kind: 'unreadable' });
  });

  test('is other-version for another version of the API', async () => {
    expect(await whyOf(await listening(json(200, {}, 2)))).toEqual({ kind: 'other-version', apiVersion: 2 });
  });
});

describe('a monitor that does not answer', () => {
  /** Delays the answer to a check; with `isStuck` the answer to everything. */
  async function slowMonitor(options: { readonly isStuck: boolean }) {
    count += 1;
    const path = join(dir, `${count}.sock`);
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('data', (data) => {
        if (options.isStuck) return;
        const isCheck = data.toString().startsWith('POST');
        setTimeout(() => socket.end(json(200, { isCheck })), isCheck ? 7_000 : 0);
      });
    });
    servers.push({ server, sockets });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  }

  test('is reported once, and the caller asks containerd', async () => {
    let silences = 0;
    const onSilent = () => {
      silences += 1;
    };
    const client = createDaemonClient(await slowMonitor({ isStuck: true }), { onSilent });
    const answers = [client.ask(GET), client.follow('/events', new AbortController().signal)];
    expect(await Promise.all(answers)).toEqual([undefined, undefined]);
    expect([silences, client.isSilent]).toEqual([2, true]);
  });

  test('is waited for if it answers something else', async () => {
    const onSilent = () => expect.unreachable();
    const client = createDaemonClient(await slowMonitor({ isStuck: false }), { onSilent });
    expect(await client.ask({ ...GET, method: 'POST', path: '/x' })).toEqual({ value: { isCheck: true } });
  });
});

describe('ask', () => {
  test('reads an answer in any pieces', async () => {
    const { client, requests } = await monitorSaying([...json(200, { a: 'x' })]);
    expect(await client.ask({ ...REQUESTS.check('default', 'a/b'), isAnswer: isAnything })).toEqual({
      value: { a: 'x' },
    });
    expect(requests).toEqual(['POST /v1/namespaces/default/containers/a%2Fb/healthcheck HTTP/1.0']);
  });

  test('reads an answer without a body', async () => {
    expect(await ask(head(204))).toEqual({ value: undefined });
  });

  test('returns undefined if nobody listens or there is no socket', async () => {
    writeFileSync(join(dir, 'file'), '');
    for (const path of [join(dir, 'nothing'), join(dir, 'file'), join(dir, 'file', 'below')])
      expect(await createDaemonClient(path).ask(GET)).toBeUndefined();
  });

  test.each([
    ['another version', json(200, {}, 2)],
    ['no version at all', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'],
    ['a namespace that is not monitored', json(404, { code: 'UNWATCHED', message: 'm' })],
    ['a monitor that has lost containerd', json(503, { code: 'UNAVAILABLE', message: 'm' })],
    ['an answer that is cut off', json(200, { a: 'x' }).slice(0, -3)],
    ['a head that is cut off', 'HTTP/1.1 200'],
    ['nothing', ''],
  ])('returns undefined, so that containerd is asked: %s', async (_, text) => {
    expect(await ask(text)).toBeUndefined();
  });

  test("throws the monitor's errors", async () => {
    const error = { code: 'CONFLICT', message: 'container is running', hint: 'stop it', exitCode: 125 };
    await expect(ask(json(409, error))).rejects.toMatchObject(error);
    await expect(ask(json(500, 'what?'))).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('500'),
    });
  });

  test('throws ABORTED before and during a call', async () => {
    const { client, requests, sockets } = await monitorSaying([], { stays: true });
    await expect(client.ask(GET, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    const abort = new AbortController();
    const waiting = client.ask(GET, abort.signal).catch((error: unknown) => error);
    await until(() => requests.length === 1);
    abort.abort();
    expect(await waiting).toMatchObject({ code: 'ABORTED' });
    await until(() => sockets.size === 0);
  });
});

describe('follow', () => {
  const { signal } = new AbortController();
  async function linesFrom(lines: AsyncIterable<string> | undefined) {
    const got: string[] = [];
    try {
      for await (const line of lines ?? []) got.push(line);
      return { got, end: 'told' };
    } catch (error) {
      return { got, end: (error as { code?: string }).code };
    }
  }

  test('yields lines up to the empty one, which ends the stream', async () => {
    const { client } = await monitorSaying([head(200), '{"a":', '1}\nü', '\n\n'], { stays: true });
    expect(await linesFrom(await client.follow('/events', signal))).toEqual({ got: ['{"a":1}', 'ü'], end: 'told' });
  });

  test('throws if the stream is cut off', async () => {
    const { client } = await monitorSaying([`${head(200)}a\n`, 'b']);
    expect(await linesFrom(await client.follow('/events', signal))).toEqual({ got: ['a'], end: 'UNAVAILABLE' });
  });

  test('ends at an abort', async () => {
    const { client, sockets } = await monitorSaying([`${head(200)}a\n`], { stays: true });
    const abort = new AbortController();
    const lines = linesFrom(await client.follow('/events', abort.signal));
    await new Promise((resolve) => setTimeout(resolve, 50));
    abort.abort();
    expect(await lines).toEqual({ got: ['a'], end: 'ABORTED' });
    await until(() => sockets.size === 0);
  });

  test('returns undefined where there is no monitor to follow, and throws errors', async () => {
    const follow = async (text: string) => (await monitorSaying([text])).client.follow('/events', signal);
    expect(await createDaemonClient(join(dir, 'nothing')).follow('/events', signal)).toBeUndefined();
    expect(await follow(json(200, {}, 2))).toBeUndefined();
    expect(await follow(json(503, { code: 'UNAVAILABLE', message: 'm' }))).toBeUndefined();
    await expect(follow(json(400, { code: 'USAGE', message: 'm' }))).rejects.toMatchObject({ code: 'USAGE' });
  });
});
