import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import type { DaemonStatus } from '../../src/daemon/api/answers.ts';
import { tarEnd, tarHeader, tarPadding } from '../../src/lib/tar-header.ts';
import { openBed } from '../e2e/support/harness.ts';

// The memory of the monitor while an image of 500 MB goes through Docker's API in both directions.

const MIB = 1 << 20;
const LAYER_MIB = 500;
const MOST_MIB = 150;

/** A layer with one file of chunks that are all different. */
function* layerChunks(): Generator<Buffer> {
  yield tarHeader({ name: 'large', kind: 'file', size: LAYER_MIB * MIB });
  for (let at = 0; at < LAYER_MIB; at += 1) yield Buffer.alloc(MIB, createHash('sha256').update(String(at)).digest());
  yield tarEnd();
}

function* archiveChunks(): Generator<Buffer> {
  const hash = createHash('sha256');
  let size = 0;
  for (const chunk of layerChunks()) {
    hash.update(chunk);
    size += chunk.length;
  }
  const layer = hash.digest('hex');
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify([{ Config: 'config.json', RepoTags: ['demo/large:1'], Layers: ['layer.tar'] }]),
  );
  yield tarHeader({ name: 'layer.tar', kind: 'file', size });
  yield* layerChunks();
  yield tarPadding(size);
  for (const [name, bytes] of [
    ['config.json', config],
    ['manifest.json', manifest],
  ] as const) {
    yield tarHeader({ name, kind: 'file', size: bytes.length });
    yield bytes;
    yield tarPadding(bytes.length);
  }
  yield tarEnd();
}

test('the monitor loads and saves 500 MB with bounded memory', { timeout: 600_000 }, async () => {
  await using bed = await openBed();
  const socketPath = join(bed.directory, 'docker.sock');
  const path = join(bed.directory, 'large.tar');
  await pipeline(Readable.from(archiveChunks()), createWriteStream(path));
  const config = `${readFileSync(bed.env.HEALTHCTL_TOML ?? '', 'utf8')}docker_socket = "${socketPath}"\n`;
  writeFileSync(bed.env.HEALTHCTL_TOML ?? '', config);
  // As a command starts it: with the flags of Node.js that limit its memory.
  await bed.ok(['daemon', 'start']);
  const { pid }: DaemonStatus = JSON.parse(await bed.ok(['daemon', 'status', '--format', 'json']));
  const call = (method: string, target: string, body?: Readable) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({ socketPath, method, path: target, agent: false }, resolve).on('error', reject);
      if (body) body.pipe(sent);
      else sent.end();
    });
  expect(await text(await call('POST', '/images/load', createReadStream(path)))).toBe(
    '{"stream":"Loaded image: demo/large:1\\n"}\r\n',
  );
  const loaded = peakMib(pid);
  const saved = await call('GET', '/images/demo/large:1/get');
  let bytes = 0;
  for await (const chunk of saved) bytes += (chunk as Buffer).length;
  expect(bytes).toBeGreaterThan(LAYER_MIB * MIB);
  console.log(`peak of the monitor's memory: ${loaded} MiB after the load, ${peakMib(pid)} MiB after the save`);
  expect(peakMib(pid)).toBeLessThan(MOST_MIB);
});

/** The most resident memory so far. */
function peakMib(pid: number): number {
  const [, kib = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1024);
}
