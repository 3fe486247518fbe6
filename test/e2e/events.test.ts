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

/** Tells that a container became healthy or not, as a check of healthctl does. */
async function tellHealth(id: string, status: 'healthy' | 'unhealthy'): Promise<void> {
  const { events, close } = connect(bed);
  try {
    await publishHealthStatus(events, silentLogger, { id, status, failingStreak: status === 'healthy' ? 0 : 1 });
  } finally {
    close();
  }
}

/** `healthctl events ARGS`, when it is sure to hear what happens. What it hears of the container `probe` tells so. */
async function listen(...args: readonly string[]): Promise<RunningProgram> {
  const running = bed.spawn(['events', ...args]);
  await until(async () => {
    await tellHealth('probe', 'healthy');
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

test('the life of a container, in Docker’s words and order', async () => {
  const image = await bed.image();
  const events = await listen('--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}');
  const name = bed.name();
  const id = await bed.ok(['create', '--name', name, '--stop-timeout', '0', image, 'sleep', '600']);
  await bed.ok(['start', name]);
  await bed.ok(['pause', name]);
  await bed.ok(['unpause', name]);
  await bed.cli(['exec', name, 'sh', '-c', 'exit 3']);
  await tellHealth(id, 'unhealthy');
  await bed.ok(['stop', name]);
  await bed.ok(['start', name]);
  await bed.ok(['restart', '-t', '0', name]);
  await bed.ok(['kill', name]);
  await bed.ok(['rm', '-f', name]);
  await events.prints(`container destroy ${name}`);
  const { code, stdout, stderr } = await endOf(events);
  const actions = [
    ...['create', 'start', 'pause', 'unpause', 'exec_create', 'exec_start', 'exec_die', 'health_status: unhealthy'],
    // The time to stop in is none: SIGTERM, which sleep as the first process does not heed, and SIGKILL.
    ...['kill', 'kill', 'die', 'stop', 'start'],
    ...['kill', 'kill', 'die', 'stop', 'start', 'restart'],
    ...['kill', 'die', 'destroy'],
  ];
  expect(linesOf(stdout)).toEqual(actions.map((action) => `container ${action} ${name}`));
  expect([code, stderr]).toEqual([130, '']);
});

test('what an event says, as a line and as JSON', async () => {
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

test('images come and go', async () => {
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
  await events.prints(`untag ${familiar}`);
  expect(linesOf((await endOf(events)).stdout)).toEqual([`tag ${familiar}`, `untag ${familiar}`]);
});

test('filters, and an end in the future', async () => {
  const image = await bed.image();
  const name = bed.name();
  const id = await bed.ok(['create', '--name', name, '--label', 'hk=1', image, 'true']);
  const args = ['--until=-10s', '--format', '{{.Action}} {{.Actor.Attributes.name}}'];
  const all = ['event=health_status', 'type=container', `container=${name}`, 'label=hk'];
  const events = bed.spawn(['events', ...args, ...all.flatMap((filter) => ['--filter', filter])]);
  await until(async () => {
    await tellHealth('probe', 'healthy');
    await tellHealth(id, 'unhealthy');
    return events.stdout() !== '';
  });
  await bed.ok(['start', name]);
  const { code, stdout } = await events.exited;
  expect([...new Set(linesOf(stdout))]).toEqual([`health_status: unhealthy ${name}`]);
  expect(stdout).not.toContain('probe');
  expect(code).toBe(0);
});

test('without a monitor the past is not known, and that is said', async () => {
  const result = await bed.cli(['events', '--since', '10m', '--until', '0s']);
  expect(result).toMatchObject({ code: 0, stdout: '' });
  expect(result.stderr).toMatch(/^WARNING: no events are known between \S+ and \S+: no monitor recorded them\n$/);
});

test('what an earlier monitor kept is shown, up to what happens now', async () => {
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
])('%j is refused', async (args, code, text) => {
  const result = await bed.cli(['events', ...args]);
  expect([result.code, result.stdout]).toEqual([code, '']);
  expect(result.stderr).toContain(text);
});
