import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/image/digest.ts';
import { parseReference } from '../../src/image/reference.ts';
import { openRegistry, type RegistryOptions } from '../../src/image/registry/registry.ts';
import { RETRY_DELAYS_MS } from '../../src/image/registry/retry.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';

/** Retries wait almost no time. */
const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(RETRY_DELAYS_MS.includes(ms) ? 5 : ms, signal),
};
const bytes = Buffer.from('a layer');
const blob = {
  digest: digestOf(bytes),
  size: bytes.length,
  async *source() {
    yield bytes;
  },
};
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

async function serve(listener: Listener, options: Partial<RegistryOptions> = {}) {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const reference = parseReference(`127.0.0.1:${address.port}/demo/web:1`);
  return openRegistry({ reference, clock, env: {}, certificateDirectories: [], access: 'push', ...options });
}

describe('an upload', () => {
  test('asks for a token that may push, and sends it with each request', async () => {
    const seen: string[] = [];
    const registry = await serve(
      (request, response) => {
        const host = `http://${request.headers.host}`;
        const { pathname, searchParams } = new URL(request.url ?? '', host);
        seen.push(`${request.method} ${pathname} ${request.headers.authorization ?? '-'}`);
        if (pathname === '/token') {
          seen.push(searchParams.getAll('scope').join(' '));
          return response.end(JSON.stringify({ token: 'T' }));
        }
        if (request.headers.authorization !== 'Bearer T') {
          return response.writeHead(401, { 'www-authenticate': `Bearer realm="${host}/token",service="s"` }).end();
        }
        return request.resume().on('end', () => {
          if (request.method === 'POST') response.writeHead(202, { location: '/up/1?state=x', 'content-length': 0 });
          else response.writeHead(201, { 'content-length': 0 });
          response.end();
        });
      },
      { login: { credentials: { kind: 'password', username: 'probe', password: 'secret' } } },
    );
    expect(await registry.uploadBlob(blob)).toBeUndefined();
    const basic = `Basic ${Buffer.from('probe:secret').toString('base64')}`;
    expect(seen).toEqual([
      'POST /v2/demo/web/blobs/uploads/ -',
      `GET /token ${basic}`,
      'repository:demo/web:pull,push',
      'POST /v2/demo/web/blobs/uploads/ Bearer T',
      'PUT /up/1 Bearer T',
    ]);
    registry.close();
  });

  test('is begun again after a broken connection, and its bytes arrive once', async () => {
    const bodies: string[] = [];
    const targets: string[] = [];
    const registry = await serve((request, response) => {
      if (request.method === 'POST') return response.writeHead(202, { location: '/up?a=1', 'content-length': 0 }).end();
      targets.push(request.url ?? '');
      if (targets.length === 1) return request.socket.destroy();
      request.setEncoding('utf8');
      return request.on('data', (chunk: string) => bodies.push(chunk)).on('end', () => response.writeHead(201).end());
    });
    await registry.uploadBlob(blob);
    expect(bodies.join('')).toBe('a layer');
    expect(targets).toEqual(Array.from({ length: 2 }, () => `/up?a=1&digest=${encodeURIComponent(blob.digest)}`));
    registry.close();
  });

  test('ends when the registry refuses in the middle, with its text', async () => {
    let sent = 0;
    const registry = await serve((request, response) => {
      if (request.method === 'POST') return response.writeHead(202, { location: '/up', 'content-length': 0 }).end();
      return response.writeHead(413).end(JSON.stringify({ errors: [{ message: 'blob too large' }] }));
    });
    const endless = {
      ...blob,
      size: 1e12,
      async *source() {
        for (;;) {
          sent += 1;
          yield Buffer.alloc(1 << 16);
        }
      },
    };
    await expect(registry.uploadBlob(endless)).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringMatching(/^registry \S+ answered 413 \(blob too large\) for the upload of blob /),
    });
    expect(sent).toBeLessThan(10_000);
    registry.close();
  });

  test('of a registry that stops reading is a TIMEOUT; a slow one gets its time', async () => {
    const stuck = await serve(
      (request, response) => {
        if (request.method === 'POST') return response.writeHead(202, { location: '/up', 'content-length': 0 }).end();
        return request.socket.pause();
      },
      { idleTimeoutMs: 250 },
    );
    const large = {
      ...blob,
      size: 1e9,
      async *source() {
        for (;;) yield Buffer.alloc(1 << 20);
      },
    };
    await expect(stuck.uploadBlob(large)).rejects.toMatchObject({ code: 'TIMEOUT' });
    stuck.close();
  });

  test('does not follow an address without TLS or with another scheme', async () => {
    const registry = await serve((_, response) => response.writeHead(202, { location: 'file:///etc/passwd' }).end());
    await expect(registry.uploadBlob(blob)).rejects.toMatchObject({ code: 'INVALID' });
    registry.close();
  });
});

test('a manifest is stored under its tag with its type', async () => {
  const seen: unknown[] = [];
  const registry = await serve((request, response) => {
    seen.push([request.method, request.url, request.headers['content-type']]);
    response.writeHead(201, { 'content-length': 0 }).end();
  });
  await registry.putManifest('1', { mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes });
  expect(seen).toEqual([['PUT', '/v2/demo/web/manifests/1', 'application/vnd.oci.image.manifest.v1+json']]);
  registry.close();
});
