import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/containerd/client.ts';
import { ensureUnpacked, resolveImage } from '../../src/image/find.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { blob, descriptor, imageParts } from '../../testbed/image-archive.ts';
import { REGISTRY_USER, type Registry, startRegistry } from '../../testbed/registry.ts';
import { type Bed, openBed } from './support/harness.ts';

const CHECK = { Test: ['CMD', 'true'], Interval: 1e9 };

describe('pull', () => {
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

  test.each(['docker', 'oci'] as const)('pulls an image of the form %s with its health check', async (format) => {
    const { reference, digest } = await registry.push({
      name: `demo/${format}:1`,
      files: { [format]: 'of its own' },
      format,
      config: { Healthcheck: CHECK },
    });
    const { code, stdout, stderr } = await bed.cli(['pull', reference]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Digest: ${digest}\nStatus: Downloaded newer image for ${reference}\n${reference}\n`,
    });
    expect(stderr).toMatch(/^1: Pulling from \S+\n([0-9a-f]{12}: [A-Z][a-z ]+\n)+$/);
    expect(stderr).toContain(': Pull complete\n');
    const shown = await bed.ok([
      'image',
      'inspect',
      '--format',
      '{{json .Config.Healthcheck}} {{.RepoDigests}}',
      reference,
    ]);
    expect(shown).toBe(`{"Test":["CMD","true"],"Interval":1000000000} [${reference.replace(/:1$/, '')}@${digest}]`);
    expect(await bed.ctr('run', '--rm', reference, `c-${format}`, 'echo', 'it runs')).toBe('it runs\n');
  });

  test('pulling again reports that the image is up to date, and leaves nothing', async () => {
    const { reference, digest } = await registry.push({ name: 'demo/again:1', config: { User: 'again' } });
    expect(await bed.ok(['pull', '-q', reference])).toBe(reference);
    const before = await bed.traces();
    expect(await bed.ok(['pull', reference])).toBe(
      `Digest: ${digest}\nStatus: Image is up to date for ${reference}\n${reference}`,
    );
    await bed.expectNothingLeft(before);
  });

  test('pulls by digest, and a tag that moved', async () => {
    const first = await registry.push({ name: 'demo/moves:1', config: { User: 'first' } });
    await bed.ok(['pull', '-q', first.reference]);
    const second = await registry.push({ name: 'demo/moves:1', config: { User: 'second' } });
    const user = (name: string) => bed.ok(['image', 'inspect', '--format', '{{.Config.User}}', name]);
    expect(await user(first.reference)).toBe('first');
    expect(await bed.ok(['pull', first.reference])).toContain('Downloaded newer image');
    expect(await user(second.reference)).toBe('second');
    const byDigest = `${first.reference.replace(/:1$/, '')}@${first.digest}`;
    expect(await bed.ok(['pull', '-q', byDigest])).toBe(byDigest);
    expect(await user(byDigest)).toBe('first');
  });

  test('pulls one image twice at the same time', async () => {
    const { reference } = await registry.push({ name: 'demo/race:1', files: { race: 'r'.repeat(2e6) } });
    const results = await Promise.all([1, 2, 3].map(() => bed.cli(['pull', '-q', reference])));
    expect(results.map(({ code, stderr }) => `${code}${stderr}`)).toEqual(['0', '0', '0']);
    expect((await bed.traces()).leases).toEqual([]);
  });

  test("pulls with the password in Docker's config, and fails without", async () => {
    await using locked = await startRegistry({ directory: bed.directory, env: bed.env, auth: true });
    const { reference } = await locked.push({ name: 'demo/secret:1' });
    const refused = await bed.cli(['pull', '-q', reference]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /^healthctl: pull access denied for demo\/secret at 127\.0\.0\.1:\d+, repository does not exist or may require a login\n/,
    );
    const home = join(bed.directory, 'docker-config');
    mkdirSync(home);
    const auth = Buffer.from(`${REGISTRY_USER.name}:${REGISTRY_USER.password}`).toString('base64');
    writeFileSync(join(home, 'config.json'), JSON.stringify({ auths: { [locked.host]: { auth } } }));
    expect(await bed.ok(['pull', '-q', reference], { env: { DOCKER_CONFIG: home } })).toBe(reference);
  });

  test('draws bars on a terminal', async () => {
    const { reference } = await registry.push({ name: 'demo/tty:1', files: { tty: 't'.repeat(1e6) } });
    const { code, stdout } = await bed.cli(['pull', reference], { tty: true });
    expect(code).toBe(0);
    expect(stdout).toContain('\x1b[2K');
    expect(stdout).toContain(`Status: Downloaded newer image for ${reference}`);
  });

  test('finds and unpacks images that nerdctl or ctr fetched without unpacking', async () => {
    const { reference } = await registry.push({
      name: 'demo/foreign:1',
      config: { User: 'foreign' },
      files: { f: 'f' },
    });
    await bed.ctr('content', 'fetch', '--plain-http', reference);
    const containerd = connect(bed);
    try {
      const image = await resolveImage({ containerd }, reference);
      expect(image.config.user).toBe('foreign');
      const snapshotter = 'overlayfs';
      expect(await containerd.snapshots.exists({ snapshotter, key: image.chainId })).toBe(false);
      expect(await ensureUnpacked({ containerd, clock: systemClock }, image, { snapshotter })).toBe(image.chainId);
      expect(await containerd.snapshots.exists({ snapshotter, key: image.chainId })).toBe(true);
    } finally {
      containerd.close();
    }
    expect((await bed.traces()).leases).toEqual([]);
  });

  test.each([
    [
      'a tag that is not there',
      () => `${registry.host}/demo/none:1`,
      /^healthctl: manifest for \S+\/demo\/none:1 not found: manifest unknown: manifest unknown\n$/,
    ],
    [
      'a registry that is down',
      () => '127.0.0.1:1/demo:1',
      /^healthctl: cannot reach registry 127\.0\.0\.1:1: connection refused\n$/,
    ],
    [
      'no name',
      () => 'Demo',
      /^healthctl: invalid reference format: repository name \(library\/Demo\) must be lowercase\n$/,
    ],
  ])('%s: prints one line and leaves nothing', async (_, reference, stderr) => {
    const before = await bed.traces();
    expect(await bed.cli(['pull', '-q', reference()])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(stderr),
    });
    await bed.expectNothingLeft(before);
  });

  describe('pulling from a faulty registry', () => {
    const servers: Server[] = [];
    afterAll(() => {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    });

    /** A registry with one image, whose layer `layer` sends. */
    async function serve(
      layer: (bytes: Buffer) => Buffer | 'never',
      options: { diffId?: string } = {},
    ): Promise<string> {
      const parts = await imageParts({ name: 'x', files: { hostile: `${servers.length}` } });
      const text = parts.config.bytes.toString().replace(parts.layer.digest, options.diffId ?? parts.layer.digest);
      const config = blob(Buffer.from(text));
      const type = 'application/vnd.docker.distribution.manifest.v2+json';
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: type,
        config: descriptor('application/vnd.docker.container.image.v1+json', config),
        layers: [descriptor('application/vnd.docker.image.rootfs.diff.tar', parts.layer)],
      });
      const server = createServer((request, response) => {
        if (request.url?.includes('/manifests/')) response.setHeader('content-type', type).end(manifest);
        else if (request.url?.endsWith(config.digest)) response.end(config.bytes);
        else {
          const body = layer(parts.layer.bytes);
          if (body === 'never') response.write(parts.layer.bytes.subarray(0, 1000));
          else response.end(body);
        }
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hostile:1`;
    }

    const wrongByte = (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([1])]);
    test.each<[string, Parameters<typeof serve>, RegExp]>([
      ['a layer with a wrong digest', [wrongByte], /registry sent a blob with the digest sha256:\w+, not sha256:/],
      [
        'a layer that is too long',
        [(bytes) => Buffer.concat([bytes, bytes])],
        /is larger than the \d+ bytes that its manifest says/,
      ],
      [
        'a layer that is not what the config says',
        [(bytes) => bytes, { diffId: `sha256:${'0'.repeat(64)}` }],
        /unpacks to sha256:\w+, not to sha256:0{64} as its config says/,
      ],
    ])('%s: prints one line and leaves nothing', async (_, args, message) => {
      const reference = await serve(...args);
      const before = await bed.traces();
      const { code, stdout, stderr } = await bed.cli(['pull', '-q', reference]);
      expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, stdout: '', lines: 1 });
      expect(stderr).toMatch(message);
      await bed.expectNothingLeft(before);
    });

    test.each(['SIGINT', 'SIGTERM'] as const)('%s during a layer leaves nothing', async (signal) => {
      const reference = await serve(() => 'never');
      const before = await bed.traces();
      const running = bed.spawn(['pull', reference]);
      const { until } = await import('../../testbed/until.ts');
      await until(() => running.stderr().includes('Pulling fs layer'), { what: 'the request for the layer' });
      await new Promise((resolve) => setTimeout(resolve, 200));
      running.kill(signal);
      const { code } = await running.exited;
      expect(code).not.toBe(0);
      await bed.expectNothingLeft(before);
    });
  });
});
