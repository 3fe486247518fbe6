import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/containerd/client.ts';
import { eventLogDir, openEventLog } from '../../src/events/event-log.ts';
import { publishHealthStatus } from '../../src/events/own-events.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { RunningProgram } from '../../testbed/program.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
  await bed.image();
});
afterAll(() => bed[Symbol.asyncDispose]());

/** Publishes a change of health, as a check of healthctl does. */
async function publishHealth(id: string, status: 'healthy' | 'unhealthy'): Promise<void> {
  const { events, close } = connect(bed);
  try {
    await publishHealthStatus(events, silentLogger, { id, status, failingStreak: status === 'healthy' ? 0 : 1 });
  } finally {
    close();
  }
}

/**
 * Starts `healthctl events ARGS` and waits until its subscription is live: then it shows the events of the container
 * `probe`.
 */
async function listen(...args: readonly string[]): Promise<RunningProgram> {
  const running = bed.spawn(['events', ...args]);
  await until(async () => {
    await publishHealth('probe', 'healthy');
    return running.stdout().includes('probe');
  });
  return running;
}

const linesOf = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line !== '' && !/probe/.test(line));

async function endOf(running: RunningProgram) {
  running.kill('SIGINT');
  return running.exited;
}

test("shows the life of a container with Docker's events, in Docker's order", async () => {
  const image = await bed.image();
  const events = await listen('--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}');
  const name = bed.name();
  const id = await bed.ok(['create', '--name', name, '--stop-timeout', '0', image, 'sleep', '600']);
  await bed.ok(['start', name]);
  await bed.ok(['pause', name]);
  await bed.ok(['unpause', name]);
  await bed.cli(['exec', name, 'sh', '-c', 'exit 3']);
  await publishHealth(id, 'unhealthy');
  await bed.ok(['stop', name]);
  await bed.ok(['start', name]);
  await bed.ok(['restart', '-t', '0', name]);
  await bed.ok(['kill', name]);
  await bed.ok(['rm', '-f', name]);
  await events.prints(`container destroy ${name}`);
  const { code, stdout, stderr } = await endOf(events);
  const actions = [
    ...['create', 'start', 'pause', 'unpause', 'exec_create', 'exec_start', 'exec_die', 'health_status: unhealthy'],
    // The time to stop is 0: SIGTERM, which sleep as the first process ignores, and SIGKILL.
    ...['kill', 'kill', 'die', 'stop', 'start'],
    ...['kill', 'kill', 'die', 'stop', 'start', 'restart'],
    ...['kill', 'die', 'destroy'],
  ];
  expect(linesOf(stdout)).toEqual(actions.map((action) => `container ${action} ${name}`));
  expect([code, stderr]).toEqual([130, '']);
});

