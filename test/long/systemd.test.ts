import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { expectWithin, failUnlessBusy } from '../../testbed/judged.ts';
import { bootMachine, type SystemdMachine } from '../../testbed/systemd-machine.ts';
import { until } from '../../testbed/until.ts';

// In a machine with a real systemd.

const IMAGE = 'demo/web:1';
/** Healthy while the file exists. */
const CHECK = ['--health-cmd', 'test -e /tmp/ok', '--health-retries', '1'];

let machine: SystemdMachine;

beforeAll(async () => {
  machine = await bootMachine();
  writeFileSync(join(machine.shared, 'image.tar'), await dockerArchive({ name: IMAGE }));
  await machine.healthctl('load', '--quiet', '--input', '/shared/image.tar');
}, 900_000);
afterAll(() => machine?.[Symbol.asyncDispose](), 60_000);

const show = async (unit: string, property: string) =>
  machine.ok('systemctl', 'show', '--value', `--property=${property}`, unit);
const statusOf = (name: string) => machine.healthctl('inspect', '--format', '{{.State.Health.Status}}', name);
const isEventually = (name: string, status: string) =>
  until(async () => (await statusOf(name)) === status, {
    withinMs: 15_000,
    everyMs: 200,
    what: `${name} is ${status}`,
  });
const configure = (...lines: readonly string[]) => {
  writeFileSync(join(machine.shared, 'healthctl.toml'), lines.map((line) => `${line}\n`).join(''));
  return machine.ok('install', '-D', '/shared/healthctl.toml', '/etc/healthctl/healthctl.toml');
};

