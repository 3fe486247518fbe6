import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostIdOf } from '../../src/lib/dirs.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
beforeAll(async () => {
  bed = await openBed(['autostart = true']);
  image = await bed.image();
});
afterAll(() => bed[Symbol.asyncDispose]());

interface Inspected {
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Restarting: boolean;
    readonly ExitCode: number;
    readonly Pid: number;
    readonly StartedAt: string;
    readonly RestartReason?: string;
    readonly Health?: {
      readonly Status: string;
      readonly FailingStreak: number;
      readonly Log: readonly { readonly ExitCode: number }[];
    };
  };
  readonly HostConfig: { readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number } };
  readonly Config: { readonly Healthcheck?: { readonly Test: readonly string[]; readonly OnFailure?: string } };
}
const inspect = async (name: string): Promise<Inspected> => JSON.parse(await bed.ok(['inspect', name]))[0];
const untilSeen = (name: string, what: (seen: Inspected) => boolean) =>
  until(async () => what(await inspect(name)), { withinMs: 20_000 });

/** A container that is unhealthy while /broken exists. A restart removes it, because it is on a tmpfs. */
async function runFragile(...flags: string[]): Promise<string> {
  const name = bed.name('fragile');
  const check = [
    '--health-cmd',
    'test ! -e /dev/shm/broken || { echo it broke; exit 1; }',
    '--health-interval',
    '200ms',
  ];
  await bed.ok(['run', '-d', '--name', name, '--health-retries', '1', ...check, ...flags, image, 'sleep', '600']);
  await untilSeen(name, ({ State }) => State.Health?.Status === 'healthy');
  return name;
}
const breakIt = (name: string) => bed.ok(['exec', name, 'touch', '/dev/shm/broken']);

// Concurrent, because these tests mostly wait.
describe.concurrent('--health-on-failure', () => {
  test('restart: the container runs again, is healthy, and its restart is counted and published', async () => {
    const since = `${Date.now() / 1000}`;
    const name = await runFragile('--health-on-failure', 'restart', '--stop-timeout', '1');
    const before = await inspect(name);
    expect([before.RestartCount, before.Config.Healthcheck?.OnFailure]).toEqual([0, 'restart']);
    await breakIt(name);
    await untilSeen(name, ({ RestartCount, State }) => RestartCount === 1 && State.Health?.Status === 'healthy');
    const { State } = await inspect(name);
    expect([State.Status, State.RestartReason]).toEqual(['running', 'unhealthy: it broke']);
    expect(State.StartedAt > before.State.StartedAt).toBe(true);
    const events = await bed.ok([
      'events',
      '--since',
      since,
      '--until',
      `${Date.now() / 1000}`,
      '--filter',
      `container=${name}`,
    ]);
    expect(events).toContain('health_status: unhealthy');
    expect(events).toMatch(/health_action: restart .*reason=unhealthy: it broke/);
    const acted = ['--filter', `container=${name}`, '--filter', 'event=health_action', '--format', '{{.Action}}'];
    expect(await bed.ok(['events', '--since', since, '--until', `${Date.now() / 1000}`, ...acted])).toBe(
      'health_action: restart',
    );
    await bed.ok(['rm', '-f', name]);
  });

  test('stop: the container stays stopped, whatever its restart policy', async () => {
    const name = await runFragile('--health-on-failure', 'stop', '--restart', 'always', '--stop-timeout', '1');
    await breakIt(name);
    await untilSeen(name, ({ State }) => State.Status === 'exited');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await inspect(name)).toMatchObject({ RestartCount: 0, State: { Status: 'exited' } });
    await bed.ok(['rm', name]);
  });

  test('kill: the container ends with 137, and its restart policy decides what follows', async () => {
    const [left, again] = await Promise.all([
      runFragile('--health-on-failure', 'kill'),
      runFragile('--health-on-failure', 'kill', '--restart', 'on-failure'),
    ]);
    await Promise.all([breakIt(left), breakIt(again)]);
    await untilSeen(left, ({ State }) => State.Status === 'exited' && State.ExitCode === 137);
    await untilSeen(again, ({ RestartCount, State }) => RestartCount === 1 && State.Health?.Status === 'healthy');
    expect((await inspect(again)).State.RestartReason).toBe('it ended with 137');
    await bed.ok(['rm', '-f', left, again]);
  });

  test('restart ends at its limit', async () => {
    const name = bed.name('hopeless');
    const check = ['--health-cmd', 'exit 1', '--health-interval', '100ms', '--health-retries', '1'];
    const heal = ['--health-on-failure', 'restart', '--health-max-restarts', '1', '--stop-timeout', '0'];
    await bed.ok(['run', '-d', '--name', name, ...check, ...heal, image, 'sleep', '600']);
    await untilSeen(name, ({ RestartCount }) => RestartCount === 1);
    await untilSeen(name, ({ State }) => State.Health?.Status === 'unhealthy');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await inspect(name)).toMatchObject({ RestartCount: 1, State: { Status: 'running' } });
    await bed.ok(['rm', '-f', name]);
  });
});

