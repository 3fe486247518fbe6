import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createRawServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/image/digest.ts';
import type { Descriptor } from '../../src/image/manifest.ts';
import { parseReference } from '../../src/image/reference.ts';
import { openRegistry, type RegistryOptions } from '../../src/image/registry/registry.ts';
import { RETRY_DELAYS_MS } from '../../src/image/registry/retry.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { messageOf } from '../../src/lib/errors.ts';

const SECRET = 'open-sesame-42';
/** Retries wait almost no time; idle timeouts are real. */
const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(RETRY_DELAYS_MS.includes(ms) ? 5 : ms, signal),
};
/** For servers that must time out. Tests of other servers have all the time that a busy machine needs. */
const SHORT = { idleTimeoutMs: 250 };
const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config: {}, layers: [] }));
const directory = mkdtempSync(join(tmpdir(), 'healthctl-registry-'));
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function')
      server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `127.0.0.1:${address.port}`;
}

const serve = (listener: RequestListener) => listen(createServer(listener));

async function open(host: string, options: Partial<RegistryOptions> = {}) {
  const reference = parseReference(`${host}/demo/web:1`);
  return openRegistry({ reference, clock, env: {}, idleTimeoutMs: 30_000, certificateDirectories: [], ...options });
}

/** The error of fetching a manifest from this server. */
async function manifestFailure(listener: RequestListener, options: Partial<RegistryOptions> = {}): Promise<unknown> {
  const registry = await open(await serve(listener), options);
  try {
    return await registry.fetchManifest('1').then(
      () => undefined,
      (error: unknown) => error,
    );
  } finally {
    registry.close();
  }
}

async function readBlob(
  listener: RequestListener,
  blob: Partial<Descriptor> & { bytes?: Buffer },
  options: Partial<RegistryOptions> = {},
): Promise<Buffer> {
  const { bytes = Buffer.from('hello'), ...more } = blob;
  const descriptor = { mediaType: '', digest: digestOf(bytes), size: bytes.length, annotations: {}, ...more };
  const registry = await open(await serve(listener), options);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of registry.readBlob(descriptor)) chunks.push(chunk);
    return Buffer.concat(chunks);
  } finally {
    registry.close();
  }
}

const answer = (
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body: string | Buffer = '',
) => response.writeHead(status, headers).end(body);

const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