describe('the monitor as a service', () => {
  test('is ready after installation, restarts when it dies, and is gone after uninstallation', async () => {
    await configure();
    expect(await machine.healthctl('daemon', 'install')).toBe('healthctl.service');
    expect(await show('healthctl', 'ActiveState')).toBe('active');
    expect(await show('healthctl', 'Type')).toBe('notify');
    expect(await machine.ok('systemctl', 'is-enabled', 'healthctl')).toBe('enabled');

    await machine.healthctl(
      'run',
      '-d',
      '--network',
      'none',
      '--name',
      'served',
      '--health-interval',
      '500ms',
      ...CHECK,
      IMAGE,
      'sleep',
      '1000',
    );
    await isEventually('served', 'unhealthy');
    await machine.healthctl('exec', 'served', 'touch', '/tmp/ok');
    await isEventually('served', 'healthy');

    const first = await show('healthctl', 'MainPID');
    await machine.ok('sh', '-c', `kill -9 ${first}`);
    await until(
      async () =>
        (await show('healthctl', 'MainPID')) !== first && (await show('healthctl', 'ActiveState')) === 'active',
      {
        withinMs: 20_000,
        everyMs: 100,
        what: 'the restart of the monitor',
      },
    );
    expect(await statusOf('served')).toBe('healthy');
    await machine.healthctl('exec', 'served', 'rm', '/tmp/ok');
    await isEventually('served', 'unhealthy');

    const second = await show('healthctl', 'MainPID');
    expect(await machine.healthctl('daemon', 'install')).toBe('healthctl.service');
    expect(await show('healthctl', 'MainPID')).not.toBe(second);

    expect(await machine.healthctl('daemon', 'uninstall')).toBe('healthctl.service');
    expect(await show('healthctl', 'LoadState')).toBe('not-found');
    expect((await machine.run('test', '-e', '/etc/systemd/system/healthctl.service')).code).toBe(1);
    const again = await machine.run('/opt/healthctl/bin/healthctl', 'daemon', 'uninstall');
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no unit') });
    expect(await statusOf('served')).toBe('unhealthy');
    await machine.healthctl('rm', '-f', 'served');
  });

  test('attaches containers that it restarts to their network, publishes their ports, and detaches ended ones', async () => {
    await machine.healthctl('daemon', 'install');
    const script = 'test -e /ran || { touch /ran; exit 1; }; exec httpd -f -p 80 -h /etc';
    const flags = ['--name', 'again', '-h', 'again', '-p', '80:80', '--restart', 'on-failure'];
    await machine.healthctl('run', '-d', ...flags, IMAGE, 'sh', '-c', script);
    const address = () =>
      machine.healthctl('inspect', '-f', '{{.RestartCount}} {{.NetworkSettings.IPAddress}}', 'again');
    await until(async () => /^1 10\./.test(await address()), { withinMs: 15_000, everyMs: 200 });
    expect(await machine.healthctl('port', 'again')).toBe('80/tcp -> 0.0.0.0:80');
    // The process that the monitor started for this does not belong to the unit, so it outlives the unit.
    await machine.ok('systemctl', 'stop', 'healthctl');
    expect(await machine.ok('ss', '-Hlntp', 'sport = :80')).toContain('"dd"');
    await machine.ok('systemctl', 'start', 'healthctl');
    const leases = async () =>
      (await machine.run('sh', '-c', 'ls /var/lib/healthctl/*/network/leases/bridge | grep -c "^10"')).stdout;
    expect(await leases()).toBe('1\n');
    await machine.healthctl('update', '--restart', 'no', 'again');
    await machine.healthctl('kill', 'again');
    await until(async () => (await leases()) === '0\n', { withinMs: 15_000, everyMs: 200 });
    await machine.healthctl('rm', '-f', 'again');
    const log = await machine.ok('journalctl', '--unit', 'healthctl', '--no-pager', '--output', 'cat');
    expect(log).not.toMatch(/network/);
    await machine.healthctl('daemon', 'uninstall');
  });

  test('can write its directories, and reads its settings again at a reload', async () => {
    await machine.healthctl('daemon', 'install');
    const pid = await show('healthctl', 'MainPID');
    const touch = (path: string) => machine.run('nsenter', '--target', pid, '--mount', 'touch', path);
    expect((await touch('/run/healthctl/new')).code).toBe(0);
    expect((await touch('/var/lib/healthctl/new')).code).toBe(0);
    // Uninstalling keeps a directory with foreign files.
    await machine.ok('rm', '/run/healthctl/new', '/var/lib/healthctl/new');
    expect((await touch('/etc/new')).stderr).toContain('Read-only file system');
    // It can also raise its priority: field 19 of proc_pid_stat(5) is the nice value.
    expect((await machine.ok('cat', `/proc/${pid}/stat`)).split(') ')[1]?.split(' ')[16]).toBe('-10');
    expect((await machine.run('cat', `/proc/${pid}/environ`)).stdout).toContain('MALLOC_ARENA_MAX=1');
    expect((await machine.run('cat', `/proc/${pid}/autogroup`)).stdout).toMatch(/^$| nice -10$/m);
    await machine.ok('systemctl', 'reload', 'healthctl');
    await until(async () => (await machine.run('/opt/healthctl/bin/healthctl', 'daemon', 'status')).code === 0, {
      withinMs: 5_000,
      everyMs: 50,
      what: 'the monitor to answer again',
    });
    expect(await show('healthctl', 'MainPID')).toBe(pid);
    await machine.healthctl('daemon', 'uninstall');
  });

  test('has no finding in systemd-analyze', async () => {
    await machine.healthctl('daemon', 'install');
    const { stdout, stderr } = await machine.run('systemd-analyze', 'verify', '/etc/systemd/system/healthctl.service');
    expect(`${stdout}${stderr}`).not.toContain('healthctl.service');
    await machine.healthctl('daemon', 'uninstall');
  });

  test('replaces a running monitor', async () => {
    await machine.healthctl('daemon', 'start');
    const pid = await machine.healthctl('daemon', 'status', '--format', '{{.pid}}');
    expect(await machine.ok('cat', `/proc/${pid}/environ`)).toContain('MALLOC_ARENA_MAX=1');
    await machine.healthctl('daemon', 'install');
    expect(await show('healthctl', 'ActiveState')).toBe('active');
    expect(await machine.healthctl('daemon', 'status', '--format', '{{.pid}}')).toBe(
      await show('healthctl', 'MainPID'),
    );
    await machine.healthctl('daemon', 'uninstall');
  });
});

