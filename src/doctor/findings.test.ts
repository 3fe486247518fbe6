import { describe, expect, test } from 'vitest';
import { aRecord } from '../../test/builders/container.ts';
import { aResult, aState, T0 } from '../../test/builders/health.ts';
import type { DaemonStatus } from '../daemon/api/answers.ts';
import { HealthctlError } from '../lib/errors.ts';
import { type ContainerView, viewFrom } from '../record/view.ts';
import { appArmorFindings, cgroupFindings, runtimeFindings, seccompFindings } from './confinement.ts';
import { containerdFindings } from './containerd.ts';
import { diskFindings } from './disk.ts';
import type { HostFinding } from './finding.ts';
import { descriptorFindings, inotifyFindings } from './limits.ts';
import { countToBeChecked, monitorFindings } from './monitor.ts';
import { iptablesFinding } from './network.ts';
import { kernelFindings, permissionFindings } from './permissions.ts';
import { nerdctlTimerFindings, systemdFindings } from './services.ts';
import { clockFindings, largestJump } from './wall-clock.ts';

/** `status what -> remedy` of each finding, without its name. */
const linesOf = (findings: readonly HostFinding[]): readonly string[] =>
  findings.map(({ status, what, remedy }) => `${status} ${what}${remedy === undefined ? '' : ` -> ${remedy}`}`);

const ALL = [
  ...['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_KILL', 'CAP_NET_ADMIN', 'CAP_SYS_ADMIN', 'CAP_SYS_PTRACE'],
];

test('permissions', () => {
  expect(linesOf(permissionFindings({ uid: 0, capabilities: ALL }))).toEqual([
    'ok root, with all capabilities that healthctl needs',
  ]);
  expect(linesOf(permissionFindings({ uid: 1000, capabilities: [] }))).toEqual([
    'error healthctl runs as user 1000, and needs root -> run it with sudo',
  ]);
  expect(linesOf(permissionFindings({ uid: 0, capabilities: ALL.slice(1) }))).toEqual([
    'warning root without CAP_CHOWN -> run healthctl on the host itself, or in a container with these capabilities',
  ]);
});

test.each([
  ['6.1.0-13-amd64', 'ok Linux 6.1.0-13-amd64'],
  ['5.6.0', 'ok Linux 5.6.0'],
  ['5.5.19', 'error Linux 5.5.19 is too old -> use Linux 5.6 or later'],
  ['4.18.0-553.el8', 'error Linux 4.18.0-553.el8 is too old -> use Linux 5.6 or later'],
])('kernel %s', (version, line) => {
  expect(linesOf(kernelFindings(version))).toEqual([line]);
});

describe('containerd', () => {
  const facts = {
    version: '1.6.20',
    address: '/c.sock',
    snapshotter: 'overlayfs',
    snapshotters: ['native', 'overlayfs'],
  };

  test.each(['1.6.20', 'v2.0.0', '1.7.24~ds1', '2.1.4-1'])('%s', (version) => {
    expect(linesOf(containerdFindings({ ...facts, version }))).toEqual([`ok version ${version} at /c.sock`]);
  });

  test.each(['1.5.11', '0.2.5'])('%s', (version) => {
    expect(linesOf(containerdFindings({ ...facts, version }))).toEqual([
      `error version ${version} at /c.sock is too old -> install containerd 1.6 or later`,
    ]);
  });

  test('without the snapshotter', () => {
    expect(linesOf(containerdFindings({ ...facts, snapshotter: 'zfs' })).at(1)).toBe(
      'error it has no snapshotter zfs -> choose one with --snapshotter: native, overlayfs',
    );
  });
});

test('runtime', () => {
  expect(linesOf(runtimeFindings({ Runtimes: { runc: { path: '/usr/sbin/runc' } } }))).toEqual(['ok /usr/sbin/runc']);
  expect(linesOf(runtimeFindings({ Runtimes: {} }))).toEqual([
    'error no OCI runtime was found on the PATH -> install runc or crun',
  ]);
});

