import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { bootMachine, type SystemdMachine } from '../../testbed/systemd-machine.ts';
import { until } from '../../testbed/until.ts';

// The DNS server of containers while the monitor's service is restarted: systemd keeps its sockets.

const IMAGE = 'demo/web:1';
const PROGRAM = '/opt/healthctl/bin/healthctl';
const SERVER = '127.0.0.11';

let machine: SystemdMachine;
/** The pid of the container that asks. */
let client: string;
beforeAll(async () => {
  machine = await bootMachine();
  writeFileSync(join(machine.shared, 'image.tar'), await dockerArchive({ name: IMAGE }));
  for (const name of ['steady-lookups.mjs', 'musl-lookup.mjs', 'fake-name-server.mjs'])
    cpSync(fileURLToPath(new URL(`../../testbed/${name}`, import.meta.url)), join(machine.shared, name));
  await machine.healthctl('load', '--quiet', '--input', '/shared/image.tar');
  await machine.healthctl('daemon', 'install', '--docker-socket');
  await machine.healthctl('network', 'create', 'app');
  for (const name of ['client', 'db']) await run(name);
  client = await machine.healthctl('inspect', '-f', '{{.State.Pid}}', 'client');
  await isAnswered();
}, 900_000);
afterAll(() => machine?.[Symbol.asyncDispose](), 60_000);

const run = (name: string, ...flags: readonly string[]) =>
  machine.healthctl(
    ...['run', '-d', '--restart', 'no', '--network', 'app', '--name', name, ...flags],
    IMAGE,
    'sleep',
    '3000',
  );
const show = (property: string) => machine.ok('systemctl', 'show', '--value', `--property=${property}`, 'healthctl');
const ask = async (from = 'client') => {
  const { stdout, stderr } = await machine.run(PROGRAM, 'exec', from, 'nslookup', '-type=a', 'db', SERVER);
  return stdout + stderr;
};
const isAnswered = (from = 'client') =>
  until(async () => /Address: 10\./.test(await ask(from)), { withinMs: 20_000, what: 'an answer' });
/** How many sockets systemd keeps. */
const isKept = (count: number) =>
  until(async () => (await show('NFileDescriptorStore')) === `${count}`, {
    ...{ withinMs: 15_000, everyMs: 100, what: `${count} kept sockets` },
  });

/** Asks steadily, from the network of `client`, while `work` is done and a second after it. */
async function lookupsDuring(
  work: () => Promise<unknown>,
): Promise<{ answered: number; refused: number; late: number; longestMs: number }> {
  await machine.ok('sh', '-c', 'rm -f /run/pipe; mkfifo /run/pipe');
  const command = `nsenter --target ${client} --net node /shared/steady-lookups.mjs db </run/pipe`;
  const lookups = machine.ok('sh', '-c', command);
  const hold = machine.ok(
    'sh',
    '-c',
    'exec 9>/run/pipe; while [ ! -e /run/pipe.end ]; do sleep 0.1; done; rm /run/pipe.end',
  );
  await work();
  await machine.ok('sh', '-c', 'sleep 1; touch /run/pipe.end');
  await hold;
  return JSON.parse(await lookups);
}

