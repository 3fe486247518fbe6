import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { composeProgram } from '../../testbed/debian-program.ts';
import { NOT_JUDGED } from '../../testbed/not-judged.ts';
import { type PrivateContainerd, startContainerd } from '../../testbed/private-containerd.ts';
import type { ProgramResult } from '../../testbed/program.ts';
import { type ComposeStack, openComposeStack } from '../e2e/support/compose-stack.ts';
import { until } from '../e2e/support/harness.ts';

// The monitor is killed, or containerd restarted, in the middle of `compose up --wait`. Compose goes on or says why not; a
// second `up --wait` succeeds; nothing is lost and nothing left.

/** Each service becomes ready by a file that the test makes, so that the moments of the outage are certain. */
const fileOf = (image: string): string => `name: gates
x-base: &base
  image: ${image}
  command: sleep 1000
  stop_grace_period: 0s
  restart: unless-stopped
  volumes: ["gate:/gate"]
services:
  db: {<<: *base, healthcheck: {test: test -e /gate/db, interval: 200ms, retries: 1000}}
  app:
    <<: *base
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: test -e /gate/app, interval: 200ms, retries: 1000}
  web:
    <<: *base
    depends_on: {app: {condition: service_healthy}}
    healthcheck: {test: test -e /gate/web, interval: 200ms, retries: 1000}
    ports: ["127.0.0.1:8080:80"]
volumes: {gate: {}}
`;

let compose: Awaited<ReturnType<typeof composeProgram>>;
let containerd: PrivateContainerd;
let stack: ComposeStack;
let before: Readonly<Record<string, readonly string[]>>;
beforeAll(async () => {
  compose = await composeProgram();
  containerd = await startContainerd();
  if ('missing' in compose) return;
  stack = await openComposeStack({ compose: compose.path, project: 'gates', containerd });
  const image = await stack.bed.image();
  writeFileSync(join(stack.directory, 'compose.yaml'), fileOf(image));
  // What the first container makes for all that follow.
  await stack.host.ok('run', '--rm', '--network', 'bridge', '-p', '127.0.0.1:18999:80', '-v', '/data', image, 'true');
  before = await withoutSockets();
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await containerd.stop();
});

/** Another process has other sockets, and another pid in its files. */
async function withoutSockets(): Promise<Readonly<Record<string, readonly string[]>>> {
  const { monitorSockets: _, ...rest } = await stack.remains();
  return rest;
}

/** Makes services healthy. */
async function open(...services: readonly string[]): Promise<void> {
  const inspect = () => stack.host.cli('volume', 'inspect', '-f', '{{.Mountpoint}}', 'gates_gate');
  const directory = await until(async () => (await inspect()).stdout.trim(), { withinMs: 30_000 });
  for (const service of services) writeFileSync(join(directory, service), '');
}

async function killMonitor(): Promise<void> {
  const { monitor } = stack.engine();
  monitor.kill('SIGKILL');
  await monitor.exited;
  await stack.startMonitor();
}

type Seen = Awaited<ReturnType<ComposeStack['containers']>>;

/** When the outage happens, by what is there. */
const MOMENTS: readonly [string, (seen: Seen) => boolean][] = [
  ['while containers are created', (seen) => seen.size > 0],
  ['while it waits for the first', (seen) => seen.get('db-1')?.status === 'running'],
  ['while it waits for the second', (seen) => seen.get('app-1')?.status === 'running'],
];

const OUTAGES: readonly [string, () => Promise<void>][] = [
  ['a killed monitor', killMonitor],
  ['a restart of containerd', () => containerd.restart(async () => undefined)],
];

describe.each(OUTAGES)('%s in the middle of up --wait', (_, outage) => {
  test.for(MOMENTS)('%s', async ([moment, isNow], context) => {
    if ('missing' in compose) return context.skip(`${NOT_JUDGED}: ${compose.missing}`);
    const first = stack.start(['up', '-d', '--wait']);
    if (moment.endsWith('second')) await open('db');
    await until(async () => isNow(await stack.containers()), { everyMs: 10, withinMs: 30_000, what: moment });
    await outage();
    await open('db', 'app', 'web');
    isClear(await first.exited);
    const ids = [...(await stack.containers()).values()].map(({ id }) => id);
    await stack.ok(['up', '-d', '--wait']);
    const after = await stack.containers();
    expect([...after].map(([name, { status, health }]) => `${name} ${status} ${health}`)).toEqual(
      ['app-1', 'db-1', 'web-1'].map((name) => `${name} running healthy`),
    );
    expect([...after.values()].map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    await stack.ok(['down', '-v']);
    const isAsBefore = async () => JSON.stringify(await withoutSockets()) === JSON.stringify(before);
    await until(isAsBefore, { withinMs: 15_000, everyMs: 500 }).catch(() => undefined);
    expect(await withoutSockets()).toEqual(before);
  });
});

/** It succeeded, or said in one of these ways that there was nobody to answer. */
function isClear({ code, stdout, stderr }: ProgramResult): void {
  console.log(`exit ${code}: ${stderr.trimEnd().split('\n').at(-1)}`);
  if (code === 0) return;
  expect(`${stdout}${stderr}`).toMatch(/Cannot connect to the Docker daemon|EOF|connection reset|containerd/);
}
