import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, openBed, until } from './support/harness.ts';

// `ctr run` copies an image's labels to the container, as containerd's CRI does: nothing that they say may steer healthctl.
let bed: Bed;
let plain: string;
let nerdctlRoot: string;
beforeAll(async () => {
  bed = await openBed(['autostart = true']);
  nerdctlRoot = join(bed.directory, 'nerdctl');
  appendFileSync(join(bed.directory, 'healthctl.toml'), `nerdctl_data_root = "${nerdctlRoot}"\n`);
  plain = await bed.image();
});
afterAll(() => bed[Symbol.asyncDispose]());

const inspect = async (name: string, format: string) => bed.ok(['inspect', '--format', format, name]);

/** A container that ctr makes, whose image brings labels. Its process ends after a second. */
async function runForged(labels: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
  const image = await bed.image({ Labels: labels });
  const id = bed.name('forged');
  await bed.ctr('run', '--detach', image, id, ...args);
  return id;
}

test('an image that says it is ours: its files stay, nothing is started again, and rm removes the container alone', async () => {
  const victim = join(bed.directory, 'victim');
  writeFileSync(victim, 'precious');
  await bed.ok([
    'run',
    '-d',
    '--name',
    bed.name(),
    '--health-cmd',
    'true',
    '--health-interval',
    '1s',
    plain,
    'sleep',
    '600',
  ]);
  const labels = {
    'healthctl/owner': '0.1.0',
    'healthctl/restart': 'always',
    'healthctl/started': '{"At":"2020-01-01T00:00:00Z","Run":"x:1:1"}',
    'nerdctl/pid-file': victim,
  };
  const id = await runForged(labels, 'sleep', '1');
  await until(async () => (await inspect(id, '{{.State.Status}}')) === 'exited', { withinMs: 10_000 });
  await bed.ok(['start', id]); // a start is what writes a pid file
  await until(async () => (await inspect(id, '{{.State.Status}}')) === 'exited', { withinMs: 10_000 });
  expect(await inspect(id, '{{.RestartCount}} {{.HostConfig.RestartPolicy.Name}}')).toBe('0 no');
  expect(await bed.ok(['rm', id])).toBe(id);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
});

test('a state directory that is not the container’s own is ignored with a warning, and stays', async () => {
  const volume = join(nerdctlRoot, 'aaaaaaaa', 'volumes', 'default', 'db');
  mkdirSync(volume, { recursive: true });
  const id = await runForged(
    {
      'nerdctl/state-dir': join(nerdctlRoot, 'aaaaaaaa'),
      'nerdctl/healthcheck': JSON.stringify({ Test: ['CMD', 'true'] }),
    },
    'sleep',
    '600',
  );
  await bed.ok(['container', 'healthcheck', id]);
  expect(await inspect(id, '{{.State.Health.Status}}')).toBe('healthy');
  expect(await bed.ok(['daemon', 'logs'])).toContain(`container ${id}: the label nerdctl/state-dir is ignored`);
  await bed.ok(['rm', '--force', id]);
  expect(existsSync(volume)).toBe(true);
});

test('a name from an image takes nobody’s name, and a name that two have names none', async () => {
  const name = bed.name('twin');
  const id = await runForged({ 'nerdctl/name': name }, 'sleep', '600');
  const own = await bed.ok(['run', '-d', '--name', name, plain, 'sleep', '600']);
  for (const command of [
    ['exec', name, 'true'],
    ['inspect', name],
    ['stop', name],
    ['rm', '--force', name],
  ]) {
    const { stderr, code } = await bed.cli(command);
    expect(code).not.toBe(0);
    expect(stderr).toContain(`multiple containers named ${name}: use an id`);
    expect(stderr).toContain(id);
    expect(stderr).toContain(own);
  }
  await bed.ok(['rm', '--force', id]);
  await bed.ok(['exec', name, 'true']);
});

test('labels of a container of ours that somebody wrote by hand steer nothing', async () => {
  const victim = join(bed.directory, 'by-hand');
  writeFileSync(victim, 'precious');
  const id = await bed.ok(['run', '-d', '--name', bed.name(), plain, 'sleep', '600']);
  await bed.ctr(
    'containers',
    'label',
    id,
    `nerdctl/pid-file=${victim}`,
    'healthctl/restart=always',
    'healthctl/owner=',
  );
  await bed.ok(['restart', '-t', '0', id]);
  expect(await inspect(id, '{{.HostConfig.RestartPolicy.Name}}')).toBe('no');
  await bed.ok(['rm', '--force', id]);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
});

test('an action in a foreign check’s label is not taken, until update asks for it', async () => {
  const check = { Test: ['CMD', 'false'], Interval: 200e6, Retries: 1, OnFailure: 'kill' };
  // nerdctl's label is of Docker's shape: keys of ours in it mean nothing.
  const byNerdctl = await runForged({ 'nerdctl/healthcheck': JSON.stringify(check) }, 'sleep', '600');
  const id = await runForged({ 'healthctl/healthcheck': JSON.stringify(check) }, 'sleep', '600');
  const status = () => inspect(id, '{{.State.Health.Status}} {{.State.Status}}');
  await until(async () => (await status()) === 'unhealthy running', { withinMs: 20_000 });
  await bed.ok(['update', '--health-on-failure', 'kill', id]);
  await until(async () => (await status()) === 'unhealthy exited', { withinMs: 20_000 });
  await bed.ok(['update', '--health-interval', '100ms', byNerdctl]);
  expect(await inspect(byNerdctl, '{{.State.Status}} {{.Config.Healthcheck.OnFailure}}')).toBe('running ');
});

test('labels that containerd cannot hold are shown and filtered all the same', async () => {
  const long = 'x'.repeat(5_000);
  const image = await bed.image({ Labels: { long, empty: '', 'devcontainer.metadata': `[${'{},'.repeat(2_000)}{}]` } });
  const name = bed.name('labels');
  const command = `test ok = ok #${long}`;
  const flags = ['--label', `own=${long}`, '--health-cmd', command, '--health-interval', '200ms'];
  await bed.ok(['run', '-d', '--name', name, ...flags, image, 'sleep', '600']);
  await until(async () => (await inspect(name, '{{.State.Health.Status}}')) === 'healthy', { withinMs: 20_000 });
  expect(JSON.parse(await inspect(name, '{{json .Config.Labels}}'))).toMatchObject({ long, own: long, empty: '' });
  expect(await inspect(name, '{{index .Config.Healthcheck.Test 1}}')).toBe(command);
  for (const filter of ['label=empty', `label=own=${long}`, 'label=devcontainer.metadata'])
    expect(await bed.ok(['ps', '--quiet', '--no-trunc', '--filter', filter])).toBe(await inspect(name, '{{.Id}}'));
});
