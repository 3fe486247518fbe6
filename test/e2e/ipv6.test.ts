import { afterAll, beforeAll, expect, test } from 'vitest';
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

const run = (name: string, ...flags: readonly string[]) =>
  host.ok('run', '-d', '--name', name, '-h', name, ...flags, image, 'httpd', '-f', '-p', '80', '-h', '/etc');
const inside = (name: string, ...command: readonly string[]) => host.ok('exec', name, ...command);
const pings = async (name: string, address: string): Promise<boolean> =>
  (await host.cli('exec', name, 'ping', '-6', '-c', '1', '-W', '2', address)).code === 0;
const route6 = async (name: string): Promise<string> =>
  (await inside(name, 'ip', '-6', 'route')).split('\n').find((line) => line.startsWith('default')) ?? '';

test('containers have addresses of both families, and reach each other by name', async () => {
  const before = await host.remains();
  const subnets = ['--subnet', '10.96.1.0/24', '--subnet', 'fd00:96:1::/64', '--gateway', 'fd00:96:1::99'];
  const id = await host.ok('network', 'create', '--ipv6', ...subnets, 'dual');
  expect(await host.ok('network', 'inspect', '-f', '{{.EnableIPv6}} {{json .IPAM.Config}}', 'dual')).toBe(
    'true [{"Subnet":"10.96.1.0/24","Gateway":"10.96.1.1"},{"Subnet":"fd00:96:1::/64","Gateway":"fd00:96:1::99"}]',
  );
  expect(await host.ok('network', 'ls', '-f', `id=${id}`, '--format', '{{.IPv4}} {{.IPv6}}')).toBe('true true');
  const web = await run('web', '--network', 'dual', '--ip6', 'fd00:96:1:0::0a', '-p', '8085:80');
  await run('db', '--network', 'dual');
  const show = (name: string) => host.ok('inspect', '-f', '{{json .NetworkSettings.Networks.dual}}', name);
  expect(JSON.parse(await show('web'))).toMatchObject({
    ...{ GlobalIPv6Address: 'fd00:96:1::a', GlobalIPv6PrefixLen: 64, IPv6Gateway: 'fd00:96:1::99' },
    ...{ IPAMConfig: { IPv6Address: 'fd00:96:1:0::0a' }, IPPrefixLen: 24 },
  });
  const { Containers } = JSON.parse(await host.ok('network', 'inspect', '-f', '{{json .}}', 'dual'));
  expect(Containers[web]).toMatchObject({ IPv6Address: 'fd00:96:1::a/64' });
  expect(await inside('db', 'cat', '/etc/hosts')).toContain('fd00:96:1::a\tweb');
  await until(() => pings('db', 'web'));
  expect(await route6('web')).toContain('via fd00:96:1::99 dev eth0');
  // A packet that leaves the network is masqueraded; a machine outside knows no way back.
  expect(await host.run('ip6tables', '-t', 'nat', '-S')).toContain('-s fd00:96:1::/64');
  await until(
    async () => (await host.run('busybox', 'wget', '-q', '-O', '-', 'http://127.0.0.1:8085/hostname')) === 'web\n',
  );
  const address = JSON.parse(await show('db')).GlobalIPv6Address;
  await host.ok('restart', '-t', '0', 'db');
  expect(JSON.parse(await show('db')).GlobalIPv6Address).toBe(address);
  expect((await host.cli('run', '--network', 'dual', '--ip6', 'fd00:96:1::a', image, 'true')).stderr).toContain(
    'Address already in use',
  );
  await host.ok('container', 'prune', '-f');

  // A network without IPv6 has not even link-local addresses.
  await host.ok('network', 'create', 'alone');
  await run('old', '--network', 'alone');
  expect(await inside('old', 'ip', 'address', 'show', 'eth0')).not.toContain('inet6');
  await host.ok('rm', '-f', 'old');

  // A network with both families is preferred for the default routes; leaving it takes the route of IPv6 away.
  await host.ok('network', 'connect', 'alone', 'web');
  expect(await route6('web')).toContain('dev eth0');
  await host.ok('network', 'disconnect', 'dual', 'web');
  expect(await route6('web')).toBe('');
  await host.ok('network', 'connect', 'dual', 'web');
  expect(await route6('web')).toContain('via fd00:96:1::99');
  await host.ok('rm', '-f', 'web', 'db');
  await host.ok('network', 'rm', 'dual', 'alone');
  expect(await host.run('ip6tables', '-S')).not.toContain('HCTL');
  const after = await host.remains();
  expect(after).toMatchObject({ links: before.links, ports: before.ports, records: [], leases: [] });
});

test('a subnet is chosen, and refusals are those of Docker', async () => {
  await host.ok('network', 'create', '--ipv6', 'chosen');
  expect(await host.ok('network', 'inspect', '-f', '{{(index .IPAM.Config 1).Subnet}}', 'chosen')).toMatch(
    /^fd[0-9a-f:]+::\/64$/,
  );
  for (const [args, reason] of [
    [['--subnet', 'fd00:96:2::/64', '--gateway', 'fd00:97::1'], 'no matching subnet for gateway fd00:97::1'],
    [['--subnet', 'fd00:96:2::/128'], 'invalid subnet fd00:96:2::/128'],
    [['--subnet', 'fd00:96:2::/64', '--subnet', 'fd00:96:3::/64'], 'a network has one --subnet of IPv6'],
  ] as const)
    expect((await host.cli('network', 'create', '--ipv6', ...args, 'x')).stderr).toContain(reason);
  const refused = await host.cli('create', '--network', 'name=chosen,ip6=fd00::5', image);
  expect(refused.stderr).toContain(
    'user specified IP address is supported only when connecting to networks with user configured subnets',
  );
  await host.ok('network', 'rm', 'chosen');
});