describe("a socket for Docker's API", () => {
  const SOCKET = '/run/healthctl/docker.sock';
  /** Asks over the socket, in the machine. */
  const ask = async (method: string, path: string, body?: unknown) => {
    const script = `
      const { request } = require('node:http');
      const body = process.argv[3];
      const headers = body ? { 'content-type': 'application/json' } : {};
      const asked = request({ socketPath: '${SOCKET}', method: process.argv[1], path: process.argv[2], headers }, (answer) => {
        let text = '';
        answer.on('data', (more) => { text += more; }).on('end', () => console.log(answer.statusCode + ' ' + text.trim()));
      });
      asked.on('error', (error) => console.log(error.message)).end(body);`;
    const more = body === undefined ? [] : [JSON.stringify(body)];
    return machine.ok('node', '-e', script, method, path, ...more);
  };

  afterEach(() => machine.run('/opt/healthctl/bin/healthctl', 'daemon', 'uninstall'));

  test('a client that connects starts the monitor, also after a reload, and both units are removed', async () => {
    await configure();
    expect(await machine.healthctl('daemon', 'install', '--docker-socket')).toBe('healthctl.service\nhealthctl.socket');
    expect(await machine.ok('stat', '-c', '%a %U %G', SOCKET)).toBe('600 root root');
    expect(await machine.healthctl('docker-env')).toBe(`export DOCKER_HOST=unix://${SOCKET}`);
    expect(await ask('GET', '/_ping')).toBe('200 OK');

    await configure('health_log_entries = 7');
    await machine.ok('systemctl', 'reload', 'healthctl');
    await until(async () => (await ask('GET', '/_ping')) === '200 OK', { withinMs: 15_000, everyMs: 200 });

    await machine.ok('systemctl', 'stop', 'healthctl.service');
    expect(await show('healthctl', 'ActiveState')).toBe('inactive');
    expect(await machine.healthctl('docker-env')).toBe(`export DOCKER_HOST=unix://${SOCKET}`);
    expect(await ask('GET', '/_ping')).toBe('200 OK');
    expect(await show('healthctl', 'ActiveState')).toBe('active');

    // An update of the unit keeps the socket.
    await configure('socket_group = "users"');
    expect(await machine.healthctl('daemon', 'install')).toBe('healthctl.service\nhealthctl.socket');
    expect(await machine.ok('stat', '-c', '%a %U %G', SOCKET)).toBe('660 root users');
    expect(await ask('GET', '/_ping')).toBe('200 OK');

    await machine.healthctl('daemon', 'stop');
    expect(await ask('GET', '/_ping')).toMatch(/ENOENT|ECONNREFUSED/);
    await machine.healthctl('daemon', 'start');
    expect(await ask('GET', '/_ping')).toBe('200 OK');

    expect(await machine.healthctl('daemon', 'install', '--docker-socket', 'none')).toBe('healthctl.service');
    expect((await machine.run('test', '-e', SOCKET)).code).toBe(1);
    await machine.healthctl('daemon', 'install', '--docker-socket');
    expect(await machine.healthctl('daemon', 'uninstall')).toBe('healthctl.service\nhealthctl.socket');
    expect(await show('healthctl.socket', 'LoadState')).toBe('not-found');
    expect((await machine.run('test', '-e', SOCKET)).code).toBe(1);
  });

  test("the unit lets clients mount the host's directories, and make them", async () => {
    await configure();
    await machine.healthctl('daemon', 'install', '--docker-socket');
    await machine.ok('sh', '-c', 'mkdir -p /home/me/in && echo here >/home/me/in/file');
    const created = await ask('POST', '/containers/create?name=mounts', {
      Image: IMAGE,
      Cmd: ['sh', '-c', 'cat /in/file && echo there >/out/file'],
      HostConfig: { Binds: ['/home/me/in:/in:ro', '/srv/new/out:/out'], NetworkMode: 'none', IpcMode: 'shareable' },
    });
    expect(created).toMatch(/^201 /);
    expect(await ask('POST', '/containers/mounts/start')).toMatch(/^204/);
    expect(await machine.healthctl('wait', 'mounts')).toBe('0');
    expect(await machine.healthctl('logs', 'mounts')).toBe('here');
    expect(await machine.ok('cat', '/srv/new/out/file')).toBe('there');
    await machine.healthctl('rm', 'mounts');
    const found = await machine.run('systemd-analyze', 'verify', '/etc/systemd/system/healthctl.socket');
    expect(`${found.stdout}${found.stderr}`).not.toMatch(/healthctl\.(service|socket)/);
  });
});

