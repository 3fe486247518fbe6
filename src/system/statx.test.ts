import {
  closeSync,
  linkSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { factsOfOpen, factsOfPath } from './statx.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'healthctl-statx-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function factsOf(path: string) {
  const fd = openSync(path, 'r');
  try {
    return factsOfOpen(fd);
  } finally {
    closeSync(fd);
  }
}

test('returns the values of stat(2), for a file and a directory', () => {
  const path = join(directory, 'a');
  writeFileSync(path, 'x'.repeat(12_345));
  for (const name of [path, directory, '/dev/null']) {
    const { ino: inode } = statSync(name, { bigint: true });
    expect(factsOfPath(name)).toMatchObject({ isFile: name === path, inode });
    expect(factsOf(name)).toEqual(factsOfPath(name));
  }
  expect(factsOf(path).size).toBe(12_345);
});

test('two names of a file give the same facts; a replacement gives others, also on another device', () => {
  const [path, other] = [join(directory, 'b'), join(directory, 'c')];
  writeFileSync(path, '');
  const before = factsOfPath(path);
  linkSync(path, join(directory, 'hard'));
  expect(factsOfPath(join(directory, 'hard'))).toEqual(before);
  writeFileSync(other, '');
  renameSync(other, path);
  expect(factsOfPath(path)?.inode).not.toBe(before?.inode);
  expect(factsOfPath('/proc/self')?.device).not.toBe(before?.device);
});

test('a missing path has no facts; a symbolic link has its own', () => {
  const link = join(directory, 'link');
  symlinkSync('nowhere', link);
  expect(factsOfPath(link)).toMatchObject({ isFile: false });
  expect(factsOfPath(join(directory, 'none'))).toBeUndefined();
  expect(factsOfPath('/dev/null/none')).toBeUndefined();
  expect(() => factsOfOpen(987_654)).toThrow('EBADF');
});
