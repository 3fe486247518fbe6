import { mkdtempSync, rmSync } from 'node:fs';
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import { createServer as createPlainServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { frameMessage } from '../../src/containerd/grpc-frames.ts';
import { FLAG, frameFrom, numberFrame, TYPE } from '../../src/containerd/http2/frames.ts';
import { openTransport } from '../../src/containerd/http2-transport.ts';
import type { Transport } from '../../src/containerd/transport.ts';
import { systemClock } from '../../src/lib/clock.ts';

// The transport with servers that follow the protocol, and servers that do not.

const dir = mkdtempSync(join(tmpdir(), 'healthctl-h2-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Messages that are texts. */
const method = {
  name: 'Echo',
  requestType: { encode: (text: string) => ({ finish: () => Buffer.from(text) }) },
  responseType: { decode: (bytes: Uint8Array) => Buffer.from(bytes).toString() },
};

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

interface Served extends AsyncDisposable {
  readonly path: string;
  readonly transport: Transport;
  readonly sessions: Set<ServerHttp2Session>;
  restart(handler: Handler): Promise<void>;
  stop(): Promise<void>;
}

let count = 0;
async function serve(handler: Handler, settings: Settings = {}): Promise<Served> {
  count += 1;
  const path = join(dir, `${count}.sock`);
  const sessions = new Set<ServerHttp2Session>();
  let server: Http2Server | undefined;
  const start = async (handle: Handler) => {
    server = createServer({ settings });
    server.on('session', (session) => sessions.add(session));
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      handle(stream, headers);
    });
    await new Promise<void>((resolve) => server?.listen(path, resolve));
  };
  const stop = async () => {
    for (const session of sessions) session.destroy();
    sessions.clear();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  };
  await start(handler);
  const transport = openTransport(path, systemClock);
  return {
    path,
    transport,
    sessions,
    stop,
    restart: async (next) => {
      await stop();
      rmSync(path, { force: true });
      await start(next);
    },
    [Symbol.asyncDispose]: async () => {
      transport.close();
      await stop();
    },
  };
}

/** Answers with these messages and this status. */
const answer =
  (messages: readonly string[], status = '0', text = ''): Handler =>
  (stream) => {
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status, 'grpc-message': text }));
    for (const message of messages) stream.write(frameMessage(Buffer.from(message)));
    stream.end();
  };

const call = (transport: Transport, options = {}) =>
  transport.unary('x.Y', method, 'hello', { 'containerd-namespace': 'ns' }, options);
const collect = async (stream: AsyncIterable<string>) => {
  const all: string[] = [];
  for await (const message of stream) all.push(message);
  return all;
};

