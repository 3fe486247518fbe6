import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bed, openBed } from './support/harness.ts';

describe('cp', () => {
  let bed: Bed;
  let here: string;
  beforeAll(async () => {
    bed = await openBed();
    const image = await bed.image(
      { User: 'app' },
      {
        files: {
          'etc/passwd': { body: 'root:x:0:0:root:/:/bin/sh\napp:x:1200:1300:app:/:/bin/sh\n' },
          'opt/app/conf': { body: 'from the image\n' },
          'opt/link': { link: 'app' },
          'opt/out': { link: '../../../../../../../etc' },
        },
      },
    );
    here = join(bed.directory, 'files');
    mkdirSync(join(here, 'tree/sub'), { recursive: true });
    writeFileSync(join(here, 'file'), 'local\n');
    writeFileSync(join(here, 'tree/sub/deep'), 'deep\n');
    symlinkSync('sub/deep', join(here, 'tree/link'));
    const options = ['-u', '0', '-v', 'shared:/data', '--tmpfs', '/scratch'];
    await bed.ok(['create', '--name', 'made', '-u', 'app', '-v', 'shared:/data', image, 'true']);
    await bed.ok(['run', '-d', '--name', 'up', ...options, image, 'sleep', '1000']);
    await bed.ok(['run', '--name', 'over', ...options, image, 'true']);
    await bed.ok(['create', '--name', 'fixed', '--read-only', '-v', 'shared:/data:ro', image, 'true']);
    await bed.ok(['cp', join(here, 'file'), 'made:/data/kept']);
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  const cp = (...args: string[]) => bed.cli(['cp', ...args], { cwd: here });
  const failure = async (...args: string[]) => {
    const { code, stderr } = await cp(...args);
    expect(code).toBe(1);
    return stderr.replace(/^healthctl: /, '').trim();
  };
  const listed = async (path: string): Promise<string> => {
    const { stdout } = await cp(path, '-');
    return execFileSync('tar', ['-tf', '-'], { input: stdout, encoding: 'utf8' }).trim();
  };

  test.each(['made', 'up', 'over'])('copies to and from %s, as Docker names and places it', async (name) => {
    const before = await bed.traces();
    for (const [from, to] of [
      ['file', '/opt'],
      ['file', '/opt/renamed'],
      ['file', '/data/kept'],
      ['tree', '/opt/new'],
      ['tree', '/opt/new'],
      ['tree/.', '/opt/app'],
      ['file', '/opt/link'],
    ] as const) {
      expect(await cp(from, `${name}:${to}`)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    }
    expect(await listed(`${name}:/opt/new`)).toBe(
      'new/\nnew/link\nnew/sub/\nnew/sub/deep\nnew/tree/\nnew/tree/link\nnew/tree/sub/\nnew/tree/sub/deep',
    );
    expect(await listed(`${name}:/opt/link`)).toBe('link');
    expect(await listed(`${name}:/opt/link/.`)).toBe('./\n./conf\n./file\n./link\n./sub/\n./sub/deep');
    expect((await cp(`${name}:/opt/app`, `out-${name}`)).code).toBe(0);
    expect(readFileSync(join(here, `out-${name}/conf`), 'utf8')).toBe('from the image\n');
    expect((await cp('-L', `${name}:/opt/app/link`, `followed-${name}`)).code).toBe(0);
    expect(readFileSync(join(here, `followed-${name}`), 'utf8')).toBe('deep\n');
    expect(await listed(`${name}:/data`)).toBe('data/\ndata/kept');
    await bed.expectNothingLeft(before);
  });

  test('says what Docker says', async () => {
    expect(await failure('made:/none', 'x')).toBe('Could not find the file /none in container made');
    expect(await failure('file', 'made:/none/x')).toBe('Could not find the file /none in container made');
    expect(await failure('file', 'made:/none/')).toBe('no such directory');
    expect(await failure('tree', 'made:/etc/passwd')).toBe('cannot copy directory');
    expect(await failure('made:/etc/passwd/', 'x')).toBe('lstat /etc/passwd/: not a directory');
    expect(await failure('file', 'fixed:/opt')).toBe('container rootfs is marked read-only');
    expect(await failure('file', 'fixed:/data')).toBe('mounted volume is marked read-only');
    expect(await failure('made:/opt', 'none/x')).toMatch(/^invalid output path: directory ".*\/none" does not exist$/);
    expect(await failure('nosuch', 'made:/opt')).toMatch(/^lstat .*\/nosuch: no such file or directory$/);
    expect(await failure('-', 'made:/etc/passwd')).toBe('destination "made:/etc/passwd" must be a directory');
    expect(await failure('file', 'x')).toBe('must specify at least one container source');
    expect(await failure('made:/a', 'up:/b')).toBe('copying between containers is not supported');
  });

  test('a link of the container leads nowhere else, and -a gives its user', async () => {
    const before = statSync('/etc/hostname').mtimeMs;
    expect((await cp('file', 'up:/opt/out/hostname')).code).toBe(0);
    expect(await bed.ok(['exec', 'up', 'cat', '/etc/hostname'])).toBe('local');
    expect(statSync('/etc/hostname').mtimeMs).toBe(before);
    expect((await cp('-a', 'file', 'made:/opt/owned')).code).toBe(0);
    const { stdout } = await cp('made:/opt/owned', '-');
    expect(execFileSync('tar', ['--numeric-owner', '-tvf', '-'], { input: stdout, encoding: 'utf8' })).toMatch(
      / 1200\/1300 /,
    );
    expect(await bed.ok(['exec', 'up', 'sh', '-c', 'echo here >/scratch/x; cat /scratch/x'])).toBe('here');
    expect(await listed('up:/scratch')).toBe('scratch/\nscratch/x');
  });
});
