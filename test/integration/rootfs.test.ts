import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HealthctlError } from '../../src/lib/errors.ts';
import { danglingTarget } from '../../src/system/dangling-path.ts';
import { openLibc } from '../../src/system/libc.ts';
import type { SnapshotMount } from '../../src/system/rootfs.ts';
import { readFilesInRoot, readFilesOfMount } from '../../src/system/rootfs.ts';

const PASSWD = '/etc/passwd';
let base: string;
let parent: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'healthctl-rootfs-'));
  parent = join(base, 'parent');
  mkdirSync(parent);
});
afterEach(() => {
  expect(readdirSync(parent)).toEqual([]);
  rmSync(base, { recursive: true, force: true });
});

/**
 * Makes a layer with the given files.
 * @returns its directory
 */
function layer(name: string, files: Readonly<Record<string, string>> = {}): string {
  const directory = join(base, name);
  mkdirSync(join(directory, 'etc'), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

function bind(source: string): SnapshotMount[] {
  return [{ type: 'bind', source, options: ['ro', 'rbind'] }];
}

/** The mounts of a prepared snapshot, as containerd's overlay snapshotter describes them. */
function overlay(upper: string, ...lowers: string[]): SnapshotMount[] {
  const work = join(base, 'work');
  mkdirSync(work, { recursive: true });
  const options = ['index=off', `workdir=${work}`, `upperdir=${upper}`, `lowerdir=${lowers.join(':')}`];
  return [{ type: 'overlay', source: 'overlay', options }];
}

function read(mounts: readonly SnapshotMount[], path = PASSWD, maxBytes = 4096): string | undefined {
  return readFilesInRoot(mounts, [path], { maxBytes, parent }).get(path)?.toString();
}

function mountsAndDescriptors(): { mounts: string; descriptors: number } {
  return {
    // Other processes of the host may mount elsewhere meanwhile.
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(base))
      .join('\n'),
    descriptors: readdirSync('/proc/self/fd').length,
  };
}

describe('reading files of an image', () => {
  test('reads several files of a bind; missing ones are undefined', () => {
    const root = layer('root', { 'etc/passwd': 'root:x:0:0', 'etc/group': '' });
    const files = readFilesInRoot(bind(root), ['/etc/passwd', 'etc/group', '/etc/none', '/none/none'], {
      maxBytes: 100,
      parent,
    });
    expect([...files].map(([path, content]) => [path, content?.toString()])).toEqual([
      ['/etc/passwd', 'root:x:0:0'],
      ['etc/group', ''],
      ['/etc/none', undefined],
      ['/none/none', undefined],
    ]);
  });

  test('reads the topmost layer of an overlay, without writing to it', () => {
    const upper = layer('upper');
    const mounts = overlay(upper, layer('b', { 'etc/passwd': 'b' }), layer('a', { 'etc/passwd': 'a', 'etc/os': 'a' }));
    expect(read(mounts)).toBe('b');
    expect(read(mounts, '/etc/os')).toBe('a');
    expect(readdirSync(join(upper, 'etc'))).toEqual([]);
    expect(readdirSync(join(base, 'work'))).toEqual([]);
  });

  test('whiteouts and opaque directories hide lower layers', () => {
    const a = layer('a', { 'etc/passwd': 'a', 'opt/app/secret': 'a' });
    const b = layer('b', { 'opt/app/other': 'b' });
    const upper = layer('upper');
    execFileSync('mknod', [join(upper, 'etc/passwd'), 'c', '0', '0']);
    setOpaque(join(b, 'opt/app'));
    const mounts = overlay(upper, b, a);
    expect(read(mounts)).toBeUndefined();
    expect(read(mounts, '/opt/app/secret')).toBeUndefined();
    expect(read(mounts, '/opt/app/other')).toBe('b');
  });

  test('reads a hundred layers with long names, and names with commas', () => {
    const long = 'x'.repeat(80);
    const layers = Array.from({ length: 100 }, (_, index) =>
      layer(`${long},${index}`, index === 99 ? { 'etc/passwd': 'deep' } : {}),
    );
    expect(read(overlay(layer('upper'), ...layers))).toBe('deep');
  });

  test('reads a prepared overlay whose upper directory is in use by a running container', () => {
    const [upper, lower, merged] = [layer('upper'), layer('lower', { 'etc/passwd': 'lower' }), join(base, 'merged')];
    const mounts = overlay(upper, lower);
    mkdirSync(merged);
    const options = mounts[0]?.options.join(',') ?? '';
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, merged]);
    try {
      writeFileSync(join(merged, 'etc/passwd'), 'changed');
      expect(read(mounts)).toBe('changed');
    } finally {
      execFileSync('umount', [merged]);
    }
  });

  test('with several mounts the last is on top; other file systems are mounted by their type', () => {
    const mounts = [
      ...bind(layer('below', { 'etc/passwd': 'below' })),
      ...bind(layer('above', { 'etc/passwd': 'above' })),
    ];
    expect(read(mounts)).toBe('above');
    const tmpfs = [{ type: 'tmpfs', source: 'tmpfs', options: ['size=64k', 'mode=700', 'rw'] }];
    expect(read([...mounts, ...tmpfs])).toBeUndefined();
  });

  test('reads a view of one layer, an overlay without an upper directory', () => {
    const options = [`lowerdir=${layer('only', { 'etc/passwd': 'only' })}`];
    expect(read([{ type: 'overlay', source: 'overlay', options }])).toBe('only');
  });
});

