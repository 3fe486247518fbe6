import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
