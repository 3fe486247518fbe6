import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkKindOf } from '../../src/health/config.ts';
import { resultFromOutcome } from '../../src/health/result.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { SPEAKS_TLS } from '../../src/probe/channel.ts';
import { createNativeProber } from '../../src/probe/native.ts';
import { readBootId, readStat } from '../../src/system/proc.ts';
import { AUTHORITY } from '../../testbed/certificates.ts';
import { SELF_SIGNED } from '../../testbed/self-signed.ts';
import { startTlsServers } from '../../testbed/tls-servers.ts';

// Checks over TLS with servers that require what a check does not have, or do not speak TLS: each failure names the
// reason.

const prober = createNativeProber({ clock: systemClock });
const runId = `${readBootId()}:${process.pid}:${readStat(process.pid)?.startTimeTicks}`;
let servers: Awaited<ReturnType<typeof startTlsServers>>;
beforeAll(async () => {
  servers = await startTlsServers();
});
afterAll(() => servers[Symbol.asyncDispose]());

async function probe(
  items: readonly string[],
  timeoutMs = 10_000,
): Promise<readonly [exitCode: number, output: string]> {
  const kind = checkKindOf(items);
  if (kind.kind !== 'http' && kind.kind !== 'grpc') throw new Error(JSON.stringify(kind));
  const target = { containerId: 'c1', processJson: undefined, scratchDir: '/nonexistent', runId };
  const { outcome, startMs, endMs } = await prober.probe({ ...target, timeoutNs: timeoutMs * 1e6 }, kind);
  if (outcome.kind === 'cancelled') throw new Error('cancelled');
  const { exitCode, output } = resultFromOutcome(outcome, { startMs, endMs });
  expect(output).not.toMatch(/\n|:error:|[0-9A-F]{8}:/);
  return [exitCode, output];
}

const http = (server: string, ...items: readonly string[]) => [
  'HTTP',
  `https://localhost:${servers.port(server)}/`,
  ...items,
];
const grpc = (server: string, ...items: readonly string[]) => ['GRPC', `localhost:${servers.port(server)}`, ...items];
const HOST = 'header=Host: app.example.org';
const CA = `ca=${AUTHORITY}`;
/** The alert of TLS 1.3 may be lost with the connection. */
const brokenOff = '(?:connection reset by peer|broken pipe|the connection ended before the (?:answer|response))';
const wantsCertificate = 'the server wants a client certificate, which a check does not have';

describe('https', () => {
  test.each<[server: string, items: readonly string[], exitCode: number, output: string | RegExp]>([
    ['good', [], 0, 'HTTP 200 OK: ok'],
    ['good', [HOST, CA], 0, 'HTTP 200 OK: ok'],
    ['good', [HOST, CA, 'verify=false'], 0, 'HTTP 200 OK: ok'],
    ['good', ['header=host: APP.example.org.:8443', CA, 'verify=true'], 0, 'HTTP 200 OK: ok'],
    ['good', ['header=Host: 127.0.0.1', CA], 0, 'HTTP 200 OK: ok'],
    [
      'good',
      ['header=Host: 127.0.0.2', CA],
      1,
      'the certificate is not for 127.0.0.2, but for app.example.org, 127.0.0.1',
    ],
    ['good', [CA], 1, 'the certificate is not for localhost, but for app.example.org, 127.0.0.1'],
    ['good', [HOST, 'verify=true'], 1, 'the certificate is signed by an authority that is not trusted'],
    ['good', [HOST, `ca=${SELF_SIGNED.cert}`], 1, 'the certificate is signed by an authority that is not trusted'],
    ['self-signed', ['verify=true'], 1, 'the certificate is self-signed, and not one that is trusted'],
    ['self-signed', [`ca=${SELF_SIGNED.cert}`], 0, 'HTTP 200 OK: ok'],
    ['self-signed', [`ca=${AUTHORITY}${SELF_SIGNED.cert}`], 0, 'HTTP 200 OK: ok'],
    [
      'expired',
      [HOST, CA],
      1,
      'the certificate, or one that signed it, has expired: it ended Jan  1 00:00:00 2021 GMT',
    ],
    [
      'early',
      [HOST, CA],
      1,
      'the certificate, or one that signed it, is not valid yet: it begins Jan  1 00:00:00 2100 GMT',
    ],
    ['expired', [], 0, 'HTTP 200 OK: ok'],
    ['named', [HOST], 0, 'HTTP 200 OK: ok'],
    ['named', [], 1, 'the server does not know the name "localhost" (SNI)'],
    [
      'named',
      ['header=Host: 10.0.0.1'],
      1,
      'the server wants to be asked by a name (SNI), and was asked by an address',
    ],
    [
      'wants-certificate',
      [],
      1,
      new RegExp(
        `^(${wantsCertificate}|${brokenOff} after the TLS handshake \\(does the server want a client certificate\\?\\))$`,
      ),
    ],
    ['wants-certificate-1.2', [], 1, wantsCertificate],
    ['old', [], 1, 'the server speaks only TLS 1.1 or older, and 1.2 is the least that is safe'],
    ['protocolVersion', [], 1, 'the server speaks only TLS 1.1 or older, and 1.2 is the least that is safe'],
    [
      'other-ciphers',
      [],
      1,
      /^the server refused the TLS handshake: no cipher in common, or it may have no certificate for "localhost" \(SNI\)$/,
    ],
    ['handshakeFailure', [], 1, /^the server refused the TLS handshake: /],
    [
      'internalError',
      [],
      1,
      'the server failed in the TLS handshake (internal error): it may have no certificate for "localhost" (SNI)',
    ],
    ['unknownName', [], 1, 'the server does not know the name "localhost" (SNI)'],
    ['closeNotify', [], 1, 'the connection ended in the TLS handshake'],
    ['http2', [], 1, 'the server does not speak HTTP/1.1 over TLS, HTTP/2 perhaps'],
    ['http', [], 1, 'the server speaks HTTP without TLS: it answered "HTTP/1.1 400 Bad Request"'],
    ['grpc', [], 1, 'the server speaks HTTP/2 without TLS'],
    ['ssh', [], 1, 'the server does not speak TLS: it answered "SSH-2.0-OpenSSH_9.2\\r\\n"'],
    ['gone', [], 1, 'the connection ended in the TLS handshake: does the server speak TLS?'],
    ['reset', [], 1, 'connection reset by peer in the TLS handshake'],
  ])('%s, row %#', async (server, items, exitCode, output) => {
    expect(await probe(http(server, ...items))).toEqual([
      exitCode,
      typeof output === 'string' ? output : expect.stringMatching(output),
    ]);
  });

  test('a server that sends nothing times out', async () => {
    expect(await probe(http('silent'), 300)).toEqual([
      -1,
      expect.stringMatching(
        /^Health check exceeded timeout \(300ms\): connected to 127\.0\.0\.1:\d+, in the TLS handshake$/,
      ),
    ]);
  });

  test('a handshake without an end fails', async () => {
    expect(await probe(http('hello-requests'))).toEqual([1, 'no answer in the first 262144 bytes']);
  });

  test('a server with TLS that is asked without it is named', async () => {
    const url = (server: string) => `http://localhost:${servers.port(server)}/`;
    expect(await probe(['HTTP', url('protocolVersion')])).toEqual([1, SPEAKS_TLS]);
    expect(await probe(['HTTP', url('grpc')])).toEqual([1, 'the server speaks HTTP/2 and not HTTP/1.1']);
    for (const server of ['good', 'old', 'http2', 'named'])
      expect(await probe(['HTTP', url(server)])).toEqual([1, SPEAKS_TLS]);
  });
});

