import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { describeWith, needProgram } from '../../testbed/needed-program.ts';
import { mustRun, runProgram } from '../../testbed/program.ts';
import { bootMachine, type SystemdMachine } from '../../testbed/systemd-machine.ts';
import { until } from '../../testbed/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const IMAGE = 'demo/web:1';

// test/integration/deb.test.ts looks at what is in the package.
describeWith('dpkg-deb', 'the Debian package as a file', () => {
  const env = {
    ...{ PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/root' },
    ...{ LC_ALL: 'C.UTF-8', DEBEMAIL: 'tests@healthctl.dev' },
  };
  let work: string;
  const packages: string[] = [];
  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'healthctl-deb-test-'));
    for (const name of ['1', '2']) {
      const out = join(work, name);
      await mustRun([process.execPath, join(ROOT, 'scripts/deb.mjs'), '--out', out], { env, cwd: ROOT });
      packages.push(join(out, readdirSync(out)[0] ?? ''));
    }
  });
  afterAll(() => rmSync(work, { recursive: true }));

  test('two builds give the same bytes', () => {
    const [one, other] = packages.map((path) => readFileSync(path));
    expect(one?.equals(other ?? Buffer.alloc(0))).toBe(true);
  });

  test('lintian accepts it', async (context) => {
    needProgram(context, 'lintian');
    // That a first upload closes a bug is a rule of Debian's archive.
    const suppressed = ['--suppress-tags', 'initial-upload-closes-no-bugs'];
    const { stdout } = await runProgram(['lintian', ...suppressed, '--allow-root', ...packages.slice(0, 1)], { env });
    expect(stdout).toBe('');
  });
});