test('prints an event as a line and as JSON', async () => {
  const image = await bed.image();
  const lines = await listen();
  const documents = await listen('--format', 'json');
  const name = bed.name();
  const id = await bed.ok(['run', '-d', '--name', name, '--label', 'tier=front', image, 'sh', '-c', 'exit 4']);
  await lines.prints(`container die ${id}`);
  await documents.prints('"die"');
  await bed.ok(['rm', name]);
  await lines.prints(`container destroy ${id}`);
  const shown = linesOf((await endOf(lines)).stdout);
  const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d)`;
  expect(shown[0]).toMatch(
    new RegExp(`^${time} container create ${id} \\(image=${image}, name=${name}, tier=front\\)$`),
  );
  expect(shown[2]).toMatch(
    new RegExp(
      `^${time} container die ${id} \\(execDuration=\\d+, exitCode=4, image=${image}, name=${name}, tier=front\\)$`,
    ),
  );
  const die = linesOf((await endOf(documents)).stdout).map((line) => JSON.parse(line))[2];
  expect(die).toEqual({
    ...{ status: 'die', id, from: image, Type: 'container', Action: 'die', scope: 'local' },
    Actor: {
      ID: id,
      Attributes: { image, name, tier: 'front', exitCode: '4', execDuration: expect.stringMatching(/^\d+$/) },
    },
    ...{ time: expect.any(Number), timeNano: expect.any(Number) },
  });
});

test('shows events of images', async () => {
  const events = await listen(
    '--filter',
    'type=image',
    '--filter',
    'type=container',
    '--format',
    '{{.Action}} {{.ID}}',
  );
  const image = await bed.image({ Labels: { 'test.of': 'events' } });
  await bed.ok(['rmi', image]);
  const familiar = image.replace('docker.io/', '');
  await events.prints('delete ');
  const id = expect.stringMatching(/^(load|delete) sha256:[0-9a-f]{64}$/);
  expect(linesOf((await endOf(events)).stdout)).toEqual([`tag ${familiar}`, id, `untag ${familiar}`, id]);
});

test('applies filters, and ends at a time in the future', async () => {
  const image = await bed.image();
  const name = bed.name();
  const id = await bed.ok(['create', '--name', name, '--label', 'hk=1', image, 'true']);
  const args = ['--until=-10s', '--format', '{{.Action}} {{.Actor.Attributes.name}}'];
  const all = ['event=health_status', 'type=container', `container=${name}`, 'label=hk'];
  const events = bed.spawn(['events', ...args, ...all.flatMap((filter) => ['--filter', filter])]);
  await until(async () => {
    await publishHealth('probe', 'healthy');
    await publishHealth(id, 'unhealthy');
    return events.stdout() !== '';
  });
  await bed.ok(['start', name]);
  const { code, stdout } = await events.exited;
  expect([...new Set(linesOf(stdout))]).toEqual([`health_status: unhealthy ${name}`]);
  expect(stdout).not.toContain('probe');
  expect(code).toBe(0);
});

test('warns without a monitor that past events are unknown', async () => {
  const result = await bed.cli(['events', '--since', '10m', '--until', '0s']);
  expect(result).toMatchObject({ code: 0, stdout: '' });
  expect(result.stderr).toMatch(/^WARNING: no events are known between \S+ and \S+: no monitor recorded them\n$/);
});

test('shows the events that an earlier monitor recorded, and those that happen now', async () => {
  const dir = eventLogDir({ runRoot: bed.runRoot, address: bed.address });
  const log = openEventLog({ dir, clock: systemClock, log: silentLogger });
  const event = { type: 'container', action: 'start', id: 'c9', namespace: bed.namespace } as const;
  const kept = { ...event, atMs: Date.now(), attributes: { name: 'kept' } };
  log.append(kept);
  log.append({ ...kept, namespace: 'another' });
  log.close();
  const events = await listen('--since', '1m', '--format', '{{.Action}} {{.Actor.Attributes.name}}');
  const { stdout, stderr } = await endOf(events);
  expect(linesOf(stdout)).toEqual(['start kept']);
  expect(stderr).toMatch(/^WARNING: no events are known between .*, nor between .*: no monitor recorded them\n$/);
});

test.each([
  [['--filter', 'colour=red'], 1, "invalid filter 'colour'"],
  [['--since', 'yesterday'], 1, 'failed to parse value as time or duration: "yesterday"'],
  [['--since', '5', '--until', '4'], 1, '`since` time (5) cannot be after `until` time (4)'],
  [['--format', '{{.Nope}}'], 64, "can't evaluate field Nope in type *events.Message"],
])('refuses %j', async (args, code, text) => {
  const result = await bed.cli(['events', ...args]);
  expect([result.code, result.stdout]).toEqual([code, '']);
  expect(result.stderr).toContain(text);
});

test('shows the end of each image that a prune removes', async () => {
  for (const name of ['first', 'second']) await bed.image({ Labels: { name } });
  const events = await listen('--filter', 'event=delete', '--filter', 'event=health_status', '--format', '{{json .}}');
  const removed = await bed.ok(['image', 'prune', '--all', '--force', '--filter', 'label=name']);
  const deleted = [...removed.matchAll(/^deleted: (sha256:\S+)$/gm)].map(([, id]) => id);
  const ids = async () => linesOf(events.stdout()).map((line) => JSON.parse(line).Actor.ID);
  await until(async () => (await ids()).length === 2);
  expect(deleted).toEqual(expect.arrayContaining(await ids()));
  await endOf(events);
});
