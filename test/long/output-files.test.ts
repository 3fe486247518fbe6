import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OutputStream, outputFilesOf, prepareStdio } from '../../src/container/logs/output-files.ts';
import { shimOf, untilCopied } from '../../src/container/logs/shim-copy.ts';
import { type Containerd, connect } from '../../src/containerd/client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type BareContainers, openBareContainers } from '../../testbed/bare-container.ts';
import { type Bed, openBed } from '../e2e/support/harness.ts';

// The basis of our logs: the shim of this containerd appends both streams to plain files, completely, without a process
// of ours in between.

let bed: Bed;
let containerd: Containerd;
let bare: BareContainers;

beforeAll(async () => {
  bed = await openBed();
  containerd = connect(bed);
  bare = await openBareContainers({ ...bed, containerd });
});
afterAll(async () => {
  containerd.close();
  await bed[Symbol.asyncDispose]();
});

const never = new AbortController().signal;

/**
 * Runs a container once, to the end of its output.
 * @returns its data directory
 */
async function runOnce(id: string, terminal = false): Promise<string> {
  const dataDir = join(bed.dataRoot, id);
  const stdio = prepareStdio({ dataDir, runDir: join(bed.runRoot, id), openStdin: false, terminal, keepsOutput: true });
  const shimPid = shimOf(await bare.createTask(id, stdio));
  const exit = containerd.tasks.wait({ containerId: id });
  await containerd.tasks.start({ containerId: id });
  expect((await exit).status).toBe(0);
  const paths = [stdio.stdout, stdio.stderr].filter((path) => path !== '');
  await untilCopied({ shimPid, paths, clock: systemClock, signal: never });
  return dataDir;
}

function textOf(dataDir: string, stream: OutputStream): string {
  return outputFilesOf(dataDir, stream)
    .map((path) => readFileSync(path, 'utf8'))
    .join('');
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

describe('two plain files', () => {
  test('contain 20 MB of each stream, written at the same time, byte for byte', async () => {
    const bytes = 20_000_000;
    const count = (marker: string) => `yes ${marker}0123456789 | head -c ${bytes}`;
    const id = await bare.create(`${count('out')} & ${count('err')} >&2; wait`);
    const dataDir = await runOnce(id);
    for (const [stream, marker] of [
      ['stdout', 'out'],
      ['stderr', 'err'],
    ] as const) {
      const line = `${marker}0123456789\n`;
      const expected = Buffer.from(line.repeat(Math.ceil(bytes / line.length))).subarray(0, bytes);
      const path = join(dataDir, `${stream}.log`);
      expect(statSync(path).size).toBe(bytes);
      expect(await digestOf(path)).toBe(createHash('sha256').update(expected).digest('hex'));
    }
  });

  test('contain the one line on each stream of 50 containers that end at the same time', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => bare.create('echo out; echo err >&2')));
    const queue = [...ids];
    const worker = async () => {
      for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
        const dataDir = await runOnce(id);
        expect([textOf(dataDir, 'stdout'), textOf(dataDir, 'stderr')]).toEqual(['out\n', 'err\n']);
        await containerd.tasks.delete(id);
      }
    };
    await Promise.all(Array.from({ length: 6 }, worker));
  });

  test('keep the output of earlier runs, and are private', async () => {
    const id = await bare.create('echo run; echo failure >&2');
    for (let run = 0; run < 3; run += 1) {
      const dataDir = await runOnce(id);
      await containerd.tasks.delete(id);
      expect(textOf(dataDir, 'stdout')).toBe('run\n'.repeat(run + 1));
      expect(textOf(dataDir, 'stderr')).toBe('failure\n'.repeat(run + 1));
      expect(statSync(join(dataDir, 'stdout.log')).mode & 0o777).toBe(0o600);
    }
  });
});

test('with a terminal, the shim overwrites its file, so each run gets another one', async () => {
  const id = await bare.create('echo run; echo failure >&2', { terminal: true });
  for (let run = 0; run < 3; run += 1) {
    const dataDir = await runOnce(id, true);
    await containerd.tasks.delete(id);
    expect(textOf(dataDir, 'stdout')).toBe('run\r\nfailure\r\n'.repeat(run + 1));
    expect(outputFilesOf(dataDir, 'stdout')).toHaveLength(run + 1);
    expect(outputFilesOf(dataDir, 'stderr')).toEqual([]);
  }
});

test('with a terminal, 20 MB arrive completely', async () => {
  const bytes = 20_000_000;
  const id = await bare.create(`stty raw; yes abc | head -c ${bytes}`, { terminal: true });
  const path = join(await runOnce(id, true), 'stdout.log');
  const expected = Buffer.from('abc\n'.repeat(bytes / 4));
  expect(await digestOf(path)).toBe(createHash('sha256').update(expected).digest('hex'));
});