describe('monitor', () => {
  const own = { version: '1.0.0', scheduler: 'daemon', checked: 2 } as const;
  const status: DaemonStatus = {
    ...{
      id: 'x',
      version: '1.0.0',
      commit: 'c',
      program: '/p',
      apiVersion: 1,
      pid: 4711,
      startedAt: '2026-01-01T00:00:00Z',
    },
    ...{
      isAutostarted: false,
      address: '/c.sock',
      namespaces: [],
      isLive: true,
      containers: 3,
      watched: 2,
      unhealthy: 0,
    },
    ...{ troubled: 0, checksInFlight: 0, checksWaiting: 0, checksMade: 9, memoryBytes: 1 },
    ...{ lag: { count: 9, p50Ms: 1, p99Ms: 12.3, maxMs: 40 }, descriptors: { open: 30, limit: 1024 } },
  };
  const of = (over: Partial<DaemonStatus>) =>
    linesOf(monitorFindings({ kind: 'answered', status: { ...status, ...over } }, own));

  test('runs', () => {
    expect(of({})).toEqual(['ok process 4711, version 1.0.0, checks 2 containers, 99% of checks less than 13ms late']);
    expect(of({ lag: null })).toEqual(['ok process 4711, version 1.0.0, checks 2 containers']);
  });

  test('runs with problems', () => {
    expect(of({ isLive: false, version: '0.9.0', troubled: 1 })).toEqual([
      'error process 4711 has lost containerd -> see its log: healthctl daemon logs',
      'warning process 4711 is of version 0.9.0, and this is 1.0.0 -> restart it: healthctl daemon stop, then healthctl daemon start',
      'error 1 container cannot be checked or recorded -> see its log: healthctl daemon logs',
    ]);
    expect(
      of({ lag: { count: 9, p50Ms: 900, p99Ms: 1500, maxMs: 9000 }, descriptors: { open: 1015, limit: 1024 } }),
    ).toEqual([
      expect.stringMatching(/^warning 1% of its checks start 1500ms late or later -> /),
      expect.stringMatching(/^error 1015 of 1024 file descriptors are in use -> raise LimitNOFILE=/),
    ]);
  });

  test('does not run', () => {
    const absent = (over: Partial<Parameters<typeof monitorFindings>[1]>) =>
      linesOf(monitorFindings({ kind: 'absent' }, { ...own, ...over }));
    expect(absent({})).toEqual([
      'error none runs, and nothing checks 2 running containers -> start it: healthctl daemon start',
    ]);
    expect(absent({ checked: 0 })).toEqual(['ok none runs, and no running container has a check']);
    expect(absent({ checked: undefined })).toEqual(['warning none runs -> start it: healthctl daemon start']);
    expect(absent({ scheduler: 'systemd' })).toEqual(['ok none runs: systemd timers make the checks']);
  });

  test('does not run, but containers need checks', () => {
    const checked = (namespace: string, state: ContainerView['state'], test: readonly string[]) => ({
      ...{ namespace, view: { ...viewFrom({ record: aRecord(), task: undefined, run: undefined }), state } },
      health: { config: { test }, state: undefined, log: [] },
    });
    const all = [
      ...[checked('a', 'running', ['CMD', 'x']), checked('b', 'running', ['CMD', 'x'])],
      ...[checked('a', 'paused', ['CMD', 'x']), checked('a', 'running', ['NONE'])],
    ];
    expect(countToBeChecked(all, [])).toBe(2);
    expect(countToBeChecked(all, ['b', 'c'])).toBe(1);
  });

  test('runs with another run root', () => {
    const conflict = new HealthctlError('CONFLICT', 'one runs already', { hint: 'work with it' });
    expect(linesOf(monitorFindings({ kind: 'unclear', error: conflict }, own))).toEqual([
      'warning one runs already -> work with it',
    ]);
  });

  test('cannot be asked', () => {
    const error = new HealthctlError('UNAVAILABLE', 'the monitor does not answer', { hint: 'kill it' });
    expect(linesOf(monitorFindings({ kind: 'unclear', error }, own))).toEqual([
      'error the monitor does not answer -> kill it',
    ]);
  });
});

test.each([
  [{ isRunning: true, isInstalled: true, scheduler: 'daemon' }, 'ok it starts the monitor at boot'],
  [
    { isRunning: true, isInstalled: false, scheduler: 'daemon' },
    'warning it does not start the monitor at boot -> install the unit: healthctl daemon install',
  ],
  [{ isRunning: true, isInstalled: false, scheduler: 'systemd' }, 'ok its timers make the checks'],
  [
    { isRunning: false, isInstalled: false, scheduler: 'daemon' },
    'ok it does not run this machine: have its init system run "healthctl daemon"',
  ],
  [
    { isRunning: false, isInstalled: false, scheduler: 'systemd' },
    'error it does not run this machine, and scheduler = "systemd" -> leave scheduler out of the configuration file',
  ],
] as const)('systemd: %o', (facts, line) => {
  expect(linesOf(systemdFindings(facts))).toEqual([line]);
});