describe('the DNS server of containers', () => {
  test('answers all that is asked over a restart, a reload and a kill of the monitor', async () => {
    await isKept(4);
    const restart = await lookupsDuring(() => machine.ok('systemctl', 'restart', 'healthctl'));
    console.log(`restart: ${JSON.stringify(restart)}`);
    expect(restart).toMatchObject({ refused: 0, late: 0 });

    writeFileSync(join(machine.shared, 'healthctl.toml'), 'max_checks = 7\n');
    await machine.ok('install', '-D', '/shared/healthctl.toml', '/etc/healthctl/healthctl.toml');
    const reload = await lookupsDuring(() => machine.ok('systemctl', 'reload', 'healthctl'));
    console.log(`reload: ${JSON.stringify(reload)}`);
    expect(reload).toMatchObject({ refused: 0, late: 0 });

    const before = await show('MainPID');
    const kill = await lookupsDuring(async () => {
      await machine.ok('sh', '-c', `kill -9 ${before}`);
      await until(async () => (await show('ActiveState')) === 'active' && (await show('MainPID')) !== before, {
        ...{ withinMs: 20_000, everyMs: 100 },
      });
    });
    console.log(`kill: ${JSON.stringify(kill)}`);
    expect(kill).toMatchObject({ refused: 0, late: 0 });
    await isKept(4);
    // The socket of the socket unit, which comes first, is still told from them.
    const ping =
      "require('http').get({ socketPath: '/run/healthctl/docker.sock', path: '/_ping' }, (a) => a.pipe(process.stdout))";
    expect(await machine.ok('node', '-e', ping)).toBe('OK');
  });

  test('keeps nothing of a container that ends, also while no monitor runs', async () => {
    const links = () => machine.ok('sh', '-c', 'ip -o link | grep -c veth || true');
    const before = await links();
    await run('short');
    await isAnswered('short');
    await isKept(6);
    await machine.healthctl('kill', 'short');
    await isKept(4);
    await machine.healthctl('start', 'short');
    await isAnswered('short');
    await isKept(6);
    const pid = await machine.healthctl('inspect', '-f', '{{.State.Pid}}', 'short');
    await machine.ok('sh', '-c', `kill -9 ${await show('MainPID')} ${pid}`);
    await isKept(4);
    await until(async () => (await links()) === before, { withinMs: 15_000, everyMs: 100, what: 'the interface' });
    await machine.healthctl('rm', 'short');
  });

  test('is opened again after a disconnect and a connect', async () => {
    await machine.healthctl('network', 'disconnect', 'app', 'client');
    await isKept(2);
    await machine.healthctl('network', 'connect', 'app', 'client');
    await isAnswered();
    await isKept(4);
    for (let turn = 0; turn < 5; turn += 1) {
      await machine.healthctl('network', 'disconnect', 'app', 'client');
      await machine.healthctl('network', 'connect', 'app', 'client');
    }
    await isAnswered();
    await isKept(4);
  });

  test('refuses at once while the service is stopped or cannot start', async () => {
    const nothing = async () => undefined;
    await machine.ok('systemctl', 'stop', 'healthctl');
    const stopped = await lookupsDuring(nothing);
    console.log(`stopped: ${JSON.stringify(stopped)}`);
    expect(stopped).toMatchObject({ answered: 0, late: 0 });
    await machine.ok('systemctl', 'start', 'healthctl');
    await isAnswered();

    await machine.ok('sh', '-c', 'echo nonsense >/etc/healthctl/healthctl.toml');
    await machine.ok('sh', '-c', `kill -9 ${await show('MainPID')}`);
    await isKept(0);
    expect(await lookupsDuring(nothing)).toMatchObject({ answered: 0, late: 0 });
    await machine.ok('rm', '/etc/healthctl/healthctl.toml');
    await isAnswered();
  });

  test('without a monitor, all kinds of clients find names at once, from the hosts file and from the next server', async () => {
    const gateway = await machine.healthctl('inspect', '-f', '{{.NetworkSettings.Networks.app.Gateway}}', 'client');
    await machine.ok('systemd-run', '--unit=upstream', 'node', '/shared/fake-name-server.mjs', gateway);
    await run('asker', '--dns', gateway);
    await machine.ok('systemctl', 'stop', 'healthctl');
    const file = (name: string) => machine.healthctl('inspect', '-f', `{{.${name}}}`, 'asker');
    const [pid, hosts, resolv] = [await file('State.Pid'), await file('HostsPath'), await file('ResolvConfPath')];
    expect(await machine.ok('cat', resolv)).toContain(`nameserver ${SERVER}\nnameserver ${gateway}\n`);
    const binds = `mount --bind ${hosts} /etc/hosts; mount --bind ${resolv} /etc/resolv.conf`;
    const inside = (command: string) =>
      machine.ok('nsenter', '--target', pid, '--net', 'unshare', '--mount', 'sh', '-c', `${binds}; ${command}`);
    const resolve4 = "require('dns').resolve4('far.test', (error, all) => console.log(error ?? all[0]))";
    const clients: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
      ['glibc, of the network', () => inside('getent ahostsv4 db'), /^10\./],
      ['glibc', () => inside('getent ahostsv4 far.test'), /^9\.9\.9\.0/],
      ['c-ares', () => inside(`node -e "${resolve4}"`), /^9\.9\.9\.0/],
      ['as musl', () => inside('node /shared/musl-lookup.mjs far.test'), /^9\.9\.9\.0/],
      [
        'busybox, of the network',
        () => machine.healthctl('exec', 'asker', 'ping', '-c', '1', '-W', '2', 'db'),
        / 10\./,
      ],
      ['busybox', () => machine.healthctl('exec', 'asker', 'nslookup', 'far.test'), /Address: 9\.9\.9\.0/],
    ];
    for (const [client, look, expected] of clients) {
      const began = performance.now();
      expect(await look()).toMatch(expected);
      const tookMs = Math.round(performance.now() - began);
      console.log(`${client}: ${tookMs} ms`);
      // One that waits for a server waits for five seconds.
      expect([client, tookMs < 4_000]).toEqual([client, true]);
    }
    await machine.healthctl('rm', '-f', 'asker');
  });
});
