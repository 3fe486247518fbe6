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

async function run(name: string, network: string, ...flags: readonly string[]): Promise<string> {
  const server = ['httpd', '-f', '-p', '80', '-h', '/etc'];
  await host.ok('run', '-d', '--name', name, '-h', name, '--network', network, ...flags, image, ...server);
  return name;
}
const fetchIn = (name: string, url: string) => host.cli('exec', name, 'timeout', '1', 'wget', '-q', '-O', '-', url);
const hostsOf = (name: string) => host.ok('exec', name, 'cat', '/etc/hosts');

describe('networks of the user', () => {
  test('containers find each other by name and alias, over stops and starts; those of another network do not', async () => {
    const before = await host.remains();
    const id = await host.ok('network', 'create', 'app');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const mtu = ['-o', 'com.docker.network.driver.mtu=1400'];
    const addresses = ['--subnet', '10.99.0.0/24', '--gateway', '10.99.0.9', '--ip-range', '10.99.0.128/30'];
    await host.ok('network', 'create', 'other', ...addresses, ...mtu, '--internal');
    await run('web', 'app', '--network-alias', 'www');
    await run('db', 'app', '-p', '8080:80');
    await run('far', 'other');
    expect(await host.ok('exec', 'far', 'cat', '/sys/class/net/eth0/mtu')).toBe('1400');
    const options = await host.ok('network', 'inspect', '-f', '{{json .Options}}', 'other');
    expect(JSON.parse(options)).toMatchObject({ 'com.docker.network.driver.mtu': '1400' });
    const bridge = await host.ok(
      'network',
      'inspect',
      '-f',
      '{{index .Options "com.docker.network.bridge.name"}}',
      'app',
    );
    expect(await host.run('ip', '-o', 'link', 'show', `br-${id.slice(0, 12)}`)).toContain(`: ${bridge}: `);
    await until(async () => (await fetchIn('web', 'http://db/hostname')).stdout === 'db\n');
    await until(async () => (await fetchIn('db', 'http://www/hostname')).stdout === 'web\n');
    expect(await hostsOf('far')).not.toMatch(/\bweb\b/);
    const far = await host.ok('inspect', '-f', '{{.NetworkSettings.Networks.other.IPAddress}}', 'far');
    expect(far).toMatch(/^10\.99\.0\.(?:128|129|130|131)$/);
    expect(await host.ok('network', 'inspect', '-f', '{{json .IPAM.Config}}', 'other')).toBe(
      '[{"Subnet":"10.99.0.0/24","IPRange":"10.99.0.128/30","Gateway":"10.99.0.9"}]',
    );
    expect((await fetchIn('web', `http://${far}/hostname`)).code).not.toBe(0);
    expect(await host.ok('inspect', '-f', '{{json .NetworkSettings.Networks.app.Aliases}}', 'web')).toBe('["www"]');

    await host.ok('stop', '-t', '0', 'db');
    expect(await hostsOf('web')).not.toMatch(/\bdb\b/);
    await host.ok('start', 'db');
    await until(async () => (await fetchIn('web', 'http://db/hostname')).stdout === 'db\n');

    expect(await host.ok('port', 'db')).toBe('80/tcp -> 0.0.0.0:8080');
    expect(await host.ok('port', 'db', '80')).toBe('0.0.0.0:8080');
    expect((await host.cli('port', 'db', '81')).stderr).toContain("no public port '81/tcp' published for db");

    expect(await host.ok('network', 'inspect', '-f', '{{range .Containers}}{{.Name}} {{end}}', 'app')).toMatch(
      /^(?:web db|db web) $/,
    );
    const refused = await host.cli('network', 'rm', 'app', 'bridge', 'nowhere');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('network app has active endpoints');
    expect(refused.stderr).toContain('bridge is a pre-defined network and cannot be removed');
    expect(refused.stderr).toContain('network nowhere not found');

    await host.ok('rm', '-f', 'web', 'db', 'far');
    expect(await host.ok('network', 'rm', 'app', 'other')).toBe('app\nother');
    // portmap's chains on the host belong to no network.
    const after = await host.remains();
    const ours = (rules: readonly string[]) => rules.filter((rule) => rule.includes('HCTL'));
    expect(after).toMatchObject({ links: before.links, filter: before.filter, records: [], leases: [] });
    expect(ours(after.nat)).toEqual([]);
  });

  test('ls, inspect and prune', async () => {
    const id = await host.ok('network', 'create', '--label', 'team=a', '-o', 'x=y', 'first');
    await host.ok('network', 'create', 'second');
    const lines = (await host.ok('network', 'ls')).split('\n');
    expect(lines[0]).toMatch(/^NETWORK ID +NAME +DRIVER +SCOPE$/);
    expect(lines.slice(1).map((line) => line.split(/ +/)[1])).toEqual(['bridge', 'first', 'host', 'none', 'second']);
    expect(await host.ok('network', 'ls', '-q', '-f', 'label=team=a', '--no-trunc')).toBe(id);
    expect(await host.ok('network', 'ls', '-f', 'type=custom', '--format', '{{.Name}}')).toBe('first\nsecond');
    const [document] = JSON.parse(await host.ok('network', 'inspect', id.slice(0, 8)));
    expect(document).toMatchObject({
      Name: 'first',
      Id: id,
      Scope: 'local',
      Driver: 'bridge',
      IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '10.80.0.0/20', Gateway: '10.80.0.1' }] },
      Internal: false,
      Containers: {},
      Labels: { team: 'a' },
    });
    expect(await host.ok('inspect', '-f', '{{.Name}} {{.Driver}}', 'first')).toBe('first bridge');
    expect(await host.ok('inspect', '--type', 'network', '-f', '{{.ID}}', 'first')).toBe(id);
    expect((await host.cli('inspect', '--type', 'network', 'nowhere')).stderr).toContain('network nowhere not found');
    await run('user', 'second');
    expect(await host.ok('network', 'ls', '-f', 'dangling=true', '--format', '{{.Name}}')).toBe('first');
    expect(await host.ok('network', 'prune', '-f')).toBe('Deleted Networks:\nfirst\n');
    await host.ok('rm', '-f', 'user');
    expect(await host.ok('network', 'prune', '-f', '--filter', 'label=none')).toBe('');
    await host.ok('network', 'rm', 'second');
  });

  test('have the bridge and the masquerading that was asked for, and stay apart', async () => {
    const option = (key: string) => ['-o', `com.docker.network.bridge.${key}`];
    await host.ok('network', 'create', ...option('name=web.0'), ...option('enable_ip_masquerade=false'), 'named');
    await host.ok('network', 'create', 'plain');
    for (const [what, name] of [
      ['networks have same bridge name', 'web.0'],
      ['invalid bridge name: lo', 'lo'],
      ['invalid bridge name: a/b', 'a/b'],
    ] as const) {
      const refused = await host.cli('network', 'create', ...option(`name=${name}`), 'x');
      expect(refused.stderr).toContain(what);
    }
    await run('inside', 'named');
    await run('outside', 'plain');
    expect(await host.run('ip', '-o', 'link', 'show', 'web.0')).toContain('web.0');
    const nat = await host.run('iptables', '-t', 'nat', '-S');
    expect([nat.includes('! -o web.0'), nat.includes('MASQUERADE')]).toEqual([false, true]);
    const address = await host.ok('inspect', '-f', '{{.NetworkSettings.Networks.named.IPAddress}}', 'inside');
    await until(
      async () => (await host.run('busybox', 'wget', '-q', '-O', '-', `http://${address}/hostname`)) === 'inside\n',
    );
    expect((await fetchIn('outside', `http://${address}/hostname`)).code).not.toBe(0);
    await host.ok('rm', '-f', 'inside', 'outside');
    await host.ok('network', 'rm', 'named', 'plain');
    expect(await host.run('ip', '-o', 'link')).not.toContain('web.0');
  });

  test('refuse impossible networks', async () => {
    await host.ok('network', 'create', 'taken', '--subnet', '10.77.0.0/24');
    for (const [args, reason] of [
      [['taken'], 'network with name taken already exists'],
      [['host'], 'network with name host already exists'],
      [['a b'], 'invalid network name: a b'],
      [['--subnet', '10.77.0.128/25', 'x'], 'Pool overlaps with other one on this address space'],
      [['--subnet', '127.0.0.0/8', 'x'], 'Pool overlaps with other one on this address space'],
      [['--subnet', 'x', 'x'], 'invalid subnet x'],
      [['--subnet', '10.78.0.0/24', '--gateway', '10.79.0.1', 'x'], 'no matching subnet for gateway 10.79.0.1'],
      [['--ip-range', '10.78.0.0/25', 'x'], 'every ip-range or gateway must have a corresponding subnet'],
      [['--subnet', '10.78.0.0/24', '--ip-range', '10.79.0.0/25', 'x'], 'no matching subnet for range 10.79.0.0/25'],
      [['-d', 'macvlan', 'x'], 'plugin "macvlan" not found'],
    ] as const) {
      const refused = await host.cli('network', 'create', ...args);
      expect(refused.code, reason).toBe(1);
      expect(refused.stderr).toContain(reason);
    }
    await host.ok('network', 'rm', 'taken');
  });
});
