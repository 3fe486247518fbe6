import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRootView } from '../../src/system/root-view.ts';
import { decompressed } from '../../src/system/tar/decompress.ts';
import { type ExtractRequest, extractTree } from '../../src/system/tar/extract.ts';
import { packTree } from '../../src/system/tar/pack.ts';

let base: string;
let root: string;
let outside: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'healthctl-tar-'));
  [root, outside] = [join(base, 'root'), join(base, 'outside')];
  mkdirSync(join(root, 'etc'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'of the host');
});
afterEach(() => {
  expect(readdirSync(outside)).toEqual(['secret']);
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('of the host');
  rmSync(base, { recursive: true, force: true });
});

async function packed(path: string, name?: string): Promise<Buffer> {
  const dir = openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    const node = name === undefined ? undefined : Buffer.from(name);
    for await (const chunk of packTree({ dir, name: node, shownAs: Buffer.from(name ?? '.') })) chunks.push(chunk);
    return Buffer.concat(chunks);
  } finally {
    closeSync(dir);
  }
}

async function extracted(archive: Buffer, more: Partial<ExtractRequest> = {}): Promise<void> {
  const dir = openSync(root, 'r');
  const descriptors = readdirSync('/proc/self/fd').length;
  try {
    const request: ExtractRequest = { root: dir, at: '/', keepsKinds: true, owner: 'archive', ...more };
    await extractTree(Readable.from([archive], { objectMode: false }), request);
  } finally {
    expect(readdirSync('/proc/self/fd').length).toBe(descriptors);
    closeSync(dir);
  }
}

type Entry = Parameters<ReturnType<typeof pack>['entry']>[0] & { body?: string };

async function tar(...entries: Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { body = '', ...header } of entries) archive.entry(header, body);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const refused = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

