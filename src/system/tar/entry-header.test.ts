import { extract, type Header } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { tarEnd, tarPadding } from '../../lib/tar-header.ts';
import { entryHeader, type TarEntry } from './entry-header.ts';

const plain: TarEntry = {
  ...{
    name: Buffer.from('a/b'),
    kind: 'file',
    mode: 0o4755,
    uid: 1000,
    gid: 100,
    size: 0,
    mtimeSeconds: 1_700_000_000,
  },
};

/** As another implementation reads it. */
async function read(...parts: Buffer[]): Promise<readonly Header[]> {
  const found: Header[] = [];
  const tar = extract();
  tar.end(Buffer.concat([...parts, tarEnd()]));
  for await (const entry of tar) {
    found.push(entry.header);
    entry.resume();
  }
  return found;
}

describe('entryHeader', () => {
  test('another reader finds all values', async () => {
    const body = Buffer.from('content');
    const [file, link] = await read(
      entryHeader({ ...plain, size: body.length }),
      body,
      tarPadding(body.length),
      entryHeader({ ...plain, kind: 'symlink', target: Buffer.from('../x') }),
    );
    expect(file).toMatchObject({ name: 'a/b', type: 'file', mode: 0o4755, uid: 1000, gid: 100, size: 7 });
    expect(file?.mtime).toEqual(new Date(1_700_000_000_000));
    expect(link).toMatchObject({ type: 'symlink', linkname: '../x', size: 0 });
  });

  test.each<[string, Partial<TarEntry>, Partial<Header>]>([
    ['a long name', { name: Buffer.from(`${'d/'.repeat(99)}ende`) }, { name: `${'d/'.repeat(99)}ende` }],
    ['a long name outside ASCII', { name: Buffer.from('größe/'.repeat(30)) }, { name: 'größe/'.repeat(30) }],
    ['a name outside ASCII', { name: Buffer.from('größe') }, { name: 'größe' }],
    ['a long target', { kind: 'symlink', target: Buffer.from('t'.repeat(300)) }, { linkname: 't'.repeat(300) }],
    ['large ids', { uid: 3_000_000, gid: 4_000_000_000 }, { pax: { uid: '3000000', gid: '4000000000' } }],
    ['a device', { kind: 'character-device', device: { major: 10, minor: 229 } }, { devmajor: 10, devminor: 229 }],
  ])('%s', async (_, given, expected) => {
    expect((await read(entryHeader({ ...plain, ...given })))[0]).toMatchObject(expected);
  });

  test('extended attributes are records, whose length counts itself', async () => {
    for (const length of [1, 60, 80, 950, 970, 990]) {
      const value = Buffer.alloc(length, 'x');
      const [header] = await read(entryHeader({ ...plain, xattrs: new Map([['user.k', value]]) }));
      expect(header?.pax).toEqual({ 'SCHILY.xattr.user.k': value.toString() });
    }
  });
});
