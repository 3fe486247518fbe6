import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/containerd/client.ts';
import { ingestBytes } from '../../src/image/ingest.ts';
import { dockerArchive, ociArchive } from '../../testbed/image-archive.ts';
import { REGISTRY_USER, type Registry, startRegistry } from '../../testbed/registry.ts';
import { type Bed, openBed } from './support/harness.ts';

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;
const CHECK = { Test: ['CMD', 'true'], Interval: 1e9 };

describe('push', () => {
  let bed: Bed;
  let registry: Registry;
  beforeAll(async () => {
    bed = await openBed();
    registry = await startRegistry({ directory: bed.directory, env: bed.env });
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await bed[Symbol.asyncDispose]();
  });

  const load = async (bytes: Buffer) => {
    await bed.ok(['load', '-q'], { stdin: bytes });
  };
  const inspect = (name: string, format: string) => bed.ok(['image', 'inspect', '--format', format, name]);

  test('uploads an image, which comes back with its health check and the same digest', async () => {
    await load(await ociArchive({ name: 'docker.io/demo/push:1', config: { Healthcheck: CHECK } }));
    const name = `${registry.host}/demo/push:1`;
    await bed.ok(['tag', 'demo/push:1', name]);
    const digest = await inspect(name, '{{.Descriptor.Digest}}');
    const { code, stdout, stderr } = await bed.cli(['push', name]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(`^1: digest: ${digest} size: \\d+\n$`) });
    expect(stderr).toMatch(
      /^The push refers to repository \[127\.0\.0\.1:\d+\/demo\/push\]\n([0-9a-f]{12}): Preparing\n\1: Pushed\n$/,
    );
    expect(await inspect(name, '{{.RepoDigests}}')).toBe(`[${registry.host}/demo/push@${digest}]`);
    await bed.ok(['rmi', 'demo/push:1', name]);
    expect(await bed.ok(['pull', name])).toContain(`Digest: ${digest}\nStatus: Downloaded newer image`);
    expect(await inspect(name, '{{.Config.Healthcheck.Test}}')).toBe('[CMD true]');
  });

  test('sends only what the registry lacks, and takes layers from its other repositories', async () => {
    await load(await dockerArchive({ name: `${registry.host}/demo/base:1`, files: { base: 'of its own' } }));
    await bed.ok(['push', '-q', `${registry.host}/demo/base:1`]);
    const again = await bed.cli(['push', `${registry.host}/demo/base:1`]);
    expect(again.stderr).toMatch(/: Layer already exists\n$/);
    await bed.ok(['tag', `${registry.host}/demo/base:1`, `${registry.host}/demo/other:1`]);
    const mounted = await bed.cli(['push', `${registry.host}/demo/other:1`]);
    expect(mounted.stderr).toMatch(/: Mounted from demo\/base\n$/);
  });

  test('pushes all tags of a repository', async () => {
    const repository = `${registry.host}/demo/tags`;
    await load(await dockerArchive({ name: `${repository}:1`, config: { User: 'one' } }));
    await load(await dockerArchive({ name: `${repository}:2`, config: { User: 'two' } }));
    expect(await bed.ok(['push', '--all-tags', repository])).toMatch(/^1: digest: \S+ size: \d+\n2: digest: /);
    const answer = await fetch(`http://${registry.host}/v2/demo/tags/tags/list`);
    const { tags } = (await answer.json()) as { tags: string[] };
    expect(tags.sort()).toEqual(['1', '2']);
    await bed.ok(['rmi', `${repository}:1`, `${repository}:2`]);
    const pulled = await bed.ok(['pull', '--all-tags', repository]);
    expect(pulled.match(/^Status: Downloaded newer image for .*$/gm)?.sort()).toEqual(
      ['1', '2'].map((tag) => `Status: Downloaded newer image for ${repository}:${tag}`),
    );
    expect(pulled).toMatch(new RegExp(`\n${repository}$`));
    expect((await bed.cli(['pull', '-a', `${repository}:1`])).stderr).toContain("tag can't be used with --all-tags/-a");
  });

  test('pushes the part for this machine of an image for several platforms', async () => {
    const { reference, digest } = await registry.push({ name: 'demo/part:1', config: { User: 'part' } });
    const there = { mediaType: MANIFEST_TYPE, digest: `sha256:${'1'.repeat(64)}`, size: 500 };
    const response = await fetch(`http://${registry.host}/v2/demo/part/manifests/${digest}`, {
      headers: { accept: MANIFEST_TYPE },
    });
    const here = { mediaType: MANIFEST_TYPE, digest, size: (await response.arrayBuffer()).byteLength };
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json',
        manifests: [
          { ...here, platform: { os: 'linux', architecture: ARCHITECTURE } },
          { ...there, platform: { os: 'linux', architecture: 's390x' } },
        ],
      }),
    );
    const containerd = connect(bed);
    try {
      await bed.ok(['pull', '-q', reference]);
      const { digest: target, size } = await ingestBytes(containerd, { bytes: index, ref: bed.name('index') });
      const mediaType = 'application/vnd.docker.distribution.manifest.list.v2+json';
      const name = reference.replace(/:1$/, ':2');
      await containerd.images.put({ name, target: { mediaType, digest: target, size, annotations: {} } });
      const pushed = `2: digest: ${digest} size: ${here.size}`;
      expect(await bed.ok(['push', name])).toBe(pushed);
      expect(await bed.ok(['push', '--platform', `linux/${ARCHITECTURE}`, name])).toBe(pushed);
      expect((await bed.cli(['push', '--platform', 'linux/s390x', name])).stderr).toContain(
        `does not match the specified platform (linux/s390x)`,
      );
    } finally {
      containerd.close();
    }
  });

  test('needs the password of a registry that has one', async () => {
    await using locked = await startRegistry({ directory: bed.directory, env: bed.env, auth: true });
    const name = `${locked.host}/demo/secret:1`;
    await load(await dockerArchive({ name, config: { User: 'secret' } }));
    expect(await bed.cli(['push', '-q', name])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^healthctl: push access denied for demo\/secret at 127\.0\.0\.1:\d+, /),
    });
    const home = join(bed.directory, 'push-config');
    mkdirSync(home);
    const auth = Buffer.from(`${REGISTRY_USER.name}:${REGISTRY_USER.password}`).toString('base64');
    writeFileSync(join(home, 'config.json'), JSON.stringify({ auths: { [locked.host]: { auth } } }));
    expect(await bed.ok(['push', '-q', name], { env: { DOCKER_CONFIG: home } })).toBe(name);
  });

  test.each([
    [
      'a name that no image has',
      () => `${registry.host}/demo/none:1`,
      /^healthctl: An image does not exist locally with the tag: \S+\/demo\/none\n/,
    ],
    [
      'a digest',
      () => `${registry.host}/demo/x@sha256:${'0'.repeat(64)}`,
      /^healthctl: cannot push a digest reference\n/,
    ],
  ])('refuses %s', async (_, name, stderr) => {
    expect(await bed.cli(['push', '-q', name()])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(stderr),
    });
  });

  test('a registry that is down', async () => {
    await load(await dockerArchive({ name: '127.0.0.1:1/demo:1' }));
    expect(await bed.cli(['push', '-q', '127.0.0.1:1/demo:1'])).toMatchObject({
      code: 1,
      stderr: 'healthctl: cannot reach registry 127.0.0.1:1: connection refused\n',
    });
  });
});
