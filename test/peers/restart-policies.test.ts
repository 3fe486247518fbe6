import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, until } from '../e2e/support/harness.ts';
import { describeWithNerdctl, openPeersBed, type PeersBed } from './bed.ts';

const EXPLICITLY_STOPPED = 'containerd.io/restart.explicitly-stopped';

/**
 * Two programs that restart the same containers: our monitor, and containerd's restart plugin, which nerdctl controls
 * with labels.
 */
describeWithNerdctl('restarts by the monitor and by containerd', () => {
  let peers: PeersBed;
  let bed: Bed;
  let image: string;
  beforeAll(async () => {
    peers = await openPeersBed();
    ({ bed, image } = peers);
    await peers.startMonitor();
  });
  afterAll(() => peers[Symbol.asyncDispose]());

  const inspect = (name: string, field: string) => bed.ok(['inspect', '--format', `{{${field}}}`, name]);
  const ours = (name: string, policy = 'always') =>
    bed.ok(['run', '-d', '--name', name, '--restart', policy, image, 'sleep', '600']);
  const crash = async (name: string) => {
    const pid = Number(await inspect(name, '.State.Pid'));
    process.kill(pid, 'SIGKILL');
    await until(async () => (await inspect(name, '.State.Pid')) !== `${pid}`, { withinMs: 5_000 });
  };
  const restartsAfterCrash = async (name: string) => {
    await crash(name);
    await until(async () => (await inspect(name, '.State.Running')) === 'true', { withinMs: 10_000 });
  };

  test.each([
    ['stop and start', ['stop', '-t', '0'], ['start']],
    ['restart', ['restart', '-t', '0']],
  ])('nerdctl %s of a container of healthctl does not disable its restart policy', async (_, ...commands) => {
    const name = bed.name('kept');
    await ours(name);
    for (const command of commands) await peers.nerdctl(...command, name);
    expect(await inspect(name, '.HostConfig.RestartPolicy.Name')).toBe('always');
    await restartsAfterCrash(name);
  });

  test('a container that nerdctl stopped stays stopped, and one that nerdctl started after our stop is restarted again', async () => {
    const name = bed.name('stopped');
    await ours(name);
    await peers.nerdctl('stop', '-t', '0', name);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await inspect(name, '.State.Status')).toBe('exited');
    await bed.ok(['start', name]);
    await bed.ok(['stop', '-t', '0', name]);
    await peers.nerdctl('start', name);
    await restartsAfterCrash(name);
  });

  test('nerdctl kill -s HUP of a container of healthctl does not disable its restart policy', async () => {
    const name = bed.name('reloaded');
    await ours(name);
    await peers.nerdctl('kill', '-s', 'HUP', name);
    expect(await inspect(name, '.HostConfig.RestartPolicy.Name')).toBe('always');
    // nerdctl has recorded a stop of a container that still runs.
    await bed.ok(['start', name]);
    await restartsAfterCrash(name);
  });

  test('a container of nerdctl can be given a policy, unless containerd restarts it', async () => {
    const [plain, kept] = [bed.name('plain'), bed.name('kept')];
    await peers.nerdctlRun(plain);
    await bed.ok(['update', '--restart', 'always', plain]);
    await restartsAfterCrash(plain);
    await peers.nerdctlRun(kept, '--restart', 'always');
    const refused = await bed.cli(['update', '--restart', 'always', kept]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is restarted by containerd itself')]);
  });

  test.for(['always', 'unless-stopped', 'on-failure'])(
    "containerd's restart plugin respects our commands, --restart %s",
    async (policy, { skip }) => {
      const name = bed.name('theirs');
      const run = ['run', '-d', '--network', 'none', '--name', name, '--restart', policy, image, 'sleep', '600'];
      const { code, stdout, stderr } = await peers.tryNerdctl(...run);
      skip(/unsupported restart policy|not supported/.test(stderr), 'containerd 1.6 has only the policy always');
      expect([code, stderr]).toEqual([0, expect.anything()]);
      const id = stdout.trim();
      const explicitlyStopped = async () => (await peers.labelsOf(id))[EXPLICITLY_STOPPED];
      await bed.ok(['stop', '-t', '0', name]);
      expect(await explicitlyStopped()).toBe('true');
      await bed.ok(['start', name]);
      expect(await explicitlyStopped()).toBe('false');
      await bed.ok(['kill', name]);
      expect(await explicitlyStopped()).toBe('true');
      await peers.nerdctl('start', name);
      await peers.nerdctl('stop', '-t', '0', name);
      await bed.ok(['start', name]);
      expect(await explicitlyStopped()).toBe('false');
      await bed.ok(['restart', '-t', '0', name]);
      expect([await explicitlyStopped(), await inspect(name, '.State.Running')]).toEqual(['false', 'true']);
    },
  );
});
