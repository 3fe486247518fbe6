import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bed } from '../e2e/harness.ts';
import { describeBesideNerdctl, openPeersBed, type PeersBed } from './bed.ts';

/** What one tool shows of what the other has done. */
describeBesideNerdctl('inspect beside nerdctl', () => {
  let peers: PeersBed;
  let bed: Bed;

  beforeAll(async () => {
    peers = await openPeersBed();
    ({ bed } = peers);
  });
  afterAll(() => peers[Symbol.asyncDispose]());

  test('a check by nerdctl after a restart of ours starts from starting, not from the health of the last run', async () => {
    const name = bed.name('ours');
    await bed.ok(['run', '-d', '--name', name, '--health-cmd', 'test ! -e /bad', peers.image, 'sleep', '600']);
    await bed.ok(['healthcheck', 'run', name]);
    await bed.ok(['exec', name, 'touch', '/bad']);
    await bed.ok(['restart', '-t', '0', name]);
    expect(await peers.nerdctl('inspect', '--format', '{{.State.Health.Status}}', name)).toBe('starting');
    await peers.tryNerdctl('container', 'healthcheck', name);
    expect(await bed.ok(['inspect', '--format', '{{.State.Health.Status}}', name])).toBe('starting');
    await bed.ok(['rm', '-f', name]);
  });

  // Older releases of containerd know no other policy.
  test('the restart policy of a container of nerdctl’s is shown', async () => {
    const name = bed.name('theirs');
    await peers.nerdctl(
      'run',
      '-d',
      '--network',
      'none',
      '--restart',
      'always',
      '--name',
      name,
      peers.image,
      'sleep',
      '600',
    );
    const template = '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}';
    expect(await bed.ok(['inspect', '--format', template, name])).toBe('always 0');
    await peers.nerdctl('rm', '-f', name);
  });
});