test("nerdctl's timers", () => {
  expect(linesOf(nerdctlTimerFindings([]))).toEqual(['ok none on containers of healthctl']);
  const [web, db] = [
    { name: 'web', id: 'aa' },
    { name: 'db', id: 'bb' },
  ];
  expect(linesOf(nerdctlTimerFindings([web, db]))).toEqual([
    'warning nerdctl also checks web and 1 other, which healthctl made -> start the monitor, which ends them, or: systemctl stop aa.timer bb.timer',
  ]);
});

test('cgroups', () => {
  const all = { CgroupVersion: '2', MemoryLimit: true, SwapLimit: true, CpuCfsQuota: true, PidsLimit: true } as const;
  expect(linesOf(cgroupFindings(all))).toEqual(['ok version 2']);
  expect(linesOf(cgroupFindings({ ...all, SwapLimit: false }))).toEqual([
    'ok version 2, without limits of swap (--memory-swap)',
  ]);
  expect(linesOf(cgroupFindings({ ...all, MemoryLimit: false, CpuCfsQuota: false, PidsLimit: false }))).toEqual([
    expect.stringMatching(/^warning version 2 without memory, cpu, pids: limits of containers have no effect -> /),
  ]);
});

test('seccomp and AppArmor', () => {
  expect(linesOf(seccompFindings(true))).toEqual(['ok the kernel filters system calls']);
  expect(linesOf(seccompFindings(false))).toEqual([
    expect.stringMatching(/^warning .* -> use a kernel with CONFIG_SECCOMP/),
  ]);
  expect(linesOf(appArmorFindings({ isEnabled: false, hasParser: false }))).toEqual(['ok not enabled on this host']);
  expect(linesOf(appArmorFindings({ isEnabled: true, hasParser: true }))).toEqual(['ok enabled']);
  expect(linesOf(appArmorFindings({ isEnabled: true, hasParser: false }))).toEqual([
    expect.stringMatching(/^error enabled, and apparmor_parser is not installed: .* -> install it/),
  ]);
});

test('iptables', () => {
  const version = 'iptables v1.8.9 (nf_tables)\n';
  expect(linesOf([iptablesFinding({ version, refusal: undefined }, { defaultNetwork: 'bridge' })])).toEqual([
    'ok v1.8.9 (nf_tables)',
  ]);
  const refused = { version, refusal: "can't initialize iptables table `nat'" };
  const statusOn = (defaultNetwork: string) => iptablesFinding(refused, { defaultNetwork }).status;
  expect(['bridge', 'shop', 'none', 'host'].map(statusOn)).toEqual(['error', 'error', 'warning', 'warning']);
});

describe('clock', () => {
  test('synchronized or not', () => {
    const facts = { nowMs: T0, jumpMs: 0 };
    expect(linesOf(clockFindings({ ...facts, isSynchronized: true }))).toEqual([
      'ok 2026-01-01T00:00:00.000Z, synchronized',
    ]);
    expect(linesOf(clockFindings({ ...facts, isSynchronized: undefined }))).toEqual(['ok 2026-01-01T00:00:00.000Z']);
    expect(linesOf(clockFindings({ ...facts, isSynchronized: false }))).toEqual([
      expect.stringMatching(/^warning it is not synchronized -> /),
    ]);
    expect(linesOf(clockFindings({ ...facts, nowMs: 0, isSynchronized: true }))).toEqual([
      expect.stringMatching(/^error it says 1970-01-01T00:00:00.000Z -> have it synchronized/),
    ]);
  });

  test.each([
    [3_600_000, 'forward by 1h0m0s'],
    [-90_000, 'back by 1m30s'],
  ])('a jump of %i ms', (jumpMs, text) => {
    expect(linesOf(clockFindings({ nowMs: T0, isSynchronized: true, jumpMs }))).toEqual([
      expect.stringContaining(`warning it was set ${text} since the last check -> `),
    ]);
    expect(linesOf(clockFindings({ nowMs: T0, isSynchronized: true, jumpMs: 1_500 }))[0]).toMatch(/^ok/);
  });

  test('the largest jump since the last checks in this boot', () => {
    const now = { nowMs: T0 + 100_000, bootMs: 500_000, bootId: 'boot' };
    // Its last check ended at T0 + 1,010 ms on the wall clock.
    const container = (endBootMs: number, run = 'boot:100:5000') => ({
      health: { config: undefined, state: aState({ run }), log: [{ ...aResult(), endBootMs }] },
    });
    expect(largestJump([], now)).toBe(0);
    expect(largestJump([container(401_010)], now)).toBe(0);
    expect(largestJump([container(401_010), container(491_010)], now)).toBe(90_000);
    expect(largestJump([container(301_010)], now)).toBe(-100_000);
    expect(largestJump([container(491_010, 'other:1:2'), container(600_000)], now)).toBe(0);
  });
});