describe('a manifest', () => {
  test('is fetched with its digest and media type', async () => {
    const registry = await open(
      await serve((request, response) => {
        expect(request.url).toBe('/v2/demo/web/manifests/1');
        expect(request.headers.accept).toContain('application/vnd.oci.image.index.v1+json');
        answer(
          response,
          200,
          { 'content-type': 'application/vnd.oci.image.manifest.v1+json; charset=utf-8' },
          manifest,
        );
      }),
    );
    expect(await registry.fetchManifest('1')).toEqual({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: digestOf(manifest),
      bytes: manifest,
    });
    registry.close();
  });

  test('that does not exist is NOT_FOUND', async () => {
    expect(await manifestFailure((_, response) => answer(response, 404))).toEqual(
      failure(
        'NOT_FOUND',
        /^manifest for 127\.0\.0\.1:\d+\/demo\/web:1 not found: manifest unknown: manifest unknown$/,
      ),
    );
  });

  test('larger than 4 MiB is not read to its end', async () => {
    let sent = 0;
    const endless = (_: IncomingMessage, response: ServerResponse) => {
      const more = () => {
        if (response.destroyed) return;
        sent += 1 << 20;
        response.write(Buffer.alloc(1 << 20), more);
      };
      more();
    };
    expect(await manifestFailure(endless)).toEqual(failure('CORRUPT', /larger than 4194304 bytes/));
    expect(sent).toBeLessThan(64 << 20);
  });

  test('with another digest than announced is CORRUPT', async () => {
    const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
    expect(await manifestFailure((_, response) => answer(response, 200, headers, manifest))).toEqual(
      failure('CORRUPT', /with the digest sha256:[0-9a-f]{64}, not sha256:0{64}/),
    );
  });

  test('that is a web page is INVALID', async () => {
    const page = (_: IncomingMessage, response: ServerResponse) =>
      answer(response, 200, { 'content-type': 'text/html; charset=utf-8' }, '<html>');
    expect(await manifestFailure(page)).toEqual(
      failure('INVALID', /is no image registry: it answered with a web page/),
    );
  });

  test('from a failing server is requested again', async () => {
    let requests = 0;
    const registry = await open(
      await serve((_, response) => {
        requests += 1;
        if (requests === 1) answer(response, 503);
        else if (requests === 2) response.destroy();
        else answer(response, 200, {}, manifest);
      }),
    );
    expect((await registry.fetchManifest('1')).digest).toBe(digestOf(manifest));
    expect(requests).toBe(3);
    registry.close();
  });

  test("from a server that keeps failing gives the server's text, without control characters", async () => {
    let requests = 0;
    const body = JSON.stringify({ errors: [{ code: 'X', message: 'slow\u001b[31m down\n' }] });
    const error = await manifestFailure((_, response) => {
      requests += 1;
      answer(response, 429, {}, body);
    });
    expect(error).toEqual(failure('UNAVAILABLE', /^toomanyrequests: registry \S+ answered 429 \(slow \[31m down\)/));
    expect(requests).toBe(4);
  });
});

describe('a faulty server', () => {
  test('that may need TLS gets a hint', async () => {
    const error = await manifestFailure((_, response) => answer(response, 400));
    expect(error).toEqual(failure('INVALID', /answered 400 for/));
    expect(error).toMatchObject({ hint: expect.stringMatching(/without TLS.*--plain-http.*certs\.d\/127/) });
  });

  test('that is not there is UNAVAILABLE', async () => {
    const registry = await open('127.0.0.1:1');
    await expect(registry.fetchManifest('1')).rejects.toEqual(
      failure('UNAVAILABLE', /^cannot reach registry 127\.0\.0\.1:1: connection refused$/),
    );
    registry.close();
  });

  test('that never answers times out', async () => {
    expect(await manifestFailure(() => undefined, SHORT)).toEqual(failure('TIMEOUT', /stopped sending/));
  });

  test('that sends its headers slowly times out', async () => {
    const host = await listen(
      createRawServer((socket) => {
        socket.on('error', () => undefined);
        socket.write('HTTP/1.1 200 OK\r\nx: ');
        const timer = setInterval(() => socket.write('a'), 20);
        socket.on('close', () => clearInterval(timer));
      }),
    );
    const registry = await open(host, SHORT);
    await expect(registry.fetchManifest('1')).rejects.toEqual(failure('TIMEOUT', /stopped sending/));
    registry.close();
  });

  test('that sends endless headers is refused', async () => {
    const host = await listen(
      createRawServer((socket) => {
        socket.on('error', () => undefined);
        socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(1 << 20)}`);
      }),
    );
    const registry = await open(host);
    await expect(registry.fetchManifest('1')).rejects.toEqual(failure('INVALID', /too large headers/));
    registry.close();
  });

  test('that does not speak HTTP is refused', async () => {
    const host = await listen(
      createRawServer((socket) => {
        socket.on('error', () => undefined);
        socket.resume();
        socket.end('SSH-2.0-OpenSSH_9.2\r\n');
      }),
    );
    const registry = await open(host);
    await expect(registry.fetchManifest('1')).rejects.toEqual(failure('INVALID', /does not speak HTTP/));
    registry.close();
  });

  test('that redirects in circles is refused', async () => {
    const error = await manifestFailure((request, response) => answer(response, 307, { location: request.url ?? '' }));
    expect(error).toEqual(failure('INVALID', /redirects in circles/));
  });

  test.each(['', 'http://', 'file:///etc/passwd', 'ftp://x/y'])('that redirects to %j is refused', async (location) => {
    const error = await manifestFailure((_, response) => answer(response, 302, { location }));
    expect(error).toEqual(failure('INVALID', /redirects/));
  });

  test('is not waited for when the signal aborts', async () => {
    const stop = new AbortController();
    const registry = await open(await serve(() => stop.abort()), { idleTimeoutMs: 60_000 });
    await expect(registry.fetchManifest('1', stop.signal)).rejects.toEqual(failure('ABORTED', /cancelled/));
    registry.close();
  });
});

describe('a blob', () => {
  const bytes = Buffer.alloc(300_000, 'healthctl');

  test('continues where the connection broke', async () => {
    const ranges: (string | undefined)[] = [];
    const listener: RequestListener = (request, response) => {
      ranges.push(request.headers.range);
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const end = Math.min(start + 120_000, bytes.length);
      response.writeHead(start === 0 ? 200 : 206, {
        'content-length': bytes.length - start,
        'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
      });
      response.write(bytes.subarray(start, end), () => (end === bytes.length ? response.end() : response.destroy()));
    };
    expect((await readBlob(listener, { bytes })).equals(bytes)).toBe(true);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.length).toBeGreaterThan(1);
    expect(ranges.slice(1).every((range) => /^bytes=\d+-$/.test(range ?? ''))).toBe(true);
  });

  test('begins again with a server that does not support ranges', async () => {
    let requests = 0;
    const listener: RequestListener = (_, response) => {
      requests += 1;
      response.writeHead(200, { 'content-length': bytes.length });
      if (requests === 1) response.write(bytes.subarray(0, 1000), () => response.destroy());
      else response.end(bytes);
    };
    expect((await readBlob(listener, { bytes })).equals(bytes)).toBe(true);
  });

  test.each<[string, RequestListener, ReturnType<typeof failure>]>([
    [
      'with a wrong digest',
      (_, r) => answer(r, 200, {}, Buffer.alloc(300_000)),
      failure('CORRUPT', /sent a blob with the digest/),
    ],
    [
      'that is too long',
      (_, r) => answer(r, 200, {}, Buffer.alloc(300_001)),
      failure('CORRUPT', /larger than the 300000 bytes/),
    ],
    [
      'that is always too short',
      (_, r) => answer(r, 200, {}, Buffer.alloc(10)),
      failure('UNAVAILABLE', /truncated: 10 of 300000/),
    ],
    ['that is gone', (_, r) => answer(r, 404), failure('NOT_FOUND', /answered 404 for blob/)],
    [
      'with an unasked range',
      (_, r) => answer(r, 206, { 'content-range': 'bytes 5-9/10' }),
      failure('CORRUPT', /another range/),
    ],
  ])('%s', async (_, listener, error) => {
    await expect(readBlob(listener, { bytes })).rejects.toEqual(error);
  });

  test('that comes too slowly times out', async () => {
    const drip: RequestListener = (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('a'), 20);
      response.on('close', () => clearInterval(timer));
    };
    await expect(readBlob(drip, { bytes }, SHORT)).rejects.toEqual(failure('TIMEOUT', /stopped sending/));
  });
});

describe('a login', () => {
  const config = (document: unknown) => {
    const home = mkdtempSync(join(directory, 'config-'));
    writeFileSync(join(home, 'config.json'), JSON.stringify(document));
    return home;
  };
  const basic = `Basic ${Buffer.from(`probe:${SECRET}`).toString('base64')}`;

  /** Wants a token from itself, and gives one for the right password. */
  function tokenServer(seen: { url?: string; authorization?: string; body?: string }): RequestListener {
    return (request, response) => {
      if (request.url?.startsWith('/token')) {
        Object.assign(seen, { url: request.url, authorization: request.headers.authorization });
        let body = '';
        request.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        request.on('end', () => {
          seen.body = body;
          answer(response, 200, {}, JSON.stringify({ token: 'tok' }));
        });
      } else if (request.headers.authorization === 'Bearer tok') answer(response, 200, {}, manifest);
      else {
        const realm = `http://${request.headers.host}/token`;
        answer(response, 401, {
          'www-authenticate': `Bearer realm="${realm}",service="reg",scope="repository:demo/web:pull"`,
        });
      }
    };
  }

  test('without credentials gets an anonymous token', async () => {
    const seen = {};
    const registry = await open(await serve(tokenServer(seen)));
    expect((await registry.fetchManifest('1')).digest).toBe(digestOf(manifest));
    expect(seen).toMatchObject({
      url: '/token?service=reg&scope=repository%3Ademo%2Fweb%3Apull',
      authorization: undefined,
    });
    registry.close();
  });

  test('sends the password of auths only to the realm', async () => {
    const seen = {};
    const host = await serve(tokenServer(seen));
    const env = { DOCKER_CONFIG: config({ auths: { [`http://${host}/v2/`]: { auth: basic.slice(6) } } }) };
    const registry = await open(host, { env });
    await registry.fetchManifest('1');
    expect(seen).toMatchObject({ authorization: basic, url: expect.stringContaining('account=probe') });
    registry.close();
  });

  test('exchanges an identity token', async () => {
    const seen: { body?: string } = {};
    const host = await serve(tokenServer(seen));
    const registry = await open(host, {
      env: { DOCKER_CONFIG: config({ auths: { [host]: { identitytoken: SECRET } } }) },
    });
    await registry.fetchManifest('1');
    expect(Object.fromEntries(new URLSearchParams(seen.body))).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: SECRET,
    });
    registry.close();
  });

  test('with Basic does not send the password to a host that the registry redirects to', async () => {
    const elsewhere: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      elsewhere.push(request.headers.authorization);
      answer(response, 200, {}, manifest);
    });
    const host = await serve((request, response) => {
      if (request.headers.authorization !== basic) answer(response, 401, { 'www-authenticate': 'Basic realm="x"' });
      else answer(response, 307, { location: `http://u:p@${other}/m` });
    });
    const registry = await open(host, {
      env: { DOCKER_CONFIG: config({ auths: { [host]: { auth: basic.slice(6) } } }) },
    });
    expect((await registry.fetchManifest('1')).digest).toBe(digestOf(manifest));
    expect(elsewhere).toEqual([undefined]);
    registry.close();
  });

  test.each([
    ['credHelpers', (host: string) => ({ credHelpers: { [host]: 'test' }, credsStore: 'absent' })],
    ['credsStore', () => ({ credsStore: 'test' })],
  ])('asks the helper of %s', async (_, makeConfig) => {
    const host = await serve((request, response) => {
      if (request.headers.authorization === basic) answer(response, 200, {}, manifest);
      else answer(response, 401, { 'www-authenticate': 'Basic realm="x"' });
    });
    const helper = `#!/bin/sh\nread server\n[ "$1 $server" = "get ${host}" ] || exit 9\necho '{"Username":"probe","Secret":"${SECRET}"}'\n`;
    const env = helperEnv(helper, config(makeConfig(host)));
    const registry = await open(host, { env });
    expect((await registry.fetchManifest('1')).digest).toBe(digestOf(manifest));
    registry.close();
  });

  const helperEnv = (script: string, home: string) => {
    const bin = mkdtempSync(join(directory, 'bin-'));
    writeFileSync(join(bin, 'docker-credential-test'), script);
    chmodSync(join(bin, 'docker-credential-test'), 0o755);
    return { DOCKER_CONFIG: home, PATH: `${bin}:/bin:/usr/bin` };
  };

  test.each([
    [
      'fails',
      `#!/bin/sh\necho ${SECRET}\necho ${SECRET} >&2\nexit 3\n`,
      /docker-credential-test failed with status 3$/,
    ],
    ['babbles', `#!/bin/sh\necho ${SECRET}\n`, /gave an answer that is not understood$/],
    ['never stops', `#!/bin/sh\nyes ${SECRET}\n`, /was killed or took too long$/],
  ])('fails if the helper %s, and never shows its output', async (_, script, message) => {
    const host = await serve((_request, response) => answer(response, 200, {}, manifest));
    const error: unknown = await open(host, { env: helperEnv(script, config({ credsStore: 'test' })) }).catch((e) => e);
    expect(error).toEqual(failure('CONFIG', message));
    expect(JSON.stringify([messageOf(error), error])).not.toContain(SECRET);
  });

  test('is anonymous if the helper knows nothing', async () => {
    const host = await serve((_request, response) => answer(response, 200, {}, manifest));
    const script = '#!/bin/sh\necho credentials not found in native keychain\nexit 1\n';
    const registry = await open(host, { env: helperEnv(script, config({ credsStore: 'test' })) });
    expect((await registry.fetchManifest('1')).digest).toBe(digestOf(manifest));
    registry.close();
  });

  test.each([
    ['../../bin/sh', /has an invalid name/],
    ['not-there-at-all', /is not in PATH/],
  ])('with the helper %s fails', async (credsStore, message) => {
    const host = await serve((_, response) => answer(response, 200));
    const env = { DOCKER_CONFIG: config({ credsStore }), PATH: '/nowhere' };
    await expect(open(host, { env })).rejects.toEqual(failure('CONFIG', message));
  });

  test('that is refused gives an error without the password', async () => {
    const host = await serve((request, response) => {
      if (request.url?.startsWith('/token')) answer(response, 401, {}, JSON.stringify({ details: SECRET }));
      else answer(response, 401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` });
    });
    const env = { DOCKER_CONFIG: config({ auths: { [host]: { username: 'probe', password: SECRET } } }) };
    const registry = await open(host, { env });
    const error: unknown = await registry.fetchManifest('1').catch((e: unknown) => e);
    expect(error).toEqual(failure('DENIED', /refused the login: incorrect username or password/));
    expect(String(error)).not.toContain(SECRET);
    registry.close();
  });

  test('for which there are no credentials gives an error', async () => {
    const error = await manifestFailure((_, response) =>
      answer(response, 401, { 'www-authenticate': 'Basic realm="x"' }),
    );
    expect(error).toEqual(
      failure('DENIED', /^pull access denied for demo\/web at 127\.0\.0\.1:\d+, repository does not exist/),
    );
  });

  test.each(['file:///etc/passwd', '', 'nonsense'])('with the realm %j goes nowhere', async (realm) => {
    const error = await manifestFailure((_, response) =>
      answer(response, 401, { 'www-authenticate': `Bearer realm="${realm}"` }),
    );
    expect(error).toEqual(failure('INVALID', /names no valid address for a token/));
  });

  test.each(['{', '[]', '{"auths": 3}', '{"auths": {"HOST": {"auth": "%%%"}}}'])(
    'with the config %s fails',
    async (text) => {
      const host = await serve((_, response) => answer(response, 200, {}, manifest));
      const home = mkdtempSync(join(directory, 'config-'));
      writeFileSync(join(home, 'config.json'), text.replace('HOST', host));
      await expect(open(host, { env: { DOCKER_CONFIG: home } })).rejects.toEqual(failure('CONFIG', /config\.json/));
    },
  );
});

describe('HTTPS', () => {
  const certificate = join(directory, 'ca.crt');
  const key = join(directory, 'ca.key');
  beforeAll(() => {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=test',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        key,
        '-out',
        certificate,
      ],
      { stdio: 'ignore' },
    );
  });
  const serveSecure = async () => {
    const { readFileSync } = await import('node:fs');
    const server = createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (_, response) =>
      answer(response, 200, {}, manifest),
    );
    return listen(server);
  };
  /** A certs.d with these certificates for the host. With it, a local registry is asked over HTTPS. */
  const certsFor = (host: string, content: string) => {
    const certs = mkdtempSync(join(directory, 'certs-'));
    mkdirSync(join(certs, host));
    writeFileSync(join(certs, host, 'x.crt'), content);
    return [certs];
  };

  test('trusts the certificates in certs.d', async () => {
    const host = await serveSecure();
    const { readFileSync } = await import('node:fs');
    const registry = await open(host, { certificateDirectories: certsFor(host, readFileSync(certificate, 'utf8')) });
    expect((await registry.fetchManifest('1')).digest).toBe(digestOf(manifest));
    registry.close();
  });

  test.each(['HC_CA', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'])('trusts the certificates of %s', async (variable) => {
    const host = await serveSecure();
    const options = { certificateDirectories: certsFor(host, ''), env: { [variable]: certificate } };
    const registry = await open(host, options);
    expect((await registry.fetchManifest('1')).digest).toBe(digestOf(manifest));
    registry.close();
  });

  test('trusts no other certificate', async () => {
    const host = await serveSecure();
    const registry = await open(host, { certificateDirectories: certsFor(host, '') });
    await expect(registry.fetchManifest('1')).rejects.toEqual(failure('DENIED', /certificate of \S+ is not trusted/));
    registry.close();
  });

  test('to a server without TLS gives an error that says so', async () => {
    const host = await serve((_, response) => answer(response, 200));
    const registry = await open(host, { certificateDirectories: certsFor(host, '') });
    await expect(registry.fetchManifest('1')).rejects.toEqual(failure('INVALID', /does not speak HTTPS/));
    registry.close();
  });

  test('with a missing certificate file fails', async () => {
    const host = await serveSecure();
    const registry = await open(host, { certificateDirectories: certsFor(host, ''), env: { HC_CA: '/nowhere.pem' } });
    await expect(registry.fetchManifest('1')).rejects.toEqual(
      failure('CONFIG', /cannot read the certificates in \/nowhere\.pem/),
    );
    registry.close();
  });
});
