import { spawnSync } from 'node:child_process';
import { get } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostIdOf } from '../../src/lib/dirs.ts';
import { freePort } from '../../testbed/free-port.ts';
import type { RunningProgram } from '../../testbed/program.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
let monitor: RunningProgram;
let port: number;
beforeAll(async () => {
  port = await freePort();
  bed = await openBed([
    ...['autostart = false', '[metrics]', `listen = "127.0.0.1:${port}"`],
    'container_labels = ["com.example.team"]',
  ]);
  image = await bed.image();
  monitor = bed.spawn(['daemon', 'run']);
  await until(async () => (await bed.cli(['daemon', 'status'])).code === 0, { withinMs: 15_000 });
});
afterAll(async () => {
  monitor.kill('SIGTERM');
  expect((await monitor.exited).code).toBe(0);
  await bed[Symbol.asyncDispose]();
});

function scrape(where: { readonly socketPath: string } | { readonly port: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ ...where, host: '127.0.0.1', path: '/metrics', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

const onSocket = () => scrape({ socketPath: join(bed.runRoot, hostIdOf(bed.address), '.daemon', 'api.sock') });

/** The value of the only sample of a metric with these labels; undefined if there is none. */
function valueIn(text: string, metric: string, ...labels: readonly string[]): number | undefined {
  const found = text
    .split('\n')
    .filter((line) => /^[a-z_]+/.exec(line)?.[0] === metric && labels.every((label) => line.includes(label)));
  expect(found.length).toBeLessThan(2);
  return found[0] === undefined ? undefined : Number(found[0].slice(found[0].lastIndexOf(' ') + 1));
}

async function untilValue(expected: number | undefined, metric: string, ...labels: readonly string[]): Promise<string> {
  return until(
    async () => {
      const text = await onSocket();
      return valueIn(text, metric, ...labels) === expected && text;
    },
    { withinMs: 30_000, everyMs: 300, what: `${metric} ${labels} ${expected}` },
  );
}

test('metrics of a container from its start to its end, and of another one with its name', async () => {
  const name = bed.name('web');
  const check = ['--health-cmd', 'test -e /ok', '--health-interval', '300ms', '--health-retries', '2'];
  const labels = ['--label', 'com.example.team=blue', '--label', 'secret=x'];
  const run = () =>
    bed.ok(['run', '-d', '--name', name, ...labels, ...check, image, 'sh', '-c', 'touch /ok; exec sleep 600']);
  const container = `container="${name}"`;
  const status = 'healthctl_container_health_status';
  await run();
  await untilValue(1, status, container, 'status="healthy"');
  await bed.ok(['exec', name, 'rm', '/ok']);
  const text = await untilValue(1, status, container, 'status="unhealthy"');
  expect(text).not.toContain('secret');
  expect(valueIn(text, status, container, 'status="healthy"')).toBe(0);
  expect(valueIn(text, 'healthctl_container_running', container, 'label_com_example_team="blue"')).toBe(1);
  expect(valueIn(text, 'healthctl_container_failing_streak', container)).toBeGreaterThanOrEqual(2);
  expect(valueIn(text, 'healthctl_container_checks_total', container, 'outcome="failure"')).toBeGreaterThanOrEqual(2);
  expect(valueIn(text, 'healthctl_container_check_interval_seconds', container)).toBe(0.3);
  const count = valueIn(text, 'healthctl_container_check_duration_seconds_count', container) ?? 0;
  expect(valueIn(text, 'healthctl_container_check_duration_seconds_bucket', container, 'le="+Inf"')).toBe(count);
  const sinceSeconds =
    Date.now() / 1_000 - (valueIn(text, 'healthctl_container_last_change_timestamp_seconds', container) ?? 0);
  expect(sinceSeconds).toBeGreaterThan(-1);
  expect(sinceSeconds).toBeLessThan(60);
  await bed.ok(['stop', '-t', '0', name]);
  expect(await untilValue(0, 'healthctl_container_running', container)).toContain(container);
  await bed.ok(['rm', '-f', name]);
  expect(await untilValue(undefined, 'healthctl_container_info', container)).not.toContain(container);
  await run();
  const again = await untilValue(1, status, container, 'status="healthy"');
  expect(valueIn(again, 'healthctl_container_checks_total', container, 'outcome="failure"')).toBeLessThan(2);
  await bed.ok(['rm', '-f', name]);
});

test('metrics of restarts, a timeout, a check that cannot start, and out of memory', async () => {
  const [sick, slow, odd, big] = [bed.name('sick'), bed.name('slow'), bed.name('odd'), bed.name('big')];
  const often = ['--health-interval', '300ms', '--health-retries', '1'];
  const run = (name: string, flags: readonly string[], ...command: readonly string[]) =>
    bed.ok(['run', '-d', '--name', name, ...flags, image, ...(command.length > 0 ? command : ['sleep', '600'])]);
  await Promise.all([
    run(sick, [...often, '--health-cmd', 'false', '--health-on-failure', 'restart', '--stop-timeout', '1']),
    run(slow, [...often, '--health-cmd', 'sleep 60', '--health-timeout', '200ms']),
    run(odd, [...often, '--health-cmd', '["/nonexistent"]']),
  ]);
  await run(big, ['-m', '16m'], 'sh', '-c', 'tail /dev/zero; sleep 600');
  const since = async (metric: string, ...labels: readonly string[]) =>
    until(async () => (valueIn(await onSocket(), metric, ...labels) ?? 0) > 0, {
      withinMs: 60_000,
      everyMs: 300,
      what: `${labels}`,
    });
  await since('healthctl_container_restarts_total', `container="${sick}"`);
  await since('healthctl_container_checks_total', `container="${slow}"`, 'outcome="timeout"');
  await since('healthctl_container_checks_total', `container="${odd}"`, 'outcome="error"');
  await since('healthctl_container_oom_kills_total', `container="${big}"`);
  await bed.ok(['rm', '-f', sick, slow, odd, big]);
});

test('the port serves the same as the socket, and promtool accepts it', async () => {
  const [text, other] = [await scrape({ port }), await onSocket()];
  const namesIn = (from: string) => from.split('\n').filter((line) => line.startsWith('# TYPE '));
  expect(namesIn(text)).toEqual(namesIn(other));
  expect(valueIn(text, 'healthctl_monitor_containerd_up')).toBe(1);
  expect(valueIn(text, 'healthctl_monitor_containerd_connections_total')).toBe(1);
  expect(valueIn(text, 'process_resident_memory_bytes')).toBeGreaterThan(10e6);
  const { error, stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  if (!error) expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 });
});