describe('disk', () => {
  const GB = 1 << 30;
  const facts = { freeBytes: 5 * GB, totalBytes: 20 * GB, freeFiles: 1e6, isTmpfs: false, refusal: undefined };
  const dataRoot = { name: 'data root', path: '/d', flag: '--data-root' } as const;
  const runRoot = { name: 'run root', path: '/r', flag: '--run-root' } as const;

  test('space', () => {
    expect(linesOf(diskFindings(dataRoot, facts))).toEqual(['ok /d: 5120 MiB of 20 GiB are free']);
    expect(linesOf(diskFindings(dataRoot, { ...facts, freeBytes: 50 << 20 }))).toEqual([
      'warning /d: 50 MiB of 20 GiB are free -> free space there, or choose another directory with --data-root',
    ]);
    expect(linesOf(diskFindings(dataRoot, { ...facts, freeBytes: 1 << 20 }))[0]).toMatch(/^error /);
    // A tmpfs may be small.
    expect(
      linesOf(diskFindings(runRoot, { ...facts, freeBytes: 8 << 20, totalBytes: 10 << 20, isTmpfs: true }))[0],
    ).toMatch(/^ok /);
    // And very small.
    expect(
      linesOf(diskFindings(runRoot, { ...facts, freeBytes: 596 << 10, totalBytes: 600 << 10, isTmpfs: true }))[0],
    ).toMatch(/^error \/r: 596 KiB of 600 KiB are free/);
  });

  test('files', () => {
    expect(linesOf(diskFindings(dataRoot, { ...facts, freeFiles: 5 }))).toEqual([
      expect.stringMatching(/^error .* are free, and 5 files can be made -> /),
    ]);
    expect(linesOf(diskFindings(dataRoot, { ...facts, freeFiles: undefined }))[0]).toMatch(/^ok /);
  });

  test('cannot be written', () => {
    expect(linesOf(diskFindings(dataRoot, { ...facts, refusal: 'read-only file system' }))).toEqual([
      'error /d: read-only file system -> choose another directory with --data-root',
    ]);
  });

  test('the run root should be on a tmpfs', () => {
    expect(linesOf(diskFindings(runRoot, { ...facts, isTmpfs: true }))).toEqual(['ok /r: 5120 MiB of 20 GiB are free']);
    expect(linesOf(diskFindings(runRoot, facts))).toEqual([
      'warning /r is on a disk: each check writes to it -> choose a directory on tmpfs with --run-root',
    ]);
  });
});

test('inotify', () => {
  const facts = { watches: 65_536, instances: 128, containers: 10, refusal: undefined };
  expect(linesOf(inotifyFindings(facts))).toEqual(['ok 65536 watches and 128 instances for each user']);
  expect(linesOf(inotifyFindings({ ...facts, containers: 20_000 }))).toEqual([
    'warning 65536 watches and 128 instances for each user -> raise them: sysctl fs.inotify.max_user_watches=160000 fs.inotify.max_user_instances=512',
  ]);
  expect(linesOf(inotifyFindings({ ...facts, instances: 8 }))[0]).toMatch(/^warning /);
  expect(linesOf(inotifyFindings({ ...facts, refusal: 'too many open files' }))[0]).toMatch(
    /^error no file can be watched: too many open files \(65536 watches/,
  );
});

test('descriptors', () => {
  const facts = { limit: 1_048_576, open: 1_000, max: 1e6 };
  expect(linesOf(descriptorFindings(facts))).toEqual(['ok 1048576 for each process']);
  expect(linesOf(descriptorFindings({ ...facts, limit: Number.POSITIVE_INFINITY }))).toEqual([
    'ok no limit for each process',
  ]);
  expect(linesOf(descriptorFindings({ ...facts, limit: 256 }))[0]).toMatch(
    /^warning 256 for each process -> raise them: ulimit -n 1024/,
  );
  expect(linesOf(descriptorFindings({ ...facts, open: 950_000 }))[0]).toMatch(/^error 950000 of the 1000000 files/);
});