describe('a call', () => {
  test('reaches its path with its headers, and returns the answer', async () => {
    let seen: IncomingHttpHeaders = {};
    let body = '';
    await using served = await serve((stream, headers) => {
      seen = headers;
      stream.on('data', (bytes: Buffer) => {
        body += bytes.subarray(5).toString();
      });
      stream.on('end', () => answer(['hi'])(stream, headers));
    });
    expect(await call(served.transport)).toBe('hi');
    expect(body).toBe('hello');
    expect(seen).toMatchObject({
      ':method': 'POST',
      ':path': '/x.Y/Echo',
      te: 'trailers',
      'content-type': 'application/grpc',
      'containerd-namespace': 'ns',
      'grpc-timeout': '60000m',
    });
  });

  test.each([
    ['in trailers', answer([], '5', 'container %22x%22: not found'), 'NOT_FOUND', 'container "x": not found'],
    ['behind a message', answer(['half'], '6', 'exists'), 'ALREADY_EXISTS', 'exists'],
    [
      'in the headers',
      ((stream) =>
        stream.respond({ ':status': 200, 'grpc-status': '9', 'grpc-message': 'no' }, { endStream: true })) as Handler,
      'CONFLICT',
      'no',
    ],
    ['that is not percent-encoded', answer([], '3', '100% wrong'), 'INVALID', '100% wrong'],
  ])('fails with the status %s', async (_, handler, code, message) => {
    await using served = await serve(handler);
    await expect(call(served.transport)).rejects.toMatchObject({ code, message });
  });

  test('fails without HTTP 200, and without a status', async () => {
    await using teapot = await serve((stream) => stream.respond({ ':status': 418 }, { endStream: true }));
    await expect(call(teapot.transport)).rejects.toMatchObject({
      code: 'RUNTIME',
      message: expect.stringContaining('418'),
    });
    await using silent = await serve((stream) => stream.respond({ ':status': 200 }, { endStream: true }));
    await expect(call(silent.transport)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await using empty = await serve(answer([]));
    await expect(call(empty.transport)).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  test('ends at its deadline, and at an abort before or during it', async () => {
    await using served = await serve((stream) => stream.resume());
    await expect(call(served.transport, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(call(served.transport, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    const abort = new AbortController();
    const calling = call(served.transport, { signal: abort.signal });
    abort.abort();
    await expect(calling).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('fails if nobody listens, or not with HTTP/2', async () => {
    await expect(call(openTransport(join(dir, 'none.sock'), systemClock))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('no socket'),
    });
    const path = join(dir, 'plain.sock');
    const plain = createPlainServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(path);
    const transport = openTransport(path, systemClock);
    await expect(call(transport)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    transport.close();
    await new Promise((resolve) => plain.close(resolve));
  });

  test('fails when the server goes away, and works when it comes back', async () => {
    await using served = await serve((stream) => stream.resume());
    const calling = call(served.transport);
    calling.catch(() => undefined);
    while (served.sessions.size === 0) await new Promise((resolve) => setImmediate(resolve));
    await served.restart(answer(['back']));
    await expect(calling).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await call(served.transport)).toBe('back');
  });

  test('replaces a session after GOAWAY', async () => {
    await using served = await serve(answer(['one']));
    expect(await call(served.transport)).toBe('one');
    for (const session of served.sessions) session.close();
    await new Promise((resolve) => setTimeout(resolve, 50)); // time for GOAWAY to arrive
    expect(await call(served.transport)).toBe('one');
  });

  test('500 calls at once get their own answers', async () => {
    await using served = await serve((stream) => {
      stream.once('data', (bytes: Buffer) => answer([bytes.subarray(5).toString()])(stream, {}));
    });
    const all = await Promise.all(
      Array.from({ length: 500 }, (_, i) => served.transport.unary('x.Y', method, `${i}`, {})),
    );
    expect(all).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`));
  });
});

describe('a server that allows two streams at a time', () => {
  test('gets no more, answers all, and never sees calls that were cancelled while they waited', async () => {
    let [open, most] = [0, 0];
    const arrived: string[] = [];
    const handler: Handler = (stream, headers) => {
      open += 1;
      most = Math.max(most, open);
      stream.once('close', () => {
        open -= 1;
      });
      stream.once('data', (bytes: Buffer) => {
        arrived.push(bytes.subarray(5).toString());
        setImmediate(() => answer([arrived.at(-1) ?? ''])(stream, headers));
      });
    };
    await using served = await serve(handler, { maxConcurrentStreams: 2 });
    await call(served.transport); // the answer brings its SETTINGS
    const abort = new AbortController();
    const ask = (text: string, signal?: AbortSignal) =>
      served.transport.unary('x.Y', method, text, {}, signal ? { signal } : {});
    const kept = Array.from({ length: 50 }, (_, i) => ask(`${i}`));
    const givenUp = ask('given up', abort.signal);
    abort.abort();
    await expect(givenUp).rejects.toMatchObject({ code: 'ABORTED' });
    await Promise.all(kept);
    expect(most).toBe(2);
    expect(arrived).toEqual(['hello', ...Array.from({ length: 50 }, (_, i) => `${i}`)]);
  });

  test('that is lost ends waiting calls too', async () => {
    await using served = await serve((stream) => stream.resume(), { maxConcurrentStreams: 2 });
    await call(served.transport, { timeoutMs: 50 }).catch(() => undefined);
    const calls = Array.from({ length: 5 }, () => call(served.transport).catch((error) => error.code));
    setImmediate(() => served.stop());
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 5 }, () => 'UNAVAILABLE'));
  });
});

describe('a stream', () => {
  test('gives many messages complete and in order, also to a slow reader', async () => {
    const messages = Array.from({ length: 3000 }, (_, i) => `${i}`.padEnd(4000, '.'));
    await using served = await serve(answer(messages));
    const stream = served.transport.serverStream('x.Y', method, '', {});
    const seen: string[] = [];
    for await (const message of stream) {
      seen.push(message);
      if (seen.length % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(seen).toEqual(messages);
  });

  test('that fails gives the messages before the failure first', async () => {
    await using served = await serve(answer(['a', 'b'], '13', 'boom'));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const message of served.transport.serverStream('x.Y', method, '', {})) seen.push(message);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'RUNTIME', message: 'boom' });
    expect(seen).toEqual(['a', 'b']);
  });

  test('that the client leaves early is cancelled at the server', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    await using served = await serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.write(frameMessage(Buffer.from('first')));
      closed = new Promise((resolve) => stream.once('close', resolve));
    });
    for await (const message of served.transport.serverStream('x.Y', method, '', {})) {
      expect(message).toBe('first');
      break;
    }
    await closed;
    expect(
      await collect(served.transport.serverStream('x.Y', method, '', { 'x-y': 'z' }, { timeoutMs: 50 })).catch(
        (error) => error.code,
      ),
    ).toBe('TIMEOUT');
  });

  test('in both directions gives answers as they come, and a sender that outlives the call does not wait', async () => {
    await using served = await serve((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '8', 'grpc-message': 'enough' }));
      let got = 0;
      stream.on('data', () => {
        got += 1;
        stream.write(frameMessage(Buffer.from(`${got}`)));
        if (got === 2) stream.end();
      });
    });
    const duplex = served.transport.duplex('x.Y', method, {});
    await duplex.send('a');
    expect(await duplex.receive()).toBe('1');
    await duplex.send('b');
    expect(await duplex.receive()).toBe('2');
    await expect(duplex.receive()).rejects.toMatchObject({ code: 'EXHAUSTED', message: 'enough' });
    await duplex.send('nobody takes this');
    duplex.cancel();
  });

  test('with a large upload waits for its receiver', async () => {
    let received = 0;
    await using served = await serve((stream) => {
      stream.on('data', (bytes: Buffer) => {
        received += bytes.length;
      });
      stream.on('end', () => answer(['done'])(stream, {}));
    });
    const duplex = served.transport.duplex('x.Y', method, {});
    const chunk = 'x'.repeat(1 << 20);
    for (let i = 0; i < 32; i += 1) await duplex.send(chunk);
    duplex.end();
    expect(await duplex.receive()).toBe('done');
    expect(await duplex.receive()).toBeUndefined();
    expect(received).toBe(32 * ((1 << 20) + 5));
  });
});

describe('the server may', () => {
  test('send any text in header fields, on one connection after the other', async () => {
    const texts = Array.from({ length: 60 }, (_, i) =>
      String.fromCharCode(...Array.from({ length: 1 + ((i * 7) % 90) }, (_, at) => 0x21 + ((i * 31 + at * 17) % 94))),
    ).map((text) => text.replaceAll('%', '_'));
    let at = 0;
    await using served = await serve((stream) => {
      stream.resume();
      const text = texts[at] ?? '';
      at += 1;
      stream.respond(
        { ':status': 200, [`x-${at % 7}`]: text, 'grpc-status': '9', 'grpc-message': text },
        { endStream: true },
      );
    });
    for (const text of texts) await expect(call(served.transport)).rejects.toMatchObject({ message: text });
  });

  test('send header fields in several frames', async () => {
    const long = 'é'.repeat(20_000);
    await using served = await serve(answer([], '9', encodeURIComponent(long).slice(0, 60_000)));
    await expect(call(served.transport)).rejects.toMatchObject({ code: 'CONFLICT', message: long.slice(0, 10_000) });
  });

  test('send pings', async () => {
    await using served = await serve(answer(['hi']));
    await call(served.transport);
    const [session] = served.sessions;
    const payload = Buffer.from('12345678');
    const answered = new Promise<{ tookMs: number; back: Buffer }>((resolve, reject) =>
      session?.ping(payload, (error, tookMs, back) => (error ? reject(error) : resolve({ tookMs, back }))),
    );
    const { tookMs, back } = await answered;
    expect(back).toEqual(payload);
    expect(tookMs).toBeGreaterThan(900); // see ping-answers.ts
  });

  test('refuse a stream, and accept the next', async () => {
    let count = 0;
    await using served = await serve((stream, headers) => {
      count += 1;
      if (count === 1) stream.close(7);
      else answer(['hi'])(stream, headers);
    });
    await expect(call(served.transport)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await call(served.transport)).toBe('hi');
  });

  test('read little at a time', async () => {
    let received = 0;
    const path = join(dir, 'narrow.sock');
    const server = createServer({ settings: { initialWindowSize: 1_000, maxFrameSize: 16_384 } });
    server.on('stream', (stream) => {
      stream.on('data', (bytes: Buffer) => {
        received += bytes.length;
      });
      stream.on('end', () => answer(['done'])(stream, {}));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const transport = openTransport(path, systemClock);
    expect(await transport.unary('x.Y', method, 'y'.repeat(300_000), {})).toBe('done');
    expect(received).toBe(300_005);
    transport.close();
    await new Promise((resolve) => server.close(resolve));
  });

  const settings = frameFrom(TYPE.settings, 0, 0);
  test.each([
    ['a frame that is too long', Buffer.concat([settings, Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])])],
    ['a push', Buffer.concat([settings, frameFrom(TYPE.push, FLAG.endHeaders, 1, Buffer.alloc(8))])],
    ['invalid header fields', Buffer.concat([settings, frameFrom(TYPE.headers, FLAG.endHeaders, 1, Buffer.of(0x80))])],
    [
      'interrupted header fields',
      Buffer.concat([
        settings,
        frameFrom(TYPE.headers, 0, 1, Buffer.of(0x88)),
        frameFrom(TYPE.ping, 0, 0, Buffer.alloc(8)),
      ]),
    ],
    ['a window beyond the maximum', Buffer.concat([settings, numberFrame(TYPE.windowUpdate, 0, 0x7fffffff)])],
    ['truncated settings', frameFrom(TYPE.settings, 0, 0, Buffer.alloc(5))],
  ])('not send %s: the connection is closed, and the next call opens another', async (name, bytes) => {
    const path = join(dir, `raw-${name.length}.sock`);
    let connections = 0;
    const server = createPlainServer((socket) => {
      connections += 1;
      socket.on('error', () => {});
      socket.resume().write(bytes);
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const transport = openTransport(path, systemClock);
    await expect(call(transport)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(call(transport)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(connections).toBe(2);
    await new Promise((resolve) => server.close(resolve)); // it would wait for a connection that the client keeps
  });
});