describe('a timer for each container', () => {
  const timers = async (): Promise<readonly string[]> => {
    const listed = await machine.ok(
      'systemctl',
      'list-units',
      '--all',
      '--plain',
      '--no-legend',
      '--full',
      'healthctl-check-*',
    );
    return listed
      .split('\n')
      .flatMap((line) => line.split(' ', 1))
      .filter((unit) => unit !== '');
  };
  const runWith = (name: string, ...options: readonly string[]) =>
    machine.healthctl('run', '-d', '--network', 'none', '--name', name, ...CHECK, ...options, IMAGE, 'sleep', '1000');
  interface Shown {
    readonly Log: readonly { readonly Start: string; readonly End: string }[];
  }
  const logOf = async (name: string) => {
    const { Log } = JSON.parse(await machine.healthctl('inspect', '--format', '{{json .State.Health}}', name)) as Shown;
    return Log.map(({ Start, End }) => ({ startMs: Date.parse(Start), endMs: Date.parse(End) }));
  };
  const waitsOf = (log: Awaited<ReturnType<typeof logOf>>) =>
    log.slice(1).map(({ startMs }, index) => startMs - (log[index]?.endMs ?? 0));

  /** Waits until the log has five successive checks on time; a busy machine may need several tries. */
  const steady = async (context: TestContext, name: string, isOnTime: (wait: number) => boolean) => {
    let log = await logOf(name);
    const isSteady = async () => {
      log = await logOf(name);
      return log.length === 5 && waitsOf(log).every(isOnTime);
    };
    await until(isSteady, { withinMs: 120_000, everyMs: 500, what: 'five checks on time' }).catch((error: Error) =>
      failUnlessBusy(context, `${error.message}: ${waitsOf(log)}`),
    );
    return log;
  };

  beforeAll(() => configure('scheduler = "systemd"'));
  afterEach(async () => {
    const left = (await machine.healthctl('ps', '--all', '--quiet')).split('\n').filter((id) => id !== '');
    if (left.length > 0) await machine.healthctl('rm', '--force', ...left);
  });

  test('checks on time, and writes nothing to the journal', async (context) => {
    const begun = await machine.ok('date', '+%s');
    await runWith('exact', '--health-interval', '1s');
    const startedAt = Date.parse(await machine.healthctl('inspect', '--format', '{{.State.StartedAt}}', 'exact'));
    await isEventually('exact', 'unhealthy');
    const [first] = await logOf('exact');
    expect(first?.startMs).toBeGreaterThanOrEqual(startedAt + 999);
    const lateness = (first?.startMs ?? 0) - startedAt;
    await expectWithin(context, { what: 'the first check', tookMs: lateness, atMostMs: 2_000 });
    await machine.healthctl('exec', 'exact', 'touch', '/tmp/ok');
    await isEventually('exact', 'healthy');
    expect(await machine.run('/opt/healthctl/bin/healthctl', 'ps')).toMatchObject({ code: 0, stderr: '' });
    const log = await steady(context, 'exact', (wait) => wait < 1_100);
    for (const wait of waitsOf(log)) expect(wait).toBeGreaterThanOrEqual(999);
    await machine.healthctl('rm', '-f', 'exact');
    const journal = await machine.ok('journalctl', '--since', `@${begun}`, '--output=cat', '--no-pager');
    const perCheck = journal.split('\n').filter((line) => /healthctl-check|Health check of/.test(line));
    expect(perCheck.filter((line) => !/\.timer/.test(line) && !/^(Started|Stopped) /.test(line))).toEqual([]);
    expect(perCheck.length).toBeLessThan(6);
  });

  test('is made for containers that ran while a monitor made the checks', async () => {
    await configure();
    await machine.healthctl('daemon', 'start');
    await runWith('moved', '--health-interval', '1s');
    await machine.healthctl('run', '-d', '--name', 'unchecked', IMAGE, 'sleep', '1000');
    expect(await timers()).toEqual([]);
    await configure('scheduler = "systemd"');
    await machine.healthctl('daemon', 'start');
    expect((await machine.run('/opt/healthctl/bin/healthctl', 'daemon', 'status')).code).not.toBe(0);
    expect((await timers()).filter((unit) => unit.endsWith('.timer'))).toHaveLength(1);
    const seen = (await logOf('moved')).at(-1)?.startMs ?? 0;
    await until(async () => ((await logOf('moved')).at(-1)?.startMs ?? 0) > seen, {
      withinMs: 10_000,
      everyMs: 200,
      what: 'a check by the timer',
    });
  });

  test('follows the start period, and then the interval', async (context) => {
    await runWith('slow', '--health-interval', '2s', '--health-start-period', '3s', '--health-start-interval', '500ms');
    expect(await timers()).toContainEqual(expect.stringMatching(/-starting\.timer$/));
    await until(async () => (await logOf('slow')).length >= 4, { withinMs: 10_000, everyMs: 100, what: 'checks' });
    for (const wait of waitsOf(await logOf('slow')).slice(0, 3)) expect(wait).toBeGreaterThanOrEqual(499);
    await until(async () => (await timers()).every((unit) => !unit.includes('-starting')), {
      withinMs: 15_000,
      everyMs: 200,
      what: 'the timer of the interval',
    });
    await steady(context, 'slow', (wait) => wait > 1_990 && wait < 2_100);
    await machine.healthctl('rm', '-f', 'slow');
  });

  test.each([
    ['pause', ['pause'], ['unpause']],
    ['stop', ['stop', '-t', '0'], ['start']],
    ['kill', ['kill'], ['start']],
  ])('%s removes it, and the next start makes it again', async (name, [...end], [...begin]) => {
    await runWith(name, '--health-interval', '500ms');
    expect(await timers()).toHaveLength(2);
    await isEventually(name, 'unhealthy');
    await machine.healthctl(...end, name);
    expect(await timers()).toEqual([]);
    await machine.healthctl(...begin, name);
    expect(await timers()).toHaveLength(2);
    const before = (await logOf(name)).at(-1)?.startMs ?? 0;
    await until(async () => ((await logOf(name)).at(-1)?.startMs ?? 0) > before, {
      withinMs: 10_000,
      everyMs: 100,
      what: 'a check',
    });
    await machine.healthctl('rm', '-f', name);
    expect(await timers()).toEqual([]);
  });

  test('restart keeps it', async () => {
    await runWith('again', '--health-interval', '500ms');
    for (let round = 0; round < 3; round += 1) await machine.healthctl('restart', '-t', '0', 'again');
    expect(await timers()).toHaveLength(2);
    await isEventually('again', 'unhealthy');
    await machine.healthctl('rm', '-f', 'again');
    expect(await timers()).toEqual([]);
  });

  test('is removed after its container ended, or was removed by another tool', async () => {
    const id = await runWith('lost', '--health-interval', '500ms');
    await machine.healthctl(
      'run',
      '-d',
      '--name',
      'short',
      ...CHECK,
      '--health-interval',
      '500ms',
      IMAGE,
      'sleep',
      '1',
    );
    expect(await timers()).toHaveLength(4);
    await machine.ok('ctr', 'tasks', 'rm', '--force', id);
    await machine.ok('ctr', 'containers', 'rm', id);
    await until(async () => (await timers()).length === 0, { withinMs: 15_000, everyMs: 200, what: 'no timers' });
    await machine.healthctl('rm', '-f', 'short');
  });

  test('is removed by a monitor, which then makes the checks', async () => {
    await runWith('taken', '--health-interval', '500ms');
    expect(await timers()).toHaveLength(2);
    await machine.healthctl('daemon', 'install');
    expect(await timers()).toEqual([]);
    const before = (await logOf('taken')).at(-1)?.startMs ?? 0;
    await until(async () => ((await logOf('taken')).at(-1)?.startMs ?? 0) > before, {
      withinMs: 10_000,
      everyMs: 100,
      what: 'a check by the monitor',
    });
    await machine.healthctl('daemon', 'uninstall');
  });

  test('a check by hand moves the next one', async (context) => {
    await runWith('byhand', '--health-interval', '3s');
    await isEventually('byhand', 'unhealthy');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await machine.healthctl('container', 'healthcheck', 'byhand');
    await until(async () => (await logOf('byhand')).length === 3, {
      withinMs: 10_000,
      everyMs: 100,
      what: 'three checks',
    });
    const [, wait = 0] = waitsOf(await logOf('byhand'));
    expect(wait).toBeGreaterThanOrEqual(2_999);
    await expectWithin(context, { what: 'the check after that', tookMs: wait, atMostMs: 4_000 });
    await machine.healthctl('rm', '-f', 'byhand');
  });
});

