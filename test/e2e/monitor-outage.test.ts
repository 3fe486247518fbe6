import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, makeGenericClientConstructor, type ServiceDefinition, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
} from '../../src/containerd/gen/grpc/health.ts';
import { hostIdOf } from '../../src/lib/dirs.ts';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { type PrivateContainerd, startContainerd, testbedEnvironment } from '../../testbed/private-containerd.ts';
import { type RunningProgram, runProgram, startProgram } from '../../testbed/program.ts';
import { HEALTHCTL, until } from './support/harness.ts';

// Its own containerd, which is stopped and started under the monitor.

let containerd: PrivateContainerd;
let monitor: RunningProgram;
let env: Record<string, string>;
let flags: readonly string[];
const namespace = `outage-${process.pid}`;
const image = 'docker.io/test/outage:1';

const cli = (...args: string[]) => runProgram([HEALTHCTL, ...flags, ...args], { env });
const ok = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await cli(...args);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return stdout.trim();
};
const health = (name: string) => ok('inspect', '--format', '{{.State.Health.Status}} {{len .State.Health.Log}}', name);
const lastCheck = (name: string) =>
  ok('inspect', '--format', '{{range .State.Health.Log}}{{json .Start}} {{end}}', name).then(
    (starts) => starts.split(' ').at(-1) ?? '',
  );

beforeAll(async () => {
  containerd = await startContainerd();
  const { directory, address } = containerd;
  const HEALTHCTL_TOML = join(directory, 'healthctl.toml');
  mkdirSync(join(directory, 'tmp'), { recursive: true });
  writeFileSync(join(directory, 'namespaces', namespace), '');
  writeFileSync(HEALTHCTL_TOML, `watch_namespaces = ["${namespace}"]\nnetwork = "none"\n`);
  env = { ...testbedEnvironment(directory), HEALTHCTL_TOML };
  flags = ['--address', address, '--namespace', namespace, '--run-root', join(directory, 'run')];
  flags = [...flags, '--data-root', join(directory, 'data')];
  const archive = join(directory, 'image.tar');
  writeFileSync(archive, await dockerArchive({ name: image, config: {} }));
  await ok('load', '-q', '-i', archive);
  monitor = startProgram([HEALTHCTL, ...flags, 'daemon', 'run', '--log-format', 'text'], { env });
  await until(async () => (await cli('daemon', 'status')).code === 0, { withinMs: 15_000 });
});
afterAll(async () => {
  monitor.kill('SIGTERM');
  const { code, stderr } = await monitor.exited;
  await containerd.stop();
  expect([code, stderr.split('\n').filter((line) => line.includes('lost containerd')).length]).toEqual([0, 1]);
});

const check = ['--health-cmd', 'true', '--health-interval', '300ms'];

test('after a restart of containerd, reported once, checks of running containers continue, and missed ends are known', async () => {
  await ok('run', '-d', '--name', 'stays', ...check, image, 'sleep', '600');
  await ok('run', '-d', '--name', 'ends', ...check, image, 'sleep', '600');
  await until(async () => (await health('stays')).startsWith('healthy'), { withinMs: 15_000 });
  const pid = Number(await ok('inspect', '--format', '{{.State.Pid}}', 'ends'));
  const before = await lastCheck('stays');
  await containerd.restart(async () => {
    process.kill(pid, 'SIGKILL');
    const { code, stderr } = await cli('ps');
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot connect to containerd')]);
  });
  await until(async () => (await lastCheck('stays')) > before, { withinMs: 20_000 });
  expect(await health('stays')).toMatch(/^healthy/);
  expect(await ok('ps', '-a', '--format', '{{.Names}} {{.State}}', '--filter', 'name=ends')).toBe('ends exited');
  await ok('rm', '-f', 'ends');
});

test('serves the gRPC health protocol on its socket', async () => {
  const service: ServiceDefinition = {
    Check: {
      path: '/grpc.health.v1.Health/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: (value: HealthCheckRequest) => Buffer.from(HealthCheckRequest.encode(value).finish()),
      requestDeserialize: (bytes: Buffer) => HealthCheckRequest.decode(bytes),
      responseSerialize: (value: HealthCheckResponse) => Buffer.from(HealthCheckResponse.encode(value).finish()),
      responseDeserialize: (bytes: Buffer) => HealthCheckResponse.decode(bytes),
    },
  };
  const path = join(containerd.directory, 'run', hostIdOf(containerd.address), '.daemon', 'grpc.sock');
  const Client = makeGenericClientConstructor(service, 'Health');
  const client = new Client(`unix://${path}`, credentials.createInsecure());
  const ask = (name: string): Promise<HealthCheckResponse | number> =>
    new Promise((resolve) => {
      const call = client.Check as (
        request: HealthCheckRequest,
        done: (error: ServiceError | null, value: HealthCheckResponse) => void,
      ) => void;
      call.call(client, { service: name }, (error, value) => resolve(error ? error.code : value));
    });
  try {
    await until(async () => (await health('stays')).startsWith('healthy'), { withinMs: 15_000 });
    expect(await ask('')).toEqual({ status: Status.SERVING });
    expect(await ask(`${namespace}/stays`)).toEqual({ status: Status.SERVING });
    expect(await ask(`${namespace}/nope`)).toBe(5);
    await ok('stop', '-t', '0', 'stays');
    expect(await ask(`${namespace}/stays`)).toEqual({ status: Status.NOT_SERVING });
  } finally {
    client.close();
  }
});
