import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, until } from '../e2e/support/harness.ts';
import { describeWithNerdctl, openPeersBed, type PeersBed } from './bed.ts';

/** The state directory of a container of healthctl is on a tmpfs, but its label is not. */
describeWithNerdctl('the state directory with nerdctl', () => {
  let peers: PeersBed;
  let bed: Bed;

  beforeAll(async () => {
    peers = await openPeersBed();
    ({ bed } = peers);
  });
  afterAll(() => peers[Symbol.asyncDispose]());

  /** A container that was checked, with its state directory. */
  const checked = async () => {
    const name = bed.name('ours');
    const id = await bed.ok(['run', '-d', '--name', name, '--health-cmd', 'true', peers.image, 'sleep', '600']);
    await bed.ok(['healthcheck', 'run', name]);
    const dir = (await peers.labelsOf(id))['nerdctl/state-dir'] ?? '';
    expect(basename(dir)).toBe(id);
    return { name, id, dir };
  };

  test('a file in its place, as from a lock of nerdctl, prevents no check, no inspect and no rm', async () => {
    const { name, id, dir } = await checked();
    const replace = () => {
      rmSync(dir, { recursive: true });
      writeFileSync(dir, '');
    };
    replace();
    expect(await bed.ok(['inspect', '--format', '{{.State.Health.Status}}', name])).toBe('healthy');
    await bed.ok(['healthcheck', 'run', name]);
    expect(await peers.nerdctl('inspect', '--format', '{{len .State.Health.Log}}', name)).toBe('1');
    replace();
    await bed.ok(['pause', name]);
    await bed.ok(['unpause', name]);
    await bed.ok(['stop', '-t', '0', name]);
    await bed.ok(['start', name]);
    replace();
    await bed.ok(['rm', '-f', name]);
    expect(readdirSync(dirname(dir))).not.toContain(id);
  });

  test('the monitor makes it again after a reboot, so that nerdctl can inspect the container', async () => {
    const { name, dir } = await checked();
    await bed.ok(['stop', '-t', '0', name]);
    rmSync(dir, { recursive: true });
    expect((await peers.tryNerdctl('inspect', name)).code).toBe(1);
    await peers.startMonitor();
    await until(async () => (await peers.tryNerdctl('inspect', name)).code === 0, { withinMs: 10_000 });
    await bed.ok(['rm', name]);
  });
});
