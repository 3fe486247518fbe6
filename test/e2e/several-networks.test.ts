import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { networkPathsOf } from '../../src/network/network-context.ts';
import type { RunningProgram } from '../../testbed/program.ts';
import { type Bed, openBed, until } from './support/harness.ts';
import { type NetworkHost, openNetworkHost } from './support/network-host.ts';

let bed: Bed;
let host: NetworkHost;
let image: string;
beforeAll(async () => {
  bed = await openBed();
  host = await openNetworkHost(bed);
  image = await bed.image();
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

async function run(name: string, networks: readonly string[], ...flags: readonly string[]): Promise<string> {
  const server = ['httpd', '-f', '-p', '80', '-h', '/etc'];
  const given = networks.flatMap((network) => ['--network', network]);
  return host.ok('run', '-d', '--name', name, '-h', name, ...given, ...flags, image, ...server);
}
const inside = (name: string, ...command: readonly string[]) => host.ok('exec', name, ...command);
const reaches = async (name: string, other: string): Promise<boolean> =>
  (await host.cli('exec', name, 'timeout', '2', 'wget', '-q', '-O', '-', `http://${other}/hostname`)).code === 0;
const routeOf = async (name: string): Promise<string> =>
  (await inside(name, 'ip', 'route')).split('\n').find((line) => line.startsWith('default')) ?? '';
const networksOf = async (name: string): Promise<Record<string, Record<string, unknown>>> =>
  JSON.parse(await host.ok('inspect', '-f', '{{json .NetworkSettings.Networks}}', name));
function networkPaths() {
  const { dataRoot, runRoot } = bed;
  const [hostId = ''] = readdirSync(dataRoot);
  return networkPathsOf({ dataRoot, runRoot, hostId });
}
const hasOpened = ({ pid }: RunningProgram, path: string): boolean =>
  readdirSync(`/proc/${pid}/fd`).some((fd) => orEmpty(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === path);
const readText = (path: string): string => orEmpty(() => readFileSync(path, 'utf8'));
/** What has gone meanwhile is empty. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

describe('a container on several networks', () => {
  test('has an interface, an address and names on each; over a restart and a crash', async () => {
    const before = await host.remains();
    await host.ok('network', 'create', 'back', '--subnet', '10.98.1.0/24');
    await host.ok('network', 'create', 'front', '--subnet', '10.98.2.0/24', '--ip-range', '10.98.2.128/25');
    await run('db', ['name=back,alias=database']);
    const app = await run(
      'app',
      ['name=front,alias=site,ip=10.98.2.9,mac-address=02:42:0a:62:02:09', 'name=back,ip=10.98.1.77'],
      ...['-p', '8090:80'],
    );
    await run('web', ['front']);

    const shown = async () => {
      const { front, back } = await networksOf('app');
      expect(front).toMatchObject({
        ...{ IPAddress: '10.98.2.9', IPPrefixLen: 24, Gateway: '10.98.2.128', MacAddress: '02:42:0a:62:02:09' },
        ...{ IPAMConfig: { IPv4Address: '10.98.2.9' }, Aliases: ['site'] },
        DNSNames: ['app', 'site', app.slice(0, 12)],
      });
      expect(back).toMatchObject({ IPAddress: '10.98.1.77', Aliases: null, DNSNames: ['app', app.slice(0, 12)] });
      expect(Object.keys(front ?? {})).toHaveLength(15);
      expect(front?.EndpointID).toMatch(/^[0-9a-f]{64}$/);
      expect(await inside('app', 'cat', '/sys/class/net/eth0/address')).toBe('02:42:0a:62:02:09');
      expect(await inside('app', 'ip', '-4', '-o', 'address')).toMatch(
        /eth0 .*10\.98\.2\.9\/24[\s\S]*eth1 .*10\.98\.1\.77\/24/,
      );
      // Docker: without a priority the network with the first name.
      expect(await routeOf('app')).toContain('via 10.98.1.1 dev eth1');
      for (const [from, to] of [
        ['app', 'db'],
        ['app', 'database'],
        ['app', 'web'],
        ['db', 'app'],
        ['web', 'app'],
        ['web', 'site'],
      ] as const)
        await until(() => reaches(from, to), { withinMs: 5_000 });
      expect(await inside('web', 'cat', '/etc/hosts')).not.toMatch(/\bdb\b/);
      expect(await inside('db', 'cat', '/etc/hosts')).not.toMatch(/\bsite\b/);
      await until(
        async () => (await host.run('busybox', 'wget', '-q', '-O', '-', 'http://127.0.0.1:8090/hostname')) === 'app\n',
      );
    };
    await shown();
    const members = await host.ok('network', 'inspect', '-f', '{{json .Containers}}', 'front');
    expect(JSON.parse(members)[app]).toMatchObject({
      ...{ Name: 'app', IPv4Address: '10.98.2.9/24', MacAddress: '02:42:0a:62:02:09' },
      EndpointID: (await networksOf('app')).front?.EndpointID,
    });
    expect(await host.ok('ps', '--filter', 'network=back', '--format', '{{.Names}} {{.Networks}}')).toContain(
      'app front,back',
    );
    await host.ok('restart', '-t', '0', 'app');
    await shown();

    const taken = await host.cli('run', '-d', '--name', 'thief', '--network', 'name=front,ip=10.98.2.9', image, 'true');
    expect(taken).toMatchObject({ code: 125, stderr: expect.stringContaining('Address already in use') });
    await host.ok('rm', '-f', 'thief');

    // A crash: nobody of ours is there when it ends. The next command that needs the network sweeps.
    const pid = await host.ok('inspect', '-f', '{{.State.Pid}}', 'app');
    await host.run('kill', '-9', pid);
    await until(async () => (await host.ok('inspect', '-f', '{{.State.Running}}', 'app')) === 'false');
    await host.ok('start', 'app');
    await shown();

    await host.ok('rm', '-f', 'app', 'db', 'web');
    await host.ok('network', 'rm', 'front', 'back');
    const after = await host.remains();
    expect(after).toMatchObject({ links: before.links, ports: before.ports, records: [], leases: [] });
  });

  test('the priority chooses the default route; internal networks have none', async () => {
    await host.ok('network', 'create', 'alone', '--internal');
    await host.ok('network', 'create', 'one');
    await host.ok('network', 'create', 'two');
    await run('many', ['alone', 'one', 'name=two,gw-priority=1']);
    expect(await routeOf('many')).toContain('dev eth2');
    const refused = await host.cli('create', '--network', 'name=one,ip=10.1.2.3', image);
    expect(refused.stderr).toContain(
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
    expect((await host.cli('network', 'rm', 'two')).stderr).toContain('network two has active endpoints');
    await host.ok('rm', '-f', 'many');
    await host.ok('network', 'rm', 'alone', 'one', 'two');
  });
});

describe('network connect and disconnect', () => {
  test('a running container: names, route and ports follow at once; a stopped one: at its next start', async () => {
    const before = await host.remains();
    for (const name of ['alpha', 'beta', 'gamma']) await host.ok('network', 'create', name);
    await run('peer', ['alpha']);
    const api = await run('api', ['beta'], '-p', '8091:80');
    const answers = async () =>
      (await host.run('timeout', '5', 'busybox', 'wget', '-q', '-O', '-', 'http://127.0.0.1:8091/hostname')) ===
      'api\n';
    const held = async () => (await host.ports()).includes('tcp 0.0.0.0:8091');
    await until(answers, { withinMs: 5_000 });

    const events = host.spawn(
      'events',
      '--filter',
      'type=network',
      '--format',
      '{{.Action}} {{index .Actor.Attributes "name"}}',
    );
    await until(async () => {
      await host.ok('network', 'create', 'probe');
      await host.ok('network', 'rm', 'probe');
      return events.stdout().includes('create probe');
    });
    await host.ok('network', 'connect', '--alias', 'twice', 'alpha', 'api');
    // alpha is the first by name: route and ports move to it.
    expect(await routeOf('api')).toContain('dev eth1');
    expect([await held(), await answers()]).toEqual([true, true]);
    await until(() => reaches('peer', 'twice'), { withinMs: 2_000 });
    expect(await reaches('api', 'peer')).toBe(true);
    expect(await networksOf('api')).toMatchObject({ alpha: { Aliases: ['twice'] }, beta: { Aliases: null } });
    expect((await host.cli('network', 'connect', 'alpha', 'api')).stderr).toContain(
      'endpoint with name api already exists in network alpha',
    );
    expect((await host.cli('network', 'disconnect', 'gamma', 'api')).stderr).toContain(
      `container ${api} is not connected to network gamma`,
    );

    await host.ok('network', 'disconnect', 'beta', 'api');
    expect(await inside('api', 'ls', '/sys/class/net')).toBe('eth1\nlo');
    expect([await held(), await answers()]).toEqual([true, true]);
    await host.ok('network', 'connect', 'gamma', 'api');
    expect(await inside('api', 'ls', '/sys/class/net')).toBe('eth0\neth1\nlo');
    await host.ok('network', 'disconnect', 'alpha', 'api');
    expect(await routeOf('api')).toContain('dev eth0');
    expect([await held(), await answers()]).toEqual([true, true]);
    expect(await inside('peer', 'cat', '/etc/hosts')).not.toContain('api');
    const { gamma } = await networksOf('api');
    await host.ok('network', 'disconnect', 'gamma', 'api');
    await host.ok('network', 'connect', 'gamma', 'api');
    expect((await networksOf('api')).gamma).toMatchObject({
      IPAddress: gamma?.IPAddress,
      MacAddress: gamma?.MacAddress,
    });
    await host.ok('network', 'disconnect', 'gamma', 'api');
    expect([await held(), await inside('api', 'ls', '/sys/class/net')]).toEqual([false, 'lo']);
    expect(await host.ok('port', 'api')).toBe('');
    await host.ok('network', 'connect', 'alpha', 'api');
    await until(answers, { withinMs: 5_000 });
    expect(await host.ok('port', 'api')).toBe('80/tcp -> 0.0.0.0:8091');
    expect(events.stdout()).toContain(
      'connect alpha\ndisconnect beta\nconnect gamma\ndisconnect alpha\ndisconnect gamma\nconnect gamma\ndisconnect gamma\nconnect alpha\n',
    );

    await host.ok('stop', '-t', '0', 'api');
    await host.ok('network', 'connect', 'beta', 'api');
    await host.ok('network', 'connect', 'beta', 'api');
    await host.ok('network', 'disconnect', 'alpha', 'api');
    expect((await host.cli('network', 'disconnect', 'alpha', 'api')).stderr).toContain(
      `container ${api} is not connected to the network alpha`,
    );
    expect(Object.keys(await networksOf('api'))).toEqual(['beta']);
    await host.ok('start', 'api');
    await until(answers, { withinMs: 5_000 });
    expect(await inside('api', 'ls', '/sys/class/net')).toBe('eth0\nlo');

    expect((await host.cli('network', 'connect', 'beta', 'nobody')).stderr).toContain('No such container: nobody');
    expect((await host.cli('network', 'connect', 'nowhere', 'api')).stderr).toContain('network nowhere not found');
    expect((await host.cli('network', 'connect', 'host', 'api')).stderr).toContain(
      'cannot connect container to host network',
    );
    await host.ok('rm', '-f', 'api', 'peer');
    await host.ok('network', 'rm', 'alpha', 'beta', 'gamma');
    const after = await host.remains();
    expect(after).toMatchObject({ links: before.links, ports: before.ports, records: [], leases: [] });
  });

  test('a container of no network becomes a member, and its files know it at the next start', async () => {
    await host.ok('network', 'create', 'later');
    await run('peer', ['later']);
    await run('shy', ['none']);
    expect((await host.cli('network', 'connect', 'later', 'shy')).stderr).toContain('private (none) mode');
    await host.ok('network', 'disconnect', 'none', 'shy');
    await host.ok('network', 'connect', 'later', 'shy');
    await until(() => reaches('peer', 'shy'), { withinMs: 2_000 });
    await host.ok('restart', '-t', '0', 'shy');
    await until(() => reaches('peer', 'shy'), { withinMs: 5_000 });
    expect(await host.ok('inspect', '-f', '{{.HostConfig.NetworkMode}} {{len .NetworkSettings.Networks}}', 'shy')).toBe(
      'none 1',
    );
    await host.ok('rm', '-f', 'peer', 'shy');
    await host.ok('network', 'rm', 'later');
  });

  test('reach a start under way: one that waits for the lock, and one that has attached the container', async () => {
    await host.ok('network', 'create', 'early');
    await host.ok('network', 'create', 'late');
    await host.ok('create', '--name', 'begun', '--network', 'bridge', image, 'sleep', '600');
    const { lock, attached } = networkPaths();

    const holder = host.start('flock', '--no-fork', lock, 'sh', '-c', 'echo locked; exec sleep 600');
    await holder.prints('locked');
    const waiting = host.spawn('start', 'begun');
    await until(() => hasOpened(waiting, lock), { withinMs: 20_000, everyMs: 2 });
    waiting.kill('SIGSTOP');
    holder.kill('SIGKILL');
    await holder.exited;
    // It may have been stopped while it had the lock.
    const connecting = host.spawn('network', 'connect', 'early', 'begun');
    await Promise.race([connecting.exited, delay(3_000)]);
    waiting.kill('SIGCONT');
    await Promise.all([waiting.exited, connecting.exited]);
    expect(await inside('begun', 'ls', '/sys/class/net')).toBe('eth0\neth1\nlo');

    const isAttached = () =>
      readdirSync(attached).some((name) => readText(join(attached, name)).split('"endpoint"').length === 3);
    await until(
      async () => {
        await host.ok('stop', '-t', '0', 'begun');
        const starting = host.spawn('start', 'begun');
        await until(() => isAttached() && !hasOpened(starting, lock), { withinMs: 20_000, everyMs: 1 });
        starting.kill('SIGSTOP');
        const isWaiting = (await host.ok('inspect', '-f', '{{.State.Running}}', 'begun')) === 'false';
        if (isWaiting) await host.ok('network', 'connect', 'late', 'begun');
        starting.kill('SIGCONT');
        await starting.exited;
        return isWaiting; // otherwise it was faster
      },
      { withinMs: 60_000 },
    );
    expect(await inside('begun', 'ls', '/sys/class/net')).toBe('eth0\neth1\neth2\nlo');
    await host.ok('rm', '-f', 'begun');
    await host.ok('network', 'rm', 'early', 'late');
  });

  test('a killed connect is undone by the next command that changes networks', async () => {
    await host.ok('network', 'create', 'slow');
    await run('half', ['bridge']);
    const connecting = host.spawn('network', 'connect', 'slow', 'half');
    await until(async () => (await inside('half', 'ls', '/sys/class/net')).includes('eth1'));
    connecting.kill('SIGKILL');
    await connecting.exited;
    const again = await host.cli('network', 'connect', 'slow', 'half');
    // It may have been finished before it was killed.
    if (again.code !== 0) expect(again.stderr).toContain('already exists in network slow');
    await host.ok('network', 'disconnect', 'slow', 'half');
    expect(await inside('half', 'ls', '/sys/class/net')).toBe('eth0\nlo');
    await host.ok('rm', '-f', 'half');
    await host.ok('network', 'rm', 'slow');
  });
});
