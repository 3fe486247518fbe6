import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { readMembers } from './members.ts';

type Entry = Parameters<ReturnType<typeof pack>['entry']>[0] & { body?: string };

async function tar(...entries: Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { body = '', ...header } of entries) archive.entry(header, body);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function read(bytes: Buffer, size = 1000) {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  const members: { name: string; kind: string; target: string; text: string }[] = [];
  for await (const { name, kind, target, body } of readMembers('x.tar', Readable.from(pieces, { objectMode: false }))) {
    let text = '';
    if (name !== 'skipped') for await (const chunk of body) text += Buffer.from(chunk).toString();
    members.push({ name, kind, target, text });
  }
  return members;
}

const corrupt = (why: RegExp) => expect.objectContaining({ code: 'CORRUPT', message: expect.stringMatching(why) });

describe('readMembers', () => {
  const archive = () =>
    tar(
      { name: './a/b', body: 'text' },
      { name: 'folder/', type: 'directory' },
      { name: 'skipped', body: 'x'.repeat(5000) },
      { name: 'id/layer.tar', type: 'symlink', linkname: '../other/layer.tar' },
      { name: 'hard', type: 'link', linkname: 'a/b' },
      { name: 'device', type: 'character-device' },
      { name: 'n'.repeat(300), body: 'long' },
    );
  const expected = [
    { name: 'a/b', kind: 'file', target: '', text: 'text' },
    { name: 'skipped', kind: 'file', target: '', text: '' },
    { name: 'id/layer.tar', kind: 'link', target: 'other/layer.tar', text: '' },
    { name: 'hard', kind: 'link', target: 'a/b', text: '' },
    { name: 'n'.repeat(300), kind: 'file', target: '', text: 'long' },
  ];

  test('plain', async () => expect(await read(await archive())).toEqual(expected));
  test('compressed, in small pieces', async () => expect(await read(gzipSync(await archive()), 7)).toEqual(expected));

  /** What comes first, and then zeros without an end. */
  async function* endless(...first: Buffer[]): AsyncGenerator<Buffer> {
    yield* first;
    for (const zeros = Buffer.alloc(1 << 18); ; await new Promise(setImmediate)) yield zeros;
  }
  test('refuses zeros without an end, and ignores them after an archive', async () => {
    const names = async (...first: Buffer[]) => {
      const found: string[] = [];
      const source = Readable.from(endless(...first), { objectMode: false });
      for await (const { name } of readMembers('x.tar', source)) found.push(name);
      return found;
    };
    await expect(names()).rejects.toEqual(corrupt(/it is no tar archive: it begins with 16 MiB of zeros$/));
    expect(await names(await archive())).toEqual(expected.map(({ name }) => name));
  });

  test('a member may contain any number of zeros', async () => {
    const body = Buffer.alloc(40 << 20).toString('latin1');
    const [zeros, last] = await read(await tar({ name: 'zeros', body }, { name: 'last', body: 'x' }), 1 << 18);
    expect([zeros?.text.length, last?.text]).toEqual([body.length, 'x']);
  });

  test.each([
    ['../evil', {}],
    ['/etc/passwd', {}],
    ['a/../../evil', {}],
    ['link', { type: 'symlink', linkname: '../../etc/passwd' } as const],
    ['link', { type: 'symlink', linkname: '/etc/passwd' } as const],
    ['link', { type: 'link', linkname: '../x' } as const],
  ])('the link target %s is outside the archive', async (name, header) => {
    const bytes = await tar({ name, ...header });
    await expect(read(bytes)).rejects.toEqual(
      corrupt(/^x\.tar is not an image archive: its member ".*" lies outside of it$/),
    );
  });

  test.each<[string, () => Promise<Buffer>, RegExp]>([
    ['is empty', async () => Buffer.alloc(0), /it is empty/],
    ['is cut in a file', async () => (await archive()).subarray(0, 3000), /it is truncated/],
    ['is compressed and cut', async () => gzipSync(await archive()).subarray(0, 100), /it is truncated/],
    ['is no tar', async () => Buffer.alloc(2000, 'x'), /it is no tar archive, or damaged/],
    ['is a short text', async () => Buffer.from('hello\n'), /it is no tar archive, or truncated/],
    [
      'is compressed and damaged',
      async () => {
        const bytes = gzipSync(await archive());
        return Buffer.concat([bytes.subarray(0, 40), Buffer.alloc(40, 0xff), bytes.subarray(80)]);
      },
      /its gzip data are damaged|it is no tar/,
    ],
  ])('refuses an archive that %s', async (_, make, why) => {
    await expect(make().then((bytes) => read(bytes))).rejects.toEqual(corrupt(why));
  });

  test.each([
    ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
    ['xz', [0xfd, 0x37, 0x7a, 0x58]],
    ['bzip2', [0x42, 0x5a, 0x68]],
  ])('the error for an archive packed with %s names the packing', async (packing, magic) => {
    await expect(read(Buffer.from([...magic, 0, 0, 0, 0]))).rejects.toEqual(
      expect.objectContaining({
        code: 'INVALID',
        message: `x.tar is compressed with ${packing}, which is not supported`,
      }),
    );
  });

  test('does not read a header into memory that announces a huge name', async () => {
    const bytes = await tar({ name: 'a', body: 'x' });
    bytes.write('77777777777 ', 124);
    bytes.write('L', 156);
    bytes.write('        ', 148);
    const sum = bytes.subarray(0, 512).reduce((all, byte) => all + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    await expect(read(bytes)).rejects.toEqual(corrupt(/no tar archive, or damaged/));
  });

  test('ends when the signal aborts', async () => {
    const stop = new AbortController();
    const members = readMembers('x.tar', Readable.from([await archive()], { objectMode: false }), stop.signal);
    await members.next();
    stop.abort();
    await expect(
      (async () => {
        for await (const { body } of members) for await (const _ of body);
      })(),
    ).rejects.toEqual(expect.objectContaining({ code: 'ABORTED' }));
  });

  test('ends if the signal aborts before any data', async () => {
    const stop = new AbortController();
    const next = readMembers('x.tar', new Readable({ read: () => undefined }), stop.signal).next();
    stop.abort();
    await expect(next).rejects.toEqual(expect.objectContaining({ code: 'ABORTED' }));
  });
});
