import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blob, descriptor, dockerArchive, imageParts, ociArchive } from '../../testbed/image-archive.ts';
import { type Bed, openBed } from './support/harness.ts';

const CHECK = { Test: ['CMD', 'cat', '/my status'], Interval: 5e9, Timeout: 3e9, StartPeriod: 6e10, Retries: 2 };
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';

type Member = { name: string; body?: Buffer | string; link?: string };

async function tar(...members: Member[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, body = '', link } of members) {
    if (link === undefined) archive.entry({ name }, Buffer.from(body));
    else archive.entry({ name, type: 'symlink', linkname: link });
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const json = (value: unknown) => JSON.stringify(value);
const pathOf = (digest: string) => `blobs/${digest.replace(':', '/')}`;

describe('load', () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await openBed();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  const write = (bytes: Buffer): string => {
    const path = join(bed.directory, `${bed.name('archive')}.tar`);
    writeFileSync(path, bytes);
    return path;
  };
  const healthOf = (name: string) => bed.ok(['image', 'inspect', '--format', '{{json .Config.Healthcheck}}', name]);

  test('loads a docker-archive with its health check, and the image runs', async () => {
    const path = write(await dockerArchive({ name: 'demo/load:1', config: { Healthcheck: CHECK } }));
    expect(await bed.ok(['load', '-i', path])).toBe('Loaded image: demo/load:1');
    expect(JSON.parse(await healthOf('demo/load:1'))).toEqual(CHECK);
    const shown = '{{.Config.Healthcheck.Test}} {{.Config.Healthcheck.Interval}} {{.Config.Healthcheck.Retries}}';
    expect(await bed.ok(['image', 'inspect', '--format', shown, 'demo/load:1'])).toBe('[CMD cat /my status] 5s 2');
    expect(await bed.ctr('run', '--rm', 'docker.io/demo/load:1', 'c', 'echo', 'it runs')).toBe('it runs\n');
  });

  test('loads an OCI archive from stdin that is compressed as a whole', async () => {
    const bytes = await ociArchive({ name: 'demo/oci:2', config: { Healthcheck: CHECK } });
    expect(await bed.ok(['load'], { stdin: gzipSync(bytes) })).toBe('Loaded image: demo/oci:2');
    expect(JSON.parse(await healthOf('demo/oci:2'))).toEqual(CHECK);
    expect(await bed.ctr('run', '--rm', 'docker.io/demo/oci:2', 'c', 'echo', 'it runs')).toBe('it runs\n');
  });

  test('loads archives with manifest.json first, links to layers, compressed layers, several names and images', async () => {
    const one = await imageParts({ name: 'x', config: { User: 'one' } });
    const two = await imageParts({ name: 'x', config: { User: 'two' } });
    const manifest = [
      { Config: 'one.json', RepoTags: ['several:1', 'several:again'], Layers: ['real/layer.tar'] },
      { Config: './two.json', RepoTags: ['other:2'], Layers: ['linked/layer.tar'] },
    ];
    const bytes = await tar(
      { name: 'manifest.json', body: json(manifest) },
      { name: 'one.json', body: one.config.bytes },
      { name: 'two.json', body: two.config.bytes },
      { name: 'linked/layer.tar', link: '../real/layer.tar' },
      { name: 'real/layer.tar', body: gzipSync(one.layer.bytes) },
    );
    expect(await bed.ok(['load'], { stdin: bytes })).toBe(
      'Loaded image: several:1\nLoaded image: several:again\nLoaded image: other:2',
    );
    expect(
      await bed.ok(['image', 'inspect', '--format', '{{.Config.User}}', 'several', 'other:2']).catch(String),
    ).toContain('No such image: several:latest');
    expect(
      await bed.ok(['image', 'inspect', '--format', '{{.Config.User}} {{.RepoTags}}', 'several:1', 'other:2']),
    ).toBe('one [several:1 several:again]\ntwo [other:2]');
  });

  test('shows the id of an image without a name', async () => {
    const { config, layer } = await imageParts({ name: 'x', config: { User: 'nameless' } });
    const bytes = await tar(
      { name: 'c.json', body: config.bytes },
      { name: 'l.tar', body: layer.bytes },
      { name: 'manifest.json', body: json([{ Config: 'c.json', RepoTags: null, Layers: ['l.tar'] }]) },
    );
    expect(await bed.ok(['load'], { stdin: bytes })).toBe(`Loaded image ID: ${config.digest}`);
    const format = '{{.Repository}} {{.Tag}} {{.ID}}';
    const rows = await bed.ok(['images', '--no-trunc', '--filter', 'dangling=true', '--format', format]);
    expect(rows).toBe(`<none> <none> ${config.digest}`);
    const id = config.digest.slice(7, 19);
    expect(await bed.ok(['image', 'inspect', '--format', '{{.Config.User}}{{.RepoTags}}', id])).toBe('nameless[]');
    expect(await bed.ok(['rmi', id])).toContain(`Deleted: ${config.digest}`);
  });

  test('loading an image again does not change it', async () => {
    const bytes = await dockerArchive({ name: 'demo/twice:1', config: { User: 'twice' } });
    await bed.ok(['load', '-q'], { stdin: bytes });
    const before = await bed.traces();
    expect(await bed.ok(['load', '-q'], { stdin: bytes })).toBe('Loaded image: demo/twice:1');
    await bed.expectNothingLeft(before);
  });

  test('an image that loses its last name stays without one until it is pruned, or gets another', async () => {
    const [first, second] = await Promise.all(
      ['first', 'second'].map((User) => dockerArchive({ name: 'demo/moves:1', config: { User } })),
    );
    const idOf = (name: string) => bed.ok(['image', 'inspect', '--format', '{{.Id}}', name]);
    const unnamed = () => bed.ok(['images', '--no-trunc', '-q', '--filter', 'dangling=true']);
    await bed.ok(['load', '-q'], { stdin: first ?? Buffer.alloc(0) });
    const id = await idOf('demo/moves:1');
    await bed.ok(['load', '-q'], { stdin: second ?? Buffer.alloc(0) });
    expect(await idOf('demo/moves:1')).not.toBe(id);
    expect(await unnamed()).toBe(id);
    await bed.ok(['tag', id, 'demo/moved:1']);
    expect(await unnamed()).toBe('');
    await bed.ok(['tag', 'demo/moves:1', 'demo/moved:1']);
    expect(await unnamed()).toBe(id);
    expect(await bed.ok(['image', 'prune', '-f'])).toContain(`deleted: ${id}`);
    expect(await bed.ok(['image', 'inspect', '--format', '{{.RepoTags}}', 'demo/moved:1'])).toBe(
      '[demo/moved:1 demo/moves:1]',
    );
  });

  test('loads one image twice at the same time', async () => {
    const bytes = await dockerArchive({ name: 'demo/race:1', files: { race: 'x'.repeat(3e6) } });
    const results = await Promise.all([1, 2, 3].map(() => bed.cli(['load', '-q'], { stdin: bytes })));
    expect(results.map(({ code, stderr }) => `${code}${stderr}`)).toEqual(['0', '0', '0']);
    expect((await bed.traces()).leases).toEqual([]);
  });

  describe('loading what is no image', () => {
    const hostile: Record<string, () => Promise<Buffer>> = {};
    const refused = (name: string, make: () => Promise<Buffer>, message: string | RegExp) => {
      hostile[name] = make;
      test(`${name}: prints one line and leaves nothing`, async () => {
        const before = await bed.traces();
        const { code, stdout, stderr } = await bed.cli(['load'], { stdin: await make() });
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
        expect(stderr.split('\n').filter((line) => line !== '').length).toBeLessThanOrEqual(2);
        expect(stderr).toMatch(message);
        await bed.expectNothingLeft(before);
      });
    };
    const parts = imageParts({ name: 'x', config: { User: 'hostile' }, files: { hostile: 'y' } });
    const docker = async (entry: object, ...members: Member[]) => {
      const { config, layer } = await parts;
      return tar({ name: 'c.json', body: config.bytes }, { name: 'l.tar', body: layer.bytes }, ...members, {
        name: 'manifest.json',
        body: json([{ Config: 'c.json', RepoTags: ['hostile:1'], Layers: ['l.tar'], ...entry }]),
      });
    };

    refused('empty', async () => Buffer.alloc(0), 'standard input is not an image archive: it is empty');
    refused('another tar', () => tar({ name: 'a', body: 'b' }), 'it has neither manifest.json nor index.json');
    refused('text', async () => Buffer.from('hello '.repeat(200)), 'it is no tar archive, or damaged');
    refused('a cut archive', async () => (await docker({})).subarray(0, 1e6), 'it is truncated');
    refused(
      'a layer that is missing',
      () => docker({ Layers: ['gone.tar'] }),
      'standard input lacks its file gone.tar',
    );
    refused('a config that is missing', () => docker({ Config: 'gone.json' }), 'lacks its file gone.json');
    refused(
      'a config that is a layer',
      () => docker({ Config: 'l.tar' }),
      /config of image hostile:1 is not valid JSON/,
    );
    refused('a layer too many', () => docker({ Layers: ['l.tar', 'l.tar'] }), 'has 2 layers, but its config names 1');
    refused(
      'another layer',
      () => docker({ Layers: ['c.json'] }),
      /layer sha256:\w+ of image hostile:1 (unpacks to|cannot be unpacked)/,
    );
    refused('a bad name', () => docker({ RepoTags: ['../../etc'] }), 'has an image with the invalid name "../../etc"');
    refused(
      'names that are none',
      () => docker({ RepoTags: 3 }),
      /manifest\.json of standard input: images\[0\]\.RepoTags is not/,
    );
    refused(
      'links in a circle',
      () => docker({ Layers: ['a'] }, { name: 'a', link: 'b' }, { name: 'b', link: 'a' }),
      'has links in a circle at a',
    );
    refused(
      'a member outside',
      () => docker({}, { name: '../evil', body: 'x' }),
      'its member "../evil" lies outside of it',
    );
    refused('a link outside', () => docker({}, { name: 'l', link: '../../etc/passwd' }), 'lies outside of it');
    refused(
      'a huge manifest',
      () => tar({ name: 'manifest.json', body: Buffer.alloc(5 << 20, ' ') }),
      'has a manifest.json of 5242880 bytes',
    );
    refused(
      'no JSON',
      () => tar({ name: 'manifest.json', body: '{' }),
      'manifest.json of standard input is not valid JSON',
    );
    refused('no images', () => tar({ name: 'manifest.json', body: '[]' }), 'holds no image for this platform');

    const oci = async (change: { index?: object; manifest?: object; leaveOut?: string; wrong?: boolean }) => {
      const { config, layer } = await parts;
      const manifest = blob(
        Buffer.from(
          json({
            schemaVersion: 2,
            config: descriptor(CONFIG_TYPE, config),
            layers: [descriptor(LAYER_TYPE, layer)],
            ...change.manifest,
          }),
        ),
      );
      const blobs = Object.entries({ config, layer, manifest }).filter(([name]) => name !== change.leaveOut);
      const entry = {
        ...descriptor(MANIFEST_TYPE, manifest),
        annotations: { 'io.containerd.image.name': 'hostile:2' },
      };
      return tar(
        { name: 'oci-layout', body: '{}' },
        { name: 'index.json', body: json({ manifests: [entry], ...change.index }) },
        ...blobs.map(([name, { digest, bytes }]) => ({
          name: pathOf(digest),
          body: name === 'layer' && change.wrong ? Buffer.from('something else') : bytes,
        })),
      );
    };
    refused(
      'a blob with a wrong digest',
      () => oci({ wrong: true }),
      /holds a file blobs\/sha256\/\w+ whose digest is sha256:/,
    );
    refused('a layout without a blob', () => oci({ leaveOut: 'layer' }), /lacks its blob sha256:/);
    refused('a layout without its manifest', () => oci({ leaveOut: 'manifest' }), /lacks its blob sha256:/);
    refused(
      'a layout with a helm chart',
      () =>
        oci({
          manifest: {
            config: {
              mediaType: 'application/vnd.cncf.helm.config.v1+json',
              digest: `sha256:${'0'.repeat(64)}`,
              size: 1,
            },
          },
        }),
      'is not of a container image',
    );
    refused(
      'an index that is none',
      () => oci({ index: { manifests: {} } }),
      'index.json of standard input: manifests is not a list',
    );
    refused('an archive cut in its first file', async () => (await docker({})).subarray(0, 600), 'it is truncated');
    const bomb = async () => {
      const start = (await tar({ name: 'l.tar', body: 'x' })).subarray(0, 512);
      start.write('77777777777 ', 124);
      start.write('        ', 148);
      start.write(
        `${start
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\0 `,
        148,
      );
      const zeros = gzipSync(Buffer.alloc(64 << 20));
      return Buffer.concat([gzipSync(start), ...Array<Buffer>(20).fill(zeros)]);
    };
    refused('a gzip bomb', bomb, 'it expands to more than 200 times its size');
  });

  test('a cancelled load leaves nothing', async () => {
    const bytes = await dockerArchive({ name: 'demo/cancel:1', files: { cancel: 'z'.repeat(2e6) } });
    const before = await bed.traces();
    const running = bed.spawn(['load']);
    running.write(bytes.subarray(0, 3e6).toString('latin1'));
    await new Promise((resolve) => setTimeout(resolve, 700));
    running.kill('SIGINT');
    const { code } = await running.exited;
    expect(code).not.toBe(0);
    await bed.expectNothingLeft(before);
  });

  test.each([
    [['load', '-i', '/nowhere.tar'], 'healthctl: open /nowhere.tar: no such file or directory\n'],
    [['load', '-i', '/'], 'healthctl: read /: is a directory\n'],
  ])('%j', async (args, stderr) => {
    expect(await bed.cli(args)).toMatchObject({ code: 1, stdout: '', stderr });
  });
});

