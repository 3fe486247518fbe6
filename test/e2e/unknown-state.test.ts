import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readProcess } from '../../testbed/processes.ts';
import { type Bed, openBed, until } from './support/harness.ts';

// containerd reports UNKNOWN for a shim that does not answer (stopped, swapped out, busy). UNKNOWN is not "exited".
let bed: Bed;
let image: string;
beforeAll(async () => {
  bed = await openBed(['autostart = true']);
  image = await bed.image();
});
afterAll(() => bed[Symbol.asyncDispose]());

const inspect = (name: string, format: string) => bed.ok(['inspect', '--format', format, name]);

/** Stops the shim of a running container during `work`. */
async function whileShimIsSilent(pid: number, work: () => Promise<void>): Promise<void> {
  const shim = readProcess(pid)?.parent ?? 0;
  expect(shim).toBeGreaterThan(1);
  process.kill(shim, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(shim, 'SIGCONT');
  }
}

test('run --rm with a monitor: only one of them removes the container, without warnings, and nothing is left', async () => {
  await bed.ok([
    'run',
    '-d',
    '--name',
    bed.name(),
    '--health-cmd',
    'true',
    '--health-interval',
    '1h',
    image,
    'sleep',
    '600',
  ]); // so that a monitor runs
  const before = await bed.traces();
  const runs = Array.from({ length: 6 }, () => bed.cli(['run', '--rm', image, 'true']));
  for (const { code, stderr } of await Promise.all(runs)) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await bed.expectNothingLeft(before, 20_000);
});

test('nothing acts on an unknown state or shows it as stopped', async () => {
  const name = bed.name('silent');
  const check = ['--health-cmd', 'true', '--health-interval', '200ms'];
  await bed.ok(['run', '-d', '--name', name, ...check, image, 'sleep', '600']);
  await until(async () => (await inspect(name, '{{.State.Health.Status}}')) === 'healthy', { withinMs: 20_000 });
  const pid = Number(await inspect(name, '{{.State.Pid}}'));
  await whileShimIsSilent(pid, async () => {
    const commands = [
      ['stop', '-t', '1', name],
      ['kill', name],
      ['start', name],
      ['restart', name],
      ['rm', name],
      ['wait', name],
      ['pause', name],
      ['exec', name, 'true'],
      ['container', 'prune', '--force'],
    ];
    const results = await Promise.all(commands.map((command) => bed.cli(command)));
    for (const [index, { code, stdout, stderr }] of results.entries()) {
      const seen = { command: commands[index]?.[0], code: code === 1 || code === 125 || code === 126, stdout };
      expect(seen).toEqual({ command: commands[index]?.[0], code: true, stdout: '' });
      expect(stderr).toContain(`the state of container ${name} is not known: its shim does not answer`);
    }
    const shown = await inspect(name, '{{.State.Status}} {{.State.Running}} {{.State.Health.Status}}');
    expect(shown).toBe('running true healthy');
    expect(existsSync(`/proc/${pid}`)).toBe(true);
  });
  await until(async () => (await inspect(name, '{{.State.Error}}')) === '', { withinMs: 60_000 });
  expect(await bed.ok(['stop', '-t', '0', name])).toBe(name);
  expect(await inspect(name, '{{.State.Status}}')).toBe('exited');
});

test('without a monitor, ps shows the last known state, marked as unknown', async () => {
  await using alone = await openBed();
  const plain = await alone.image();
  await alone.ok(['run', '-d', '--name', 'silent', plain, 'sleep', '600']);
  await whileShimIsSilent(Number(await alone.ok(['inspect', '--format', '{{.State.Pid}}', 'silent'])), async () => {
    expect(await alone.ok(['ps', '--format', '{{.Status}}'])).toMatch(/^Up .*\(state unknown\)$/);
    expect(await alone.ok(['ps', '--all', '--quiet', '--filter', 'status=exited'])).toBe('');
  });
  expect(await alone.ok(['ps', '--format', '{{.Status}}'])).toMatch(/^Up [^(]*$/);
});

describe('a shim that dies', () => {
  let alone: Bed;
  beforeAll(async () => {
    alone = await openBed();
  });
  afterAll(() => alone[Symbol.asyncDispose]());
  const stateOf = (name: string) => alone.cli(['inspect', '--format', '{{.State.Status}} {{.State.Pid}}', name]);
  const killShim = (pid: number): void => {
    const shim = readProcess(pid)?.parent ?? 0;
    expect(shim).toBeGreaterThan(1);
    process.kill(shim, 'SIGKILL');
  };

  test('ends run and attach with the exit code of an unseen end', async () => {
    const name = alone.name('attached');
    const talk = 'while true; do echo up; sleep 0.1; done';
    const running = alone.spawn(['run', '--name', name, await alone.image(), 'sh', '-c', talk]);
    await running.prints('up', 20_000);
    const attached = alone.spawn(['attach', name]);
    await attached.prints('up', 20_000);
    killShim(Number((await stateOf(name)).stdout.split(' ')[1]));
    for (const program of [running, attached]) expect(await program.exited).toMatchObject({ code: 255, stderr: '' });
    expect(await alone.ok(['ps', '--all', '--format', '{{.Status}}', '--filter', `name=${name}`])).toMatch(/^Exited/);
  });

  test('leaves a container of another tool that was checked as exited, not as created', async () => {
    const id = alone.name('foreign');
    const label = 'nerdctl/healthcheck={"Test":["CMD","true"]}';
    await alone.ctr('run', '-d', '--label', label, await alone.image(), id, 'sleep', '600');
    await alone.ok(['container', 'healthcheck', id]);
    killShim(Number((await stateOf(id)).stdout.split(' ')[1]));
    await until(async () => !(await alone.ctr('tasks', 'ls')).includes(id), { withinMs: 20_000 });
    expect(await alone.ok(['ps', '--all', '--format', '{{.Status}}', '--filter', `id=${id}`])).toMatch(
      /^Exited \(255\)/,
    );
    expect((await stateOf(id)).stdout.trim()).toBe('exited 0');
  });
});

test.each(['resident', 'fresh'])(
  'a pause waits for a %s check that is being started, and the container can be resumed',
  async (mode) => {
    const name = bed.name(`paused-${mode}`);
    const check = ['--health-exec', mode, '--health-interval', '20ms', '--health-cmd', 'sleep 0.05'];
    await bed.ok(['run', '-d', '--name', name, ...check, image, 'sleep', '600']);
    await until(async () => (await inspect(name, '{{.State.Health.Status}}')) === 'healthy', { withinMs: 20_000 });
    for (let round = 0; round < 8; round += 1) {
      await bed.ok(['pause', name]);
      expect(await inspect(name, '{{.State.Status}} {{.State.Health.Status}}')).toBe('paused healthy');
      await bed.ok(['unpause', name]);
    }
  },
);
