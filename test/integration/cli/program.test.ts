import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'healthctl-program-'));
const program = join(folder, 'program');
const launcher = join(program, 'bin/healthctl');
const env = {
  ...process.env,
  HEALTHCTL_TOML: '/dev/null',
  CONTAINERD_ADDRESS: join(folder, 'nothing.sock'),
  HEALTHCTL_DATA_ROOT: join(folder, 'data'),
};

beforeAll(() => {
  cpSync(join(root, 'bin'), join(program, 'bin'), { recursive: true });
  writeFileSync(join(program, 'package.json'), '{"type":"module"}');
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/build.mjs'), '--out', join(program, 'dist')],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`build failed: ${stderr}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(args: readonly string[], options: SpawnOptions & { command?: string } = {}) {
  const { command = launcher, ...rest } = options;
  const { status, stdout, stderr } = spawnSync(command, args, { env, encoding: 'utf8', ...rest });
  return { status, stdout: `${stdout}`, stderr: `${stderr}` };
}

describe('the start of the program', () => {
  const version = /^healthctl version \d+\.\d+\.\d+, build (?:[0-9a-f]{7,}|dev)\n$/;

  test('works directly, with node, and through a link as npm makes it', () => {
    const link = join(folder, 'healthctl');
    symlinkSync(launcher, link);
    for (const [command, ...args] of [
      [launcher],
      [process.execPath, launcher],
      [link],
      [process.execPath, link],
    ] as const) {
      expect(run([...args, '--version'], { command })).toEqual({
        status: 0,
        stdout: expect.stringMatching(version),
        stderr: '',
      });
    }
  });

  test('works in another directory, and with extra certificates set', () => {
    expect(
      run(['-v'], { cwd: '/', env: { ...env, NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt' } }).stdout,
    ).toMatch(version);
  });

  test('works without a cache, and with a foreign one', () => {
    const copy = copyProgram('copy');
    expect(run(['-v'], { command: join(copy, 'bin/healthctl') }).stdout).toMatch(version);
    for (const name of ['healthctl.cache', 'healthctl.version.cache'])
      writeFileSync(join(copy, 'dist', name), 'not a cache');
    for (const word of ['-v', '--version']) {
      expect(run([word], { command: join(copy, 'bin/healthctl') })).toEqual({
        status: 0,
        stdout: expect.stringMatching(version),
        stderr: '',
      });
    }
  });

  test('accepts the caches of the build, and has one for each word that the launcher knows', () => {
    const words = /OWN = \[(.*)\]/.exec(readFileSync(launcher, 'utf8'))?.[1]?.match(/[a-z_]+/g) ?? [];
    const names = ['healthctl.cache', ...words.map((word) => `healthctl.${word}.cache`)];
    expect(cachesIn(program)).toEqual(names.toSorted());
    const script = `
      const { readFileSync } = require('node:fs'); const { Script } = require('node:vm');
      const source = readFileSync('dist/healthctl.cjs', 'latin1');
      for (const name of process.argv.slice(1))
        console.log(new Script(source, { filename: process.cwd() + '/dist/healthctl.cjs', cachedData: readFileSync('dist/' + name) }).cachedDataRejected);`;
    const { stdout } = run(['-e', script, '--', ...names], { command: process.execPath, cwd: program });
    expect(stdout).toBe('false\n'.repeat(names.length));
  });

  test('without the built file, prints what to do', () => {
    const copy = copyProgram('unbuilt');
    rmSync(join(copy, 'dist'), { recursive: true });
    expect(run(['-v'], { command: join(copy, 'bin/healthctl') })).toEqual({
      status: 1,
      stdout: '',
      stderr: `healthctl: ${join(copy, 'dist/healthctl.cjs')} is missing\nbuild it with "npm run build", or install healthctl again\n`,
    });
  });

  test.each([[['--version']], [['--help']]])('%j loads neither network nor streams', (args) => {
    const watch = join(folder, 'watch.cjs');
    writeFileSync(
      watch,
      `process.on('exit', () => require('node:fs').writeSync(2, JSON.stringify(process.moduleLoadList)));`,
    );
    const loaded = run(['--require', watch, launcher, ...args], { command: process.execPath }).stderr;
    for (const name of ['http2', 'net', 'tls', 'tty', 'zlib', 'child_process'])
      expect(loaded).not.toContain(`"NativeModule ${name}"`);
  });
});

function copyProgram(name: string): string {
  const copy = join(folder, name);
  cpSync(program, copy, { recursive: true });
  for (const name of cachesIn(copy)) rmSync(join(copy, 'dist', name));
  return copy;
}

const cachesIn = (root: string): readonly string[] =>
  readdirSync(join(root, 'dist'))
    .filter((name) => name.endsWith('.cache'))
    .toSorted();

describe('errors', () => {
  test('a wrong flag gives its text on stderr, and exit status 125', () => {
    expect(run(['version', '--nope'])).toEqual({
      status: 125,
      stdout: '',
      stderr: expect.stringMatching(
        /^healthctl: unknown flag: --nope\n\nUsage: {2}healthctl version.*\n\nRun 'healthctl version --help' for more information\n$/,
      ),
    });
  });

  test('a failure gives one line and a hint on stderr, partial results on stdout, and exit status 1', () => {
    const { status, stdout, stderr } = run(['version']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^Client:\n Version: +\d/);
    expect(stderr).toMatch(/^healthctl: .*nothing\.sock.*\n[^\n]+\n$/);
  });

  test('--debug shows the stack', () => {
    expect(run(['--debug', 'version']).stderr).toMatch(/\n {4}at src\/containerd\/errors\.ts:\d+:\d+\n/);
  });

  test('a wrong configuration gives file and line', () => {
    const path = join(folder, 'bad.toml');
    writeFileSync(path, 'address = "/x"\nnamespce = "y"\n');
    expect(run(['version'], { env: { ...env, HEALTHCTL_TOML: path } })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`healthctl: ${path}:2: unknown key "namespce"\n`),
    });
  });
});

describe('output', () => {
  test('without a reader, ends silently like a process killed by SIGPIPE', () => {
    const script = `"${launcher}" --help | true; echo "\${PIPESTATUS[0]}"`;
    // The reader may end before or after the write: both 0 and 141 are right.
    expect(run(['-c', script], { command: 'bash' })).toMatchObject({
      stdout: expect.stringMatching(/^(?:0|141)\n$/),
      stderr: '',
    });
  });

  test('to a closed pipe, ends silently like a process killed by SIGPIPE', () => {
    const script = `exec 3> >(exit 0); sleep 0.2; "${launcher}" --help >&3; echo "$?"`;
    expect(run(['-c', script], { command: 'bash' })).toMatchObject({ stdout: '141\n', stderr: '' });
  });

  test('to a full disk is an error', () => {
    const full = openSync('/dev/full', 'w');
    expect(run(['--help'], { stdio: ['ignore', full, 'pipe'] })).toMatchObject({
      status: 1,
      stderr: 'healthctl: cannot write to stdout: no space left on device\n',
    });
  });
});

describe('signals', () => {
  // A containerd that accepts connections and never answers.
  const address = join(folder, 'silent.sock');
  const server = createServer((socket) => socket.resume());
  beforeAll(async () => {
    await once(server.listen(address), 'listening');
  });
  afterAll(() => {
    server.close();
  });

  async function interrupted(...names: readonly NodeJS.Signals[]) {
    const connected = once(server, 'connection');
    const child: ChildProcess = spawn(process.execPath, [launcher, 'version'], {
      env: { ...env, CONTAINERD_ADDRESS: address },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    const closed = once(child, 'close');
    await connected;
    for (const name of names) child.kill(name);
    const [status] = await closed;
    return { status, stderr };
  }

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends a waiting call silently, with %d', async (name, status) => {
    expect(await interrupted(name)).toEqual({ status, stderr: '' });
  });

  test.each([
    ['create', '--env-file'],
    ['create', '--label-file'],
    ['exec', '--env-file'],
  ])('%s %s waits for a pipe until SIGTERM', async (...words) => {
    const path = join(folder, `pipe-${words.join('')}`);
    spawnSync('mkfifo', [path]);
    const child = spawn(launcher, [...words, path, 'name', 'true'], { env, stdio: 'ignore' });
    const closed = once(child, 'close');
    // Opening the pipe for writing waits for the reader.
    const writer = spawn('sh', ['-c', 'exec sleep 60 >"$0"; :', path]);
    await once(spawn('sh', ['-c', ': >"$0"', path]), 'close');
    child.kill('SIGTERM');
    expect(await closed).toEqual([143, null]);
    writer.kill();
  });

  test('a configuration that is a pipe, or endless, is refused', () => {
    const path = join(folder, 'pipe.toml');
    spawnSync('mkfifo', [path]);
    const reasons = { [path]: 'it is not a regular file', '/dev/zero': 'it is larger than 16 MiB' };
    for (const [file, reason] of Object.entries(reasons)) {
      expect(run(['ps'], { env: { ...env, HEALTHCTL_TOML: file } })).toEqual({
        status: 1,
        stdout: '',
        stderr: `healthctl: cannot read ${file}: ${reason}\nit is named by $HEALTHCTL_TOML\n`,
      });
    }
  });
});
