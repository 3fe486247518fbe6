import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { registry } from '../../../src/cli/registry.ts';

// The cache that the program writes for a Node.js whose V8 cannot use the packed ones. Runs a copy of the package that
// is marked as built for another V8.

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'healthctl-kept-'));
const program = join(folder, 'program');
const dataRoot = join(folder, 'data');
const parent = join(dataRoot, 'compile-cache');

beforeAll(() => {
  chmodSync(folder, 0o755);
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(ROOT, name), join(program, name), { recursive: true });
  const bundle = join(program, 'dist/healthctl.cjs');
  const source = readFileSync(bundle, 'latin1').replace(/(\n\/\/ [0-9a-f]+) \S+\n$/, '$1 another\n');
  writeFileSync(bundle, source, 'latin1');
});
beforeEach(() => rmSync(dataRoot, { recursive: true, force: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Call {
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

function run(args: readonly string[], { env = {}, uid }: Call = {}) {
  const { status, stdout, stderr } = spawnSync(join(program, 'bin/healthctl'), args, {
    cwd: '/',
    encoding: 'utf8',
    // V8 may read a damaged cache for ever.
    timeout: 30_000,
    killSignal: 'SIGKILL',
    env: { PATH: process.env.PATH, HEALTHCTL_DATA_ROOT: dataRoot, ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  return { status, stdout, stderr };
}

const WORKS = { status: 0, stdout: expect.stringMatching(/^healthctl version /), stderr: '' };

/** The only directory of caches. */
function directory(): string {
  const [name = '', ...others] = readdirSync(parent);
  expect(others).toEqual([]);
  return join(parent, name);
}

const cachePath = (): string => join(directory(), 'version.cache');
/** In how many successive calls V8 accepted the cache. */
const callsOf = (path: string): number | undefined => readFileSync(path).at(-1);

test('a call writes a cache for the next one, which only root can read', () => {
  expect(run(['--version'])).toEqual(WORKS);
  const path = cachePath();
  expect(readdirSync(directory())).toEqual(['version.cache']);
  for (const [each, mode] of [[parent, 0o40700] as const, [directory(), 0o40700] as const, [path, 0o100600] as const])
    expect(lstatSync(each).mode.toString(8), each).toBe(mode.toString(8));
  expect(callsOf(path)).toBe(1);
  expect(run(['--version'])).toEqual(WORKS);
  expect(callsOf(path)).toBe(2);
});

test('the cache is not written any more after some calls', () => {
  for (let call = 0; call < 8; call += 1) run(['--version']);
  const { ino } = lstatSync(cachePath());
  expect(run(['--version'])).toEqual(WORKS);
  expect(lstatSync(cachePath()).ino).toBe(ino);
});

test('a command has a cache of its own, in the data root of its flags', () => {
  const other = join(folder, 'other');
  expect(run(['--data-root', other, 'ps', '--help'], { env: { HEALTHCTL_DATA_ROOT: '/dev/null' } }).status).toBe(0);
  const [name = ''] = readdirSync(join(other, 'compile-cache'));
  expect(readdirSync(join(other, 'compile-cache', name))).toEqual(['ps.cache']);
});

test('a call that fails writes no cache', () => {
  expect(run(['ps', '--nope']).status).toBe(125);
  expect(existsSync(parent)).toBe(false);
});

test.each([
  ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ['empty', () => Buffer.alloc(0)],
  ['something else', () => Buffer.from('not a cache')],
  ['changed in the middle', (bytes: Buffer) => bytes.fill(0xff, 20_000, 20_100)],
])('a damaged cache, %s, is replaced', (_, damage) => {
  run(['--version']);
  run(['--version']);
  const path = cachePath();
  writeFileSync(path, damage(readFileSync(path)));
  expect(run(['--version'])).toEqual(WORKS);
  expect(callsOf(path)).toBe(1);
});

describe('a cache that would end the process', () => {
  /** Damages both copies in the same way. V8 then ends the process, which shows that the cache was read. */
  function poison(): string {
    run(['--version']);
    const path = cachePath();
    const bytes = readFileSync(path);
    const half = (bytes.length - 1) / 2;
    for (const start of [0, half]) bytes.fill(0xff, start + 40, start + 60);
    bytes[bytes.length - 1] = 8;
    writeFileSync(path, bytes);
    return path;
  }

  test('is read if it is trusted', () => {
    poison();
    expect(run(['--version']).status).not.toBe(0);
  });

  test.each([
    ['a file that others may read or write', () => chmodSync(cachePath(), 0o644)],
    ['a file of another user', () => chownSync(cachePath(), 65534, 65534)],
    ['a directory that others may enter', () => chmodSync(directory(), 0o755)],
    ['a directory of another user', () => chownSync(directory(), 65534, 65534)],
    ['a parent directory that others may enter', () => chmodSync(parent, 0o755)],
    ['a data root of another user', () => chownSync(dataRoot, 65534, 65534)],
    ['a data root that others may write to', () => chmodSync(dataRoot, 0o777)],
    ['a link in the place of the file', () => moveBehindLink(cachePath())],
    ['a link in the place of the directory', () => moveBehindLink(parent)],
  ])('is not read: %s', (_, spoil) => {
    poison();
    spoil();
    expect(run(['--version'])).toEqual(WORKS);
  });
});

function moveBehindLink(path: string): void {
  const moved = join(folder, 'moved');
  rmSync(moved, { recursive: true, force: true });
  renameSync(path, moved);
  symlinkSync(moved, path);
}

test('starts without a cache if none can be written', () => {
  expect(run(['--version'], { env: { HEALTHCTL_DATA_ROOT: '/dev/null/data' } })).toEqual(WORKS);
  expect(run(['--version'], { env: { HEALTHCTL_DATA_ROOT: '/proc/data' } })).toEqual(WORKS);
});

test('starts without a cache if not root, or with flags of Node.js', () => {
  expect(run(['--version'], { uid: 65534 })).toEqual(WORKS);
  expect(run(['--version'], { env: { NODE_OPTIONS: '--expose-gc' } })).toEqual(WORKS);
  expect(existsSync(parent)).toBe(false);
});

test('caches of earlier builds are removed', () => {
  run(['--version']);
  const name = readdirSync(parent)[0] ?? '';
  for (const old of ['a', 'b', 'c', 'd']) mkdirSync(join(parent, old), { mode: 0o700 });
  rmSync(join(parent, name), { recursive: true });
  run(['--version']);
  expect(readdirSync(parent)).toHaveLength(3);
  expect(readdirSync(parent)).toContain(name);
});

test('the common commands have caches of their own', () => {
  const list = /WORDS = \[([^;]*)\];/.exec(readFileSync(join(ROOT, 'bin/kept-cache.cjs'), 'utf8'))?.[1] ?? '';
  const words = [...list.matchAll(/'([^']+)'/g)].map(([, word]) => word);
  const common = registry.commands.filter((entry) => entry.common).flatMap(({ path, aliases }) => [path, ...aliases]);
  expect(words).toEqual(expect.arrayContaining(common.map((path) => path.at(-1)).filter((word) => word !== 'list')));
});
