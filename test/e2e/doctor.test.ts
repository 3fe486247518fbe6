import { expect, test } from 'vitest';
import { openBed } from './support/harness.ts';

interface Check {
  readonly Name: string;
  readonly Status: string;
  readonly What: string;
  readonly Remedy: string;
}

test('doctor checks containerd, and a monitor that runs, that is missing, and that is not needed', async () => {
  await using bed = await openBed();
  const doctor = async (...flags: readonly string[]) => {
    const { code, stdout, stderr } = await bed.cli([...flags, 'doctor', '--format', 'json']);
    const { Checks, Status } = JSON.parse(stdout) as { Checks: Check[]; Status: string };
    expect(stderr).toBe('');
    expect(code).toBe(Status === 'error' ? 1 : 0);
    const of = (name: string) => Checks.filter((check) => check.Name === name);
    return { of, names: Checks.map(({ Name }) => Name) };
  };
  const start = await doctor();
  const { stdout } = await bed.cli(['version', '--format', '{{.Server.Version}}']);
  expect(start.of('containerd')).toEqual([
    { Name: 'containerd', Status: 'ok', What: `version ${stdout.trim()} at ${bed.address}`, Remedy: '' },
  ]);
  expect([...new Set(start.names)]).toEqual([
    ...['permissions', 'kernel', 'containerd', 'runtime', 'monitor', 'nerdctl timers', 'systemd', 'cgroups', 'seccomp'],
    ...['AppArmor', 'CNI plugins', 'iptables', 'clock', 'data root', 'run root', 'inotify', 'descriptors'],
  ]);
  expect(start.of('monitor')).toMatchObject([
    { Status: 'ok', What: 'none runs, and no running container has a check' },
  ]);
  expect(start.of('nerdctl timers')).toMatchObject([{ Status: 'ok' }]);

  await bed.ok(['run', '-d', '--name', 'web', '--health-cmd', 'true', await bed.image()]);
  expect((await doctor()).of('monitor')).toMatchObject([
    {
      Status: 'error',
      What: 'none runs, and nothing checks 1 running container',
      Remedy: 'start it: healthctl daemon start',
    },
  ]);

  await bed.ok(['daemon', 'start']);
  expect((await doctor()).of('monitor')).toMatchObject([
    { What: expect.stringMatching(/^process \d+, version .*, checks 1 container/) },
  ]);
  expect((await doctor('--snapshotter', 'zfs')).of('containerd')).toMatchObject([
    { Status: 'ok' },
    { Status: 'error', Remedy: expect.stringContaining('overlayfs') },
  ]);
});

test('doctor without containerd prints an error with its remedy, and all other lines', async () => {
  await using bed = await openBed();
  const address = `${bed.directory}/nothing.sock`;
  const { code, stdout, stderr } = await bed.cli(['--address', address, 'doctor']);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  expect(stdout).toContain(
    `error    containerd      cannot connect to containerd: there is no socket at ${address} -> start containerd, or give the path of its socket with --address or CONTAINERD_ADDRESS\n`,
  );
  expect(stdout).toContain('warning  nerdctl timers  not looked at: containerd does not answer\n');
  expect(stdout).toMatch(/^ok {7}kernel {10}Linux /m);
  expect(stdout).toMatch(/^(ok|warning) +descriptors +/m);
});
