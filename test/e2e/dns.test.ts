import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningProgram } from '../../testbed/program.ts';
import { mustRun } from '../../testbed/program.ts';
import { type Bed, HEALTHCTL, openBed, until } from './support/harness.ts';
import { type NetworkHost, openNetworkHost } from './support/network-host.ts';

// The monitor's DNS server, asked by nslookup (busybox), which reads no hosts file.

let bed: Bed;
let host: NetworkHost;
let image: string;
let monitor: RunningProgram;
beforeAll(async () => {
  bed = await openBed();
  host = await openNetworkHost(bed);
  image = await bed.image();
  await host.ok('network', 'create', '--subnet', '10.97.0.0/24', '--gateway', '10.97.0.1', 'app');
  monitor = await startMonitor();
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

/** A monitor whose host has one server, on its loopback. */
async function startMonitor(): Promise<RunningProgram> {
  const resolvConf = join(bed.directory, 'resolv.conf');
  writeFileSync(resolvConf, 'nameserver 127.0.0.53\nnameserver 127.0.0.11\n');
  const inside = 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"';
  const command = [HEALTHCTL, ...bed.globalFlags, 'daemon', 'run'];
  const started = host.start('unshare', '--mount', 'sh', '-c', inside, 'sh', resolvConf, ...command);
  await until(async () => (await host.cli('daemon', 'status')).code === 0, { withinMs: 20_000 });
  return started;
}
const run = (name: string, ...flags: readonly string[]) =>
  host.ok('run', '-d', '--name', name, '--network', 'app', ...flags, image, 'sleep', '600');
const addressOf = (name: string) => host.ok('inspect', '-f', '{{.NetworkSettings.Networks.app.IPAddress}}', name);
/** All of what nslookup prints; it asks our server alone. */
const ask = async (from: string, name: string, ...options: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await host.cli('exec', from, 'nslookup', ...options, name, '127.0.0.11');
  return stdout + stderr;
};
/** Those of containers. */
const interfaces = async () => (await host.remains()).links.filter((name) => name.startsWith('veth'));
const addressesIn = (text: string): readonly string[] =>
  text
    .split('\n')
    .slice(2)
    .flatMap((line) => /^Address: (\S+)$/.exec(line)?.[1] ?? []);
const answered = async (from: string, name: string, expected: readonly string[]) =>
  until(
    async () =>
      addressesIn(await ask(from, name))
        .toSorted()
        .join() === expected.toSorted().join(),
    {
      withinMs: 10_000,
      what: `${name} as ${expected.join()}`,
    },
  );

describe('the DNS server of a user network', () => {
  test('knows names, aliases, ids and addresses of the containers that are there now', async () => {
    await run('client');
    const id = await run('db', '--network-alias', 'database');
    const address = await addressOf('db');
    for (const name of ['db', 'DB', 'database', id.slice(0, 12), 'db.app']) await answered('client', name, [address]);
    expect(await ask('client', address)).toContain('name = db.app');
    expect(addressesIn(await ask('client', 'db', '-type=AAAA'))).toEqual([]);
    expect(await host.ok('exec', 'client', 'cat', '/etc/resolv.conf')).toMatch(
      /^nameserver 127\.0\.0\.11\nnameserver /,
    );

    await host.ok('rm', '-f', 'db');
    await until(async () => (await ask('client', 'database')).includes("can't find"));
    await run('db');
    await answered('client', 'db', [await addressOf('db')]);
    await host.ok('rm', '-f', 'db', 'client');
  });

  test('gives several containers of a service in turn', async () => {
    await run('client');
    for (const name of ['web-1', 'web-2', 'web-3']) await run(name, '--network-alias', 'web');
    const all = await Promise.all(['web-1', 'web-2', 'web-3'].map(addressOf));
    await answered('client', 'web', all);
    const firsts = new Set<string | undefined>();
    for (let turn = 0; turn < 3; turn += 1) firsts.add(addressesIn(await ask('client', 'web', '-type=A'))[0]);
    expect([...firsts].toSorted()).toEqual(all.toSorted());
    await host.ok('rm', '-f', 'web-1', 'web-2', 'web-3', 'client');
  });

  test('is there again after the monitor was killed; meanwhile the hosts file answers', async () => {
    await run('client');
    await run('db');
    const address = await addressOf('db');
    await answered('client', 'db', [address]);
    monitor.kill('SIGKILL');
    await monitor.exited;
    expect(await ask('client', 'db')).toContain('refused');
    const began = performance.now();
    expect(await host.ok('exec', 'client', 'ping', '-c', '1', '-W', '2', 'db')).toContain(address);
    expect(performance.now() - began).toBeLessThan(4_000);
    monitor = await startMonitor();
    expect(addressesIn(await ask('client', 'db'))).toEqual([address]);
    await host.ok('rm', '-f', 'db', 'client');
  });

  test('leaves nothing of a container that has ended', async () => {
    const before = await interfaces();
    await run('short');
    await answered('short', 'short', [await addressOf('short')]);
    await host.ok('kill', 'short');
    await until(async () => (await interfaces()).join() === before.join());
    await host.ok('rm', 'short');
  });

  test('does not keep the network of a container while the monitor hangs', async () => {
    const before = await interfaces();
    await run('short');
    await answered('short', 'short', [await addressOf('short')]);
    monitor.kill('SIGSTOP');
    try {
      await host.cli('stop', '-t', '0', 'short');
      expect(await interfaces()).toEqual(before);
    } finally {
      monitor.kill('SIGCONT');
    }
    await host.ok('rm', '-f', 'short');
  });

  describe('for other names', () => {
    let upstream: RunningProgram;
    const OF_HOST = '127.0.0.53';
    const GIVEN = '10.97.0.1';
    beforeAll(async () => {
      await run('client');
      await run('given', '--dns', GIVEN);
      upstream = host.start(process.execPath, FAKE_SERVER, OF_HOST, GIVEN);
      await upstream.prints(`${GIVEN} listens`);
    });
    afterAll(async () => {
      await host.ok('rm', '-f', 'client', 'given');
      upstream.kill('SIGKILL');
    });

    test("asks the host's server on its loopback from the host, and a given one from the container", async () => {
      await answered('client', 'one.test', ['9.9.9.0']);
      await answered('given', 'two.test', ['9.9.9.0']);
      const stdout = upstream.stdout();
      expect(stdout).toContain(`${OF_HOST} 127.0.0.1 udp one.test`);
      expect(stdout).toContain(`${GIVEN} ${await addressOf('given')} udp two.test`);
      expect(await ask('client', 'none.test')).toContain('NXDOMAIN');
    });

    test('answers c-ares, over TCP what is too long for UDP', async () => {
      const code = `const { Resolver } = require('node:dns').promises; const r = new Resolver(); r.setServers(['127.0.0.11']);
        Promise.all([r.resolve4('big.test'), r.resolve4('client'), r.reverse('${await addressOf('given')}')])
          .then(([big, own, names]) => console.log(big.length, own[0], names[0]))`;
      expect(await inNetworkOf('client', process.execPath, '-e', code)).toBe(
        `100 ${await addressOf('client')} given.app\n`,
      );
      expect(upstream.stdout()).toContain('tcp big.test');
    });

    test('a container without a way out asks nobody', async () => {
      await host.ok('network', 'create', '--internal', 'inner');
      await host.ok('run', '-d', '--name', 'inner', '--network', 'inner', image, 'sleep', '600');
      await until(async () => (await ask('inner', 'inner')).includes('Address: '));
      expect(await ask('inner', 'out.test')).toContain('SERVFAIL');
      expect(upstream.stdout()).not.toContain('out.test');
      await host.ok('rm', '-f', 'inner');
      await host.ok('network', 'rm', 'inner');
    });
  });

  test('is not there for a container that serves DNS itself', async () => {
    await run('dns', '--expose', '53/udp');
    await run('client');
    await answered('client', 'dns', [await addressOf('dns')]);
    expect(await ask('dns', 'client')).toContain('refused');
    expect(await host.ok('exec', 'dns', 'cat', '/etc/resolv.conf')).not.toContain('127.0.0.11');
    await host.ok('rm', '-f', 'dns', 'client');
  });

  test('hostile packets and floods of one container harm neither the others nor checks', async () => {
    const check = ['--health-cmd', 'true', '--health-interval', '200ms'];
    await run('client', ...check);
    await run('hostile');
    const address = await addressOf('client');
    await answered('client', 'client', [address]);
    const code = `const { createSocket } = require('node:dgram'); const { connect } = require('node:net'); let sent = 0;
      const end = Date.now() + 4000; const random = (n) => require('node:crypto').randomBytes(n);
      const query = Buffer.from('000001000001000000000000066e6f626f64790000010001', 'hex');
      for (let i = 0; i < 40; i++) connect({ host: '127.0.0.11', port: 53 }).on('error', () => {}).write(random(3000));
      const socket = createSocket('udp4'); socket.on('error', () => {});
      const flood = () => { for (let i = 0; i < 500; i++) { sent++;
          socket.send(i % 3 ? query : random(i), 53, '127.0.0.11', () => {}); }
        Date.now() < end ? setTimeout(flood, 5) : socket.close(); };
      flood(); process.on('exit', () => console.log(sent)); setTimeout(() => process.exit(), 4500);`;
    const flood = inNetworkOf('hostile', process.execPath, '-e', code);
    const before = await cpuOf(monitor);
    await answered('client', 'client', [address]);
    const sent = Number(await flood);
    const spent = (await cpuOf(monitor)) - before;
    expect(sent).toBeGreaterThan(10_000);
    expect(spent).toBeLessThan(3_500);
    expect(monitor.stderr()).not.toMatch(/failed|lost/);
    const status = await host.ok('inspect', '-f', '{{.State.Health.Status}} {{.State.Health.FailingStreak}}', 'client');
    expect(status).toBe('healthy 0');
    await answered('hostile', 'client', [address]);
    await host.ok('rm', '-f', 'client', 'hostile');
  });
});

const FAKE_SERVER = fileURLToPath(new URL('../../testbed/fake-name-server.mjs', import.meta.url));

/** Runs a program of the machine in a container's network. */
async function inNetworkOf(name: string, ...command: readonly string[]): Promise<string> {
  const pid = await host.ok('inspect', '-f', '{{.State.Pid}}', name);
  return mustRun(['nsenter', `--net=/proc/${pid}/ns/net`, ...command], { env: bed.env });
}

/** Milliseconds of CPU time. */
async function cpuOf({ pid }: RunningProgram): Promise<number> {
  const stat = await mustRun(['cat', `/proc/${pid}/stat`], { env: bed.env });
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}
