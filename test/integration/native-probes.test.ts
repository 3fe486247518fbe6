import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkKindOf } from '../../src/health/config.ts';
import { type Result, resultFromOutcome } from '../../src/health/result.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createNativeProber } from '../../src/probe/native.ts';
import { makeFifo } from '../../src/system/fifo.ts';
import { readBootId, readStat } from '../../src/system/proc.ts';
import { type NetworkServers, startNetworkServers } from '../../testbed/network-servers.ts';
import { SELF_SIGNED } from '../../testbed/self-signed.ts';
import { until } from '../../testbed/until.ts';

// Native probes in real network namespaces, with correct, broken and hostile servers.

const directory = mkdtempSync(join(tmpdir(), 'healthctl-native-'));
const hosts = join(directory, 'hosts');
writeFileSync(hosts, '127.0.0.1 db # the database\n::1 six\n');
const prober = createNativeProber({ clock: systemClock });
let servers: NetworkServers;
beforeAll(async () => {
  servers = await startNetworkServers({ hosts, tls: SELF_SIGNED });
});
afterAll(async () => {
  await servers[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

interface Probe {
  readonly timeoutMs?: number;
  readonly runId?: string;
  readonly signal?: AbortSignal;
}

async function outcomeOf(items: readonly string[], { timeoutMs = 60_000, runId, signal }: Probe = {}) {
  const kind = checkKindOf(items);
  if (kind.kind !== 'http' && kind.kind !== 'tcp' && kind.kind !== 'grpc') throw new Error(JSON.stringify(kind));
  const target = {
    ...{ containerId: 'c1', processJson: undefined, scratchDir: '/nonexistent' },
    runId: runId ?? servers.runId,
    timeoutNs: timeoutMs * 1e6,
  };
  return prober.probe(target, kind, signal);
}

/** The probe's result as it would be recorded. */
async function probe(items: readonly string[], options: Probe = {}): Promise<Pick<Result, 'exitCode' | 'output'>> {
  const { outcome, startMs, endMs } = await outcomeOf(items, options);
  if (outcome.kind === 'cancelled') return { exitCode: Number.NaN, output: 'cancelled' };
  const { exitCode, output } = resultFromOutcome(outcome, { startMs, endMs });
  return { exitCode, output };
}

const SELF_SIGNED_TEXT = 'the certificate is self-signed, and not one that is trusted';
const url = (name: string, path = '/', host = '127.0.0.1') => `http://${host}:${servers.port(name)}${path}`;
const at = (name: string, host = '127.0.0.1') => `${host}:${servers.port(name)}`;

describe('http', () => {
  test.each<[name: string, exitCode: number, output: string]>([
    ['ok', 0, 'HTTP 200 OK: all is well\n'],
    ['down', 1, 'HTTP 503 Service Unavailable: try later'],
    ['moved', 0, 'HTTP 302 Found'],
    ['chunked', 0, 'HTTP 200 OK: one two'],
    ['empty', 0, 'HTTP 204 No Content'],
    ['old', 0, 'HTTP 200 OK: old but good'],
    ['huge-body', 0, `HTTP 200 OK: ${'y'.repeat(4096)}...`],
    ['reset', 1, 'connection reset by peer'],
    ['bye', 1, 'the connection ended before the response'],
    ['cut', 1, 'the connection ended before the end of the response, after HTTP 200 OK: half'],
    ['endless-header', 1, 'the head of the response is larger than 16384 bytes'],
    ['endless-line', 1, 'the head of the response is larger than 16384 bytes'],
    ['endless-interim', 1, 'the head of the response is larger than 16384 bytes'],
    ['endless-chunk-size', 1, 'a chunk of the response has no size, after HTTP 200 OK'],
    ['huge-chunk', 0, `HTTP 200 OK: ${'y'.repeat(4096)}...`],
  ])('%s', async (name, exitCode, output) => {
    expect(await probe(['HTTP', url(name)])).toEqual({ exitCode, output });
  });

  test('refuses chunks with endless extensions', async () => {
    expect(await probe(['HTTP', url('endless-extensions')])).toEqual({
      exitCode: 1,
      output: expect.stringMatching(/^the response has no end in its first 65536 bytes, after HTTP 200 OK: y+$/),
    });
  });

  test('refuses garbage', async () => {
    expect(await probe(['HTTP', url('garbage')])).toEqual({
      exitCode: 1,
      output: expect.stringMatching(/^the answer is not HTTP\/1\.1: "/),
    });
  });

  test.each([
    ['hang', /^Health check exceeded timeout \(1s\): connected to 127\.0\.0\.1:\d+$/],
    ['drip', /^Health check exceeded timeout \(1s\): HTTP 200 OK: x+$/],
  ])('%s: one timeout covers everything', async (name, output) => {
    expect(await probe(['HTTP', url(name)], { timeoutMs: 1_000 })).toEqual({
      exitCode: -1,
      output: expect.stringMatching(output),
    });
  });

  test('accepts the requested statuses only', async () => {
    expect(await probe(['HTTP', url('down'), 'status=500-599'])).toMatchObject({ exitCode: 0 });
    expect(await probe(['HTTP', url('ok'), 'status=204,301-302'])).toMatchObject({ exitCode: 1 });
  });

  test('sends headers and path as they were given', async () => {
    const { output } = await probe([
      'HTTP',
      url('echo', '/a%20b?q=1#part'),
      'header=X-One: 1',
      'header=host: example.org',
    ]);
    expect(JSON.parse(output.replace('HTTP 200 OK: ', ''))).toEqual({
      method: 'GET',
      url: '/a%20b?q=1',
      headers: { 'x-one': '1', host: 'example.org', accept: '*/*', 'user-agent': 'healthctl', connection: 'close' },
    });
  });

  test('accepts any certificate over https, unless it is to be verified', async () => {
    const url = `https://localhost:${servers.port('tls')}/`;
    expect(await probe(['HTTP', url])).toEqual({ exitCode: 0, output: 'HTTP 200 OK: secret' });
    expect(await probe(['HTTP', url, 'verify=true'])).toEqual({ exitCode: 1, output: SELF_SIGNED_TEXT });
    expect(await probe(['HTTP', `https://${at('ok')}/`])).toMatchObject({ exitCode: 1 });
    expect(await probe(['HTTP', `https://${at('hang')}/`], { timeoutMs: 200 })).toMatchObject({ exitCode: -1 });
  });
});

describe('tcp', () => {
  test('is healthy if the connection is accepted', async () => {
    expect(await probe(['TCP', at('hang')])).toEqual({ exitCode: 0, output: `connected to ${at('hang')}` });
  });

  test('is unhealthy if nobody listens', async () => {
    expect(await probe(['TCP', '127.0.0.1:9'])).toEqual({
      exitCode: 1,
      output: 'connect 127.0.0.1:9: connection refused',
    });
    expect(await probe(['TCP', 'localhost:9'])).toEqual({
      exitCode: 1,
      output: 'connect 127.0.0.1:9: connection refused; connect [::1]:9: connection refused',
    });
  });

  test('is unhealthy without a route', async () => {
    expect(await probe(['TCP', '192.0.2.1:80'])).toEqual({
      exitCode: 1,
      output: 'connect 192.0.2.1:80: network is unreachable',
    });
  });

  test("localhost is 127.0.0.1, then ::1; names come from the container's /etc/hosts", async () => {
    expect(await probe(['HTTP', url('ok6', '/', 'localhost')])).toEqual({ exitCode: 0, output: 'HTTP 200 OK: six\n' });
    expect(await probe(['HTTP', url('ok6', '/', '[::1]')])).toMatchObject({ exitCode: 0 });
    expect(await probe(['TCP', at('ok', 'DB')])).toMatchObject({ exitCode: 0 });
    expect(await probe(['TCP', at('ok6', 'six')])).toMatchObject({ exitCode: 0 });
    expect(await probe(['TCP', 'elsewhere.example:80'])).toEqual({
      exitCode: -1,
      output: "the host elsewhere.example is neither an IP address nor in the container's /etc/hosts",
    });
  });
});

describe('grpc', () => {
  const at0 = (name: string) => at(name);
  test.each<[server: string, service: string[], exitCode: number, output: string | RegExp]>([
    ['grpc', [], 0, 'SERVING'],
    ['grpc', ['my.Service'], 0, 'SERVING'],
    ['grpc', ['down'], 1, 'NOT_SERVING'],
    ['grpc', ['other'], 1, 'gRPC: NOT_FOUND: unknown sérvice'],
    ['grpc-without-health', [], 1, /^gRPC: UNIMPLEMENTED: /],
    ['grpc-flood', [], 1, 'gRPC: an answer of more than 1024 bytes'],
    ['grpc-headers', [], 1, /^gRPC: /],
    ['grpc-short', [], 1, 'gRPC: the answer is not one message'],
    ['ok', [], 1, /^gRPC: /],
    ['reset', [], 1, 'gRPC: connection reset by peer'],
    ['garbage', [], 1, /^gRPC: /],
  ])('%s %o', async (server, service, exitCode, output) => {
    expect(await probe(['GRPC', at0(server), ...service])).toEqual({
      exitCode,
      output: typeof output === 'string' ? output : expect.stringMatching(output),
    });
  });

  test.each(['hang', 'grpc-hang'])('%s', async (server) => {
    expect(await probe(['GRPC', at0(server)], { timeoutMs: 200 })).toMatchObject({ exitCode: -1 });
  });

  const tooMuch = 'gRPC: no answer in the first 65536 bytes';
  test.each<[server: string, output: string]>([
    ['grpc-window-updates', tooMuch],
    ['grpc-priorities', tooMuch],
    ['grpc-pings', tooMuch],
    ['grpc-settings', tooMuch],
    ['grpc-resets', tooMuch],
    ['grpc-unknown', tooMuch],
    ['grpc-data', tooMuch],
    ['grpc-empty-continuations', tooMuch],
    ['grpc-continuations', 'gRPC: more than 16384 bytes of header fields'],
    ['grpc-interims', tooMuch],
  ])('endless %s cost little', async (server, output) => {
    const before = process.cpuUsage();
    expect(await probe(['GRPC', at0(server)])).toEqual({ exitCode: 1, output });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(1_000);
  });
});

describe('network namespaces', () => {
  test('the thread stays in its own namespace', async () => {
    const before = readlinkSync('/proc/thread-self/ns/net');
    await probe(['TCP', at('ok')]);
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(before);
    expect(before).not.toBe(readlinkSync(`/proc/${servers.pid}/ns/net`));
  });

  test("a container in the host's namespace is probed there", async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const runId = `${readBootId()}:${process.pid}:${readStat(process.pid)?.startTimeTicks}`;
    try {
      expect(await probe(['TCP', `127.0.0.1:${address.port}`], { runId })).toMatchObject({ exitCode: 0 });
      expect(await probe(['TCP', `127.0.0.1:${address.port}`])).toMatchObject({ exitCode: 1 });
    } finally {
      server.close();
    }
  });

  test('a probe that is cancelled while it confirms a failure ends as cancelled', async () => {
    const given = new AbortController();
    const pending = outcomeOf(['TCP', '127.0.0.1:9'], { signal: given.signal });
    setTimeout(() => given.abort(), 50);
    expect((await pending).outcome).toEqual({ kind: 'cancelled' });
  });

  test('a process that is gone, ends during the probe, or is another one with its pid gives no result', async () => {
    const gone = { exitCode: -1, output: "the container's main process is gone" };
    expect(await probe(['TCP', at('ok')], { runId: 'boot:4194305:1' })).toEqual(gone);
    expect(await probe(['TCP', at('ok')], { runId: `boot:${servers.pid}:1` })).toEqual(gone);
    expect(await probe(['TCP', at('ok')], { runId: 'nonsense' })).toEqual(gone);
    await using ending = await startNetworkServers();
    const pending = probe(['HTTP', `http://127.0.0.1:${ending.port('hang')}/`], { runId: ending.runId });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await ending.kill();
    expect(await pending).toEqual(gone);
  });
});

describe('names in a hostile /etc/hosts', () => {
  const outside = join(directory, 'outside');
  writeFileSync(outside, '127.0.0.1 db\n');
  const unknown = "the host db is neither an IP address nor in the container's /etc/hosts";

  test.each<[name: string, make: (path: string) => void, exitCode: number, output: string]>([
    ['a file', (path) => writeFileSync(path, '127.0.0.1 db\n'), 0, 'connected to 127.0.0.1:PORT'],
    ['a link to a file of the host', (path) => symlinkSync(outside, path), -1, unknown],
    ['a link that climbs', (path) => symlinkSync(`../../../../../../..${outside}`, path), -1, unknown],
    ['a link to itself', (path) => symlinkSync('hosts', path), -1, unknown],
    ['a FIFO', (path) => makeFifo(path), -1, unknown],
    ['a directory', (path) => mkdirSync(path), -1, unknown],
    [
      'too much',
      (path) => writeFileSync(path, '127.0.0.1 db\n'.repeat(10_000)),
      -1,
      'the host db cannot be looked up: /etc/hosts of the container is larger than 65536 bytes',
    ],
  ])('%s', async (_, make, exitCode, output) => {
    const root = mkdtempSync(join(directory, 'root-'));
    mkdirSync(join(root, 'etc'));
    copyFileSync(execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim(), join(root, 'busybox'));
    make(join(root, 'etc/hosts'));
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const container = spawn('chroot', [root, '/busybox', 'sleep', '60'], { stdio: 'ignore' });
    try {
      const address = server.address();
      if (typeof address !== 'object' || address === null) throw new Error('no port');
      const pid = container.pid ?? 0;
      await until(() => readlinkSync(`/proc/${pid}/root`) === root, { withinMs: 5_000, everyMs: 5 });
      const runId = `${readBootId()}:${pid}:${readStat(pid)?.startTimeTicks}`;
      expect(await probe(['TCP', `db:${address.port}`], { runId })).toEqual({
        exitCode,
        output: output.replace('PORT', `${address.port}`),
      });
    } finally {
      container.kill('SIGKILL');
      server.close();
    }
  });
});

test('a process that cannot return from a namespace ends', async () => {
  const script = `
    import { openSync } from 'node:fs';
    import { openSocketIn } from ${JSON.stringify(new URL('../../src/system/netns.ts', import.meta.url).href)};
    let calls = 0;
    const libc = { func: (prototype) => () => (prototype.includes('setns') && ++calls === 2 ? -1 : 0), errno: () => 1 };
    openSocketIn(libc, openSync('/proc/self/ns/net', 'r'), 4);
    console.log('went on');
  `;
  const { stdout, signal } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });
  expect({ stdout, signal }).toEqual({ stdout: '', signal: 'SIGABRT' });
});

describe('cost', () => {
  test('an abort ends a probe at once', async () => {
    const abort = new AbortController();
    const { signal } = abort;
    const pending = outcomeOf(['HTTP', url('hang')], { signal });
    setTimeout(() => abort.abort(), 50);
    expect((await pending).outcome).toEqual({ kind: 'cancelled' });
    expect((await outcomeOf(['TCP', at('ok')], { signal })).outcome).toEqual({ kind: 'cancelled' });
  });

  test('500 probes at once all get an answer, and leave no descriptor', async () => {
    const openFiles = () => readdirSync('/proc/self/fd').length;
    await probe(['HTTP', url('ok')]);
    const before = openFiles();
    const pending = ['ok', 'huge-body', 'garbage', 'hang', 'endless-header'].flatMap((name) =>
      Array.from({ length: 100 }, () => probe(['HTTP', url(name)], { timeoutMs: name === 'hang' ? 1_000 : 120_000 })),
    );
    const results = await Promise.all(pending);
    expect(results.filter(({ exitCode }) => exitCode === 0)).toHaveLength(200);
    expect(results.filter(({ exitCode }) => exitCode === -1)).toHaveLength(100);
    await until(() => openFiles() <= before, { withinMs: 5_000, everyMs: 50 });
  });

  test('memory is limited whatever a server sends', async () => {
    const rssBefore = process.memoryUsage.rss();
    for (let round = 0; round < 10; round += 1) {
      const names = ['huge-body', 'endless-header', 'endless-line', 'garbage', 'endless-chunk-size'];
      await Promise.all(names.map((name) => probe(['HTTP', url(name)])));
      await probe(['GRPC', at('grpc-flood')]);
    }
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(150 * 2 ** 20);
  });
});