describe('a hostile image', () => {
  test.each([
    ['an absolute link', '/etc/shadow'],
    ['a relative link out of the root', '../../../../../../../../etc/shadow'],
    ['a link through a link to the root', '../up/etc/shadow'],
  ])('%s stays inside the root', (_name, target) => {
    const root = layer('root', { 'etc/shadow': 'of the image' });
    symlinkSync('/', join(root, 'up'));
    symlinkSync(target, join(root, PASSWD));
    expect(read(bind(root))).toBe('of the image');
    expect(read(overlay(layer('upper'), root))).toBe('of the image');
    rmSync(join(root, 'etc/shadow'));
    expect(existsSync('/etc/shadow')).toBe(true);
    expect(read(bind(root))).toBeUndefined();
  });

  test('a path with .. stays inside the root', () => {
    writeFileSync(join(base, 'outside'), 'outside');
    expect(read(bind(layer('root')), '/../outside')).toBeUndefined();
    expect(read(bind(layer('root')), '../../../etc/hostname')).toBeUndefined();
  });

  test('circular links and links into /proc lead nowhere', () => {
    const root = layer('root');
    symlinkSync('passwd', join(root, PASSWD));
    expect(read(bind(root))).toBeUndefined();
    rmSync(join(root, PASSWD));
    symlinkSync('/proc/self/fd/0', join(root, PASSWD));
    expect(read(bind(root))).toBeUndefined();
  });

  test.each([
    ['a FIFO', ['p']],
    ['a device', ['c', '1', '5']],
  ])('%s is not opened', (_name, kind) => {
    const root = layer('root');
    execFileSync('mknod', [join(root, PASSWD), ...kind]);
    expect(read(bind(root))).toBeUndefined();
  });

  test('a directory is not a file', () => {
    const root = layer('root');
    mkdirSync(join(root, PASSWD));
    expect(read(bind(root))).toBeUndefined();
  });

  test('refuses a file that is too large, also a sparse one of a terabyte', () => {
    const root = layer('root', { 'etc/passwd': '12345' });
    expect(read(bind(root), PASSWD, 5)).toBe('12345');
    const refused = expect.objectContaining({
      code: 'INVALID',
      message: '/etc/passwd of the container is larger than 4 bytes',
    });
    expect(() => read(bind(root), PASSWD, 4)).toThrow(refused);
    const file = openSync(join(root, PASSWD), 'r+');
    ftruncateSync(file, 2 ** 40);
    closeSync(file);
    expect(() => read(bind(root), PASSWD, 4)).toThrow(refused);
  });
});

