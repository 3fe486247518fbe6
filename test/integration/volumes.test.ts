import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { openLibc } from '../../src/system/libc.ts';
import { openDirectoryInRoot } from '../../src/system/rootfs.ts';
import { fillVolume, recoverVolume } from '../../src/volume/fill.ts';
import { measureTree } from '../../src/volume/tree-size.ts';
import {
  clearRemains,
  eraseVolume,
  holdVolume,
  listVolumes,
  openVolume,
  readVolume,
} from '../../src/volume/volume-store.ts';

let base: string;
let root: string;
/** The root file system of an image. */
let image: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'healthctl-volumes-'));
  [root, image] = [join(base, 'volumes'), join(base, 'image')];
  mkdirSync(join(image, 'data'), { recursive: true });
  mkdirSync(join(base, 'parent'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const context = (signal?: AbortSignal) => ({ root, clock: systemClock, address: join(root, 'none.sock'), signal });
const open = (name = 'vol') => openVolume(context(), name, { labels: {} });
const imageDirectory = (path: string) =>
  openDirectoryInRoot([{ type: 'bind', source: image, options: ['rbind'] }], path, { parent: join(base, 'parent') });

/** Uses a volume like a new container. */
async function use(path = '/data', signal?: AbortSignal): Promise<string> {
  const held = await openVolume(context(signal), 'vol', { labels: {} });
  try {
    const from = imageDirectory(path);
    if (typeof from !== 'number') throw new Error(`${path} is ${from}`);
    try {
      if (await recoverVolume(held)) await fillVolume(held, { from, signal });
    } finally {
      closeSync(from);
    }
    return held.volume.mountpoint;
  } finally {
    held.release();
  }
}

/** A struct vfs_cap_data of version 2 (uapi/linux/capability.h). */
const NET_BIND_SERVICE = Buffer.from('0100000200040000000000000000000000000000', 'hex');

function setAttribute(path: string, name: string, value: Buffer): void {
  const set = openLibc().func(
    'int lsetxattr(const char *path, const char *name, const void *value, unsigned long size, int flags)',
  );
  expect(set(path, name, value, value.length, 0)).toBe(0);
}

function attributeOf(path: string, name: string): Buffer {
  const get = openLibc().func('long lgetxattr(const char *path, const char *name, void *value, unsigned long size)');
  const buffer = Buffer.alloc(100);
  return buffer.subarray(0, get(path, name, buffer, buffer.length));
}

describe("copying an image's files into a volume", () => {
  test('keeps owners, modes, times, links and attributes', async () => {
    const data = join(image, 'data');
    mkdirSync(join(data, 'sub/deep'), { recursive: true });
    writeFileSync(join(data, 'sub/file'), 'x'.repeat(100_000));
    linkSync(join(data, 'sub/file'), join(data, 'sub/deep/twin'));
    symlinkSync('/etc/shadow', join(data, 'link'));
    execFileSync('mkfifo', [join(data, 'fifo')]);
    const latin1 = (path: string) => Buffer.concat([Buffer.from(`${path}/caf`), Buffer.from([0xe9])]);
    mkdirSync(latin1(join(data, 'sub')));
    writeFileSync(latin1(data), 'latin 1');
    execFileSync('mknod', [join(data, 'device'), 'c', '1', '3']);
    chownSync(join(data, 'sub/file'), 1, 2);
    chmodSync(join(data, 'sub/file'), 0o4751);
    setAttribute(join(data, 'sub/file'), 'security.capability', NET_BIND_SERVICE);
    utimesSync(join(data, 'sub/file'), 1_000, 2_000);
    chownSync(data, 3, 4);
    chmodSync(data, 0o1770);
    const content = await use();
    expect(readdirSync(content).sort()).toEqual(['caf\ufffd', 'fifo', 'link', 'sub']);
    expect(readFileSync(latin1(content), 'utf8')).toBe('latin 1');
    expect(statSync(latin1(join(content, 'sub'))).isDirectory()).toBe(true);
    const { uid, gid, mode, mtimeMs, ino } = statSync(join(content, 'sub/file'));
    expect({ uid, gid, mode: mode & 0o7777, mtimeMs }).toEqual({ uid: 1, gid: 2, mode: 0o4751, mtimeMs: 2_000_000 });
    expect(attributeOf(join(content, 'sub/file'), 'security.capability')).toEqual(NET_BIND_SERVICE);
    expect(statSync(join(content, 'sub/deep/twin')).ino).toBe(ino);
    expect(readlinkSync(join(content, 'link'))).toBe('/etc/shadow');
    expect(lstatSync(join(content, 'fifo')).isFIFO()).toBe(true);
    const own = statSync(content);
    expect([own.uid, own.gid, own.mode & 0o7777]).toEqual([3, 4, 0o1770]);
    expect(readdirSync(join(content, '..')).sort()).toEqual(['_data', 'volume.json']);
  });

  test('is done once: what is in the volume stays', async () => {
    writeFileSync(join(image, 'data/a'), 'image');
    const content = await use();
    writeFileSync(join(content, 'a'), 'mine');
    await use();
    expect(readFileSync(join(content, 'a'), 'utf8')).toBe('mine');
  });

  test('follows no links out of the image', async () => {
    const host = join(base, 'host');
    mkdirSync(host);
    writeFileSync(join(host, 'key'), 'secret');
    symlinkSync(host, join(image, 'absolute'));
    symlinkSync('../../../../../../../../..'.concat(host), join(image, 'relative'));
    symlinkSync('/proc/self/root', join(image, 'magic'));
    for (const path of ['/absolute', '/relative', `/magic${host}`, `/../..${host}`]) {
      expect(imageDirectory(path), path).toBeUndefined();
    }
    mkdirSync(join(image, host), { recursive: true });
    writeFileSync(join(image, host, 'inside'), '');
    expect(readdirSync(await use('/absolute'))).toEqual(['inside']);
  });

  test('that is cancelled leaves the volume empty', async () => {
    writeFileSync(join(image, 'data/a'), '');
    await expect(use('/data', AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    const held = await open();
    await expect(fillVolumeAborted(held)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(readdirSync(held.directory).sort()).toEqual(['_data', 'volume.json']);
    expect(readdirSync(held.volume.mountpoint)).toEqual([]);
    held.release();
  });

  const fillVolumeAborted = async (held: Awaited<ReturnType<typeof open>>) => {
    const from = imageDirectory('/data');
    if (typeof from !== 'number') throw new Error('no directory');
    try {
      await fillVolume(held, { from, signal: AbortSignal.abort() });
    } finally {
      closeSync(from);
    }
  };
});

describe('after a kill', () => {
  test('in the middle of a copy, the copy is made again', async () => {
    writeFileSync(join(image, 'data/a'), 'whole');
    writeFileSync(join(image, 'data/b'), '');
    const { directory, volume, release } = await open();
    release();
    mkdirSync(join(directory, '.copying'));
    writeFileSync(join(directory, '.copying/a'), 'wh');
    await use();
    expect(readdirSync(volume.mountpoint).sort()).toEqual(['a', 'b']);
    expect(readFileSync(join(volume.mountpoint, 'a'), 'utf8')).toBe('whole');
  });

  test('in the middle of moving it in, the move is finished at the next use, by any container', async () => {
    writeFileSync(join(image, 'data/a'), 'from the image now');
    const held = await open();
    const { directory, volume } = held;
    mkdirSync(join(directory, '.copied'), { mode: 0o750 });
    writeFileSync(join(volume.mountpoint, 'a'), 'moved before, and changed since');
    writeFileSync(join(directory, '.copied/b'), 'not moved');
    expect(await recoverVolume(held)).toBe(false);
    held.release();
    expect(readdirSync(volume.mountpoint).sort()).toEqual(['a', 'b']);
    expect(readFileSync(join(volume.mountpoint, 'a'), 'utf8')).toBe('moved before, and changed since');
    expect(statSync(volume.mountpoint).mode & 0o777).toBe(0o750);
    expect(existsSync(join(directory, '.copied'))).toBe(false);
  });

  test('of the process that creates or removes it, there is no volume, and its remains do not come back', async () => {
    mkdirSync(join(root, 'vol/_data'), { recursive: true });
    writeFileSync(join(root, 'vol/_data/old'), '');
    mkdirSync(join(root, 'other/_data'), { recursive: true });
    expect(listVolumes(root, () => undefined)).toEqual([]);
    expect(await holdVolume(context(), 'vol')).toBeUndefined();
    const held = await open();
    expect(held.isNew).toBe(true);
    expect(readdirSync(held.volume.mountpoint)).toEqual([]);
    held.release();
    await clearRemains(context());
    expect(readdirSync(root)).toEqual(['vol']);
  });
});

describe('the store', () => {
  test('many users at once make one volume, one after the other', async () => {
    let inside = 0;
    const news = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const held = await open();
        inside += 1;
        expect(inside).toBe(1);
        await recoverVolume(held);
        inside -= 1;
        held.release();
        return held.isNew;
      }),
    );
    expect(news.filter((isNew) => isNew)).toHaveLength(1);
  });

  test('a user who waited for a removed volume gets a new one', async () => {
    const first = await open();
    writeFileSync(join(first.volume.mountpoint, 'old'), '');
    const second = open();
    await eraseVolume(first);
    first.release();
    const { isNew, volume, release } = await second;
    release();
    expect([isNew, readdirSync(volume.mountpoint)]).toEqual([true, []]);
  });

  test('refuses a symbolic link in place of a volume or its content', async () => {
    const host = join(base, 'host');
    mkdirSync(join(host, '_data'), { recursive: true });
    writeFileSync(join(host, 'volume.json'), '{"CreatedAt":"x","Labels":{}}');
    mkdirSync(root);
    symlinkSync(host, join(root, 'vol'));
    await expect(open()).rejects.toMatchObject({ code: 'CORRUPT' });
    await expect(holdVolume(context(), 'vol')).rejects.toMatchObject({ code: 'CORRUPT' });
    rmSync(join(root, 'vol'));
    const { volume, release } = await open();
    release();
    renameSync(volume.mountpoint, join(base, 'away'));
    symlinkSync(host, volume.mountpoint);
    expect(() => readVolume(root, 'vol')).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
    const faults: unknown[] = [];
    expect(listVolumes(root, (fault) => faults.push(fault))).toEqual([]);
    expect(faults).toHaveLength(1);
  });

  test.each(['../host', '..', '.', '', '/etc', 'a/../../host'])('has no volume named %j', async (name) => {
    mkdirSync(join(base, 'host/_data'), { recursive: true });
    writeFileSync(join(base, 'host/volume.json'), '{"CreatedAt":"x","Labels":{}}');
    expect(readVolume(root, name)).toBeUndefined();
    expect(await holdVolume(context(), name)).toBeUndefined();
  });

  test.each(['', '{}', '[]', '{"CreatedAt":1,"Labels":{}}', '{"CreatedAt":"x","Labels":{"a":1}}'])(
    'does not trust the record %j',
    async (record) => {
      const { directory, release } = await open();
      release();
      writeFileSync(join(directory, 'volume.json'), record);
      expect(() => readVolume(root, 'vol')).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
    },
  );
});

describe('the size of a volume', () => {
  test('is that of its files, each counted once under all its names, without directories', async () => {
    mkdirSync(join(base, 'tree/sub/empty'), { recursive: true });
    writeFileSync(join(base, 'tree/a'), 'x'.repeat(1000));
    writeFileSync(join(base, 'tree/sub/b'), 'x'.repeat(28));
    linkSync(join(base, 'tree/a'), join(base, 'tree/sub/again'));
    expect(await measureTree(join(base, 'tree'))).toBe(1028);
    symlinkSync('/etc', join(base, 'tree/sub/link'));
    expect(await measureTree(join(base, 'tree'))).toBe(1028 + '/etc'.length);
    expect(await measureTree(join(base, 'gone'))).toBe(0);
    await expect(measureTree(join(base, 'tree'), AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
