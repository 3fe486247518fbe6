import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openPortSockets, type PortSockets } from '../../src/network/port-sockets.ts';
import type { Protocol } from '../../src/network/port-spec.ts';
import { openInterfaceEnd } from '../../src/system/host-port.ts';
import { joinCgroupOf } from '../../src/system/join-cgroup.ts';
import { until } from '../../testbed/until.ts';

const HOST_IP = '127.0.0.1';
let open: PortSockets[] = [];
afterEach(() => {
  for (const sockets of open) sockets.close();
  open = [];
});
const openSockets = (): PortSockets => {
  const sockets = openPortSockets();
  open.push(sockets);
  return sockets;
};

const published = (hostPort: number, protocol: Protocol) => ({
  hostIp: HOST_IP,
  hostPort,
  protocol,
  containerPort: 80,
});
const placeOf = (port: number): string => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
const states = (protocol: 'tcp' | 'udp', port: number): readonly string[] =>
  readFileSync(`/proc/net/${protocol}`, 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local]) => local === placeOf(port))
    .map(([, , , state = '']) => state);
const LISTEN = '0A';

describe('sockets of published ports', () => {
  test.each(['tcp', 'udp'] as const)(
    '%s: takes a free port, which nobody else can take until it is closed',
    async (protocol) => {
      const [sockets, others] = [openSockets(), openSockets()];
      const port = (await sockets.tryPort({ hostIp: HOST_IP, port: 0, protocol })) ?? 0;
      expect(port).toBeGreaterThan(0);
      expect(sockets.listen([published(port, protocol)])).toHaveLength(1);
      expect(states(protocol, port)).toEqual([protocol === 'tcp' ? LISTEN : '07']);
      expect(await others.tryPort({ hostIp: '0.0.0.0', port, protocol })).toBeUndefined();
      sockets.close();
      expect(await others.tryPort({ hostIp: '0.0.0.0', port, protocol })).toBe(port);
    },
  );

  test('refuse connections until they listen, and afterwards leave no client without an answer', async () => {
    const sockets = openSockets();
    const port = (await sockets.tryPort({ hostIp: HOST_IP, port: 0, protocol: 'tcp' })) ?? 0;
    const client = () => connect({ host: HOST_IP, port });
    await new Promise((resolve) => client().once('error', resolve));
    sockets.listen([published(port, 'tcp')]);
    const dropped = client();
    dropped.on('error', () => undefined);
    let isConnected = false;
    dropped.once('connect', () => {
      isConnected = true;
    });
    const isSynSent = new RegExp(`^\\s*\\d+: \\S+ ${placeOf(port)} 02 `, 'm');
    await until(async () => isSynSent.test(readFileSync('/proc/net/tcp', 'latin1')));
    expect(isConnected).toBe(false);
    dropped.destroy();
  });

  test("fail with Docker's text if another program has the port", async () => {
    const sockets = openSockets();
    const port = (await sockets.tryPort({ hostIp: HOST_IP, port: 0, protocol: 'tcp' })) ?? 0;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ host: HOST_IP, port }, resolve));
    try {
      expect(() => sockets.listen([published(port, 'tcp')])).toThrow(
        `failed to bind host port ${HOST_IP}:${port}/tcp: address already in use`,
      );
    } finally {
      server.close();
    }
  });

  test('fail for an address that this host does not have', async () => {
    await expect(openSockets().tryPort({ hostIp: '192.0.2.77', port: 0, protocol: 'udp' })).rejects.toMatchObject({
      code: 'INVALID',
      message: 'failed to bind host port 192.0.2.77:0/udp: cannot assign requested address',
    });
  });

  test('are not opened for SCTP', async () => {
    const sockets = openSockets();
    expect(await sockets.tryPort({ hostIp: HOST_IP, port: 80, protocol: 'sctp' })).toBe(80);
    expect(sockets.listen([published(80, 'sctp')])).toEqual([]);
  });
});

test('waiting for the end of an interface is possible only if it exists', () => {
  const fd = openInterfaceEnd('lo');
  expect(fd).toBeGreaterThan(0);
  if (fd !== undefined) closeSync(fd);
  expect(openInterfaceEnd('nonesuch0')).toBeUndefined();
});

test('a process joins the cgroup of another, where systemd looks', async ({ skip }) => {
  const hierarchies = ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup'].map((root) =>
    join(root, `healthctl-test-${process.pid}`),
  );
  const made = hierarchies.find((directory) => isMade(directory));
  if (made === undefined) return skip('cannot create cgroups here');
  const sleeper = (): ChildProcess => spawn('sleep', ['600'], { stdio: 'ignore' });
  const [process1, process2] = [sleeper(), sleeper()];
  try {
    await joinCgroupOf(process1.pid ?? 0, process2.pid ?? 0); // joined already: does nothing
    const procs = join(made, 'cgroup.procs');
    expect(isWritten(procs, `${process2.pid}`)).toBe(true);
    await joinCgroupOf(process1.pid ?? 0, process2.pid ?? 0);
    expect(readFileSync(procs, 'latin1').trim().split('\n').sort()).toEqual(
      [process1.pid, process2.pid].map(String).sort(),
    );
    await joinCgroupOf(process1.pid ?? 0, 2 ** 22 - 1); // the other process is gone: does nothing
  } finally {
    for (const child of [process1, process2]) child.kill('SIGKILL');
    await until(async () => isRemoved(made));
  }
});

function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

const isMade = (directory: string): boolean => {
  if (!attempt(() => mkdirSync(directory))) return false;
  if (attempt(() => readFileSync(join(directory, 'cgroup.procs')))) return true;
  rmdirSync(directory); // an ordinary directory: on cgroup v1 the hierarchies are in a tmpfs
  return false;
};
const isRemoved = (directory: string) => attempt(() => rmdirSync(directory));
const isWritten = (path: string, text: string) => attempt(() => writeFileSync(path, text));
