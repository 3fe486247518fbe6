import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ProgramResult, runProgram } from '../../testbed/program.ts';
import { type Bed, openBed, until } from './support/harness.ts';
import { type NetworkHost, openNetworkHost } from './support/network-host.ts';

let bed: Bed;
let host: NetworkHost;
beforeAll(async () => {
  bed = await openBed(['autostart = false', 'network = "bridge"']);
  host = await openNetworkHost(bed);
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const SERVER = ['httpd', '-f', '-p', '80', '-h', '/etc'];

async function run(flags: readonly string[] = [], program: readonly string[] = ['sleep', '600']): Promise<string> {
  const name = bed.name();
  await host.ok('run', '-d', '--name', name, ...flags, await bed.image(), ...program);
  return name;
}

/** The kernel removes an interface a moment after its namespace. */
async function expectRemains(before: Awaited<ReturnType<NetworkHost['remains']>>, what = ''): Promise<void> {
  const isSame = async () => isDeepStrictEqual(await host.remains(), before);
  await until(isSame, { withinMs: 5_000 }).catch(() => undefined);
  expect(await host.remains(), what).toEqual(before);
}

const show = (template: string, name: string) => host.ok('inspect', '--format', template, name);
const fetch = (url: string) => host.run('busybox', 'wget', '-q', '-O', '-', url);

/** Calls `work` with another machine beside the host, which routes everything through the host. */
async function withNeighbour(
  work: (run: (...command: readonly string[]) => Promise<ProgramResult>, address: string) => Promise<void>,
): Promise<void> {
  const holder = host.start('unshare', '--net', 'sleep', '600');
  const options = { env: bed.env, cwd: '/' };
  const inside = (...command: readonly string[]) =>
    runProgram(['nsenter', '--target', `${holder.pid}`, '--net', ...command], options);
  await host.run('ip', 'link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'lan1');
  const networkOf = (pid: string | number) => host.run('readlink', `/proc/${pid}/ns/net`);
  const own = await networkOf('self');
  await until(async () => ![own, ''].includes(await networkOf(holder.pid)));
  await host.run('ip', 'link', 'set', 'lan1', 'netns', `${holder.pid}`);
  await until(async () => (await inside('ip', 'link', 'show', 'lan1')).code === 0);
  await host.run('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'lan0');
  await host.run('ip', 'link', 'set', 'lan0', 'up');
  for (const command of ['address add 192.0.2.2/24 dev lan1', 'link set lan1 up', 'route add default via 192.0.2.1'])
    expect((await inside('ip', ...command.split(' '))).code, command).toBe(0);
  try {
    await work(inside, '192.0.2.1');
  } finally {
    await host.run('ip', 'link', 'delete', 'lan0');
    holder.kill('SIGKILL');
  }
}

describe('a container on the network bridge', () => {
  test('has an address, reaches other hosts, has names, and passes checks of each kind', async () => {
    const name = await run(
      ['-h', 'web', '--domainname', 'example.org', '--health-http', 'http://localhost/hostname'],
      SERVER,
    );
    expect(await show('{{.HostConfig.NetworkMode}} {{.NetworkSettings.IPAddress}}', name)).toMatch(
      /^bridge 10\.80\.0\.\d+$/,
    );
    const address = await show('{{.NetworkSettings.Networks.bridge.IPAddress}}', name);
    const gateway = await show('{{.NetworkSettings.Gateway}}', name);
    expect(await host.ok('exec', name, 'ping', '-c', '1', '-W', '5', gateway)).toContain('1 packets received');
    expect(await host.ok('exec', name, 'cat', '/etc/hosts')).toContain(`${address}\tweb.example.org web\n`);
    expect(await host.ok('exec', name, 'hostname', '-f')).toBe('web.example.org');
    await until(async () => (await fetch(`http://${address}/hostname`)) === 'web\n');
    await until(async () => (await host.cli('healthcheck', 'run', name)).code === 0);
    await host.ok('rm', '-f', name);
  });

  test('keeps its addresses over restarts', async () => {
    const address = (name: string) => show('{{.NetworkSettings.IPAddress}} {{.NetworkSettings.MacAddress}}', name);
    const first = await run();
    const before = await address(first);
    await host.ok('restart', '-t', '0', first);
    const between = await run();
    await host.ok('stop', '-t', '0', first);
    await host.ok('start', first);
    expect(before).toMatch(/^10\.[\d.]+ [0-9a-f:]{17}$/);
    expect([await address(first), await address(between)]).toEqual([before, expect.not.stringMatching(`^${before}$`)]);
    await host.ok('rm', '-f', first, between);
  });

  test('has the given DNS and host settings', async () => {
    const flags = ['--dns', '192.0.2.53', '--dns-search', 'a.example', '--dns-option', 'ndots:2'];
    const name = await run([...flags, '--add-host', 'db:192.0.2.7', '--add-host', 'here:host-gateway']);
    expect(await host.ok('exec', name, 'cat', '/etc/resolv.conf')).toBe(
      'nameserver 192.0.2.53\nsearch a.example\noptions ndots:2',
    );
    const hosts = await host.ok('exec', name, 'cat', '/etc/hosts');
    expect(hosts).toContain('192.0.2.7\tdb');
    expect(hosts).toContain(`${await show('{{.NetworkSettings.Gateway}}', name)}\there`);
    expect(await show('{{json .HostConfig.Dns}} {{json .HostConfig.ExtraHosts}}', name)).toBe(
      '["192.0.2.53"] ["db:192.0.2.7","here:host-gateway"]',
    );
    await host.ok('rm', '-f', name);
  });
});

describe('published ports', () => {
  test('answer on the host, and are shown', async () => {
    const name = await run(['-p', '8080:80', '-p', '127.0.0.1::81', '--expose', '443'], SERVER);
    await until(async () => (await fetch('http://127.0.0.1:8080/hostname')) !== '');
    const ports = await show('{{json .NetworkSettings.Ports}}', name);
    expect(JSON.parse(ports)).toMatchObject({
      '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }],
      '81/tcp': [{ HostIp: '127.0.0.1', HostPort: expect.stringMatching(/^\d+$/) }],
      '443/tcp': null,
    });
    expect(await host.ok('ps', '--filter', `name=${name}`, '--format', '{{.Ports}}')).toMatch(
      /^0\.0\.0\.0:8080->80\/tcp, 127\.0\.0\.1:\d+->81\/tcp, 443\/tcp$/,
    );
    expect(await show('{{json (index .HostConfig.PortBindings "80/tcp")}}', name)).toBe(
      '[{"HostIp":"","HostPort":"8080"}]',
    );
    const gateway = await show('{{.NetworkSettings.Gateway}}', name);
    const other = await run();
    expect(await host.ok('exec', other, 'wget', '-q', '-O', '-', `http://${gateway}:8080/hostname`)).not.toBe('');
    await withNeighbour(async (asNeighbour, address) => {
      const fetchBy = (url: string) => asNeighbour('timeout', '1', 'busybox', 'wget', '-q', '-O', '-', url);
      await until(async () => (await fetchBy(`http://${address}:8080/hostname`)).stdout !== '');
      const inside = await show('{{.NetworkSettings.IPAddress}}', name);
      expect((await fetchBy(`http://${inside}/hostname`)).code, 'by a route, beside the published ports').not.toBe(0);
    });
    await host.ok('rm', '-f', name, other);
  });

  test('-P publishes what the image exposes', async () => {
    const image = await bed.image({ ExposedPorts: { '80/tcp': {} } });
    const name = bed.name();
    await host.ok('run', '-d', '--name', name, '-P', image, ...SERVER);
    const port = await show('{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', name);
    await until(async () => (await fetch(`http://127.0.0.1:${port}/hostname`)) !== '');
    await host.ok('rm', '-f', name);
  });

  test('a port in use is refused before the start, and nothing is left', async () => {
    const first = await run(['-p', '9000:80']);
    const listener = host.start('busybox', 'nc', '-l', '-p', '9001');
    await until(async () => (await host.run('ss', '-ltn')).includes(':9001 '));
    // Like a port of a nerdctl container, by the same plugin.
    for (const rule of ['-N CNI-DN-other', '-A CNI-DN-other -p tcp --dport 9002 -j DNAT --to-destination 10.4.0.5:80'])
      await host.run('iptables', '-t', 'nat', ...rule.split(' '));
    const before = await host.remains();
    for (const [port, reason] of [
      ['9000', 'Bind for 0.0.0.0:9000 failed: port is already allocated'],
      ['9002', 'Bind for 0.0.0.0:9002 failed: port is already allocated'],
      ['9001', 'failed to bind host port 0.0.0.0:9001/tcp: address already in use'],
    ] as const) {
      const name = bed.name();
      const refused = await host.cli(
        'run',
        '-d',
        '--name',
        name,
        '-p',
        `${port}:80`,
        await bed.image(),
        'sleep',
        '600',
      );
      expect(refused).toMatchObject({ code: 125, stdout: '' });
      expect(refused.stderr).toContain(reason);
      expect(await show('{{.State.Status}}', name)).toBe('created');
      await host.ok('rm', name);
    }
    await expectRemains(before);
    listener.kill('SIGKILL');
    await host.ok('rm', '-f', first);
    await host.ok('rm', '-f', await run(['-p', '9000-9001:80']));
  });
});

describe('a published port is held', () => {
  // A failed test must not keep the ports from the next one.
  afterEach(async () => {
    const left = (await host.ok('ps', '--all', '--quiet')).split('\n').filter((id) => id !== '');
    if (left.length > 0) await host.ok('rm', '--force', ...left);
    await host.cli('daemon', 'stop');
  });
  /** Whether another program can bind the port. Node.js sets SO_REUSEADDR for TCP, like most servers. */
  const listens = async (protocol: 'tcp' | 'udp', port: number): Promise<boolean> => {
    const bind = {
      tcp: `require('net').createServer().listen({ port: ${port}, host: '0.0.0.0' })`,
      udp: `require('dgram').createSocket('udp4').bind(${port})`,
    };
    const ends = `.on('listening', () => process.exit(10)).on('error', ({ code }) => process.exit(code === 'EADDRINUSE' ? 11 : 12))`;
    const { code } = await host.start(process.execPath, '-e', `${bind[protocol]}${ends}`).exited;
    expect([10, 11]).toContain(code);
    return code === 10;
  };
  const flags = [
    '-p',
    '7070:80',
    '-p',
    '127.0.0.1:7071:81',
    '-p',
    '7072:82/udp',
    '-p',
    '7080-7379:100-399',
    '-p',
    '83',
  ];
  const fixed = ['tcp 0.0.0.0:7070', 'tcp 127.0.0.1:7071', 'udp 0.0.0.0:7072', 'tcp 0.0.0.0:7080', 'tcp 0.0.0.0:7379'];

  test('no other program can bind it, and it is shown as in use, until the container ends', async () => {
    const before = await host.remains();
    expect([await listens('tcp', 7070), await listens('udp', 7072)]).toEqual([true, true]);
    const name = await run(flags, SERVER);
    const any = (await host.ok('port', name, '83')).split('\n')[0];
    expect(await host.ports()).toEqual(expect.arrayContaining([...fixed, `tcp ${any}`]));
    expect(await host.ports()).toHaveLength(before.ports.length + 304);
    for (const [protocol, port] of [
      ['tcp', 7070],
      ['udp', 7072],
      ['tcp', 7200],
    ] as const)
      expect(await listens(protocol, port), `${protocol} ${port}`).toBe(false);
    await until(async () => (await fetch('http://127.0.0.1:7070/hostname')) !== '');
    await host.ok('stop', '-t', '0', name);
    expect(await host.ports()).toEqual(before.ports);
    expect(await listens('tcp', 7070)).toBe(true);
    await host.ok('rm', name);
    await expectRemains(before);
  });

  test('it is freed without a monitor, and when the shim is killed', async () => {
    const other = await run(['-p', '7079:80']);
    const { ports } = await host.remains();
    for (const victim of ['process', 'shim'] as const) {
      const name = await run(['-p', '7070:80']);
      expect(await host.ports(), victim).toContain('tcp 0.0.0.0:7070');
      const pid = await show('{{.State.Pid}}', name);
      const shim = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      process.kill(Number(victim === 'shim' ? shim : pid), 'SIGKILL');
      // A container outlives its shim; containerd kills it when it notices.
      if (victim === 'process') await until(async () => isDeepStrictEqual(await host.ports(), ports));
      await host.ok('rm', '-f', name);
      await until(async () => isDeepStrictEqual(await host.ports(), ports));
    }
    expect(ports).toContain('tcp 0.0.0.0:7079');
    await host.ok('rm', '-f', other);
  });

  test('it stays held when the monitor ends, and the monitor holds it again if needed', async () => {
    const before = await host.remains();
    const script = 'test -e /ran && exec sleep 600; touch /ran; exit 1';
    const first = host.spawn('daemon', 'run');
    await until(async () => (await host.cli('daemon', 'status')).code === 0);
    const name = await run(['-p', '7070:80', '--restart', 'on-failure'], ['sh', '-c', script]);
    await until(async () => (await show('{{.RestartCount}} {{.State.Status}}', name)) === '1 running');
    const holder = async () => /"dd",pid=(\d+)/.exec(await host.run('ss', '-Hlntp', 'sport = :7070'))?.[1] ?? '';
    first.kill('SIGKILL');
    await first.exited;
    expect(await holder()).toMatch(/^\d+$/);
    process.kill(Number(await holder()), 'SIGKILL');
    await until(async () => (await holder()) === '');
    const second = host.spawn('daemon', 'run');
    await until(async () => (await host.cli('daemon', 'status')).code === 0);
    expect(await holder()).toMatch(/^\d+$/);
    await host.ok('daemon', 'stop');
    await second.exited;
    expect(await holder()).toMatch(/^\d+$/);
    await host.ok('rm', '-f', name);
    await expectRemains(before);
  });
});

describe('the network of another container', () => {
  test("is shared with its names at each start, and a stopped container's network cannot be joined", async () => {
    const server = await run(['-h', 'shared'], SERVER);
    const name = await run(['--network', `container:${server}`]);
    const id = await show('{{.Id}}', server);
    expect(await show('{{.HostConfig.NetworkMode}} {{json .NetworkSettings.Networks}}', name)).toBe(
      `container:${id} {}`,
    );
    const fetched = ['exec', name, 'wget', '-q', '-O', '-', 'http://localhost/hostname'] as const;
    await until(async () => (await host.cli(...fetched)).stdout === 'shared\n');
    await host.ok('restart', '-t', '0', server);
    await host.ok('restart', '-t', '0', name);
    await until(async () => (await host.cli(...fetched)).stdout === 'shared\n');
    await host.ok('stop', '-t', '0', name, server);
    const refused = await host.cli('start', name);
    expect(refused.stderr).toContain('cannot join network namespace of a non running container: container ');
    await host.ok('rm', name, server);
  });
});

describe('what a container leaves on the host', () => {
  test('nothing, after each kind of end', async () => {
    await host.ok('rm', '-f', await run(['-p', '7000:80']));
    const before = await host.remains();
    const ends: readonly (readonly [string, (name: string) => Promise<unknown>])[] = [
      ['stop', (name) => host.ok('stop', '-t', '0', name)],
      ['kill', (name) => host.ok('kill', name)],
      ['rm -f', (name) => host.ok('rm', '-f', name)],
    ];
    for (const [how, end] of ends) {
      const name = await run(['-p', '7000:80']);
      expect((await host.remains()).records, how).toHaveLength(1);
      await end(name);
      await expectRemains(before, how);
      await host.cli('rm', '-f', name);
    }
    await host.ok('run', '--rm', '-p', '7000:80', await bed.image(), 'true');
    await expectRemains(before, 'run');
  });

  test('the next start sets rules again that were flushed', async () => {
    const { filter, nat } = await host.remains();
    const jumps = filter.filter((rule) => rule.startsWith('-A FORWARD -j HCTL'));
    expect(jumps).toHaveLength(1);
    for (const jump of jumps) await host.run('iptables', ...jump.replace('-A', '-D').split(' '));
    await host.ok('rm', '-f', await run());
    expect(await host.remains()).toMatchObject({ filter, nat });
  });

  test('after a failed plugin, the effects of the previous one are removed', async () => {
    const before = await host.remains();
    const plugins = join(bed.directory, 'plugins');
    mkdirSync(plugins);
    const [real = ''] = ['/usr/lib/cni', '/opt/cni/bin'].filter((dir) => existsSync(join(dir, 'bridge')));
    for (const name of ['bridge', 'host-local']) symlinkSync(join(real, name), join(plugins, name));
    const script = '#!/bin/sh\n[ "$CNI_COMMAND" = DEL ] && exit 0\necho \'{"code":7,"msg":"no such luck"}\'\nexit 1\n';
    writeFileSync(join(plugins, 'portmap'), script, { mode: 0o755 });
    const HEALTHCTL_TOML = join(bed.directory, 'plugins.toml');
    writeFileSync(HEALTHCTL_TOML, `autostart = false\ncni_bin_dir = "${plugins}"\n`);
    const name = bed.name();
    const failed = await host.cliWith({ HEALTHCTL_TOML }, 'run', '-d', '--name', name, '-p', '80', await bed.image());
    expect(failed.code).toBe(125);
    expect(failed.stderr).toContain('plugin type="portmap" failed (add): no such luck');
    await expectRemains(before);
    await host.ok('rm', name);
  });

  test('without plugins the error comes before anything is made', async () => {
    const HEALTHCTL_TOML = join(bed.directory, 'bare.toml');
    writeFileSync(HEALTHCTL_TOML, 'autostart = false\ncni_bin_dir = "/nonexistent"\n');
    const alone = await host.cliWith({ HEALTHCTL_TOML }, 'run', '--rm', '--network', 'none', await bed.image(), 'true');
    expect(alone.code).toBe(0);
    const traces = await bed.traces();
    const refused = await host.cliWith({ HEALTHCTL_TOML }, 'run', '-d', await bed.image());
    expect(refused).toMatchObject({ code: 125, stdout: '' });
    expect(refused.stderr).toContain('bridge networks need the CNI plugins bridge, host-local, portmap');
    expect(refused.stderr).toContain('containernetworking-plugins');
    await bed.expectNothingLeft(traces);
  });

  test('a failed start leaves nothing', async () => {
    const before = await host.remains();
    const name = bed.name();
    const failed = await host.cli('run', '--name', name, '-p', '7000:80', await bed.image(), '/no/such/program');
    expect(failed.code).toBe(127);
    await expectRemains(before);
    await host.ok('rm', name);
  });

  test('without a monitor, the next start removes what an ended container left', async () => {
    const before = await host.remains();
    const ended = await run(['-p', '7000:80'], ['true']);
    await until(async () => (await show('{{.State.Status}}', ended)) === 'exited');
    expect((await host.remains()).records).toHaveLength(1);
    const next = await run(['-p', '7000:80']);
    expect((await host.remains()).records).toHaveLength(1);
    await host.ok('rm', '-f', ended, next);
    await expectRemains(before);
  });
});

describe('the monitor', () => {
  test('cleans up at its start, detaches ended containers, and attaches those that it or another tool starts', async () => {
    const before = await host.remains();
    const ended = await run(['-p', '7000:80'], ['true']);
    await until(async () => (await show('{{.State.Status}}', ended)) === 'exited');
    const monitor = host.spawn('daemon', 'run');
    await until(async () => (await host.cli('daemon', 'status')).code === 0);
    await until(async () => (await host.remains()).records.length === 0);
    const script = 'test -e /ran && exec sleep 600; touch /ran; exit 1';
    const name = await run(['-p', '7000:80', '--restart', 'on-failure'], ['sh', '-c', script]);
    await until(async () => (await show('{{.RestartCount}} {{.State.Status}}', name)) === '1 running');
    expect((await host.remains()).records).toHaveLength(1);
    await host.ok('rm', '-f', name);
    const foreign = await run();
    const id = await show('{{.Id}}', foreign);
    await host.ok('stop', '-t', '0', foreign);
    await bed.ctr('tasks', 'rm', id);
    await bed.ctr('tasks', 'start', '--detach', id);
    await until(async () => (await show('{{.NetworkSettings.IPAddress}}', foreign)) !== '');
    await bed.ctr('tasks', 'kill', '--signal', 'SIGKILL', id);
    await expectRemains(before);
    await host.ok('rm', '-f', ended, foreign);
    await host.ok('daemon', 'stop');
    await monitor.exited;
  });

  test('attaches a container that another tool started before the monitor', async () => {
    const foreign = await run();
    const id = await show('{{.Id}}', foreign);
    await host.ok('stop', '-t', '0', foreign);
    await bed.ctr('tasks', 'rm', id);
    await bed.ctr('tasks', 'start', '--detach', id);
    expect(await show('{{.NetworkSettings.IPAddress}}', foreign)).toBe('');
    const monitor = host.spawn('daemon', 'run');
    await until(async () => (await show('{{.NetworkSettings.IPAddress}}', foreign)) !== '');
    await host.ok('rm', '-f', foreign);
    await host.ok('daemon', 'stop');
    await monitor.exited;
  });
});
