import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { freePort } from '../../testbed/free-port.ts';
import { openBed, until } from '../e2e/support/harness.ts';

// A real OpenTelemetry collector (testbed/collector, built with Go) receives the data of a real monitor.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let collector: string | undefined;
beforeAll(async () => {
  const found = await promisify(execFile)(process.execPath, ['scripts/peers.mjs', 'collector'], { cwd: ROOT }).catch(
    (error: { readonly stderr?: string }) => console.log(`skipped: no collector could be built: ${error.stderr}`),
  );
  collector = found?.stdout.trim();
});

async function startCollector(program: string) {
  const port = await freePort();
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: { debug: { verbosity: 'detailed' } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: Object.fromEntries(
        ['metrics', 'logs'].map((signal) => [signal, { receivers: ['otlp'], exporters: ['debug'] }]),
      ),
    },
  };
  // JSON is YAML.
  const child = spawn(program, ['--config', `yaml:${JSON.stringify(config)}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await Promise.race([
    until(() => text.includes('Everything is ready'), { withinMs: 60_000, what: 'the collector' }),
    ended.then(() => expect.fail(text)),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    text: () => text,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

test.each(['http/protobuf', 'http/json'])('metrics and events by %s', async (protocol) => {
  if (collector === undefined) return;
  await using receiver = await startCollector(collector);
  await using bed = await openBed();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    OTEL_BLRP_SCHEDULE_DELAY: '500',
  };
  const monitor = bed.spawn(['daemon', 'run'], { env });
  await until(async () => (await bed.cli(['daemon', 'status'])).code === 0, { withinMs: 15_000 });
  const image = await bed.image();
  const check = ['--health-cmd', 'echo broken; exit 1', '--health-interval', '500ms', '--health-retries', '1'];
  await bed.ok(['run', '-d', '--name', 'web', ...check, image, 'sleep', '600']);
  const has = (pattern: RegExp) => until(() => pattern.test(receiver.text()), { withinMs: 60_000, what: `${pattern}` });
  await has(/service\.name: Str\(healthctl\)/s);
  await has(/deployment\.environment\.name: Str\(test\)/s);
  await has(
    /Name: healthctl\.container\.check_duration\n.*?Unit: s\n.*?container: Str\(web\)\n.*?ExplicitBounds #0: 0\.005/s,
  );
  await has(/Name: healthctl\.container\.checks\n.*?IsMonotonic: true/s);
  await has(/container: Str\(web\)\n.*?status: Str\(unhealthy\)\n(?:StartTimestamp|Timestamp).*?Value: 1\.0/s);
  await has(/Name: healthctl\.build_info/s);
  await has(/EventName: healthctl\.container\.unhealthy.*?Body: Str\(web is unhealthy\)/s);
  await has(/healthctl\.output: Str\(broken\n/s);
  monitor.kill('SIGTERM');
  const { code, stderr } = await monitor.exited;
  expect({ code, isTold: stderr.includes('OpenTelemetry') }).toEqual({ code: 0, isTold: false });
});

test('a monitor whose receiver does not answer reports it once, continues its checks, and ends in time', async () => {
  await using bed = await openBed();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  };
  const monitor = bed.spawn(['daemon', 'run'], { env });
  await until(async () => (await bed.cli(['daemon', 'status'])).code === 0, { withinMs: 15_000 });
  const image = await bed.image();
  await bed.ok([
    'run',
    '-d',
    '--name',
    'web',
    '--health-cmd',
    'true',
    '--health-interval',
    '500ms',
    image,
    'sleep',
    '600',
  ]);
  await bed.ok(['wait', '--condition', 'healthy', 'web']);
  await until(() => monitor.stderr().includes('OpenTelemetry: metrics are not sent'), { withinMs: 60_000 });
  const beganMs = performance.now();
  monitor.kill('SIGTERM');
  expect((await monitor.exited).code).toBe(0);
  expect(performance.now() - beganMs).toBeLessThan(30_000);
});
