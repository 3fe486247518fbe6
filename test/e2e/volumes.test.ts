import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOT_JUDGED } from '../../testbed/not-judged.ts';
import { startProgram } from '../../testbed/program.ts';
import { unmount } from '../../testbed/testbed-remains.ts';
import { type Bed, HEALTHCTL, openBed, until } from './support/harness.ts';

const ANONYMOUS = 'com.docker.volume.anonymous';

const isMounted = (path: string): boolean => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${path} `);

describe('volumes', () => {
  let bed: Bed;
  let image: string;
  beforeAll(async () => {
    bed = await openBed();
    image = await bed.image(
      { Volumes: { '/var/lib/data': {} } },
      {
        files: {
          'var/lib/data': { uid: 1234, gid: 1234, mode: 0o2770 },
          'var/lib/data/file': { body: 'from the image\n', uid: 1234, gid: 2000, mode: 0o4640 },
          'var/lib/data/sub/link': { link: '/etc/passwd' },
          escape: { link: '../../../../../../../../tmp' },
          up: { link: '/etc' },
        },
      },
    );
    // The first container of a bed leaves its directories.
    await bed.ok(['run', '--rm', '-v', 'first:/x', image, 'true']);
    await bed.ok(['volume', 'rm', 'first']);
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  const names = async (...filters: string[]) =>
    (await bed.ok(['volume', 'ls', '-q', ...filters.flatMap((filter) => ['-f', filter])])).split('\n').filter(Boolean);
  const mountpoint = (name: string) => bed.ok(['volume', 'inspect', '-f', '{{.Mountpoint}}', name]);

  test('a part of a volume, by links that stay in it; never what a link leads to outside', async () => {
    const content = [
      'mkdir -p /v/sub /v/new; echo 1 >/v/sub/f; echo 2 >/v/file',
      'ln -s sub /v/good; ln -s / /v/root; ln -s root /v/bad',
    ];
    const before = await bed.traces();
    await bed.ok(['run', '--rm', '-v', 'parts:/v', image, 'sh', '-c', content.join('; ')]);
    const mounting = (part: string, target = '/x') => ['--mount', `src=parts,dst=${target},volume-subpath=${part}`];
    const run = (part: string, ...command: string[]) => bed.cli(['run', '--rm', ...mounting(part), image, ...command]);
    expect(await run('sub', 'ls', '/x')).toMatchObject({ stdout: 'f\n' });
    expect(await run('good', 'ls', '/x')).toMatchObject({ stdout: 'f\n' });
    expect(await run('file', 'cat', '/x')).toMatchObject({ stdout: '2\n' });
    for (const part of ['root', 'bad', 'root/etc'])
      expect((await run(part, 'ls', '/x')).stderr).toContain('path concatenation escapes the base directory');
    expect((await run('missing', 'ls', '/x')).stderr).toMatch(/cannot access path \S+\/missing: /);
    // An empty directory gets what the image has at the place.
    const filled = [...mounting('new', '/var/lib/data'), image, 'cat', '/var/lib/data/file'];
    expect(await bed.ok(['run', '--rm', ...filled])).toBe('from the image');
    expect(await bed.ok(['run', '--rm', ...mounting('new'), image, 'stat', '-c', '%u %a', '/x', '/x/file'])).toBe(
      '1234 2770\n1234 4640',
    );
    // Each start finds it again, and others inherit no more than the part.
    await bed.ok(['run', '--name', 'part', ...mounting('sub'), image, 'ls', '/x']);
    await bed.ok(['start', 'part']);
    expect(await bed.ok(['run', '--rm', '--volumes-from', 'part', image, 'ls', '/x'])).toBe('f');
    expect(JSON.parse(await bed.ok(['inspect', '-f', '{{json .HostConfig.Mounts}}', 'part']))).toEqual([
      { Type: 'volume', Source: 'parts', Target: '/x', VolumeOptions: { Subpath: 'sub' } },
    ]);
    await bed.ok(['rm', '-v', 'part']);
    await bed.ok(['volume', 'rm', 'parts']);
    await bed.expectNothingLeft(before);
  });

  test('a named volume outlives its container, is filled once from the image, and is shown', async () => {
    const before = await bed.traces();
    const mounts = ['-v', 'data:/var/lib/data', '--mount', 'type=tmpfs,dst=/scratch,tmpfs-size=1m,tmpfs-mode=700'];
    const script =
      'stat -c "%u:%g %a" . file; cat file; readlink sub/link; echo more > new; stat -c %a /scratch; df -k /scratch | tail -1';
    const out = await bed.ok(['run', '--name', 'one', ...mounts, '-w', '/var/lib/data', image, 'sh', '-c', script]);
    expect(out.split('\n').slice(0, 6)).toEqual([
      '1234:1234 2770',
      '1234:2000 4640',
      'from the image',
      '/etc/passwd',
      '700',
      expect.stringMatching(/^tmpfs +1024 /),
    ]);
    const [document] = JSON.parse(await bed.ok(['inspect', 'one'])) as [Record<string, unknown>];
    const source = await mountpoint('data');
    expect(document.Mounts).toEqual([
      {
        Type: 'volume',
        Name: 'data',
        Source: source,
        Destination: '/var/lib/data',
        Driver: 'local',
        Mode: 'z',
        RW: true,
        Propagation: '',
      },
      { Type: 'tmpfs', Source: '', Destination: '/scratch', Mode: '', RW: true, Propagation: '' },
    ]);
    expect(document.HostConfig).toMatchObject({
      Binds: ['data:/var/lib/data'],
      Mounts: [{ Type: 'tmpfs', Target: '/scratch' }],
    });
    expect(document.Config).toMatchObject({ Volumes: { '/var/lib/data': {} } });
    expect(await bed.ok(['ps', '-a', '--format', '{{.Mounts}} {{.LocalVolumes}}'])).toBe('data, 1');
    const having = (volume: string) => bed.ok(['ps', '-a', '--filter', `volume=${volume}`, '--format', '{{.Names}}']);
    expect([await having('data'), await having('/scratch'), await having('dat')]).toEqual(['one', 'one', '']);
    const id = document.Id as string;
    expect(await bed.cli(['volume', 'rm', 'data'])).toMatchObject({
      code: 1,
      stderr: `healthctl: remove data: volume is in use - [${id}]\n`,
    });
    expect(await names('dangling=true')).toEqual([]);
    await bed.ok(['rm', '-v', 'one']);
    expect(readFileSync(join(source, 'new'), 'utf8')).toBe('more\n');
    // What the container changed stays: the volume is not filled again. A read-only mount is read-only.
    const again = await bed.cli([
      'run',
      '--rm',
      '-v',
      'data:/var/lib/data:ro',
      image,
      'sh',
      '-c',
      'cd /var/lib/data; ls; rm new',
    ]);
    expect(again.stdout).toBe('file\nnew\nsub\n');
    expect(again.stderr).toContain('Read-only file system');
    expect(await bed.ok(['volume', 'rm', 'data'])).toBe('data');
    await bed.expectNothingLeft(before);
  });

  test('a tmpfs has the mode that was asked for at each start', async () => {
    const mounts = ['--tmpfs', '/new:mode=1777', '--mount', 'type=tmpfs,dst=/var/lib/data,tmpfs-mode=711'];
    const list = ['sh', '-c', 'stat -c %a /new /var/lib/data'];
    expect(await bed.ok(['run', '--name', 'modes', ...mounts, image, ...list])).toBe('1777\n711');
    expect(await bed.ok(['start', '-a', 'modes'])).toBe('1777\n711');
    await bed.ok(['rm', 'modes']);
  });

  test('--rm and rm -v remove anonymous volumes; otherwise they stay', async () => {
    const before = await bed.traces();
    await bed.ok(['run', '--rm', '-v', '/own', image, 'true']);
    expect(await names()).toEqual([]);
    await bed.ok(['run', '-d', '--name', 'kept', '-v', '/own', '--tmpfs', '/var/lib/data', image]);
    const [only = '', ...others] = await names(`label=${ANONYMOUS}`);
    expect([only.length, others]).toEqual([64, []]);
    const mounts = await bed.ok(['inspect', '-f', '{{json .Mounts}}', 'kept']);
    expect(JSON.parse(mounts)).toEqual([
      expect.objectContaining({ Type: 'volume', Name: only, Destination: '/own', Mode: '', RW: true }),
    ]);
    await bed.ok(['rm', '-f', 'kept']);
    expect(await names('dangling=true')).toEqual([only]);
    expect(await bed.cli(['volume', 'prune'], { stdin: 'n\n' })).toMatchObject({
      code: 0,
      stdout:
        'WARNING! This will remove anonymous local volumes not used by at least one container.\nAre you sure you want to continue? [y/N] ',
      stderr: '',
    });
    await bed.ok(['volume', 'create', '--label', 'tier=db', 'named']);
    expect(await bed.ok(['volume', 'prune', '-f'])).toMatch(
      new RegExp(`^Deleted Volumes:\n${only}\n\nTotal reclaimed space: \\d+`),
    );
    expect(await bed.ok(['volume', 'prune', '-f', '-a', '--filter', 'label!=tier'])).toBe('Total reclaimed space: 0B');
    expect(await names('label=tier=db', 'name=am')).toEqual(['named']);
    expect(await bed.ok(['volume', 'prune', '-af'])).toMatch(/^Deleted Volumes:\nnamed\n/);
    await bed.ok(['create', '--name', 'other', '-v', '/own', image]);
    await bed.ok(['rm', '-v', 'other']);
    await bed.expectNothingLeft(before);
  });

  test('the commands print what Docker prints', async () => {
    expect(await bed.ok(['volume', 'create', '--label', 'a=b', 'shown'])).toBe('shown');
    expect(await bed.ok(['volume', 'ls'])).toBe('DRIVER    VOLUME NAME\nlocal     shown');
    const [document] = JSON.parse(await bed.ok(['volume', 'inspect', 'shown'])) as [Record<string, unknown>];
    expect(document).toEqual({
      CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      Driver: 'local',
      Labels: { a: 'b' },
      Mountpoint: expect.stringMatching(/\/shown\/_data$/),
      Name: 'shown',
      Options: null,
      Scope: 'local',
    });
    for (const type of [[], ['--type', 'volume']]) {
      expect(await bed.ok(['inspect', ...type, '-f', '{{.Name}} {{.Scope}}', 'shown'])).toBe('shown local');
    }
    expect((await bed.cli(['inspect', '--type', 'volume', 'nope'])).stderr).toBe(
      'healthctl: get nope: no such volume\n',
    );
    expect((await bed.cli(['inspect', 'nope'])).stderr).toContain('No such object: nope');
    writeFileSync(join(document.Mountpoint as string, 'file'), 'x'.repeat(1536));
    expect((await bed.ok(['volume', 'ls', '-s'])).split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['DRIVER', 'VOLUME NAME', 'DIRECTORY', 'SIZE'],
      ['local', 'shown', document.Mountpoint, '1.5 KiB'],
    ]);
    expect(await bed.ok(['volume', 'ls', '--format', '{{.Size}}'])).toBe('N/A');
    expect(JSON.parse(await bed.ok(['volume', 'inspect', '--size', 'shown']))).toEqual([{ ...document, Size: 1536 }]);
    expect([await names('size>1k', 'size<=1536'), await names('size=0')]).toEqual([['shown'], []]);
    const directory = join(document.Mountpoint as string, '..');
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'volume.json')).mode & 0o777).toBe(0o600);
    // A container of another tool that mounts the directory uses the volume too.
    const mount = `type=bind,src=${document.Mountpoint},dst=/x,options=rbind`;
    await bed.ctr('containers', 'create', '--mount', mount, image, 'foreign');
    expect((await bed.cli(['volume', 'rm', 'shown'])).stderr).toBe(
      'healthctl: remove shown: volume is in use - [foreign]\n',
    );
    expect(await bed.ok(['volume', 'prune', '-af'])).toBe('Total reclaimed space: 0B');
    await bed.ctr('containers', 'rm', 'foreign');
    expect(await bed.cli(['volume', 'rm', 'shown', 'nope'])).toMatchObject({
      code: 1,
      stdout: 'shown\n',
      stderr: 'healthctl: get nope: no such volume\n',
    });
    expect(await bed.cli(['volume', 'rm', '-f', 'nope'])).toMatchObject({ code: 0, stdout: 'nope\n' });
    for (const name of ['../shown', '..', '/etc', 'a/../b']) {
      expect(await bed.cli(['volume', 'rm', name])).toMatchObject({ code: 1 });
      expect((await bed.cli(['volume', 'create', name])).stderr).toContain(
        'invalid characters for a local volume name',
      );
    }
  });

  test('a failed create leaves no volume; two at once share one', async () => {
    const before = await bed.traces();
    const missing = join(bed.directory, 'missing');
    const failures = await Promise.all([
      bed.cli(['create', '-v', 'gone:/x', '-w', 'relative', image]),
      bed.cli(['create', '-v', '/bin/sh', image]),
      bed.cli(['create', '--mount', `type=bind,src=${missing},dst=/x`, image]),
      bed.cli(['create', '-v', 'x1:/x', '-v', 'x2:/x/', image]),
    ]);
    expect(failures.map(({ stderr }) => stderr.split('\n')[0])).toEqual([
      "healthctl: the working directory 'relative' is invalid, it needs to be an absolute path",
      'healthctl: cannot mount volume over existing file, file exists /bin/sh',
      `healthctl: invalid mount config for type "bind": bind source path does not exist: ${missing}`,
      'healthctl: Duplicate mount point: /x',
    ]);
    await bed.expectNothingLeft(before);
    const both = ['one', 'two'].map((name) =>
      bed.ok(['run', '--name', name, '-v', 'shared:/var/lib/data', image, 'cat', '/var/lib/data/file']),
    );
    expect(await Promise.all(both)).toEqual(['from the image', 'from the image']);
    expect(await names()).toEqual(['shared']);
    await bed.ok(['rm', 'one', 'two']);
    await bed.ok(['volume', 'rm', 'shared']);
    await bed.expectNothingLeft(before);
  });

  test('options: a directory of the host, memory that containers share, another file system', async () => {
    const directory = join(bed.directory, 'served');
    mkdirSync(directory);
    await bed.ok(['volume', 'create', '-o', 'type=none', '-o', 'o=bind', '-o', `device=${directory}`, 'host']);
    expect(JSON.parse(await bed.ok(['volume', 'inspect', '-f', '{{json .Options}}', 'host']))).toEqual({
      ...{ type: 'none', o: 'bind', device: directory },
    });
    const fill = ['run', '--rm', '-v', 'host:/var/lib/data', image, 'cat', '/var/lib/data/file'];
    expect(await bed.ok(fill)).toBe('from the image');
    expect(statSync(join(directory, 'file'))).toMatchObject({ uid: 1234, gid: 2000 });
    writeFileSync(join(directory, 'file'), 'of the host\n');
    expect(await bed.ok(fill)).toBe('of the host');
    rmSync(directory, { recursive: true });
    expect((await bed.cli(fill)).stderr).toMatch(
      /failed to mount local volume: mount \S+\/served:\S+_data, flags: 0x1000: no such file or directory/,
    );
    await bed.ok(['volume', 'rm', 'host']);

    const memory =
      'type=volume,src=memory,dst=/m,volume-opt=type=tmpfs,volume-opt=device=tmpfs,"volume-opt=o=size=1m,uid=7"';
    await bed.ok([
      'run',
      '-d',
      '--name',
      'writer',
      '--mount',
      memory,
      image,
      'sh',
      '-c',
      'echo shared >/m/a; sleep 600',
    ]);
    await until(async () => (await bed.ok(['exec', 'writer', 'ls', '/m'])) === 'a');
    const seen = await bed.ok([
      'run',
      '--rm',
      '-v',
      'memory:/m',
      image,
      'sh',
      '-c',
      'cat /m/a; df -k /m; stat -c %u /m',
    ]);
    expect(seen.split('\n')).toEqual(['shared', expect.anything(), expect.stringMatching(/^tmpfs +1024 /), '7']);
    await bed.ok(['rm', '-f', 'writer']);
    const data = await mountpoint('memory');
    expect(isMounted(data)).toBe(true);
    unmount(data); // as after a reboot
    expect(await bed.ok(['run', '--rm', '-v', 'memory:/m', image, 'stat', '-f', '-c', '%T', '/m'])).toBe('tmpfs');
    await bed.ok(['volume', 'rm', 'memory']);
    expect(isMounted(data)).toBe(false);

    const other = '"volume-opt=o=ro,mode=700",volume-opt=device=x,volume-opt=type=ramfs';
    const mounted = await bed.ok([
      'run',
      '--rm',
      '--mount',
      `dst=/r,src=other,${other}`,
      image,
      'grep',
      ' /r ',
      '/proc/mounts',
    ]);
    expect(mounted).toMatch(/^x \/r ramfs ro,.*mode=700/);
    await bed.ok(['volume', 'rm', 'other']);
    const { code, stderr } = await bed.cli(['volume', 'create', '-o', 'type=nfs', 'bad']);
    expect([code, stderr]).toEqual([1, 'healthctl: create bad: missing required option: "device"\n']);
  });

  test("an image's symbolic links do not lead to the host", async () => {
    const before = await bed.traces();
    const secret = join(bed.directory, 'secret');
    mkdirSync(secret);
    writeFileSync(join(secret, 'key'), 'host');
    // Inside the image, `/escape` is its own empty /tmp, and `/up` its own /etc.
    const listing = ['sh', '-c', 'ls -A /tmp /up'];
    const out = await bed.ok([
      'run',
      '--rm',
      '-v',
      'esc:/escape',
      '-v',
      'etc:/up',
      '-v',
      '/var/lib/data',
      image,
      ...listing,
    ]);
    expect(out).toContain('/tmp:\n');
    expect(readdirSync(await mountpoint('esc'))).toEqual([]);
    expect(readFileSync(join(await mountpoint('etc'), 'passwd'), 'utf8')).toContain('probe:x:1234');
    // A volume whose content was replaced by a link is refused, for a new container and at the start of an existing
    // one.
    const content = await mountpoint('esc');
    await bed.ok(['create', '--name', 'late', '-v', 'esc:/x', '--tmpfs', '/var/lib/data', image]);
    await bed.ok(['volume', 'create', 'spare']);
    rmSync(content, { recursive: true });
    symlinkSync(secret, content);
    for (const args of [
      ['start', 'late'],
      ['create', '-v', 'esc:/x', image],
      ['volume', 'inspect', 'esc'],
    ]) {
      const { code, stderr } = await bed.cli(args);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`${content} is not a directory`)]);
    }
    expect(readdirSync(secret)).toEqual(['key']);
    await bed.ok(['rm', '-v', 'late']);
    rmSync(content);
    mkdirSync(content);
    await bed.ok(['volume', 'rm', 'esc', 'etc', 'spare']);
    expect(existsSync(join(secret, 'key'))).toBe(true);
    rmSync(secret, { recursive: true });
    await bed.expectNothingLeft(before);
  });
});

test('the monitor removes the anonymous volumes of containers that it removes', async () => {
  await using bed = await openBed(['autostart = true']);
  const image = await bed.image();
  await bed.ok(['run', '-d', '--rm', '-v', '/own', '-v', 'named:/named', image, 'sleep', '0.3']);
  const gone = async () => (await bed.ok(['ps', '-aq'])) === '' && (await bed.ok(['volume', 'ls', '-q'])) === 'named';
  await until(gone, { withinMs: 10_000 });
  await bed.ok(['run', '-d', '--name', 'kept', '-v', '/own', image]);
  await bed.ok(['rm', '-f', '-v', 'kept']);
  expect(await bed.ok(['volume', 'ls', '-q'])).toBe('named');
});

test('a create that is killed while it copies leaves no half-filled volume', async (context) => {
  await using bed = await openBed();
  const files = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`many/${index}`, 'x']));
  const image = await bed.image({}, { files });
  const [hash = ''] = await bed.ok(['run', '--rm', image, 'true']).then(() => readdirSync(bed.dataRoot));
  /**
   * @returns the directory of a volume that was half filled when its create was killed; undefined if the kill came too
   *   late
   */
  const killHalfWay = async (name: string): Promise<string | undefined> => {
    const directory = join(bed.dataRoot, hash, 'volumes', bed.namespace, name);
    const copying = join(directory, '.copying');
    const isHalfWay = () => existsSync(copying) && readdirSync(copying).length > 100;
    const creating = bed.spawn(['create', '-v', `${name}:/many`, image]);
    let isOver = false;
    void creating.exited.then(() => {
      isOver = true;
    });
    await until(() => isOver || isHalfWay(), { withinMs: 20_000, everyMs: 2 });
    creating.kill('SIGKILL');
    await creating.exited;
    return isHalfWay() ? directory : undefined;
  };
  const names = Array.from({ length: 5 }, () => bed.name('vol'));
  let [name, directory]: (string | undefined)[] = [];
  while (directory === undefined && names.length > 0) {
    name = names.shift() ?? '';
    directory = await killHalfWay(name);
  }
  if (directory === undefined) return context.skip(`${NOT_JUDGED}: each copy ended before it could be killed`);
  expect(readdirSync(join(directory, '_data'))).toEqual([]);
  expect(await bed.ok(['run', '--rm', '-v', `${name}:/many`, image, 'sh', '-c', 'ls /many | wc -l'])).toBe('3000');
  expect(readdirSync(directory).sort()).toEqual(['_data', 'volume.json']);
});

test('a monitor with a mount namespace of its own, as a service has one, mounts where containerd sees it', async () => {
  await using bed = await openBed(['autostart = false']);
  const image = await bed.image();
  const command = ['unshare', '--mount', '--propagation', 'slave', HEALTHCTL, ...bed.globalFlags, 'daemon', 'run'];
  startProgram(command, { env: bed.env, stdin: '' });
  await until(async () => (await bed.cli(['daemon', 'status'])).code === 0, { withinMs: 15_000 });
  await bed.ok(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'memory']);
  await bed.ok(['volume', 'create', 'disk']);
  mkdirSync(join(await bed.ok(['volume', 'inspect', '-f', '{{.Mountpoint}}', 'disk']), 'part'));
  const mounts = ['-v', 'memory:/m', '--mount', 'src=disk,dst=/p,volume-subpath=part', '--ipc', 'shareable'];
  await bed.ok(['run', '-d', '--name', 'again', '--restart', 'always', ...mounts, image, 'sleep', '600']);
  unmount(await bed.ok(['volume', 'inspect', '-f', '{{.Mountpoint}}', 'memory'])); // as after a reboot
  const pid = () => bed.ok(['inspect', '-f', '{{.State.Pid}} {{.RestartCount}}', 'again']);
  process.kill(Number((await pid()).split(' ')[0]), 'SIGKILL');
  await until(async () => /^[1-9]\d* 1$/.test(await pid()), { withinMs: 15_000 });
  const seen = await bed.ok(['exec', 'again', 'stat', '-f', '-c', '%T', '/m', '/dev/shm']);
  expect(seen).toBe('tmpfs\ntmpfs');
  expect(await bed.ok(['exec', 'again', 'ls', '-d', '/p'])).toBe('/p');
  await bed.ok(['rm', '-f', 'again']);
  await bed.ok(['volume', 'rm', 'memory', 'disk']);
  await bed.ok(['daemon', 'stop']);
});
