import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bed } from '../e2e/support/harness.ts';
import { describeWithNerdctl, openPeersBed, type PeersBed } from './bed.ts';

/** test/e2e/nerdctl.test.ts tests what needs no real nerdctl. */
describeWithNerdctl('with a real nerdctl', () => {
  let peers: PeersBed;
  let bed: Bed;
  let image: string;
  const nerdctl = (...args: string[]) => peers.nerdctl(...args);
  /**
   * One health check by nerdctl.
   * @returns its exit status
   */
  const checkByNerdctl = async (name: string) => (await peers.tryNerdctl('container', 'healthcheck', name)).code;

  beforeAll(async () => {
    peers = await openPeersBed();
    ({ bed, image } = peers);
  });
  afterAll(() => peers[Symbol.asyncDispose]());

  test('healthctl lists, inspects, checks, stops, starts and removes a container of nerdctl', async () => {
    const name = bed.name('theirs');
    const run = () => peers.nerdctlRun(name, '--health-cmd', 'echo checked');
    const id = await run();
    expect(await bed.ok(['ps', '--no-trunc', '--format', '{{.ID}} {{.Names}} {{.State}}'])).toBe(
      `${id} ${name} running`,
    );
    await bed.ok(['healthcheck', 'run', name]);
    expect(await nerdctl('inspect', '--format', '{{.State.Health.Status}}', name)).toBe('healthy');
    expect(await checkByNerdctl(name)).toBe(0);
    expect(await bed.ok(['inspect', '--format', '{{len .State.Health.Log}}', name])).toBe('2');
    await bed.ok(['stop', '-t', '0', name]);
    expect(await nerdctl('inspect', '--format', '{{.State.Status}}', name)).toBe('exited');
    await bed.ok(['start', name]);
    expect(await nerdctl('inspect', '--format', '{{.State.Status}}', name)).toBe('running');
    await bed.ok(['rm', '--force', name]);
    expect(await nerdctl('ps', '--all', '--quiet')).toBe('');
    // The name is free again for both tools.
    await run();
    await nerdctl('rm', '--force', name);
    await bed.ok(['rm', await bed.ok(['create', '--name', name, image, 'true'])]);
  });

  test('nerdctl lists, inspects, checks, stops and starts a container of healthctl', async () => {
    const name = bed.name('ours');
    const create = ['--name', name, '--health-cmd', 'echo checked', image, 'sleep', '600'];
    const id = await bed.ok(['run', '-d', ...create]);
    const listed = await nerdctl('ps', '--no-trunc', '--format', '{{.ID}} {{.Names}}');
    expect(listed.split('\n')).toContain(`${id} ${name}`);
    expect(await checkByNerdctl(name)).toBe(0);
    expect(await bed.ok(['inspect', '--format', '{{.State.Health.Status}} {{len .State.Health.Log}}', name])).toBe(
      'healthy 1',
    );
    await nerdctl('stop', '-t', '0', name);
    expect(await bed.ok(['inspect', '--format', '{{.State.Status}}', name])).toBe('exited');
    await nerdctl('start', name);
    expect(await bed.ok(['inspect', '--format', '{{.State.Status}}', name])).toBe('running');
    await bed.ok(['rm', '--force', name]);
    expect(await nerdctl('ps', '--all', '--quiet', '--no-trunc')).not.toContain(id);
  });
});
