import { extract } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { type TarMember, tarEnd, tarHeader, tarPadding } from './tar-header.ts';

/** The first header as a reader of tar sees it. */
function readBack(member: TarMember): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const tar = extract();
    tar.on('entry', (header) => resolve(header));
    tar.on('error', reject);
    tar.write(tarHeader(member));
  });
}

describe('a tar header', () => {
  test('has name, size, time and rights of a file', async () => {
    const member = { name: 'blobs/sha256/ab', kind: 'file', size: 1234, mtimeMs: 1_700_000_000_999 } as const;
    expect(await readBack(member)).toMatchObject({
      name: 'blobs/sha256/ab',
      type: 'file',
      size: 1234,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: new Date(1_700_000_000_000),
    });
  });

  test('of a directory', async () => {
    expect(await readBack({ name: 'blobs/', kind: 'directory', size: 0 })).toMatchObject({
      name: 'blobs/',
      type: 'directory',
      mode: 0o755,
      mtime: new Date(0),
    });
  });

  test.each([8 ** 11 - 1, 8 ** 11, 5 * 2 ** 40])('holds a size of %d bytes', async (size) => {
    expect(await readBack({ name: 'x', kind: 'file', size })).toMatchObject({ size });
  });

  test('refuses a name that does not fit', () => {
    expect(() => tarHeader({ name: 'n'.repeat(101), kind: 'file', size: 0 })).toThrow(RangeError);
  });
});

test('a body is padded to whole blocks', () => {
  expect([0, 1, 511, 512, 513].map((size) => tarPadding(size).length)).toEqual([0, 511, 1, 0, 511]);
  expect(tarEnd()).toEqual(Buffer.alloc(1024));
});
