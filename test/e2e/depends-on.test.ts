import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image();
  const monitor = bed.spawn(['daemon', 'run']);
  await until(async () => (await bed.cli(['daemon', 'status'])).code === 0, { withinMs: 30_000 });
  expect(monitor.pid).toBeGreaterThan(0);
});
afterAll(() => bed[Symbol.asyncDispose]());

const stateOf = (name: string) => bed.ok(['inspect', '--format', '{{.State.Status}}', name]);
const isThere = async (name: string) => (await bed.cli(['inspect', name])).code === 0;

/** A container that waits until this test makes its file, with what it does then. */
async function runGated(name: string, then: string, options: readonly string[] = []): Promise<() => void> {
  const gate = join(bed.directory, `${name}.gate`);
  const mount = ['-v', `${bed.directory}:/gates`];
  const script = `while [ ! -e /gates/${name}.gate ]; do sleep 0.1; done; ${then}`;
  await bed.ok(['run', '-d', '--name', name, ...mount, ...options, image, 'sh', '-c', script]);
  return () => writeFileSync(gate, '');
}

test('run waits until one dependency is healthy and another has completed', async () => {
  const check = ['--health-cmd', 'test -e /tmp/ready', '--health-interval', '200ms', '--health-retries', '1000'];
  const makeReady = await runGated('db', 'touch /tmp/ready; sleep 1000', check);
  const finish = await runGated('init', 'exit 0');
  const running = bed.spawn([
    'run',
    '-d',
    '--name',
    'app',
    '--depends-on',
    'db:healthy',
    '--depends-on',
    'init:completed',
    image,
    'sleep',
    '60',
  ]);
  await until(() => isThere('app'));
  expect(await stateOf('app')).toBe('created');
  finish();
  await bed.ok(['wait', 'init']);
  expect(await stateOf('app')).toBe('created');
  makeReady();
  const { code, stdout } = await running.exited;
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^[0-9a-f]{64}\n$/)]);
  expect(await stateOf('app')).toBe('running');
  await bed.ok(['rm', '-f', 'app', 'db', 'init']);
});

test('a dependency that never becomes healthy, that exits or fails ends the run with the text of compose, and leaves nothing', async () => {
  const sick = ['--health-cmd', 'echo no space; exit 1', '--health-interval', '100ms', '--health-retries', '1'];
  await bed.ok(['run', '-d', '--name', 'sick', ...sick, image, 'sleep', '60']);
  await bed.ok(['run', '-d', '--name', 'gone', '--health-cmd', 'true', image, 'sh', '-c', 'exit 7']);
  await bed.cli(['run', '--name', 'failed', image, 'sh', '-c', 'exit 3']);
  await bed.ok(['wait', 'gone']);
  const said = async (dependency: string) => {
    const { code, stdout, stderr } = await bed.cli([
      'run',
      '-d',
      '--name',
      'app',
      '--depends-on',
      dependency,
      image,
      'sleep',
      '60',
    ]);
    expect([code, stdout, await isThere('app')]).toEqual([1, '', false]);
    return stderr;
  };
  expect(await said('sick:healthy')).toBe(
    'healthctl: dependency failed to start: container sick is unhealthy\nthe last check ended with 1:\nno space\n',
  );
  expect(await said('gone:healthy')).toContain('dependency failed to start: container gone exited (7)\n');
  expect(await said('failed:healthy')).toContain('container failed has no healthcheck configured');
  expect(await said('failed:completed')).toContain(`container "failed" didn't complete successfully: exit 3\n`);
  expect(await bed.ok(['run', '--rm', '--depends-on', 'failed', image, 'echo', 'up'])).toBe('up'); // it was started
  const { code, stderr } = await bed.cli(['run', '--depends-on', 'nosuch', image]);
  expect([code, stderr]).toEqual([125, expect.stringMatching(/no such container: nosuch/i)]);
  expect((await bed.cli(['run', '--depends-on', 'sick:happy', image])).stderr).toContain(
    'must be a container, and one of started, healthy, completed after a colon',
  );
  await bed.ok(['rm', '-f', 'sick', 'gone', 'failed']);
});

test('one that will be started again has not failed; start waits too; Ctrl-C removes what was not started', async () => {
  const gate = join(bed.directory, 'retry.gate');
  const script = '[ -e /gates/retry.gate ] || { sleep 0.5; exit 4; }';
  const options = ['--restart', 'on-failure', '-v', `${bed.directory}:/gates`];
  await bed.ok(['run', '-d', '--name', 'retry', ...options, image, 'sh', '-c', script]);
  await until(async () => (await bed.ok(['inspect', '--format', '{{.RestartCount}}', 'retry'])) !== '0');
  await bed.ok(['create', '--name', 'later', image, 'sleep', '60']);
  const starting = bed.spawn(['start', '--depends-on', 'retry:completed', 'later']);
  const running = bed.spawn(['run', '--name', 'never', '--depends-on', 'retry:completed', image, 'true']);
  await until(() => isThere('never'));
  running.kill('SIGINT');
  expect((await running.exited).code).toBe(130);
  expect(await isThere('never')).toBe(false);
  expect(await stateOf('later')).toBe('created');
  writeFileSync(gate, '');
  expect((await starting.exited).code).toBe(0);
  expect(await stateOf('later')).toBe('running');
  await bed.ok(['rm', '-f', 'later', 'retry']);
});
