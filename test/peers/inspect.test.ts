import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bed } from '../e2e/support/harness.ts';
import { describeWithNerdctl, openPeersBed, type PeersBed } from './bed.ts';

/** What one tool shows after the other has changed something. */
describeWithNerdctl('inspect with nerdctl', () => {
  let peers: PeersBed;
  let bed: Bed;

  beforeAll(async () => {
    peers = await openPeersBed();
    ({ bed } = peers);
  });
  afterAll(() => peers[Symbol.asyncDispose]());

  test('after a restart by healthctl, a check by nerdctl begins with starting, not with the health of the last run', async () => {
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

  // Older releases of containerd have no other policy.
  test('shows the restart policy of a container of nerdctl', async () => {
    const name = bed.name('theirs');
    await peers.nerdctlRun(name, '--restart', 'always');
    const template = '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}';
    expect(await bed.ok(['inspect', '--format', template, name])).toBe('always 0');
    await peers.nerdctl('rm', '-f', name);
  });

  test('shows the limits that nerdctl update set, for containers of both tools', async () => {
    const [ours, theirs] = [bed.name('ours'), bed.name('theirs')];
    await bed.ok(['create', '--name', ours, '--memory', '64m', '--cpus', '0.5', peers.image, 'true']);
    await peers.nerdctl('create', '--network', 'none', '--memory', '64m', '--name', theirs, peers.image, 'true');
    const limits = ['--memory', '32m', '--cpu-shares', '512', '--pids-limit', '50', '--memory-reservation', '16m'];
    const template = '{{with .HostConfig}}{{.Memory}} {{.CpuShares}} {{.PidsLimit}} {{.MemoryReservation}}{{end}}';
    for (const name of [ours, theirs]) {
      await peers.nerdctl('update', ...limits, name);
      expect(await bed.ok(['inspect', '--format', template, name]), name).toBe('33554432 512 50 16777216');
    }
    expect(await bed.ok(['inspect', '--format', '{{.HostConfig.NanoCpus}}', ours])).toBe('500000000');
    await bed.ok(['rm', ours, theirs]);
  });

  test('shows the restart policy that nerdctl update set on a container of healthctl', async () => {
    const name = bed.name('ours');
    await bed.ok(['run', '-d', '--name', name, peers.image, 'sleep', '600']);
    await peers.nerdctl('update', '--restart', 'always', name);
    expect(await bed.ok(['inspect', '--format', '{{.HostConfig.RestartPolicy.Name}}', name])).toBe('always');
    await bed.ok(['rm', '-f', name]);
  });

  test('shows start, output file and mounts of a container of nerdctl, running and ended', async () => {
    const name = bed.name('theirs');
    const id = await peers.nerdctlRun(name, '--volume', 'data:/data');
    const startedAt = async () => Date.parse(await bed.ok(['inspect', '--format', '{{.State.StartedAt}}', name]));
    const first = await startedAt();
    expect(first).toBe(Date.parse(await peers.nerdctl('inspect', '--format', '{{.State.StartedAt}}', name)));
    expect(await bed.ok(['inspect', '--format', '{{range .Mounts}}{{.Type}} {{.Name}}{{end}}', name])).toBe(
      'volume data',
    );
    const logPath = await bed.ok(['inspect', '--format', '{{.LogPath}}', name]);
    expect([basename(logPath), existsSync(logPath)]).toEqual([`${id}-json.log`, true]);
    await peers.nerdctl('stop', '-t', '0', name);
    expect(await startedAt()).toBe(first);
    await peers.nerdctl('start', name);
    expect(await startedAt()).toBeGreaterThan(first);
    await bed.ok(['rm', '-f', name]);
  });

  test('nerdctl inspects and checks a container of ctr that healthctl checked', async () => {
    const id = bed.name('bare');
    const label = `nerdctl/healthcheck=${JSON.stringify({ Test: ['CMD-SHELL', 'echo checked'] })}`;
    await bed.ctr('run', '--detach', '--label', label, peers.image, id, 'sleep', '600');
    await bed.ok(['healthcheck', 'run', id]);
    const count = () => peers.nerdctl('inspect', '--format', '{{len .State.Health.Log}}', id);
    expect(await count()).toBe('1');
    await peers.nerdctl('container', 'healthcheck', id);
    expect(await count()).toBe('2');
    expect(existsSync(join(bed.directory, 'health.json'))).toBe(false); // nerdctl's working directory
    expect(await bed.ok(['inspect', '--format', '{{len .State.Health.Log}}', id])).toBe('2');
    await bed.ok(['rm', '-f', id]);
  });
});