describe('uninstall', () => {
  const traces = () =>
    machine.ok(
      ...['sh', '-c'],
      'ls -d /run/healthctl /etc/systemd/system/healthctl* /etc/systemd/system/*/healthctl* /sys/class/net/hctl* 2>&1 | grep -v "No such";' +
        'iptables -S | grep HCTL; iptables -t nat -S | grep HCTL; ls /run/systemd/transient | grep healthctl; true',
    );

  test('removes service, network and timers, and with --purge all data', async () => {
    await configure();
    await machine.healthctl('daemon', 'install', '--docker-socket');
    await machine.healthctl('run', '-d', '--name', 'last', '-v', 'data:/data', ...CHECK, IMAGE, 'sleep', '1000');
    expect(await traces()).toMatch(/healthctl\.service.*hctl0.*HCTL-FWD/s);
    const refused = await machine.run('/opt/healthctl/bin/healthctl', 'uninstall');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('containers of healthctl run: last') });
    await machine.healthctl('uninstall', '--force');
    expect(await traces()).toBe('');
    expect(await machine.healthctl('volume', 'ls', '--quiet')).toBe('data');
    await machine.healthctl('uninstall', '--force', '--purge');
    expect(
      await machine.ok('sh', '-c', 'ls -d /var/lib/healthctl /run/healthctl 2>/dev/null; ctr containers ls -q'),
    ).toBe('');
  });

  test('ends a monitor that a command started, and removes timers', async () => {
    await machine.healthctl('run', '-d', '--name', 'auto', '--network', 'none', ...CHECK, IMAGE, 'sleep', '1000');
    expect(await traces()).toContain('healthctl-auto-');
    await machine.healthctl('uninstall', '--force', '--purge');
    expect(await traces()).toBe('');
    await configure('scheduler = "systemd"');
    await machine.healthctl('run', '-d', '--name', 'timed', '--network', 'none', ...CHECK, IMAGE, 'sleep', '1000');
    expect(await traces()).toContain('healthctl-check-');
    await machine.healthctl('uninstall', '--force', '--purge');
    expect(await traces()).toBe('');
  });
});
