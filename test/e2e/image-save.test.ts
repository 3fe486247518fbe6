import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blob, dockerArchive, ociArchive } from '../../testbed/image-archive.ts';
import { type Bed, HEALTHCTL, openBed } from './support/harness.ts';

const CHECK = { Test: ['CMD', 'true'], Interval: 1e9 };

interface DockerEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
  readonly LayerSources: Readonly<Record<string, { digest: string }>>;
}

describe('save', () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await openBed();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  const load = async (bytes: Buffer) => {
    await bed.ok(['load', '-q'], { stdin: bytes });
  };
  const inspect = (name: string, format: string) => bed.ok(['image', 'inspect', '--format', format, name]);
  /** The archive, unpacked by tar(1). */
  const saved = async (...args: string[]) => {
    const directory = join(bed.directory, bed.name('saved'));
    mkdirSync(directory);
    await bed.ok(['save', '-o', `${directory}.tar`, ...args]);
    execFileSync('tar', ['-xf', `${directory}.tar`, '-C', directory]);
    const read = (name: string) => readFileSync(join(directory, name));
    const json = (name: string): unknown => JSON.parse(read(name).toString());
    return { path: `${directory}.tar`, read, json, docker: json('manifest.json') as readonly DockerEntry[] };
  };

  test('writes a docker-archive that is an OCI layout too, with the health check and unchanged digests', async () => {
    await load(await ociArchive({ name: 'docker.io/demo/save:1', config: { Healthcheck: CHECK } }));
    const id = await inspect('demo/save:1', '{{.Id}}');
    const archive = await saved('demo/save:1');
    const [entry] = archive.docker;
    expect(entry).toMatchObject({ Config: `blobs/${id.replace(':', '/')}`, RepoTags: ['demo/save:1'] });
    expect(blob(archive.read(entry?.Config ?? '')).digest).toBe(id);
    for (const layer of entry?.Layers ?? []) {
      expect(`blobs/${blob(archive.read(layer)).digest.replace(':', '/')}`).toBe(layer);
    }
    expect(archive.json('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(archive.json('index.json')).toMatchObject({
      schemaVersion: 2,
      manifests: [
        {
          digest: await inspect('demo/save:1', '{{.Descriptor.Digest}}'),
          annotations: {
            'io.containerd.image.name': 'docker.io/demo/save:1',
            'org.opencontainers.image.ref.name': '1',
          },
        },
      ],
    });
    expect(statSync(archive.path).mode & 0o777).toBe(0o600);
    await bed.ok(['rmi', 'demo/save:1']);
    expect(await bed.ok(['load', '-i', archive.path])).toBe('Loaded image: demo/save:1');
    expect(await inspect('demo/save:1', '{{.Id}} {{.Config.Healthcheck.Test}}')).toBe(`${id} [CMD true]`);
    await bed.ok(['rmi', 'demo/save:1']);
    await bed.ctr('images', 'import', archive.path);
    expect(await bed.ctr('run', '--rm', 'docker.io/demo/save:1', 'c', 'echo', 'it runs')).toBe('it runs\n');
  });

  test('writes several images, all tags of a repository, and one by its id, to stdout', async () => {
    await load(await dockerArchive({ name: 'demo/all:1', config: { User: 'one' } }));
    await load(await dockerArchive({ name: 'demo/all:2', config: { User: 'two' } }));
    await load(await dockerArchive({ name: 'demo/id:1', config: { User: 'three' } }));
    await bed.ok(['tag', 'demo/all:1', 'demo/all:again']);
    const id = await inspect('demo/id:1', '{{.Id}}');
    const archive = await saved('demo/all', id, 'demo/all:1');
    expect(archive.docker.map(({ RepoTags }) => RepoTags)).toEqual([
      ['demo/all:1', 'demo/all:again'],
      ['demo/all:2'],
      null,
    ]);
    // Equal images make equal archives.
    const toStdout = `${archive.path}.2`;
    const fd = openSync(toStdout, 'w');
    const [program = '', ...args] = [HEALTHCTL, ...bed.globalFlags, 'save', 'demo/all', id, 'demo/all:1'];
    execFileSync(program, args, { env: bed.env, stdio: ['ignore', fd, 'inherit'] });
    closeSync(fd);
    expect(readFileSync(toStdout).equals(readFileSync(archive.path))).toBe(true);
  });

  test.each([
    ['an image that does not exist', ['demo/nosuch'], /^healthctl: No such image: demo\/nosuch:latest\n/],
    [
      'another platform',
      ['--platform', 'linux/s390x', 'demo/refused:1'],
      /no suitable export target found for platform/,
    ],
    [
      'a directory that does not exist',
      ['-o', '/nosuch/x.tar', 'demo/refused:1'],
      /^healthctl: invalid output path: directory "\/nosuch" does not exist\n/,
    ],
    ['a directory', ['-o', '/tmp', 'demo/refused:1'], /^healthctl: invalid output path: cannot write to a directory\n/],
  ])('refuses %s', async (_, args, stderr) => {
    await load(await dockerArchive({ name: 'demo/refused:1' }));
    expect(await bed.cli(['save', ...args])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(stderr),
    });
  });

  test('refuses a terminal', async () => {
    const { code, stdout } = await bed.cli(['save', 'demo/refused:1'], { tty: true });
    expect([code, stdout]).toEqual([1, expect.stringContaining('cowardly refusing to save to a terminal')]);
  });

  test('a failed save leaves the file as it was, and nothing beside it', async () => {
    await load(await dockerArchive({ name: 'demo/broken:1', files: { b: 'broken' } }));
    const directory = join(bed.directory, bed.name('broken'));
    mkdirSync(directory);
    writeFileSync(join(directory, 'x.tar'), 'as it was');
    const { docker } = await saved('demo/broken:1');
    const [layer = ''] = docker[0]?.Layers ?? [];
    await bed.ctr('content', 'rm', `sha256:${layer.split('/').at(-1)}`);
    const { code, stderr } = await bed.cli(['save', '-o', join(directory, 'x.tar'), 'demo/broken:1']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^healthctl: image demo\/broken:1 lacks its blob sha256:/),
    ]);
    expect(readdirSync(directory)).toEqual(['x.tar']);
    expect(readFileSync(join(directory, 'x.tar'), 'utf8')).toBe('as it was');
    await bed.ok(['save', '-o', '/dev/null', 'demo/refused:1']);
    expect(existsSync('/dev/null') && statSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});
