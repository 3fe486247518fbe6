import { readlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, until } from '../e2e/support/harness.ts';
import { describeWithNerdctl, openPeersBed, type PeersBed } from './bed.ts';

/** nerdctl's commands on containers of healthctl. */
describeWithNerdctl('nerdctl with containers of healthctl', () => {
  let peers: PeersBed;
  let bed: Bed;
  let image: string;
  /** nerdctl must succeed without a message. */
  const quietly = async (...args: string[]) => {
    const { code, stderr } = await peers.tryNerdctl(...args);
    const messages = stderr
      .split('\n')
      .filter((line) => /level=(warning|error|fatal)/.test(line) && !/systemd|DBUS/.test(line));
    expect([code, messages], args.join(' ')).toEqual([0, []]);
  };
  const namesOf = async () => (await bed.ok(['ps', '--all', '--format', '{{.Names}}'])).split('\n');
  const statusOf = (name: string) => bed.ok(['inspect', '--format', '{{.State.Status}}', name]);

  beforeAll(async () => {
    peers = await openPeersBed();
    ({ bed, image } = peers);
    await peers.nerdctl('run', '--rm', '--network', 'none', image, 'true'); // nerdctl was used with this containerd
  });
  afterAll(() => peers[Symbol.asyncDispose]());

  test('rm, rm -f and prune remove them without a warning', async () => {
    const [made, ended, checked, alone, running] = [1, 2, 3, 4, 5].map(() => bed.name('ours')) as [
      string,
      string,
      string,
      string,
      string,
    ];
    await bed.ok(['create', '--name', made, image, 'true']);
    await bed.cli(['run', '--name', ended, image, 'sh', '-c', 'exit 3']);
    await bed.ok(['run', '-d', '--name', checked, '--health-cmd', 'true', image, 'sleep', '600']);
    await bed.ok(['healthcheck', 'run', checked]);
    await quietly('rm', made);
    await quietly('rm', ended);
    await quietly('rm', '-f', checked);
    await bed.ok(['run', '--name', alone, image, 'true']);
    await bed.ok(['run', '-d', '--name', running, image, 'sleep', '600']);
    await quietly('container', 'prune', '-f');
    expect(await namesOf()).toEqual([running]);
    await quietly('kill', running);
    await until(async () => (await statusOf(running)) === 'exited');
    await quietly('rm', running);
    // The names are free again.
    await bed.ok(['rm', await bed.ok(['create', '--name', made, image, 'true'])]);
  });

  test('rename changes their name', async () => {
    const [name, other] = [bed.name('ours'), bed.name('other')];
    await bed.ok(['create', '--name', name, image, 'true']);
    await quietly('rename', name, other);
    expect(await namesOf()).toContain(other);
    await quietly('rm', other);
  });

  test('start starts a container that was never started, with its host names', async () => {
    const name = bed.name('ours');
    await bed.ok(['create', '--name', name, '--hostname', 'here', '--add-host', 'db:10.1.2.3', image, 'sleep', '600']);
    await quietly('start', name);
    expect(await bed.ok(['exec', name, 'sh', '-c', 'hostname; cat /etc/hostname; grep db /etc/hosts'])).toMatch(
      /^here\nhere\n10\.1\.2\.3\s+db$/,
    );
    await bed.ok(['rm', '--force', name]);
  });

  test('restart keeps a container with --rm, and stop removes it', async () => {
    await peers.startMonitor();
    const name = bed.name('ours');
    await bed.ok(['run', '-d', '--rm', '--name', name, image, 'sleep', '600']);
    for (let times = 0; times < 3; times += 1) {
      await quietly('restart', '-t', '0', name);
      expect(await statusOf(name)).toBe('running');
    }
    await quietly('stop', '-t', '0', name);
    await until(async () => !(await namesOf()).includes(name), { withinMs: 20_000 });
  });

  test('start joins the requested network and PID namespace, and our next start joins the present ones', async () => {
    const [joined, name] = [bed.name('joined'), bed.name('ours')];
    await bed.ok(['run', '-d', '--name', joined, image, 'sleep', '600']);
    const join = ['--network', `container:${joined}`, '--pid', `container:${joined}`];
    const id = await bed.ok(['create', '--name', name, ...join, image, 'sleep', '600']);
    const pidOf = (one: string) => bed.ok(['inspect', '--format', '{{.State.Pid}}', one]);
    const namespacesOf = async (one: string) => {
      const pid = await pidOf(one);
      return ['net', 'pid'].map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`));
    };
    await quietly('start', name);
    expect(await namespacesOf(name)).toEqual(await namespacesOf(joined));
    await bed.ok(['stop', '-t', '0', name]);
    await bed.ok(['restart', '-t', '0', joined]);
    await bed.ok(['start', name]);
    expect(await namespacesOf(name)).toEqual(await namespacesOf(joined));
    // The spec names no process permanently: the pid could be another process's later.
    const { Spec } = JSON.parse(await bed.ctr('containers', 'info', id));
    const network = Spec.linux.namespaces.find(({ type }: { type: string }) => type === 'network');
    expect(network.path).toMatch(/\.netns$/);
    await bed.ok(['rm', '-f', name, joined]);
  });
});
