import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, openBed, until } from './support/harness.ts';

// `ctr run` copies an image's labels to the container, like containerd's CRI. None of them may control healthctl.
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

/** A container that ctr makes, with labels of its image. Its process ends after a second. */
async function runForged(labels: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
  const image = await bed.image({ Labels: labels });
  const id = bed.name('forged');
  await bed.ctr('run', '--detach', image, id, ...args);
  return id;
}

test("does not treat an image's container as ours: its files stay, it is not restarted, and rm removes only the container", async () => {
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
  await bed.ok(['start', id]); // only a start writes a pid file
  await until(async () => (await inspect(id, '{{.State.Status}}')) === 'exited', { withinMs: 10_000 });
  expect(await inspect(id, '{{.RestartCount}} {{.HostConfig.RestartPolicy.Name}}')).toBe('0 no');
  expect(await bed.ok(['rm', id])).toBe(id);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
});

test("ignores a state directory that is not the container's own, with a warning, and keeps it", async () => {
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

test("a name from an image does not replace a container's name, and an ambiguous name is refused", async () => {
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

test('ignores labels that were written by hand into a container of ours', async () => {
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

test("takes no action that a foreign check's label names, until update sets one", async () => {
  const check = { Test: ['CMD', 'false'], Interval: 200e6, Retries: 1, OnFailure: 'kill' };
  // nerdctl's label has Docker's keys only; our keys in it have no meaning.
  const byNerdctl = await runForged({ 'nerdctl/healthcheck': JSON.stringify(check) }, 'sleep', '600');
  const id = await runForged({ 'healthctl/healthcheck': JSON.stringify(check) }, 'sleep', '600');
  const status = () => inspect(id, '{{.State.Health.Status}} {{.State.Status}}');
  await until(async () => (await status()) === 'unhealthy running', { withinMs: 20_000 });
  await bed.ok(['update', '--health-on-failure', 'kill', id]);
  await until(async () => (await status()) === 'unhealthy exited', { withinMs: 20_000 });
  await bed.ok(['update', '--health-interval', '100ms', byNerdctl]);
  expect(await inspect(byNerdctl, '{{.State.Status}} {{.Config.Healthcheck.OnFailure}}')).toBe('running ');
});

test('shows and filters labels that containerd cannot store', async () => {
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