describe('grpc', () => {
  test.each<[server: string, items: readonly string[], exitCode: number, output: string | RegExp]>([
    ['grpc', [], 0, 'SERVING'],
    ['grpcs', ['tls=true'], 0, 'SERVING'],
    ['grpcs', ['my.Service', 'tls=true', CA, 'authority=app.example.org'], 0, 'SERVING'],
    ['grpcs', ['tls=true', CA], 1, 'gRPC: the certificate is not for localhost, but for app.example.org, 127.0.0.1'],
    [
      'grpcs',
      ['tls=true', 'verify=true', 'authority=app.example.org:443'],
      1,
      /^gRPC: the certificate is signed by an/,
    ],
    ['grpcs', [], 1, `gRPC: ${SPEAKS_TLS}`],
    ['reset', [], 1, 'gRPC: connection reset by peer'],
    ['gone', [], 1, 'gRPC: the connection ended before the answer'],
    ['protocolVersion', [], 1, `gRPC: ${SPEAKS_TLS}`],
    ['old', ['tls=true'], 1, 'gRPC: the server speaks only TLS 1.1 or older, and 1.2 is the least that is safe'],
    ['old', [], 1, `gRPC: ${SPEAKS_TLS}`],
    ['wants-certificate-1.2', ['tls=true'], 1, `gRPC: ${wantsCertificate}`],
    [
      'wants-certificate',
      ['tls=true'],
      1,
      new RegExp(`^gRPC: (${wantsCertificate}$|${brokenOff} after the TLS handshake)`),
    ],
    ['named', ['tls=true'], 1, 'gRPC: the server does not know the name "localhost" (SNI)'],
    ['grpc', ['tls=true'], 1, 'gRPC: the server speaks gRPC without TLS'],
    ['http', [], 1, 'gRPC: the server speaks HTTP/1.1 and not HTTP/2, it answered "HTTP/1.1 400 Bad Request"'],
    ['http', ['tls=true'], 1, 'gRPC: the server speaks HTTP without TLS: it answered "HTTP/1.1 400 Bad Request"'],
    ['good', ['tls=true'], 1, /^gRPC: the server speaks HTTP\/1\.1 and not HTTP\/2, it answered "HTTP\/1\.1 200 OK"$/],
  ])('%s, row %#', async (server, items, exitCode, output) => {
    expect(await probe(grpc(server, ...items))).toEqual([
      exitCode,
      typeof output === 'string' ? output : expect.stringMatching(output),
    ]);
  });
});