// The Debian package on a Debian machine with a real systemd: installed, upgraded, removed, purged.
describeWith('dpkg-deb', 'dpkg', () => {
  let machine: SystemdMachine;
  const show = (property: string) =>
    machine.ok('systemctl', 'show', '--value', `--property=${property}`, 'healthctl.service');
  const installed = (...args: readonly string[]) => machine.ok('healthctl', ...args);
  const exists = async (path: string) => (await machine.run('test', '-e', path)).code === 0;
  const dpkg = (...args: readonly string[]) => machine.ok('env', 'DEBIAN_FRONTEND=noninteractive', 'dpkg', ...args);

  beforeAll(async () => {
    machine = await bootMachine();
    const env = { PATH: process.env.PATH ?? '' };
    for (const revision of ['1', '2']) {
      const out = join(machine.shared, revision);
      const script = [join(ROOT, 'scripts/deb.mjs'), '--revision', revision, '--out', out];
      await mustRun([process.execPath, ...script], { env, cwd: ROOT });
      copyFileSync(join(out, readdirSync(out)[0] ?? ''), join(machine.shared, `${revision}.deb`));
    }
    // Debian 12 has no Node.js 20: a package is made of the host's.
    const node = join(machine.shared, 'nodejs');
    mkdirSync(join(node, 'DEBIAN'), { recursive: true });
    mkdirSync(join(node, 'usr/bin'), { recursive: true });
    const lines = ['Package: nodejs', 'Version: 22.0.0', 'Architecture: all', 'Maintainer: Tests <tests@localhost>'];
    writeFileSync(join(node, 'DEBIAN/control'), [...lines, 'Description: Node.js', ''].join('\n'));
    await mustRun(['ln', '-s', '/usr/local/bin/node', join(node, 'usr/bin/node')], { env });
    await mustRun(['dpkg-deb', '--build', node, join(machine.shared, 'nodejs.deb')], { env });
    writeFileSync(join(machine.shared, 'image.tar'), await dockerArchive({ name: IMAGE }));
  }, 900_000);
  afterAll(() => machine?.[Symbol.asyncDispose](), 60_000);

  test('requires a Node.js that is new enough', async () => {
    const refused = await machine.run('dpkg', '-i', '/shared/1.deb');
    expect(refused.stderr).toContain('healthctl depends on nodejs (>= 20)');
    await dpkg('-P', 'healthctl');
  });

  test('-i enables and starts the monitor, as Debian does with services', async () => {
    await dpkg('-i', '/shared/nodejs.deb', '/shared/1.deb');
    expect([await show('ActiveState'), await show('UnitFileState')]).toEqual(['active', 'enabled']);
    // dpkg on this machine omits man pages and documents.
    const wrong = (await machine.run('dpkg', '--verify', 'healthctl')).stdout.split('\n');
    expect(wrong.filter((line) => line !== '' && !/\/usr\/share\/(man|doc)\//.test(line))).toEqual([]);
    await installed('load', '--quiet', '--input', '/shared/image.tar');
    const flags = ['--network', 'none', '--health-cmd', 'true', '--health-interval', '500ms'];
    await installed('run', '-d', '--name', 'web', ...flags, IMAGE, 'sleep', '1000');
    await installed('volume', 'create', 'kept');
    await installed('wait', '--condition', 'healthy', 'web');
    expect(await installed('daemon', 'status')).toContain(await show('MainPID'));
  });

  test('an upgrade restarts the monitor, and does not affect containers', async () => {
    const [pid, monitor] = [await installed('inspect', '-f', '{{.State.Pid}}', 'web'), await show('MainPID')];
    await dpkg('-i', '/shared/2.deb');
    expect(await show('ActiveState')).toBe('active');
    expect(await show('MainPID')).not.toBe(monitor);
    expect(await installed('inspect', '-f', '{{.State.Pid}} {{.State.Health.Status}}', 'web')).toBe(`${pid} healthy`);
    const lastCheck = () => installed('inspect', '-f', '{{json .State.Health.Log}}', 'web');
    const before = await lastCheck();
    await until(async () => (await lastCheck()) !== before, { what: 'the monitor to continue its checks' });
  });

  test('an upgrade does not start or enable a monitor that was stopped and disabled', async () => {
    await machine.ok('systemctl', 'disable', '--now', 'healthctl.service');
    await dpkg('-i', '/shared/1.deb');
    expect([await show('ActiveState'), await show('UnitFileState')]).toEqual(['inactive', 'disabled']);
    await machine.ok('systemctl', 'enable', '--now', 'healthctl.service');
  });

  test('-r ends the monitor, and keeps containers, volumes and the AppArmor profile', async () => {
    const pid = await installed('inspect', '-f', '{{.State.Pid}}', 'web');
    await dpkg('-r', 'healthctl');
    expect(await exists('/usr/bin/healthctl')).toBe(false);
    expect(await exists('/usr/lib/healthctl')).toBe(false);
    expect((await machine.run('systemctl', 'is-active', 'healthctl.service')).stdout).toBe('inactive\n');
    expect(await exists(`/proc/${pid}`)).toBe(true);
    expect(await exists('/etc/apparmor.d/healthctl-default')).toBe(true);
    expect((await machine.ok('sh', '-c', 'ls -d /var/lib/healthctl/*/volumes/*/kept')).split('\n')).toHaveLength(1);
    expect(await exists('/var/lib/healthctl/compile-cache')).toBe(false);
  });

  test('a new installation finds its containers', async () => {
    await dpkg('-i', '/shared/2.deb');
    expect([await show('ActiveState'), await show('UnitFileState')]).toEqual(['active', 'enabled']);
    expect(await installed('ps', '--format', '{{.Names}}')).toBe('web');
  });

  test('-P after uninstall --purge leaves nothing of healthctl', async () => {
    await installed('uninstall', '--force', '--purge');
    await dpkg('-P', 'healthctl');
    const left = await machine.ok(
      'sh',
      '-c',
      'find / -xdev -name "*healthctl*" -not -path "/shared/*" -not -path "/opt/*" -not -path "/var/log/*" -not -path "/proc/*" 2>/dev/null; true',
    );
    expect(left).toBe('');
    expect(await show('LoadState')).toBe('not-found');
  });
});
