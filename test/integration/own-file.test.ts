import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { replaceChangedFile, replaceFile } from '../../src/system/atomic-write.ts';
import { lockFile } from '../../src/system/flock.ts';
import { makeOwnDirectory, openOwnFile, readOwnJson, readOwnText, removeOwn } from '../../src/system/own-file.ts';
import { until } from '../../testbed/until.ts';

let root: string;
let path: string;
let faults: string[];
const onFault = (text: string) => void faults.push(text);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'own-file-'));
  path = join(root, 'exit.json');
  faults = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const asideNames = () => readdirSync(root).filter((name) => name.includes('.not-ours-'));

/** Kinds of files that are not ours, by their name in the warning. */
const FOREIGN: readonly (readonly [string, () => void | Promise<void>])[] = [
  ['a FIFO', () => void execFileSync('mkfifo', [path])],
  ['a directory', () => mkdirSync(join(path, 'full'), { recursive: true })],
  ['a symbolic link', () => symlinkSync('/nonexistent/file', path)],
  ['a symbolic link', () => symlinkSync('/dev/zero', path)],
  ['a symbolic link', () => symlinkSync(path, path)],
  ['a device', () => void execFileSync('mknod', [path, 'c', '1', '5'])],
  [
    'a socket',
    async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(join(root, 's'), resolve));
      execFileSync('ln', [join(root, 's'), path]);
      await new Promise((resolve) => server.close(resolve));
    },
  ],
];

describe.each(FOREIGN)('%s', (what, make) => {
  beforeEach(() => make());
  const isSetAside = () => {
    const [name = ''] = asideNames();
    expect(faults).toEqual([`${path} is ${what}, not a regular file; it is now ${join(root, name)}`]);
  };

  test('is not read, but set aside with one warning', () => {
    expect(readOwnText(path, { onFault })).toBeUndefined();
    isSetAside();
    expect(readOwnText(path, { onFault })).toBeUndefined();
    expect(faults).toHaveLength(1);
  });

  test('is not written to, but set aside', () => {
    const { fd } = openOwnFile(path, constants.O_WRONLY | constants.O_APPEND, { onFault });
    writeSync(fd, 'ours');
    closeSync(fd);
    isSetAside();
    expect(readFileSync(path, 'utf8')).toBe('ours');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('is not used as a lock', async () => {
    const request = { path, flags: constants.O_RDWR | constants.O_CREAT, timeoutMs: 1_000, onFault };
    const lock = await lockFile(request, systemClock);
    expect(lstatSync(path).isFile()).toBe(true);
    await expect(lockFile({ ...request, timeoutMs: 0 }, systemClock)).rejects.toMatchObject({ code: 'TIMEOUT' });
    lock.release();
    expect(faults).toHaveLength(1);
  });

  test('is replaced', () => {
    replaceFile(path, 'new');
    expect(lstatSync(path).isFile()).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('new');
  });
});

test('a file that is too long is not read', () => {
  writeFileSync(path, '');
  truncateSync(path, 2 ** 40);
  expect(readOwnText(path, { maxBytes: 10, onFault })).toBeUndefined();
  expect(faults[0]).toMatch(/exit\.json is longer than 10 bytes; it is now /);
  writeFileSync(path, 'abcdef');
  expect(readOwnText(path, { maxBytes: 3, part: 'end', onFault })).toBe('def');
});

test('a damaged document is kept, with a warning', () => {
  const parse = (value: unknown) => (typeof value === 'number' ? value : undefined);
  expect(readOwnJson(path, parse, { onFault })).toBeUndefined();
  expect(faults).toEqual([]);
  for (const damaged of ['', '{"a":', '"text"', '\0\0', '\uFEFF1']) {
    faults = [];
    writeFileSync(path, damaged);
    expect(readOwnJson(path, parse, { onFault })).toBeUndefined();
    expect(faults).toEqual([`${path} is damaged and not used`]);
  }
  writeFileSync(path, '7\n');
  expect(readOwnJson(path, parse, { onFault })).toBe(7);
});

test.each([
  ['a file', () => writeFileSync(path, 'x')],
  ['a FIFO', () => void execFileSync('mkfifo', [path])],
  ['a symbolic link', () => symlinkSync('/nonexistent/dir', path)],
])('%s in place of a directory is set aside', (what, make) => {
  make();
  makeOwnDirectory(path, { onFault });
  expect(lstatSync(path).isDirectory()).toBe(true);
  expect(faults[0]).toContain(`${path} is ${what}, not a directory; it is now `);
});

test("a parent directory is never set aside: it may be the user's", () => {
  writeFileSync(path, 'x');
  expect(() => makeOwnDirectory(join(path, 'ours', 'deeper'), { onFault })).toThrow(
    expect.objectContaining({ code: 'ENOTDIR' }),
  );
  expect([readFileSync(path, 'utf8'), faults]).toEqual(['x', []]);
});

describe('a file that is written only when its content changes', () => {
  const replace = (content: string) => replaceChangedFile(path, content, { mode: 0o644, onFault });

  test('stays the same file if nothing changes', () => {
    replace('name\n');
    const { ino } = statSync(path);
    replace('name\n');
    expect(statSync(path).ino).toBe(ino);
    replace('other\n');
    expect(readFileSync(path, 'utf8')).toBe('other\n');
    chmodSync(path, 0o600);
    replace('other\n');
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  test('needs no space on a full file system if nothing changes or the new content is shorter', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'own-file-test', root]);
    try {
      replace('name\n');
      expect(() => writeFileSync(join(root, 'filler'), 'x'.repeat(1 << 16))).toThrow(
        expect.objectContaining({ code: 'ENOSPC' }),
      );
      expect(() => replaceFile(join(root, 'other'), 'new')).toThrow(expect.objectContaining({ code: 'EXHAUSTED' }));
      replace('name\n');
      replace('n\n');
      expect(readFileSync(path, 'utf8')).toBe('n\n');
      expect(() => replace('longer than before\n')).toThrow(expect.objectContaining({ code: 'EXHAUSTED' }));
      expect(readFileSync(path, 'utf8')).toBe('n\n');
    } finally {
      execFileSync('umount', [root]);
    }
  });
});

test('a directory is removed even while another process writes into it', async () => {
  const script = 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); : >"$0/$i" || exit 0; done 2>/dev/null';
  for (let round = 0; round < 8; round += 1) {
    const goes = join(root, `${round}`);
    mkdirSync(goes);
    const writer = spawn('sh', ['-c', script, goes]);
    await until(() => readdirSync(goes).length > 20, { everyMs: 1 });
    removeOwn(goes);
    expect(existsSync(goes)).toBe(false);
    if (writer.exitCode === null) await once(writer, 'exit');
  }
});