describe('a packed tree', () => {
  test('has everything that GNU tar finds again, and comes back the same', async () => {
    const source = join(base, 'source');
    mkdirSync(join(source, 'd/e'), { recursive: true });
    const script = `echo content >file; ln file d/hard; ln -s /etc/passwd abs; mkfifo -m 640 ff; mknod dev c 10 229
      printf bytes >"$(printf 'n\\377')"; head -c 70000 /dev/zero >"d/$(printf 'long%.0s' $(seq 40))"
      chmod 6755 file; chown 123456:7 d/e; touch -d @981173106 d/e file d; setfattr -n user.x -v y file 2>/dev/null || true`;
    execFileSync('sh', ['-ec', script], { cwd: source });
    const archive = await packed(source);
    const copy = join(base, 'copy');
    mkdirSync(copy);
    execFileSync('tar', ['-xpf', '-', '-C', copy], { input: archive });
    const listed = (path: string) =>
      execFileSync('sh', ['-c', "find . -printf '%P %y %m %U:%G %s %l %T@\\n' | LC_ALL=C sort"], {
        cwd: path,
        encoding: 'latin1',
      })
        .replaceAll(/(^[^ ]* d .*? )\d+( +)/gm, '$1$2')
        .replaceAll(/\.\d+$/gm, '');
    expect(listed(copy)).toBe(listed(source));
    await extracted(archive);
    rmSync(join(root, 'etc'), { recursive: true });
    const ours = listed(root).replace(/^ d.*\n/m, '');
    expect(ours).toBe(listed(source).replace(/^ d.*\n/m, ''));
    expect(lstatSync(join(root, 'd/hard')).ino).toBe(lstatSync(join(root, 'file')).ino);
  });

  test('has no sockets, and not the target of a link', async () => {
    const server = createServer().listen(join(root, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    symlinkSync(outside, join(root, 'out'));
    try {
      const names = execFileSync('tar', ['-tf', '-'], { input: await packed(root), encoding: 'utf8' });
      expect(names.split('\n').filter(Boolean)).toEqual(['./', './etc/', './out']);
    } finally {
      server.close();
    }
  });
});

describe('an archive from nobody we trust', () => {
  test('cannot leave the root by names and links, also its own', async () => {
    symlinkSync(outside, join(root, 'present'));
    symlinkSync('../../outside', join(root, 'etc/up'));
    await extracted(await tar({ name: 'present/new', body: 'x' }), { keepsKinds: false }).catch(() => undefined);
    await extracted(await tar({ name: 'etc/up/new', body: 'x' })).catch(() => undefined);
    await extracted(
      await tar({ name: 'own', type: 'symlink', linkname: outside }, { name: 'own/new', body: 'x' }),
    ).catch(() => undefined);
    await expect(extracted(await tar({ name: '../new', body: 'x' }))).rejects.toEqual(
      refused('CORRUPT', 'is outside of "/"'),
    );
    await expect(extracted(await tar({ name: 'a/../../new', body: 'x' }))).rejects.toEqual(
      refused('CORRUPT', 'outside'),
    );
    await expect(extracted(await tar({ name: 'h', type: 'link', linkname: '../outside/secret' }))).rejects.toEqual(
      refused('CORRUPT', 'outside'),
    );
    await extracted(await tar({ name: '/etc/absolute', body: 'x' }));
    expect(readFileSync(join(root, 'etc/absolute'), 'utf8')).toBe('x');
  });

  test('what is in the way is replaced, never followed', async () => {
    symlinkSync(join(outside, 'secret'), join(root, 'link'));
    mkdirSync(join(root, 'tree/sub'), { recursive: true });
    symlinkSync(outside, join(root, 'tree/sub/out'));
    const archive = await tar({ name: 'link', body: 'new' }, { name: 'tree', body: 'file' });
    await extracted(archive, { keepsKinds: false });
    expect([lstatSync(join(root, 'link')).isFile(), readFileSync(join(root, 'tree'), 'utf8')]).toEqual([true, 'file']);
  });

  test('kinds stay if they must', async () => {
    writeFileSync(join(root, 'file'), 'x');
    await expect(extracted(await tar({ name: 'etc', body: 'x' }))).rejects.toEqual(
      refused('CONFLICT', 'cannot overwrite directory "etc" with non-directory "/"'),
    );
    await expect(extracted(await tar({ name: 'file', type: 'directory' }))).rejects.toEqual(
      refused('CONFLICT', 'cannot overwrite non-directory "file" with directory "/"'),
    );
  });

  test('may stop coming: a cancelled copy ends at once', async () => {
    const archive = await tar({ name: 'file', body: 'x'.repeat(2000) });
    for (const begun of [0, 3, 1024]) {
      const source = new PassThrough();
      source.write(archive.subarray(0, begun));
      const dir = openSync(root, 'r');
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 50);
      const request: ExtractRequest = { root: dir, at: '/', keepsKinds: true, owner: 'archive', signal: abort.signal };
      await expect(extractTree(source, request)).rejects.toEqual(refused('ABORTED', 'cancelled'));
      closeSync(dir);
    }
  });

  test('may be empty or compressed, but not cut or of another packing', async () => {
    await extracted(Buffer.alloc(0));
    const archive = await tar({ name: 'deep/down/file', body: 'text', uid: 7, gid: 8, mode: 0o4750 });
    await extracted(gzipSync(archive), { owner: { uid: 5, gid: 6 } });
    const { uid, gid, mode } = lstatSync(join(root, 'deep/down/file'));
    expect([uid, gid, mode & 0o7777]).toEqual([5, 6, 0o4750]);
    expect(lstatSync(join(root, 'deep')).uid).toBe(5);
    await expect(extracted(archive.subarray(0, 700))).rejects.toEqual(expect.objectContaining({ code: 'CORRUPT' }));
    await expect(extracted(gzipSync(archive).subarray(0, 60))).rejects.toEqual(
      expect.objectContaining({ code: 'CORRUPT' }),
    );
    await expect(extracted(Buffer.from('BZh91AY&SY'))).rejects.toEqual(refused('INVALID', 'compressed with bzip2'));
    let isClosed = false;
    const xz = async function* () {
      try {
        for (;;) yield Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
      } finally {
        isClosed = true;
      }
    };
    await expect(decompressed(xz(), undefined)).rejects.toEqual(refused('INVALID', 'compressed with xz'));
    expect(isClosed).toBe(true);
  });
});

describe('openRootView', () => {
  test('shows volumes in their places, keeps read-only ones, and leaves no mount behind', () => {
    for (const dir of ['upper', 'work', 'low/etc', 'volume/sub', 'inner'])
      mkdirSync(join(base, dir), { recursive: true });
    writeFileSync(join(base, 'volume/file'), 'of the volume');
    symlinkSync(outside, join(base, 'low/escape'));
    const options = [`workdir=${base}/work`, `upperdir=${base}/upper`, `lowerdir=${base}/low`];
    const fd = openRootView([{ type: 'overlay', source: 'overlay', options }], {
      ...{ parent: base, isWritable: true },
      binds: [
        { source: join(base, 'inner'), destination: '/data/sub', readOnly: true },
        { source: join(base, 'volume'), destination: '/data', readOnly: false },
        { source: join(base, 'volume'), destination: '/escape/x', readOnly: false },
        { source: join(base, 'gone'), destination: '/gone', readOnly: false },
      ],
    });
    const at = (path: string) => `/proc/self/fd/${fd}/${path}`;
    try {
      expect(readFileSync(at('data/file'), 'utf8')).toBe('of the volume');
      writeFileSync(at('data/new'), 'n');
      writeFileSync(at('own'), 'o');
      expect(() => writeFileSync(at('data/sub/new'), 'n')).toThrow('EROFS');
      expect(readlinkSync(at('escape'))).toBe(outside);
    } finally {
      closeSync(fd);
    }
    expect(existsSync(join(base, 'volume/new')) && existsSync(join(base, 'upper/own'))).toBe(true);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(base);
    expect(readdirSync(base).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
