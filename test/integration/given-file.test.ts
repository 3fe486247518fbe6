import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readGivenFile } from '../../src/system/given-file.ts';
import { MAX_GIVEN_BYTES, readPlainFile } from '../../src/system/plain-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'healthctl-given-'));
afterAll(() => rmSync(dir, { recursive: true }));

const fifo = (name: string): string => {
  const path = join(dir, name);
  execFileSync('mkfifo', [path]);
  return path;
};
const file = (name: string, content: string): string => {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
};
const large = (): string => {
  const path = file('large', '');
  truncateSync(path, MAX_GIVEN_BYTES + 1);
  return path;
};

describe('readGivenFile', () => {
  test('reads a regular file, an empty one, and a device without content', async () => {
    expect(`${await readGivenFile(file('a', 'A=1\n'))}`).toBe('A=1\n');
    expect(`${await readGivenFile(file('empty', ''))}`).toBe('');
    expect(`${await readGivenFile('/dev/null')}`).toBe('');
  });

  test('names a file that can be opened but not read', async () => {
    const reading = readGivenFile('/proc/self/mem'); // nothing is mapped at 0
    await expect(reading).rejects.toMatchObject({
      code: 'INVALID',
      message: 'read /proc/self/mem: input/output error',
    });
  });

  test('reads a pipe in pieces, from a writer that opens it later', async () => {
    const path = fifo('late');
    const content = readGivenFile(path);
    const writer = spawn('sh', ['-c', 'sleep 0.2; exec >"$0"; printf A=; sleep 0.1; printf 1', path]);
    expect(`${await content}`).toBe('A=1');
    await once(writer, 'exit');
  });

  test('reads a pipe of a shell whose writer has ended', async () => {
    const root = join(import.meta.dirname, '../..');
    const script = file(
      'read.mts',
      `import { readGivenFile } from '${root}/src/system/given-file.ts';
      process.stdout.write(await readGivenFile(process.argv[2] ?? ''));`,
    );
    const run = (argument: string) =>
      execFileSync('bash', ['-c', `exec "$0" --import tsx "$1" ${argument}`, process.execPath, script], {
        cwd: root,
        encoding: 'utf8',
      });
    expect(run('<(echo A=1)')).toBe('A=1\n');
    expect(run('<(true)')).toBe('');
  });

  test('waits for a writer of a pipe until it is cancelled', async () => {
    const controller = new AbortController();
    const content = readGivenFile(fifo('silent'), controller.signal);
    setImmediate(() => controller.abort());
    await expect(content).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(readGivenFile(join(dir, 'silent'), AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test.each([
    [
      'a missing file',
      () => join(dir, 'lost'),
      'NOT_FOUND',
      (path: string): string => `open ${path}: no such file or directory`,
    ],
    ['a directory', () => dir, 'INVALID', (path: string) => `read ${path}: is a directory`],
    ['an endless file', () => '/dev/zero', 'INVALID', () => 'cannot read /dev/zero: it is larger than 16 MiB'],
    ['a file that is too large', large, 'INVALID', (path: string) => `cannot read ${path}: it is larger than 16 MiB`],
  ])('refuses %s', async (_, make, code, message) => {
    const path = make();
    await expect(readGivenFile(path)).rejects.toMatchObject({ code, message: message(path) });
  });

  test('stops reading an endless pipe at its limit', async () => {
    const path = fifo('endless');
    const writer = spawn('sh', ['-c', 'exec cat /dev/zero >"$0"', path], { stdio: 'ignore' });
    await expect(readGivenFile(path)).rejects.toMatchObject({ code: 'INVALID' });
    await once(writer, 'exit');
  });
});

describe('readPlainFile', () => {
  test('reads a regular file and a device without content', () => {
    expect(`${readPlainFile(file('plain', 'debug = true'))}`).toBe('debug = true');
    expect(`${readPlainFile('/dev/null')}`).toBe('');
  });

  test('refuses a pipe, a directory and endless files, and gives the errno of a missing one', () => {
    const path = fifo('config');
    expect(() => readPlainFile(path)).toThrow(`cannot read ${path}: it is not a regular file`);
    expect(() => readPlainFile(dir)).toThrow(`cannot read ${dir}: is a directory`);
    expect(() => readPlainFile('/dev/zero')).toThrow('cannot read /dev/zero: it is larger than 16 MiB');
    expect(() => readPlainFile(join(dir, 'lost'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});
