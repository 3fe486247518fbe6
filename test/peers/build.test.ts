import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildxProgram } from '../../testbed/debian-program.ts';
import { dockerArchive, type ExtraMember } from '../../testbed/image-archive.ts';
import { findPeer } from '../../testbed/nerdctl-program.ts';
import { mustRun, runProgram } from '../../testbed/program.ts';
import { startEngine } from '../e2e/support/engine.ts';
import { type Bed, openBed, until } from '../e2e/support/harness.ts';

// buildx finds no BuildKit behind the socket, and starts one as a container through Docker's API; nothing of this is
// made for healthctl.
const [buildkitd, buildctl] = [findPeer('buildkitd'), findPeer('buildctl')];
const buildx = await buildxProgram();

const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /etc && echo built > /etc/made
HEALTHCHECK --interval=1s --retries=2 CMD test -e /etc/made
CMD ["/bin/sleep", "600"]
`;

describe.skipIf(!buildkitd || !buildctl || 'missing' in buildx)('buildx, with a BuildKit that it starts itself', () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await openBed(['autostart = false', 'network = "host"']);
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  test('builds a Dockerfile, loads the image, and the image has its health check', async () => {
    const { socket } = await startEngine(bed);
    const archive = join(bed.directory, 'buildkit.tar');
    writeFileSync(archive, await builderImage());
    await bed.ok(['load', '--quiet', '--input', archive]);
    const context = join(bed.directory, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'Dockerfile'), DOCKERFILE);
    writeFileSync(join(context, 'busybox'), readFileSync('/bin/busybox'), { mode: 0o755 });
    const command = [pathOf(buildx), 'build', '--load', '--tag', 'made:1', context];
    const env = { ...bed.env, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: join(bed.directory, 'docker') };
    await mustRun(command, { env, timeoutMs: 300_000 });
    await bed.ok(['run', '-d', '--name', 'made', 'made:1']);
    const health = () => bed.ok(['inspect', '--format', '{{.State.Health.Status}}', 'made']);
    await until(async () => (await health()) === 'healthy', { withinMs: 15_000 });
    const { code } = await runProgram([pathOf(buildx), 'rm', '--all-inactive', '--force'], { env, timeoutMs: 60_000 });
    expect(code).toBe(0);
  });
});

function pathOf(had: Awaited<ReturnType<typeof buildxProgram>>): string {
  if ('missing' in had) throw new Error(had.missing);
  return had.path;
}

/** What buildx asks for, with the parts of it that a registry would have. */
function builderImage(): Promise<Buffer> {
  const files: Record<string, ExtraMember> = {};
  const add = (path: string, from: string): void => {
    files[path] = { body: readFileSync(from), mode: 0o755 };
  };
  add('usr/bin/buildkitd', buildkitd ?? '');
  add('usr/bin/buildctl', buildctl ?? '');
  const runc = realpathSync(execFileSync('sh', ['-c', 'command -v runc'], { encoding: 'utf8' }).trim());
  add('usr/bin/buildkit-runc', runc);
  for (const [, library = ''] of execFileSync('ldd', [runc], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g))
    add(library.slice(1), realpathSync(library));
  const config = { Entrypoint: ['buildkitd'], Cmd: null, Volumes: { '/var/lib/buildkit': {} } };
  return dockerArchive({ name: 'moby/buildkit:buildx-stable-1', config, files });
}
