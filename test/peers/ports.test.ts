import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NetworkHost, openNetworkHost } from '../e2e/support/network-host.ts';
import { describeWithNerdctl, openPeersBed, type PeersBed } from './bed.ts';

/**
 * Published ports of healthctl's containers. Those of nerdctl's need a containerd in the network namespace:
 * test/e2e/nerdctl.test.ts uses their files.
 */
describeWithNerdctl('published ports with nerdctl', () => {
  let peers: PeersBed;
  let host: NetworkHost;

  beforeAll(async () => {
    peers = await openPeersBed(['network = "bridge"']);
    host = await openNetworkHost(peers.bed);
    await peers.nerdctl('run', '--rm', '--network', 'none', peers.image, 'true');
  });
  afterAll(async () => {
    await peers[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  });

  test('nerdctl shows those of healthctl without a warning, and a restart by nerdctl frees them', async () => {
    const name = peers.bed.name('ours');
    await host.ok('run', '-d', '--name', name, '-p', '127.0.0.1:8086:80', peers.image, 'sleep', '600');
    const port = await peers.tryNerdctl('port', name);
    expect([port.stdout.trim(), port.stderr]).toEqual(['80/tcp -> 127.0.0.1:8086', '']);
    expect((await peers.tryNerdctl('ps')).stderr).toBe('');
    expect(await host.ok('ps', '--format', '{{.Ports}}')).toBe('127.0.0.1:8086->80/tcp');
    // No monitor runs, so nothing attaches the container again.
    await peers.nerdctl('restart', '-t', '0', name);
    expect(await host.ok('ps', '--format', '{{.Ports}}')).toBe('');
    expect(await host.ok('port', name)).toBe('');
    expect(
      await host.ok('inspect', '--format', '{{json .NetworkSettings.Ports}} {{.NetworkSettings.IPAddress}}', name),
    ).toBe('{} ');
    await host.ok('restart', '-t', '0', name);
    expect(await host.ok('port', name)).toBe('80/tcp -> 127.0.0.1:8086');
    await host.ok('stop', '-t', '0', name);
    expect((await peers.tryNerdctl('port', name)).stdout).toBe('');
    await host.ok('rm', name);
  });

  test('nerdctl shows and removes a container of healthctl on several networks, and one on none any more', async () => {
    for (const network of ['front', 'back']) await host.ok('network', 'create', network);
    const name = peers.bed.name('ours');
    const many = await host.ok(
      'run',
      '-d',
      '--name',
      name,
      '--network',
      'front',
      '--network',
      'back',
      peers.image,
      'sleep',
      '600',
    );
    const alone = await host.ok('create', '--network', 'front', peers.image, 'sleep', '600');
    await host.ok('network', 'disconnect', 'front', alone);
    for (const id of [many, alone]) {
      const { stdout, stderr } = await peers.tryNerdctl('inspect', '-f', '{{.Id}}', id);
      expect([stdout.trim(), stderr]).toEqual([id, '']);
    }
    expect((await peers.tryNerdctl('ps', '-a')).stderr).toBe('');
    await peers.nerdctl('stop', '-t', '0', name);
    await peers.nerdctl('rm', many, alone);
    await host.ok('network', 'rm', 'front', 'back');
    expect(await host.remains()).toMatchObject({ records: [] });
  });
});
