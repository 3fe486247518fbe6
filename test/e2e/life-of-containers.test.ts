import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bed, openBed, until } from './support/harness.ts';

// One full success of each command that works on existing containers. Unusual cases are in unit tests.

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(() => bed[Symbol.asyncDispose]());

/**
 * A container that runs until it is stopped, unless it has another command.
 * @returns its name
 */
async function run(flags: readonly string[] = [], command: readonly string[] = ['sleep', '600']): Promise<string> {
  const name = bed.name();
  await bed.ok(['run', '-d', '--name', name, ...flags, await bed.image(), ...command]);
  return name;
}

const show = (template: string, ...names: readonly string[]) => bed.ok(['inspect', '--format', template, ...names]);
const state = (name: string) => show('{{.State.Status}} {{.State.ExitCode}}', name);
/** A shell that is the first process of a container gets no signal before it has set its traps. */
const isReady = (name: string) => until(async () => (await bed.ok(['logs', name])) === 'ready');

describe('the life of a container', () => {
  test('create, start, stop: the second start is another run', async () => {
    const name = bed.name();
    const image = await bed.image();
    await bed.ok(['create', '--name', name, '--stop-timeout', '0', image, 'sleep', '600']);
    expect(await show('{{.State.Status}} {{.State.StartedAt}} {{.State.Pid}}', name)).toBe(
      'created 0001-01-01T00:00:00Z 0',
    );
    expect(await bed.ok(['start', name])).toBe(name);
    const pid = await show('{{.State.Pid}}', name);
    expect(Number(pid)).toBeGreaterThan(0);
    expect(await bed.ok(['stop', name])).toBe(name);
    expect(await state(name)).toBe('exited 137');
    await bed.ok(['start', name]);
    expect(await show('{{.State.Pid}}', name)).not.toBe(pid);
  });

  test('stop sends the configured signal, and stops several containers at once', async () => {
    const script = 'trap "exit 7" USR1; trap "exit 8" TERM; echo ready; while :; do sleep 0.05; done';
    const names = [await run([], ['sh', '-c', script]), await run([], ['sh', '-c', script])];
    for (const name of names) await isReady(name);
    expect(await bed.ok(['stop', '-s', 'USR1', ...names])).toBe(names.join('\n'));
    expect(await show('{{.State.ExitCode}}', ...names)).toBe('7\n7');
  });

  test('kill sends SIGKILL or the given signal', async () => {
    const name = await run([], ['sh', '-c', 'trap "exit 3" HUP; echo ready; while :; do sleep 0.05; done']);
    await isReady(name);
    expect(await bed.ok(['kill', '-s', 'HUP', name])).toBe(name);
    expect(await bed.ok(['wait', name])).toBe('3');
    await bed.ok(['start', name]);
    await bed.ok(['kill', name]);
    expect(await state(name)).toBe('exited 137');
    const again = await bed.cli(['kill', name]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toMatch(
      new RegExp(`^healthctl: cannot kill container: ${name}: container [0-9a-f]{64} is not running\n$`),
    );
  });

  test('restart', async () => {
    const name = await run();
    const before = await show('{{.State.Pid}}', name);
    expect(await bed.ok(['restart', '-t', '0', name])).toBe(name);
    expect(await show('{{.State.Status}}', name)).toBe('running');
    expect(await show('{{.State.Pid}}', name)).not.toBe(before);
  });

  test('pause and unpause; a paused container can be stopped, killed and removed', async () => {
    const names = [await run(), await run(), await run()];
    const [stopped = '', killed = '', removed = ''] = names;
    expect(await bed.ok(['pause', ...names])).toBe(names.join('\n'));
    expect(await show('{{.State.Status}} {{.State.Running}}', ...names)).toBe(
      names.map(() => 'paused true').join('\n'),
    );
    expect(await bed.ok(['unpause', stopped])).toBe(stopped);
    expect(await state(stopped)).toBe('running 0');
    await bed.ok(['pause', stopped]);
    await bed.ok(['stop', '-t', '0', stopped]);
    await bed.ok(['kill', killed]);
    expect(await show('{{.State.Status}}', stopped, killed)).toBe('exited\nexited');
    expect(await bed.ok(['rm', '-f', removed])).toBe(removed);
  });

  test('wait for several containers, also if one does not exist', async () => {
    const ended = await run([], ['sh', '-c', 'exit 4']);
    const running = await run([], ['sh', '-c', 'sleep 0.5; exit 5']);
    const result = await bed.cli(['wait', ended, 'gone', running]);
    expect(result).toMatchObject({ code: 1, stdout: '4\n5\n', stderr: 'healthctl: No such container: gone\n' });
  });

  test('rm leaves nothing; with --force a missing container is no failure', async () => {
    await bed.image();
    const before = await bed.traces();
    const name = await run(['--health-cmd', 'true']);
    await bed.ok(['container', 'healthcheck', name]);
    const refused = await bed.cli(['rm', name]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('container is running: stop the container before removing or force remove');
    const result = await bed.cli(['rm', '-f', 'gone', name]);
    expect(result).toMatchObject({ code: 0, stdout: `${name}\n`, stderr: 'healthctl: No such container: gone\n' });
    await bed.expectNothingLeft(before);
  });

  test("start --attach shows the output and exits with the container's code", async () => {
    const name = bed.name();
    await bed.ok([
      'create',
      '-i',
      '--name',
      name,
      await bed.image(),
      'sh',
      '-c',
      'read line; echo "got $line"; exit 9',
    ]);
    const result = await bed.cli(['start', '-a', '-i', name], { stdin: 'word\n' });
    expect(result).toMatchObject({ code: 9, stdout: 'got word\n', stderr: '' });
  });

  test('start of several containers starts those that it can', async () => {
    const name = bed.name();
    await bed.ok(['create', '--name', name, await bed.image(), 'sleep', '600']);
    const { code, stdout, stderr } = await bed.cli(['start', 'gone', name]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: `${name}\n` });
    expect(stderr).toBe('healthctl: No such container: gone\nhealthctl: failed to start containers: gone\n');
  });
});

describe('ps and inspect', () => {
  test('show the containers of all namespaces', async () => {
    await using one = await openBed();
    await using two = await openBed();
    for (const [bed, name] of [
      [one, 'web'],
      [two, 'db'],
    ] as const)
      await bed.ok(['run', '-d', '--name', name, await bed.image(), 'sleep', '600']);
    const lines = (
      await one.ok(['ps', '-A', '--filter', 'name=^(web|db)$', '--format', '{{.Namespace}} {{.Names}}'])
    ).split('\n');
    expect(lines).toEqual(expect.arrayContaining([`${one.namespace} web`, `${two.namespace} db`]));
    expect((await one.ok(['ps', '-A'])).split('\n')[0]).toMatch(/^NAMESPACE +CONTAINER ID /);
    expect(await two.ok(['ps', '--format', '{{.Namespace}} {{.Names}}'])).toBe(`${two.namespace} db`);
  });

  test('show a container with a check, one without, and one of ctr', async () => {
    await using other = await openBed();
    const image = await other.image();
    const [checked, plain] = ['checked', 'plain'];
    await other.ok(['run', '-d', '--name', checked, '-l', 'a=b', '--health-cmd', 'true', image, 'sleep', '600']);
    await other.ok(['run', '-d', '--name', plain, image, 'sleep', '600']);
    await other.ctr('run', '-d', '--label', 'foreign=yes', image, 'foreign', 'sleep', '600');
    const { stdout, stderr } = await other.cli(['ps', '--format', '{{.Names}} {{.HealthStatus}} {{.Command}}']);
    expect(stdout).toBe('foreign none "sleep 600"\nplain none "sleep 600"\nchecked starting "sleep 600"\n');
    expect(stderr).toBe('WARNING: no monitor runs, and no check was made since the start\n');
    await other.ok(['container', 'healthcheck', checked]);
    const names = (...filters: string[]) => other.ok(['ps', '--format', '{{.Names}}', ...filters]);
    expect(await names('--filter', 'health=healthy')).toBe(checked);
    expect(await names('--filter', 'health=none', '--filter', 'name=^p')).toBe(plain);
    expect(await names('--filter', 'label=foreign=yes')).toBe('foreign');
    expect(await other.ok(['inspect', '-f', '{{.Path}} {{.State.Status}}', 'foreign', checked])).toBe(
      'sleep running\nsleep running',
    );
    await other.ok(['stop', '-t', '0', plain]);
    expect(await names()).toBe(`foreign\n${checked}`);
    expect(await names('-a', '--filter', 'status=exited')).toBe(plain);
    expect(await names('-n', '1')).toBe('foreign');
    const table = (await other.ok(['ps', '-a'])).split('\n');
    expect(table[0]).toMatch(/^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/);
    expect(table.find((line) => line.includes(checked))).toMatch(/ Up \d+ seconds? \(healthy\) |Less than a second/);
    expect(await other.ok(['ps', '-q', '--no-trunc', '--filter', `name=${checked}`])).toBe(
      await other.ok(['inspect', '-f', '{{.Id}}', checked]),
    );
    expect(await other.ok(['ps', '-a', '--size', '--format', '{{.Size}}', '--filter', `name=${plain}`])).toMatch(
      /^[\d.]+k?B \(virtual [\d.]+MB\)$/,
    );
  });

  test('inspect containers and images, and fail for a missing name', async () => {
    const name = await run(['--health-cmd', 'true', '--health-interval', '1m30s']);
    const image = await bed.image();
    const { code, stdout, stderr } = await bed.cli(['inspect', name, 'neither', image]);
    const documents: unknown = JSON.parse(stdout);
    expect(documents).toMatchObject([
      { Name: `/${name}`, State: { Running: true } },
      { RepoTags: [expect.any(String)] },
    ]);
    expect({ code, last: stderr.split('\n').at(-2) }).toEqual({ code: 1, last: 'healthctl: No such object: neither' });
    expect(await show('{{.Config.Healthcheck.Interval}} {{json .Config.Healthcheck.Interval}}', name)).toBe(
      '1m30s 90000000000',
    );
    const native: unknown = JSON.parse(await bed.ok(['container', 'inspect', '--mode', 'native', name]));
    expect(native).toMatchObject([{ Labels: { 'nerdctl/name': name }, Process: { Status: { Status: 'running' } } }]);
    expect(await bed.ok(['inspect', '--type', 'image', '-f', '{{.Os}}', image])).toBe('linux');
    expect((await bed.cli(['inspect', '--type', 'container', image])).stderr).toContain('No such container: ');
  });

  test('refuse an invalid template or filter', async () => {
    expect(await bed.cli(['inspect', '-f', '{{', 'x'])).toMatchObject({ code: 64, stdout: '' });
    expect(await bed.cli(['ps', '--format', '{{'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'healthctl: failed to parse template: template: :1: unclosed action\n',
    });
    expect(await bed.cli(['ps', '--filter', 'health=foo'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr:
        "healthctl: invalid filter 'health=foo': invalid value for health (foo): must be one of none, starting, healthy, unhealthy\n",
    });
  });

  test('a missing namespace has an empty list, and the existing ones are named', async () => {
    await run();
    const { code, stdout, stderr } = await bed.cli(['--namespace', 'no-such-namespace', 'ps', '-q']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/^WARNING: containerd has no namespace no-such-namespace; it has: .*\n$/);
    expect(stderr).toContain(bed.namespace);
  });
});

describe('checks by hand', () => {
  test('container healthcheck exits with 0 for every result; healthcheck run exits with it', async () => {
    const name = await run(['--health-cmd', 'test -e /ok', '--health-retries', '2']);
    expect(await bed.cli(['container', 'healthcheck', name])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await bed.cli(['healthcheck', 'run', name])).toMatchObject({ code: 1, stdout: 'unhealthy\n', stderr: '' });
    expect(await bed.cli(['healthcheck', 'run', '--ignore-result', name])).toMatchObject({
      code: 0,
      stdout: 'unhealthy\n',
    });
    await bed.ok(['exec', name, 'touch', '/ok']);
    expect(await bed.cli(['healthcheck', 'run', name])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await show('{{.State.Health.Status}} {{len .State.Health.Log}}', name)).toBe('healthy 4');
  });

  test('if no check can be made, container healthcheck exits with 1 and healthcheck run with 125', async () => {
    const created = bed.name();
    await bed.ok(['create', '--name', created, '--health-cmd', 'true', await bed.image(), 'sleep', '600']);
    const cases = [
      ['gone', 'no such container gone'],
      [created, 'failed to get container task: no running task found'],
      [await run(), 'container has no health check configured'],
    ] as const;
    for (const [name, text] of cases) {
      for (const [command, code] of [
        [['container', 'healthcheck'], 1] as const,
        [['healthcheck', 'run'], 125] as const,
      ]) {
        const result = await bed.cli([...command, name]);
        expect(result).toMatchObject({ code, stdout: '' });
        expect(result.stderr.split('\n')[0]).toBe(`healthctl: ${text}`);
      }
    }
  });
});

describe('info and version', () => {
  test('count containers and images', async () => {
    await using other = await openBed();
    const image = await other.image();
    await other.ok(['create', image]);
    await other.ok(['run', '-d', image, 'sleep', '600']);
    const template = '{{.Containers}} {{.ContainersRunning}} {{.ContainersStopped}} {{.Images}} {{.Namespace}}';
    expect(await other.ok(['info', '--format', template])).toBe(`2 1 1 1 ${other.namespace}`);
    expect(await other.ok(['info'])).toContain(`Address:           ${other.address}`);
    expect(await other.ok(['version', '--format', '{{.Client.Os}} {{.Server.Address}}'])).toBe(
      `linux ${other.address}`,
    );
  });
});