test('a restarted container of another tool leaves nothing of ours when that tool removes it', async () => {
  const id = bed.name('foreign');
  await bed.ctr('run', '-d', image, id, 'sh', '-c', 'trap "exit 0" TERM; sleep 600 & wait');
  const check = ['--health-cmd', 'exit 1', '--health-interval', '200ms', '--health-retries', '1'];
  await bed.ok(['update', ...check, '--health-on-failure', 'restart', '--health-max-restarts', '1', id]);
  await bed.ok(['update', '--health-interval', '250ms', id]); // an option that is not given does not change
  expect((await inspect(id)).Config.Healthcheck?.OnFailure).toBe('restart');
  const { Pid } = (await inspect(id)).State;
  await untilSeen(id, ({ State }) => State.Status === 'running' && State.Pid !== Pid);
  expect((await inspect(id)).RestartCount).toBe(1);
  const kept = join(bed.dataRoot, hostIdOf(bed.address), 'containers', bed.namespace, id);
  expect(existsSync(kept)).toBe(true);
  await bed.ctr('tasks', 'kill', '-s', 'KILL', id);
  await until(async () => (await inspect(id)).State.Status === 'exited', { withinMs: 10_000 });
  await bed.ctr('tasks', 'rm', id);
  await bed.ctr('containers', 'rm', id);
  await until(() => !existsSync(kept), { withinMs: 10_000 });
});

describe('--restart', () => {
  test.concurrent('a crash leads to a restart, a stop by the user does not, and a start makes restarts possible again', async () => {
    const name = bed.name('crash');
    // Runs as long as the file on the host says.
    const host = join(bed.directory, name);
    mkdirSync(host);
    const hold = (isHeld: boolean) => (isHeld ? writeFileSync(join(host, 'hold'), '') : rmSync(join(host, 'hold')));
    hold(true);
    const { stderr } = await bed.cli([
      ...['run', '-d', '--name', name, '--restart', 'always', '-v', `${host}:/host`],
      ...[image, 'sh', '-c', 'while [ -e /host/hold ]; do sleep 0.1; done; sleep 0.5; exit 3'],
    ]);
    expect(stderr).toContain('nothing starts this container after a reboot');
    expect((await inspect(name)).HostConfig.RestartPolicy).toEqual({ Name: 'always', MaximumRetryCount: 0 });
    hold(false);
    // The delay before a restart doubles each time, so that even a slow command sees the state in the end.
    const untilListed = (template: string, text: RegExp, ...filter: string[]) =>
      until(async () => text.test(await bed.ok(['ps', '--format', template, '-f', `name=${name}`, ...filter])), {
        withinMs: 60_000,
      });
    await untilSeen(name, ({ State }) => State.Status === 'restarting');
    await untilSeen(name, ({ RestartCount }) => RestartCount >= 1);
    await untilListed('{{.Status}}', /^Restarting \(3\) /);
    await untilListed('{{.Names}}', /./, '-f', 'status=restarting');
    await untilSeen(name, ({ State }) => State.Running && State.Restarting && State.ExitCode === 3);
    expect((await inspect(name)).State.RestartReason).toBe('it ended with 3');
    hold(true);
    await bed.ok(['stop', '-t', '0', name]);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const stopped = await inspect(name);
    expect(stopped.State.Status).toBe('exited');
    await bed.ok(['start', name]);
    expect((await inspect(name)).RestartCount).toBe(0);
    hold(false);
    await untilSeen(name, ({ RestartCount }) => RestartCount >= 1);
    await bed.ok(['rm', '-f', name]);
  });

  test.concurrent('on-failure:N stops at its maximum, and exit 0 is no failure', async () => {
    const [bad, good] = [bed.name('bad'), bed.name('good')];
    await bed.ok(['run', '-d', '--name', bad, '--restart', 'on-failure:1', image, 'false']);
    await bed.ok(['run', '-d', '--name', good, '--restart', 'on-failure', image, 'true']);
    await untilSeen(bad, ({ RestartCount, State }) => RestartCount === 1 && State.Status === 'exited');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect([(await inspect(bad)).RestartCount, (await inspect(good)).RestartCount]).toEqual([1, 0]);
    await bed.ok(['rm', bad, good]);
  });

  test('the next monitor starts a container that ended without one', async () => {
    const name = bed.name('late');
    await bed.ok(['run', '-d', '--name', name, '--restart', 'unless-stopped', image, 'sleep', '600']);
    await bed.ok(['daemon', 'stop']);
    await bed.ctr('tasks', 'kill', '-s', 'KILL', await bed.ok(['inspect', '--format', '{{.Id}}', name]));
    await untilSeen(name, ({ State }) => State.Status === 'exited');
    await bed.ok(['daemon', 'start']);
    await untilSeen(name, ({ RestartCount, State }) => RestartCount === 1 && State.Status === 'running');
    await bed.ok(['rm', '-f', name]);
  });

  test.each([
    [['--restart', 'sometimes'], 'invalid restart policy: unknown policy'],
    [['--restart', 'always', '--rm'], 'conflicting options: cannot specify both --restart and --rm'],
    [['--health-on-failure', 'pray'], '--health-on-failure must be one of none, kill, stop, restart'],
    [['--health-max-restarts', '-1'], '--health-max-restarts cannot be negative'],
  ])('refuses %j', async (flags, message) => {
    const { code, stderr } = await bed.cli(['run', '-d', ...flags, image, 'true']);
    expect([code, stderr]).toEqual([125, expect.stringContaining(message)]);
  });
});

