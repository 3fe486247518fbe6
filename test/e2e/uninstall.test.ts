import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostIdOf } from '../../src/lib/dirs.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
beforeEach(async () => {
  bed = await openBed(['autostart = true']);
  image = await bed.image();
});
afterEach(() => bed[Symbol.asyncDispose]());

/** Its process ignores SIGTERM, as the first one of a container does without a handler. */
const run = (...args: string[]) =>
  bed.ok(['run', '-d', '--health-cmd', 'true', '--stop-timeout', '1', ...args, image, 'sleep', '600']);
const records = async () => (await bed.ctr('containers', 'ls', '--quiet')).split('\n').filter((line) => line !== '');
const state = (name: string) => bed.ok(['inspect', '--format', '{{.State.Status}}', name]);
const monitor = async () => (await bed.cli(['daemon', 'status'])).code;

test('refuses to run while containers run, and names them', async () => {
  await run('--name', 'web');
  await run('--name', 'db');
  const { code, stdout, stderr } = await bed.cli(['uninstall']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^healthctl: containers of healthctl run: (web, db|db, web)\nstop them first, or give --force/,
  );
  expect([await state('web'), await state('db'), await monitor()]).toEqual(['running', 'running', 0]);
});

test('--force stops them; data of the user stays and can be used again', async () => {
  await run('--name', 'web', '-v', 'data:/data');
  await bed.ok(['exec', 'web', 'touch', '/data/file']);
  const text = await bed.ok(['uninstall', '--force']);
  expect(text).toMatch(/the runs of 1 container, by stopping: web\n {2}the monitor, process \d+\n/);
  expect(text).toContain('volumes: 1 volume\n');
  expect(text).toContain('in containerd: 1 container: web\n');
  expect(existsSync(bed.runRoot)).toBe(false);
  expect(await records()).toHaveLength(1);
  expect(await state('web')).toBe('exited');
  await bed.ok(['start', 'web']);
  await bed.ok(['exec', 'web', 'ls', '/data/file']);
});

test('--purge leaves nothing of this installation, and everything of another one', async () => {
  const others = ['--run-root', join(bed.directory, 'run2'), '--data-root', join(bed.directory, 'data2')];
  const other = await bed.ok([...others, 'create', '--name', 'other', image]);
  await run('--name', 'web', '-v', 'data:/data');
  const memory = ['-o', 'type=tmpfs', '-o', 'device=tmpfs', 'memory'];
  await bed.ok(['volume', 'create', ...memory]);
  await bed.ok(['create', '--name', 'made', '-v', 'memory:/m', image]);
  await bed.ok(['uninstall', '--purge', '--force']);
  expect([existsSync(bed.runRoot), existsSync(bed.dataRoot)]).toEqual([false, false]);
  expect(await records()).toEqual([other]);
  expect((await bed.ctr('tasks', 'ls', '--quiet')).trim()).toBe('');
  await bed.ok([...others, 'rm', 'other']);
});

test('without containerd, running containers are still found, and none is ended', async () => {
  const id = await run('--name', 'web');
  // The same directories, with an address at which nobody listens.
  const address = join(bed.directory, 'nothing.sock');
  const dataDir = join(bed.dataRoot, hostIdOf(address));
  mkdirSync(join(dataDir, 'containers', bed.namespace, id), { recursive: true });
  const uninstall = (...args: string[]) => bed.cli(['--address', address, 'uninstall', ...args]);
  const refused = await uninstall('--purge');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(
    `containers of healthctl run: ${id.slice(0, 12)}\nstart containerd and stop them first`,
  );
  const forced = await uninstall('--purge', '--force');
  expect(forced.code, forced.stderr).toBe(0);
  expect(forced.stderr).toContain(`these run on, without network and supervision: ${id.slice(0, 12)}`);
  expect(existsSync(dataDir)).toBe(false);
  expect(await state('web')).toBe('running');
  await bed.ok(['stop', '--time', '1', 'web']);
  await until(async () => (await state('web')) === 'exited', { withinMs: 10_000, everyMs: 100 });
  const { code, stderr } = await uninstall('--force');
  expect(code, stderr).toBe(0);
});