describe('import', () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await openBed();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  test('makes an image of a file system, which runs', async () => {
    const { layer } = await imageParts({ name: 'x' });
    const path = join(bed.directory, 'rootfs.tar.gz');
    writeFileSync(path, gzipSync(layer.bytes));
    const id = await bed.ok(['import', '-c', 'CMD ["echo", "it runs"]', '-m', 'mine', path, 'demo/import:1']);
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await bed.ok(['run', '--rm', 'demo/import:1'])).toBe('it runs');
    expect(await bed.ok(['image', 'history', '--format', '{{.ID}} {{.Comment}}', '--no-trunc', 'demo/import:1'])).toBe(
      `${id} mine`,
    );
    expect(await bed.ok(['import', '-'], { stdin: layer.bytes })).toMatch(/^sha256:/);
    expect(await bed.ok(['images', '--filter', 'dangling=true', '--format', '{{.Repository}}'])).toBe('<none>');
  });

  test.each([
    ['text', 'it is no archive', [], /^healthctl: layer \S+ of image \S+ cannot be unpacked: /],
    [
      'another compression',
      Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0, 0]),
      [],
      /^healthctl: standard input is compressed with xz/,
    ],
    ['an instruction that is none', '', ['-c', 'RUN x'], /^healthctl: RUN is not a valid change command\n$/],
    [
      'a platform of another system',
      '',
      ['--platform', 'windows/amd64'],
      /^healthctl: operating system is not supported\n$/,
    ],
  ])('refuses %s, and leaves nothing', async (_, stdin, options, stderr) => {
    const before = await bed.traces();
    expect(await bed.cli(['import', ...options, '-'], { stdin })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(stderr),
    });
    await bed.expectNothingLeft(before);
  });
});
