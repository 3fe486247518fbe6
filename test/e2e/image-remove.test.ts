import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerArchive, imageParts } from '../../testbed/image-archive.ts';
import { type Bed, openBed } from './support/harness.ts';

describe('images and rmi', () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await openBed();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  /**
   * Loads an image that shares nothing with others.
   * @returns its id
   */
  const load = async (name: string): Promise<string> => {
    const options = { name, config: { Labels: { of: name } }, files: { unique: name } };
    await bed.ok(['load', '-q'], { stdin: await dockerArchive(options) });
    return (await imageParts(options)).config.digest;
  };

  test('lists images with filters and formats', async () => {
    const id = await load('demo/list:1');
    await bed.ctr('images', 'tag', 'docker.io/demo/list:1', 'docker.io/demo/list:two');
    const table = await bed.ok(['images', 'demo/list']);
    expect(table).toMatch(/^REPOSITORY {3}TAG {7}IMAGE ID {7}CREATED {6,}SIZE\n/);
    expect(table).toMatch(new RegExp(`^demo/list +1 +${id.slice(7, 19)} +\\d+ \\w+ ago +[\\d.]+MB$`, 'm'));
    expect(await bed.ok(['images', '-q', '--no-trunc', 'demo/list:1'])).toBe(id);
    const names = (...filters: string[]) =>
      bed.ok(['images', '--format', '{{.Repository}}:{{.Tag}}', ...filters.flatMap((filter) => ['--filter', filter])]);
    expect(await names('reference=demo/l*')).toBe('demo/list:1\ndemo/list:two');
    expect(await names('reference=*:two', 'reference=*/*:two')).toBe('demo/list:two');
    expect(await names('label=of=demo/list:1', 'reference=demo/list:1')).toBe('demo/list:1');
    expect(await names('label=of=other')).toBe('');
    expect(await names('dangling=true')).toBe('');
    expect(JSON.parse(await bed.ok(['images', '--format', 'json', 'demo/list:1']))).toMatchObject({
      Repository: 'demo/list',
      Tag: '1',
      ID: id.slice(7, 19),
    });
    expect(await bed.cli(['images', '--filter', 'nope=1'])).toMatchObject({
      code: 1,
      stderr: "healthctl: invalid filter 'nope'\n",
    });
  });

  test('removes a name, and with the last name the image', async () => {
    const before = await bed.traces();
    const id = await load('demo/gone:1');
    await bed.ctr('images', 'tag', 'docker.io/demo/gone:1', 'docker.io/demo/gone:2');
    expect(await bed.ok(['rmi', 'demo/gone:1'])).toBe('Untagged: demo/gone:1');
    expect(await bed.ok(['rmi', 'demo/gone:2'])).toMatch(
      new RegExp(`^Untagged: demo/gone:2\nDeleted: ${id}\nDeleted: sha256:[0-9a-f]{64}$`),
    );
    await bed.expectNothingLeft(before);
  });

  test('by id removes all names of one repository; names of several need --force', async () => {
    const id = await load('demo/many:1');
    await bed.ctr('images', 'tag', 'docker.io/demo/many:1', 'docker.io/demo/many:2');
    await bed.ctr('images', 'tag', 'docker.io/demo/many:1', 'docker.io/demo/other:1');
    const short = id.slice(7, 19);
    expect(await bed.cli(['rmi', short])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `healthctl: conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories\n`,
    });
    expect(await bed.ok(['rmi', 'demo/other:1'])).toBe('Untagged: demo/other:1');
    expect(await bed.ok(['rmi', short])).toContain(`Untagged: demo/many:1\nUntagged: demo/many:2\nDeleted: ${id}\n`);
  });

  test('keeps an image that a container uses', async () => {
    const id = await load('demo/used:1');
    const short = id.slice(7, 19);
    await bed.ctr('containers', 'create', 'docker.io/demo/used:1', 'stopped-one');
    const byName = `conflict: unable to remove repository reference "demo/used:1" (must force) - container stopped-one is using its referenced image ${short}`;
    expect((await bed.cli(['rmi', 'demo/used:1'])).stderr).toBe(
      `healthctl: ${byName.replace('stopped-one', 'stopped-one'.slice(0, 12))}\n`,
    );
    expect((await bed.cli(['rmi', short])).stderr).toBe(
      `healthctl: conflict: unable to delete ${short} (must be forced) - image is being used by stopped container stopped-one\n`,
    );
    expect(await bed.ok(['rmi', '-f', 'demo/used:1'])).toContain('Untagged: demo/used:1');
    await bed.ctr('containers', 'delete', 'stopped-one');
  });

  test('keeps the content of an image that a running container uses, even with --force', async () => {
    const id = await load('demo/runs:1');
    const short = id.slice(7, 19);
    await bed.ctr('run', '--detach', 'docker.io/demo/runs:1', 'running-one');
    expect((await bed.cli(['rmi', '-f', short])).stderr).toBe(
      `healthctl: conflict: unable to delete ${short} (cannot be forced) - image is being used by running container running-one\n`,
    );
    expect(await bed.ok(['rmi', '-f', 'demo/runs:1'])).toBe('Untagged: demo/runs:1');
    expect(await bed.ok(['images', '--filter', 'dangling=true', '--format', '{{.ID}}'])).toBe(short);
    await bed.ctr('tasks', 'kill', '--signal', 'SIGKILL', 'running-one');
    await bed.ctr('tasks', 'delete', '--force', 'running-one');
    await bed.ctr('containers', 'delete', 'running-one');
    expect(await bed.ok(['rmi', short])).toContain(`Deleted: ${id}`);
  });

  test('an image stays in use when its name moves to another, which is not in use by that', async () => {
    const idOf = () => bed.ok(['image', 'inspect', '--format', '{{.Id}}', 'demo/moved:1']);
    await bed.ok(['load', '-q'], {
      stdin: await dockerArchive({ name: 'demo/moved:1', config: { Labels: { v: 'old' } } }),
    });
    const old = await idOf();
    const container = await bed.ok(['create', 'demo/moved:1', 'true']);
    await bed.ok(['load', '-q'], {
      stdin: await dockerArchive({ name: 'demo/moved:1', config: { Labels: { v: 'new' } } }),
    });
    const moved = await idOf();
    expect(await bed.ok(['image', 'prune', '-f'])).toBe('Total reclaimed space: 0B');
    expect((await bed.cli(['rmi', old])).stderr).toContain('image is being used by stopped container');
    expect(await bed.ok(['rmi', 'demo/moved:1'])).toContain(`Deleted: ${moved}`);
    await bed.ok(['rm', container]);
    expect(await bed.ok(['image', 'prune', '-f'])).toContain(`deleted: ${old}`);
  });

  test('tries all of several images', async () => {
    await load('demo/first:1');
    await load('demo/last:1');
    const { code, stdout, stderr } = await bed.cli(['rmi', 'demo/first:1', 'demo/absent:1', 'demo/last:1']);
    expect(code).toBe(1);
    expect(stdout).toContain('Untagged: demo/first:1\n');
    expect(stdout).toContain('Untagged: demo/last:1\n');
    expect(stderr).toContain('healthctl: No such image: demo/absent:1\n');
    expect(await bed.cli(['rmi', '-f', 'demo/absent:1'])).toMatchObject({ code: 0 });
  });

  test('image inspect fails for a missing image', async () => {
    expect(await bed.cli(['image', 'inspect', 'absent'])).toMatchObject({
      code: 1,
      stdout: '[]\n',
      stderr: expect.stringMatching(/^healthctl: No such image: absent:latest\n/),
    });
  });
});
