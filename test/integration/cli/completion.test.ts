import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../../../testbed/program.ts';

const HEALTHCTL = fileURLToPath(new URL('../../../bin/healthctl', import.meta.url));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'healthctl-completion-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const complete = (address: string, ...words: readonly string[]) =>
  runProgram([HEALTHCTL, '__complete', '--', ...words], {
    env: {
      PATH: process.env.PATH ?? '',
      CONTAINERD_ADDRESS: address,
      HEALTHCTL_RUN_ROOT: join(directory, 'run'),
      HEALTHCTL_DATA_ROOT: join(directory, 'data'),
    },
  });
const NOTHING = { code: 0, stdout: ':\n', stderr: '' };

test.each([
  ['containers', ['logs', '']],
  ['images', ['run', '']],
  ['volumes', ['volume', 'rm', '']],
  ['namespaces', ['-n', '']],
])('without containerd, no %s are offered, nothing is printed and no monitor is started', async (_what, words) => {
  expect(await complete(join(directory, 'away.sock'), ...words)).toMatchObject(NOTHING);
  expect(readdirSync(directory).filter((name) => name !== 'data')).toEqual([]);
});

test('does not wait for a containerd that does not answer', async () => {
  const silent = createServer(() => {});
  const path = join(directory, 'silent.sock');
  await new Promise<void>((resolve) => silent.listen(path, resolve));
  try {
    expect(await complete(path, 'logs', '')).toMatchObject(NOTHING);
  } finally {
    silent.close();
  }
});

test('offers words that need no containerd, and ignores a wrong global option', async () => {
  const { stdout, stderr } = await complete('', '--namespace', 'a/b', 'ps', '--filter', 'status=ex');
  expect([stdout, stderr]).toEqual([':\nstatus=exited\t\n', '']);
  expect(await complete('', '--namespace', 'a/b', 'logs', '')).toMatchObject(NOTHING);
});

test('offers networks without containerd', async () => {
  const { stdout } = await complete(join(directory, 'away.sock'), 'run', '--network=');
  expect(stdout).toBe(
    ':\n--network=container:\t\n--network=bridge\tbridge\n--network=host\thost\n--network=none\tnull\n',
  );
});
