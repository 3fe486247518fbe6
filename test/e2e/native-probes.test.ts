import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AUTHORITY } from '../../testbed/certificates.ts';
import { startProgram } from '../../testbed/program.ts';
import { startTlsServers } from '../../testbed/tls-servers.ts';
import { type Bed, openBed, until } from './support/harness.ts';

// An image without a shell, with HTTP, TCP and gRPC checks: by the command line, then by the monitor.

const SERVERS = fileURLToPath(new URL('../../testbed/network-servers.mjs', import.meta.url));
const HTTPD = ['busybox', 'httpd', '-f', '-p', '8080', '-h', '/www'];

interface Document {
  readonly Config: { readonly Healthcheck: { readonly Test: string[] } };
  readonly State: {
    readonly Pid: number;
    readonly Health: { readonly Status: string; readonly Log: readonly { ExitCode: number; Output: string }[] };
  };
}

let bed: Bed;
let image: string;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image({}, { shell: false, files: { 'www/healthz': 'all is well\n' } });
});
afterAll(() => bed[Symbol.asyncDispose]());

async function run(flags: readonly string[], command = HTTPD): Promise<string> {
  const name = bed.name('n');
  await bed.ok(['run', '-d', '--name', name, ...flags, image, ...command]);
  return name;
}

async function inspect(name: string): Promise<Document> {
  const [document] = JSON.parse(await bed.ok(['inspect', name])) as Document[];
  if (!document) throw new Error(`no document for ${name}`);
  return document;
}

/** The last result after a check by hand, as `status code output`. */
async function check(name: string): Promise<string> {
  await bed.ok(['container', 'healthcheck', name]);
  const { Status: status, Log: log } = (await inspect(name)).State.Health;
  return `${status} ${log.at(-1)?.ExitCode} ${log.at(-1)?.Output}`;
}

describe('an image without a shell', () => {
  test('http check', async () => {
    const name = await run(['--health-http', 'http://localhost:8080/healthz', '--health-retries', '1']);
    await until(async () => (await check(name)) === 'healthy 0 HTTP 200 OK: all is well\n', { withinMs: 10_000 });
    const before = await bed.traces();
    await check(name);
    await bed.expectNothingLeft(before);
    const { Config: config } = await inspect(name);
    expect(config.Healthcheck.Test).toEqual(['HTTP', 'http://localhost:8080/healthz']);
    const lost = await run(['--health-http', 'http://localhost:8080/lost', '--health-retries', '1']);
    await until(async () => (await check(lost)).startsWith('unhealthy 1 HTTP 404 Not Found'), { withinMs: 10_000 });
  });

  test('tcp check', async () => {
    const name = await run(['--health-tcp', '127.0.0.1:8080']);
    await until(async () => (await check(name)) === 'healthy 0 connected to 127.0.0.1:8080', { withinMs: 10_000 });
    const closed = await run(['--health-tcp', 'localhost:9', '--health-retries', '1'], ['sleep', '600']);
    expect(await check(closed)).toMatch(/^unhealthy 1 connect 127\.0\.0\.1:9: connection refused; connect \[::1\]:9: /);
  });

  test('grpc check, of a server that shares the network', async () => {
    const name = await run(['--health-grpc', 'localhost:50051/my.Service'], ['sleep', '600']);
    const { Pid: pid } = (await inspect(name)).State;
    const servers = startProgram(['nsenter', '-t', `${pid}`, '-n', process.execPath, SERVERS], {
      env: { PATH: process.env.PATH ?? '', GRPC_PORT: '50051' },
    });
    try {
      await servers.prints(/\}\n/);
      expect(await check(name)).toBe('healthy 0 SERVING');
    } finally {
      servers.kill('SIGKILL');
      await servers.exited;
    }
    expect(await check(name)).toMatch(/^healthy 1 connect 127\.0\.0\.1:50051: connection refused/);
  });

  test('https and gRPC over TLS with the name in the certificate, which is stored with the check', async () => {
    await using servers = await startTlsServers();
    const ca = join(bed.directory, 'ca.pem');
    writeFileSync(ca, `# an authority\n${AUTHORITY}`);
    const flags = [
      '--network',
      'host',
      '--health-retries',
      '1',
      '--health-http',
      `https://localhost:${servers.port('named')}/`,
    ];
    const header = ['--health-http-header', 'Host: app.example.org'];
    const name = await run([...flags, ...header, '--health-http-ca', ca], ['sleep', '600']);
    expect(await check(name)).toBe('healthy 0 HTTP 200 OK: ok');
    expect((await inspect(name)).Config.Healthcheck.Test).toEqual([
      ...['HTTP', `https://localhost:${servers.port('named')}/`, 'header=Host: app.example.org', `ca=${AUTHORITY}`],
    ]);
    const authority = ['--health-grpc-tls', '--health-grpc-ca', ca, '--health-grpc-authority', 'app.example.org'];
    await bed.ok(['update', '--health-grpc', `localhost:${servers.port('grpcs')}`, ...authority, name]);
    rmSync(ca);
    expect(await check(name)).toBe('healthy 0 SERVING');
    await bed.ok(['update', '--health-grpc', `localhost:${servers.port('grpcs')}`, name]);
    expect(await check(name)).toBe('unhealthy 1 gRPC: the server speaks TLS, and was asked without it');
  });

  test('update adds one to a running container', async () => {
    const name = await run(['--health-tcp', 'localhost:9', '--health-retries', '1']);
    expect(await check(name)).toMatch(/^unhealthy 1 /);
    await bed.ok(['update', '--health-http', 'http://localhost:8080/healthz', name]);
    expect((await inspect(name)).State.Health.Status).toBe('starting');
    await until(async () => (await check(name)) === 'healthy 0 HTTP 200 OK: all is well\n');
    expect((await inspect(name)).Config.Healthcheck.Test[0]).toBe('HTTP');
  });

  test('the monitor makes them, and a stop is no failure', async () => {
    const monitor = bed.spawn(['daemon', 'run']);
    const name = await run(['--health-http', 'http://localhost:8080/healthz', '--health-interval', '200ms']);
    await until(async () => (await inspect(name)).State.Health.Status === 'healthy', { withinMs: 20_000 });
    await bed.ok(['kill', name]);
    const { Log: log } = (await inspect(name)).State.Health;
    expect(log.map(({ ExitCode: code }) => code)).toEqual(log.map(() => 0));
    monitor.kill('SIGTERM');
    expect((await monitor.exited).code).toBe(0);
  });
});