describe('no mount and no descriptor is left', () => {
  test.each([
    ['success', () => overlay(layer('u'), layer('l', { 'etc/passwd': 'x' }))],
    ['a missing layer', () => overlay(layer('u'), join(base, 'none'))],
    ['a missing bind', () => bind(join(base, 'none'))],
    ['an unknown file system', () => [{ type: 'nonesuch', source: 'none', options: [] }]],
    ['an option that the file system refuses', () => [{ type: 'tmpfs', source: 'tmpfs', options: ['nonsense=1'] }]],
    ['an overlay without layers', () => [{ type: 'overlay', source: 'overlay', options: [] }]],
    ['a second mount that fails', () => [...bind(layer('first')), ...bind(join(base, 'none'))]],
    ['a file that is too large', () => bind(layer('root', { 'etc/passwd': 'x'.repeat(5000) }))],
  ])('after %s', (name, make) => {
    const mounts = make();
    attempt(mounts); // The first call loads the native module, which opens files of its own.
    const before = mountsAndDescriptors();
    const error = attempt(mounts);
    expect(mountsAndDescriptors()).toEqual(before);
    if (name === 'success') expect(error).toBeUndefined();
    else expect(error).toBeInstanceOf(HealthctlError);
  });

  test('names a missing parent', () => {
    const files = () => readFilesInRoot(bind(layer('root')), [PASSWD], { maxBytes: 1, parent: join(base, 'gone') });
    expect(files).toThrow(/cannot read the container's root file system: .*gone/);
  });
});

describe('readFilesOfMount', () => {
  const filesBelow = (path: string, ...paths: readonly string[]) => {
    const root = openSync(path, 'r');
    try {
      const files = readFilesOfMount(root, paths, 4096);
      return files && [...files.values()].map((content) => content?.toString());
    } finally {
      closeSync(root);
    }
  };

  test('follows links inside of the root', () => {
    const root = layer('root', { real: 'root:x:0:0' });
    symlinkSync('/real', join(root, 'etc/passwd'));
    expect(filesBelow(root, PASSWD, '/etc/group')).toEqual(['root:x:0:0', undefined]);
  });

  test('reads nothing if something is mounted on the way to one of the files', () => {
    expect(filesBelow('/', PASSWD, '/proc/version')).toBeUndefined();
  });
});

function attempt(mounts: readonly SnapshotMount[]): unknown {
  try {
    read(mounts);
    return undefined;
  } catch (error) {
    return error;
  }
}

function setOpaque(directory: string): void {
  const value = Buffer.from('y');
  const prototype =
    'int setxattr(const char *path, const char *name, const void *value, unsigned long size, int flags)';
  expect(openLibc().func(prototype)(directory, 'trusted.overlay.opaque', value, value.length, 0)).toBe(0);
}

describe('danglingTarget', () => {
  const links: Readonly<Record<string, string>> = {
    link: '/nowhere/deep',
    relative: 'etc/../lost',
    outside: '../../../../gone',
    chain: 'link',
    loop: 'loop',
    there: '/etc',
    file: '/etc/passwd',
  };

  test.each([
    ['/link', '/nowhere/deep'],
    ['/link/sub/../other', '/nowhere/deep/other'],
    ['/relative', '/lost'],
    ['/outside/x', '/gone/x'],
    ['/chain', '/nowhere/deep'],
    ['/there/new', '/etc/new'],
    ['/loop', undefined],
    ['/there', undefined],
    ['/etc', undefined],
    ['/new/dir', undefined],
    ['/file', undefined],
    ['/', undefined],
  ])('%s leads to %s', (path, target) => {
    const root = layer('links', { 'etc/passwd': 'x' });
    for (const [name, to] of Object.entries(links)) symlinkSync(to, join(root, name));
    expect(danglingTarget(bind(root), path, { parent })).toBe(target);
  });
});
