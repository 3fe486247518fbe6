import { expect, test } from 'vitest';
import { golden } from '../../../../test/golden/golden.ts';
import type { HostInfo } from '../../../container/host/system-info.ts';
import { hostWarnings } from '../../../container/host/system-info.ts';
import { infoPage } from './info.ts';

const host: HostInfo = {
  KernelVersion: '6.1.0',
  OperatingSystem: 'Debian GNU/Linux 12 (bookworm)',
  OSVersion: '12',
  OSType: 'linux',
  Architecture: 'x86_64',
  NCPU: 2,
  MemTotal: 2 * 1024 ** 3,
  Name: 'host',
  CgroupVersion: '2',
  MemoryLimit: true,
  SwapLimit: true,
  CpuCfsQuota: true,
  PidsLimit: true,
  Runtimes: { runc: { path: '/usr/sbin/runc' }, crun: { path: '/usr/bin/crun' } },
  InitBinary: '/usr/bin/tini-static',
};
const settings = {
  address: '/run/containerd/containerd.sock',
  namespace: 'default',
  snapshotter: 'overlayfs',
  runRoot: '/run/healthctl',
  dataRoot: '/var/lib/healthctl',
};
const server = {
  ID: 'b7c1',
  Containers: 6,
  ContainersRunning: 3,
  ContainersPaused: 1,
  ContainersStopped: 2,
  Images: 4,
  ServerVersion: '1.6.20',
  Snapshotters: ['native', 'overlayfs'],
  Namespaces: ['default', 'k8s.io'],
};

// The client's version is the build's.
const withoutVersion = (page: string) => page.replace(/^( Version: +)\S+$/m, '$1VERSION');

test('info shows host, settings and server', () => {
  const page = withoutVersion(infoPage({ settings, host, server }));
  expect(page).toBe(golden('screens/info.txt', page));
});

test('without an answer from containerd, info shows the rest', () => {
  const page = infoPage({ settings, host, server: undefined });
  expect(page).not.toContain('Server');
  expect(page).toContain('Kernel Version');
});

test('info warns about features that the host lacks', () => {
  expect(hostWarnings(host)).toEqual([]);
  const poor = { ...host, MemoryLimit: false, SwapLimit: false, CpuCfsQuota: false, PidsLimit: false, Runtimes: {} };
  expect(hostWarnings(poor)).toEqual([
    'No memory limit support',
    'No swap limit support',
    'No cpu cfs quota support',
    'No pids limit support',
    'no OCI runtime was found on the PATH: install runc or crun',
  ]);
});
