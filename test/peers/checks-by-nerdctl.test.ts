import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, until } from '../e2e/support/harness.ts';
import { describeWithNerdctl, openPeersBed, type PeersBed } from './bed.ts';

/**
 * As on a host where nerdctl's timers check: the monitor makes no check of nerdctl's containers, and acts on nerdctl's
 * results.
 */
describeWithNerdctl('the consequences of checks by nerdctl', () => {
  let peers: PeersBed;
  let bed: Bed;
  beforeAll(async () => {
    peers = await openPeersBed(['adopt = "never"']);
    ({ bed } = peers);
    await peers.startMonitor();
  });
  afterAll(() => peers[Symbol.asyncDispose]());

  const inspect = (name: string, field: string) => bed.ok(['inspect', '--format', `{{${field}}}`, name]);

  test('are an event when the status changes, and a restart by --health-on-failure', async () => {
    const name = bed.name('theirs');
    const rarely = ['--health-retries', '1', '--health-interval', '1h'];
    await peers.nerdctlRun(name, '--health-cmd', 'test -e /tmp/ok || ! echo refused', ...rarely);
    await bed.ok(['update', '--health-on-failure', 'restart', name]);
    const events = bed.spawn(['events', '--filter', `container=${name}`, '--format', '{{.Action}}']);
    await bed.ok(['exec', name, 'touch', '/tmp/ok']);
    await until(async () => {
      await peers.nerdctl('container', 'healthcheck', name);
      return events.stdout().includes('health_status: healthy');
    });
    expect(await bed.ok(['ps', '--filter', `name=${name}`, '--format', '{{.Status}}'])).toContain('(healthy)');
    const pid = await inspect(name, '.State.Pid');
    await bed.ok(['exec', name, 'rm', '/tmp/ok']);
    await peers.nerdctl('container', 'healthcheck', name);
    await events.prints('health_status: unhealthy');
    await until(async () => !['0', pid].includes(await inspect(name, '.State.Pid')), { withinMs: 30_000 });
    expect(await inspect(name, '.RestartCount')).toBe('1');
  });
});
