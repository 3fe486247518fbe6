import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { REGISTRY_USER, type Registry, startRegistry } from '../../testbed/registry.ts';
import { until } from '../../testbed/until.ts';
import { type Bed, openBed } from './support/harness.ts';

describe('login and logout', () => {
  let bed: Bed;
  let registry: Registry;
  beforeAll(async () => {
    bed = await openBed();
    registry = await startRegistry({ directory: bed.directory, env: bed.env, auth: true });
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await bed[Symbol.asyncDispose]();
  });

  const configIn = (content?: unknown) => {
    const directory = join(bed.directory, bed.name('docker'));
    mkdirSync(directory);
    const file = join(directory, 'config.json');
    if (content !== undefined) writeFileSync(file, JSON.stringify(content), { mode: 0o644 });
    const read = (): unknown => JSON.parse(readFileSync(file, 'utf8'));
    return { directory, file, read, env: { DOCKER_CONFIG: directory } };
  };
  const fromStdin = ['login', '--username', REGISTRY_USER.name, '--password-stdin'];
  const auth = Buffer.from(`${REGISTRY_USER.name}:${REGISTRY_USER.password}`).toString('base64');

  test('store and remove what pull and push then use, and keep the rest of the file', async () => {
    const other = { 'other.example.com': { auth: 'eDp5' } };
    const config = configIn({ auths: other, psFormat: 'table {{.ID}}' });
    const { code, stdout, stderr } = await bed.cli([...fromStdin, registry.host], {
      env: config.env,
      stdin: `${REGISTRY_USER.password}\n`,
    });
    expect([code, stdout]).toEqual([0, 'Login Succeeded\n']);
    expect(stderr).toMatch(/^WARNING: Your credentials are stored unencrypted in /);
    expect(config.read()).toEqual({ auths: { ...other, [registry.host]: { auth } }, psFormat: 'table {{.ID}}' });
    expect(statSync(config.file).mode & 0o777).toBe(0o600);
    const name = `${registry.host}/demo/login:1`;
    await bed.ok(['load', '-q'], { stdin: await dockerArchive({ name }) });
    expect(await bed.ok(['push', '-q', name], { env: config.env })).toBe(name);
    expect(await bed.ok(['logout', registry.host], { env: config.env })).toBe(
      `Removing login credentials for ${registry.host}`,
    );
    expect(config.read()).toEqual({ auths: other, psFormat: 'table {{.ID}}' });
    expect(await bed.cli(['push', '-q', name], { env: config.env })).toMatchObject({ code: 1 });
  });

  test('use the credential helper that the file names', async () => {
    const config = configIn({ credsStore: 'probe' });
    const said = join(config.directory, 'said');
    const helper = join(config.directory, 'docker-credential-probe');
    writeFileSync(helper, `#!/bin/sh\n{ echo "$1"; cat; echo; } >>${said}\n`);
    chmodSync(helper, 0o755);
    const env = { ...config.env, PATH: `${config.directory}:${bed.env.PATH}` };
    const { stderr } = await bed.cli([...fromStdin, registry.host], { env, stdin: REGISTRY_USER.password });
    expect(stderr).toBe('');
    await bed.ok(['logout', registry.host], { env });
    const secret = JSON.stringify({
      ServerURL: registry.host,
      Username: REGISTRY_USER.name,
      Secret: REGISTRY_USER.password,
    });
    expect(readFileSync(said, 'utf8')).toBe(`store\n${secret}\nerase\n${registry.host}\n\n`);
    expect(config.read()).toEqual({ credsStore: 'probe' });
  });

  test('a wrong password stores nothing', async () => {
    const config = configIn();
    const result = await bed.cli([...fromStdin, registry.host], { env: config.env, stdin: 'wrong' });
    expect(result).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `healthctl: login attempt to http://${registry.host}/v2/ failed with status: 401 Unauthorized\n`,
    });
    expect(existsSync(config.file)).toBe(false);
  });

  test('ends when it is asked to while no password comes', async () => {
    const running = bed.spawn([...fromStdin, registry.host], { env: configIn().env });
    const reads = () =>
      readdirSync(`/proc/${running.pid}/fdinfo`).some((fd) =>
        /^tfd: +0 /m.test(readFileSync(`/proc/${running.pid}/fdinfo/${fd}`, 'utf8')),
      );
    await until(reads, { what: 'the login to read its stdin' });
    running.kill('SIGTERM');
    expect(await running.exited).toMatchObject({ code: 143, stdout: '', stderr: '' });
  });

  test('asks on a terminal, and does not show the password', async () => {
    const config = configIn();
    const running = bed.spawn(['login', registry.host], { env: config.env, tty: true });
    await running.prints('Username: ');
    running.write(`${REGISTRY_USER.name}\r`);
    await running.prints('Password: ');
    running.write(`${REGISTRY_USER.password}\r`);
    const { code, stdout } = await running.exited;
    expect([code, stdout]).toEqual([0, expect.stringContaining('Login Succeeded')]);
    expect(stdout).not.toContain(REGISTRY_USER.password);
    expect(config.read()).toEqual({ auths: { [registry.host]: { auth } } });
  });

  test.each([
    [['login', '--password-stdin'], 'the --password-stdin option requires --username to be set'],
    [
      ['login', '-u', 'x', '-p', 'y', '--password-stdin'],
      'conflicting options: cannot specify both --password and --password-stdin',
    ],
    [['login', '-u', ''], 'username is empty'],
    [['login', '-u', 'x'], 'cannot perform an interactive login from a non TTY device'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await bed.cli(args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`healthctl: ${message}\n`)]);
  });
});

describe('an image', () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await openBed();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  test('shows its history', async () => {
    await bed.ok(['load', '-q'], { stdin: await dockerArchive({ name: 'demo/history:1' }) });
    const rows = await bed.ok(['image', 'history', 'demo/history:1']);
    expect(rows).toMatch(
      /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n[0-9a-f]{12} +\d+ (months|years) ago +healthctl tests +[\d.]+MB *$/,
    );
    const format = '{{.CreatedAt}} {{.ID}}';
    expect(
      await bed.ok(['image', 'history', '--no-trunc', '--human=false', '--format', format, 'demo/history:1']),
    ).toMatch(/^2024-01-01T\S+ sha256:[0-9a-f]{64}$/);
  });

  test('of a platform that this host cannot run is refused', async () => {
    const image = await bed.image();
    const { code, stderr } = await bed.cli(['run', '--rm', '--platform', 'windows/amd64', image, 'true']);
    expect([code, stderr]).toEqual([125, expect.stringMatching(/^healthctl: this host cannot run windows\/amd64: /)]);
    const here = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;
    expect(await bed.ok(['run', '--rm', '--platform', here, image, 'echo', 'it runs'])).toBe('it runs');
    const never = await bed.cli(['create', '--pull', 'never', '--platform', 'linux/386', image]);
    expect(never).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /was found but its platform \(linux\/\w+\) does not match the specified platform \(linux\/386\)\n/,
      ),
    });
  });
});
