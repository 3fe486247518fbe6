// Peak memory of `load` and `pull` of a 500 MB image, on a private containerd. Needs root, containerd and the built
// program.
//   node --import tsx bench/image-memory.mjs [--megabytes 500] [--max 200]
// Prints a line for each, and exits with 1 if one needs more than --max MB. The image is generated while it is read,
// and is never on disk here.
import { spawn } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startContainerd, testbedEnvironment } from '../testbed/private-containerd.ts';

const { values } = parseArgs({
  options: { megabytes: { type: 'string', default: '500' }, max: { type: 'string', default: '200' } },
});
const program = fileURLToPath(new URL('../bin/healthctl', import.meta.url));
const MIB = 1 << 20;
const LAYERS = 4;
const fileBytes = Math.round(Number(values.megabytes) / LAYERS) * MIB;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** The header of one file in a tar (POSIX ustar). */
function tarHeader(name, size) {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')} `, 124);
  header.write('00000000000 ', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\u000000', 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return header;
}

const padding = (size) => Buffer.alloc((512 - (size % 512)) % 512);
const END_OF_TAR = Buffer.alloc(1024);
const layerBytes = 512 + fileBytes + END_OF_TAR.length;

/** A layer with one file of bytes that do not compress; the same number gives the same bytes. */
function* layer(number) {
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, number + 1), Buffer.alloc(16));
  const zeros = Buffer.alloc(MIB);
  yield tarHeader(`file-${number}`, fileBytes);
  for (let done = 0; done < fileBytes; done += MIB) yield noise.update(zeros);
  yield END_OF_TAR;
}

function digestOfLayer(number) {
  const hash = createHash('sha256');
  for (const chunk of layer(number)) hash.update(chunk);
  return hash.digest('hex');
}

const digests = Array.from({ length: LAYERS }, (_, number) => digestOfLayer(number));
const config = Buffer.from(
  JSON.stringify({
    architecture: { x64: 'amd64' }[process.arch] ?? process.arch,
    os: 'linux',
    config: { Cmd: ['true'] },
    rootfs: { type: 'layers', diff_ids: digests.map((digest) => `sha256:${digest}`) },
  }),
);

function* archive() {
  const file = function* (name, size, chunks) {
    yield tarHeader(name, size);
    yield* chunks;
    yield padding(size);
  };
  for (const [number, digest] of digests.entries()) yield* file(`${digest}.tar`, layerBytes, layer(number));
  const list = [{ Config: 'config.json', RepoTags: ['bench:load'], Layers: digests.map((digest) => `${digest}.tar`) }];
  const manifest = Buffer.from(JSON.stringify(list));
  yield* file('config.json', config.length, [config]);
  yield* file('manifest.json', manifest.length, [manifest]);
  yield END_OF_TAR;
}

/** A registry with only this image. */
async function startRegistry() {
  const type = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        size: config.length,
        digest: `sha256:${sha256(config)}`,
      },
      layers: digests.map((digest) => ({
        mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
        size: layerBytes,
        digest: `sha256:${digest}`,
      })),
    }),
  );
  const server = createServer((request, response) => {
    const name = request.url.split('/').at(-1);
    const number = digests.indexOf(name.replace('sha256:', ''));
    if (number >= 0) return Readable.from(layer(number)).pipe(response);
    response.setHeader('content-type', type).end(request.url.includes('/manifests/') ? manifest : config);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/**
 * Runs the program to its end.
 * @returns the peak of its resident memory in MB, and its duration in seconds
 */
async function measure(bed, args, input) {
  const startMs = performance.now();
  const child = spawn(program, ['--address', bed.address, '--namespace', 'bench', ...args], {
    env: testbedEnvironment(bed.directory),
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  let peakKib = 0;
  const sampling = setInterval(() => {
    try {
      const [, kib = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      peakKib = Math.max(peakKib, Number(kib));
    } catch {
      // It is ending.
    }
  }, 20);
  child.stdin.on('error', () => {});
  if (input) Readable.from(input).pipe(child.stdin);
  else child.stdin.end();
  const [code] = await once(child, 'exit');
  clearInterval(sampling);
  if (code !== 0) throw new Error(`healthctl ${args.join(' ')} exited with ${code}`);
  return { peakMb: Math.round((peakKib * 1024) / 1e6), seconds: ((performance.now() - startMs) / 1000).toFixed(1) };
}

const bed = await startContainerd();
const registry = await startRegistry();
try {
  const host = `127.0.0.1:${registry.address().port}`;
  const results = {
    load: await measure(bed, ['load', '--quiet'], archive()),
    // A namespace of its own has no blobs yet; containerd would share those of another.
    pull: await removeThen(() => measure(bed, ['pull', '--quiet', `${host}/bench:pull`])),
  };
  for (const [name, { peakMb, seconds }] of Object.entries(results)) {
    console.log(`${name} of ${values.megabytes} MB: peak memory ${peakMb} MB (at most ${values.max}), ${seconds} s`);
  }
  if (Object.values(results).some(({ peakMb }) => peakMb > Number(values.max))) process.exitCode = 1;
} finally {
  registry.close();
  registry.closeAllConnections();
  await bed.stop();
}

async function removeThen(next) {
  await measure(bed, ['rmi', 'bench:load']);
  return next();
}