describe('update', () => {
  test('adds a check to a running container, changes it, and removes it', async () => {
    const name = bed.name('plain');
    await bed.ok(['run', '-d', '--name', name, image, 'sleep', '600']);
    expect((await inspect(name)).State.Health).toBeUndefined();
    expect(await bed.ok(['update', '--health-cmd', 'true', '--health-interval', '200ms', name])).toBe(name);
    await untilSeen(name, ({ State }) => State.Health?.Status === 'healthy');
    await bed.ok(['update', '--health-cmd', 'exit 7', '--health-retries', '1', name]);
    await untilSeen(name, ({ State }) => State.Health?.Status === 'unhealthy');
    expect((await inspect(name)).State.Health?.Log.length).toBeGreaterThan(1);
    // Another test begins anew, with the whole start period; other times do not.
    await bed.ok(['update', '--health-cmd', 'exit 8', '--health-start-period', '10m', name]);
    await untilSeen(name, ({ State }) => State.Health?.Log.at(-1)?.ExitCode === 8);
    expect((await inspect(name)).State.Health).toMatchObject({ Status: 'starting', FailingStreak: 0 });
    await bed.ok(['update', '--health-cmd', 'true', name]);
    await untilSeen(name, ({ State }) => State.Health?.Status === 'healthy');
    await bed.ok(['update', '--health-timeout', '7s', name]);
    expect((await inspect(name)).State.Health?.Status).toBe('healthy');
    await bed.ok(['update', '--no-healthcheck', name]);
    expect(await inspect(name)).toMatchObject({ Config: { Healthcheck: { Test: ['NONE'] } } });
    await untilSeen(name, ({ State }) => State.Health === undefined);
    await bed.ok(['rm', '-f', name]);
  });

  test('a container of ctr in any namespace can be checked; no action is taken on one of Kubernetes', async () => {
    const id = bed.name('bare');
    await bed.ctr('run', '-d', image, id, 'sleep', '600');
    await bed.ok(['update', '--health-cmd', 'true', '--health-interval', '200ms', id]);
    await untilSeen(id, ({ State }) => State.Health?.Status === 'healthy');
    await bed.ctr('tasks', 'kill', '-s', 'KILL', id);
    await until(async () => (await inspect(id)).State.Status === 'exited', { withinMs: 10_000 });
    await bed.ok(['rm', '-f', id]);
    const kept = await bed.cli([
      '-n',
      'k8s.io',
      'run',
      '-d',
      '--health-on-failure',
      'restart',
      '--health-cmd',
      'true',
      image,
    ]);
    expect([kept.code, kept.stderr]).toEqual([125, expect.stringContaining('not for containers of Kubernetes')]);
  });

  test.each([
    [[], 'you must provide one or more flags'],
    [['--health-retries', '2'], 'has no health check that could be changed'],
  ])('refuses %j', async (flags, message) => {
    const name = bed.name('unchecked');
    await bed.ok(['create', '--name', name, image, 'true']);
    const { code, stderr } = await bed.cli(['update', ...flags, name]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    await bed.ok(['rm', name]);
  });
});
