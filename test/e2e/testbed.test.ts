import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { dockerArchive, ociArchive } from '../../testbed/image-archive.ts';
import { isAlive, listProcesses } from '../../testbed/processes.ts';
import { runProgram } from '../../testbed/program.ts';
import { REGISTRY_USER, startRegistry } from '../../testbed/registry.ts';
import { MARK, RUNC_ROOT, sweepTestbeds } from '../../testbed/testbed-remains.ts';
import { type Bed, openBed, until } from './support/harness.ts';

// Tests the test bed itself with containerd's own client: the other suites rely on it, so this must work without
// healthctl.

async function importImage(bed: Bed, make: typeof dockerArchive, name: string): Promise<string> {
  const file = join(bed.directory, 'image.tar');
  writeFileSync(file, await make({ name, config: { Healthcheck: { Test: ['CMD', 'true'] } } }));
  await bed.ctr('images', 'import', file);
  return name;
}

describe('images', () => {
  test.each([
    ['docker-archive', dockerArchive],
    ['OCI archive', ociArchive],
  ])('a %s runs, with users and groups', async (_kind, make) => {
    await using bed = await openBed();
    const image = await importImage(bed, make, 'docker.io/test/own:1');
    await bed.ctr('run', '--detach', image, 'one');
    // ctr prints nothing of a program that ends before ctr has begun to read.
    const exec = (...args: string[]) => bed.ctr('tasks', 'exec', '--exec-id', bed.name('exec'), ...args);
    const id = await until(() => exec('--user', 'probe', 'one', 'id'));
    expect(id).toContain('uid=1234(probe) gid=1234(probe)');
    expect(await until(() => exec('one', 'id', 'probe'))).toContain('groups=1234(probe),2000(wheel)');
  });
});

describe('traces', () => {
  test('show what a container, an exec, a file and an ingest leave', async () => {
    await using bed = await openBed();
    const image = await importImage(bed, dockerArchive, 'docker.io/test/own:1');
    const before = await bed.traces();
    await bed.ctr('run', '--detach', image, 'one');
    mkdirSync(bed.runRoot, { recursive: true });
    writeFileSync(join(bed.runRoot, 'forgotten'), '');
    const during = await bed.traces();
    expect(during.containers).toEqual(['one']);
    expect(during.tasks).toEqual(['one']);
    expect(during.files).toEqual([join(bed.runRoot, 'forgotten')]);
    expect(during.processes).toEqual(['contained sleep 3600', 'shim one']);
    expect(during.snapshots.length).toBe(before.snapshots.length + 1);
    for (const kind of ['bundles', 'runc', 'cgroups', 'mounts'] as const)
      expect(during[kind], kind).not.toEqual(before[kind]);
    const forgotten = `files: + ${bed.runRoot}/forgotten`;
    await expect(bed.expectNothingLeft(before, 100)).rejects.toThrow(forgotten);
  });

  test('are none after a bed is closed, even with a paused container', async () => {
    const bed = await openBed();
    const image = await importImage(bed, dockerArchive, 'docker.io/test/own:1');
    await bed.ctr('run', '--detach', image, 'one');
    await bed.ctr('tasks', 'pause', 'one');
    await bed[Symbol.asyncDispose]();
    const left = await bed.traces();
    expect([left.containers, left.tasks, left.processes, left.runc, left.mounts, left.cgroups].flat()).toEqual([]);
    expect(existsSync(bed.directory)).toBe(false);
  });
});

describe('sweeping', () => {
  test('removes everything of a killed run', async () => {
    await using bed = await openBed();
    const script = fileURLToPath(new URL('../../testbed/crash.ts', import.meta.url));
    const crashed = await runProgram([process.execPath, '--import', 'tsx', script], {
      env: { PATH: bed.env.PATH ?? '' },
    });
    expect(crashed.code, crashed.stderr).toBe(137);
    const { directory, namespace, pids } = JSON.parse(crashed.stdout);
    const left = listProcesses().filter(({ pid }) => pids.includes(pid));
    expect(left.map(({ name }) => name)).toEqual(expect.arrayContaining(['containerd', 'sleep']));
    await sweepTestbeds();
    expect(existsSync(directory)).toBe(false);
    expect(left.filter(isAlive)).toEqual([]);
    expect(existsSync(join(RUNC_ROOT, namespace))).toBe(false);
    expect(existsSync(bed.directory), 'the bed of a living run stays').toBe(true);
  });
});

describe('registry', () => {
  test('serves what was pushed', async () => {
    await using bed = await openBed();
    await using registry = await startRegistry(bed);
    const { reference } = await registry.push({
      name: 'demo/web:1',
      config: { Healthcheck: { Test: ['CMD', 'true'] } },
    });
    await bed.ctr('images', 'pull', '--plain-http', reference);
    expect(await bed.ctr('images', 'ls', '--quiet')).toBe(`${reference}\n`);
  });

  test('refuses clients without the password, if it has one', async () => {
    await using bed = await openBed();
    await using registry = await startRegistry({ ...bed, auth: true });
    const { reference } = await registry.push({ name: 'demo/web:1', format: 'oci' });
    await expect(bed.ctr('images', 'pull', '--plain-http', reference)).rejects.toThrow('401');
    const user = `${REGISTRY_USER.name}:${REGISTRY_USER.password}`;
    await bed.ctr('images', 'pull', '--plain-http', '--user', user, reference);
  });
});

test("programs of the bed do not get the caller's settings", async () => {
  await using bed = await openBed();
  expect(Object.keys(bed.env).sort()).toEqual([MARK, 'HEALTHCTL_TOML', 'HOME', 'LANG', 'PATH', 'TMPDIR'].sort());
});
